// Hogwild against loops by hand, alone and with others; what it refuses, and what becomes of faults.
#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/faults.hpp"

#include <descent/core/batches.hpp>
#include <descent/core/random.hpp>
#include <descent/minimize.hpp>
#include <descent/objective/all_cores.hpp>
#include <descent/objective/l2.hpp>
#include <descent/objective/linear_regression.hpp>
#include <descent/objective/logistic_regression.hpp>
#include <descent/objective/softmax_regression.hpp>
#include <descent/solver/hogwild.hpp>

#include <Eigen/SparseCore>

#include <atomic>
#include <cmath>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace descent;
using namespace descent_test;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

template <class Real>
using SparseRows = Eigen::SparseMatrix<Real, Eigen::RowMajor>;

// Labels of a logistic model; a third of the coefficients is not zero.
struct Data {
  MatrixXd x;
  VectorXd y, weights;

  Data(Index n, Index d, std::uint64_t seed) : x(n, d), y(n), weights(n) {
    Random random(seed);
    VectorXd w(d);
    for (double& wj : w) wj = random.normal();
    for (Index i = 0; i < n; ++i) {
      for (Index j = 0; j < d; ++j) x(i, j) = random.below(3) == 0 ? random.normal() : 0;
      y[i] = random.uniform() < 1 / (1 + std::exp(-x.row(i).dot(w))) ? 1 : 0;
      weights[i] = 0.5 + random.uniform();
    }
    weights *= double(n) / weights.sum();
  }
};

const Schedule falling = [](std::int64_t k) { return 0.3 / (1 + 0.01 * double(k)); };

// The dense update, sample by sample (or batch by batch): every weight at every step.
struct ByHand {
  double ridge = 0;
  bool intercept = false, weighted = false;
  Sampling sampling = shuffled;
  std::uint64_t seed = 0;
  Index batch = 1;

  VectorXd run(const Data& data, const Schedule& rate, VectorXd w, int epochs) const {
    const Index n = data.x.rows(), d = data.x.cols();
    Batches order(n, n, sampling, seed);
    std::int64_t k = 0;
    for (int epoch = 0; epoch < epochs; ++epoch) {
      const Batch drawn = order.next();
      for (Index at = 0; at < n; at += batch, ++k) {
        const Index count = std::min(batch, n - at);
        VectorXd g = VectorXd::Zero(w.size());
        for (Index b = at; b < at + count; ++b) {
          const Index i = drawn[std::size_t(b)];
          const double z = data.x.row(i).dot(w.head(d)) + (intercept ? w[d] : 0);
          const double slope = (weighted ? data.weights[i] : 1) *
                               (1 / (1 + std::exp(-z)) - data.y[i]) / double(count);
          g.head(d) += slope * data.x.row(i).transpose();
          if (intercept) g[d] += slope;
        }
        g.head(d) += ridge * w.head(d);
        w -= rate(k) * g;
      }
    }
    return w;
  }
};

template <class Matrix>
void check_by_hand(const Data& data, const Matrix& x, const ByHand& hand, HogwildOptions options,
                   double precision) {
  using Real = typename Matrix::Scalar;
  using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
  options.threads = 1;
  options.passes = 3;
  const LogisticRegression model(
      x, data.y,
      {.intercept = hand.intercept, .weights = hand.weighted ? data.weights : VectorXd()});
  const VectorXd start = VectorXd::LinSpaced(model.parameters(), -0.5, 0.5);
  const VectorXd expected = hand.run(data, options.learning_rate, start, 3);
  const V x0 = start.cast<Real>();
  Hogwild<V> hogwild(options);
  const auto result = minimize(l2(model, hand.ridge), x0, hogwild,
                               {.max_iterations = 1,
                                .batch_size = options.sharing == Sharing::synchronous
                                                  ? std::optional<std::int64_t>(hand.batch)
                                                  : std::nullopt,
                                .sampling = hand.sampling,
                                .seed = hand.seed});
  REQUIRE(result.status == Status::IterationLimit);
  const double error = (result.x.template cast<double>() - expected).cwiseAbs().maxCoeff();
  CHECK(error <= precision * std::max(1.0, expected.cwiseAbs().maxCoeff()));
}

}  // namespace

TEST_CASE("one thread of Hogwild makes the dense steps of SGD", "[hogwild]") {
  const Data data(300, 11, 1);
  const SparseRows<double> sparse = data.x.sparseView();
  SparseRows<double> with_room = sparse;
  with_room.reserve(Eigen::VectorXi::Constant(300, 2));
  REQUIRE(!with_room.isCompressed());
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const RowMajor rows = data.x;
  for (const ByHand& hand :
       {ByHand{}, ByHand{.ridge = 0.02, .intercept = true}, ByHand{.sampling = in_order},
        ByHand{.ridge = 1.5, .intercept = true, .weighted = true, .sampling = in_order},
        ByHand{.ridge = 0.1, .sampling = with_replacement, .seed = 7},
        ByHand{.weighted = true, .seed = 8}}) {
    CAPTURE(hand.ridge, int(hand.sampling), hand.intercept, hand.weighted, hand.seed);
    for (const Schedule& rate : {Schedule(0.05), falling}) {
      const HogwildOptions options{.learning_rate = rate};
      check_by_hand(data, sparse, hand, options, 1e-13);
      check_by_hand(data, with_room, hand, options, 1e-13);
      check_by_hand(data, rows, hand, options, 1e-13);
      check_by_hand(data, data.x, hand, options, 1e-13);
      check_by_hand(data, SparseRows<float>(sparse.cast<float>()), hand, options, 2e-5);
    }
  }
}

TEST_CASE("synchronous mini-batches are those by hand, with the same bits for any team",
          "[hogwild]") {
  const Data data(203, 9, 2);
  const SparseRows<double> x = data.x.sparseView();
  for (const ByHand& hand :
       {ByHand{.batch = 20}, ByHand{.ridge = 2, .intercept = true, .batch = 64},
        ByHand{.batch = 1000}}) {
    const HogwildOptions options{.learning_rate = falling, .sharing = Sharing::synchronous};
    check_by_hand(data, x, hand, options, 1e-13);
    const LogisticRegression model(x, data.y);
    VectorXd one;
    for (const int threads : {1, 2, 3, 8}) {
      HogwildOptions shared = options;
      shared.threads = threads;
      const auto result = minimize(l2(model, hand.ridge), VectorXd::Zero(9), Hogwild(shared),
                                   {.max_epochs = 4, .batch_size = hand.batch});
      if (threads == 1) one = result.x;
      CHECK(result.x == one);
    }
  }
}

TEST_CASE("one thread has the same bits in every run, and a copy goes on with them", "[hogwild]") {
  const Data data(1000, 7, 3);
  const SparseRows<double> x = data.x.sparseView();
  const auto f = l2(LogisticRegression(x, data.y), 1e-3);
  const VectorXd x0 = VectorXd::Zero(7);
  Hogwild hogwild({.learning_rate = falling, .threads = 1});
  Batches batches(1000, 1, shuffled, 3);
  const auto first = minimize(f, x0, hogwild, {.max_epochs = 2, .batches = &batches});
  CHECK(hogwild.steps() == 2000);
  CHECK(hogwild.learning_rate() == falling(2000));
  CHECK(first.gradient_evaluations == 2003);
  Hogwild copy = hogwild;
  Batches same = batches;
  const auto next =
      minimize(f, first.x, hogwild, {.max_epochs = 2, .warm_start = true, .batches = &batches});
  CHECK(minimize(f, first.x, copy, {.max_epochs = 2, .warm_start = true, .batches = &same}).x ==
        next.x);
  CHECK(minimize(f, x0, hogwild, {.max_epochs = 2, .seed = 3}).x == first.x);
  CHECK(minimize(f, x0, hogwild, {.max_epochs = 4, .seed = 3}).x == next.x);
  CHECK(minimize(f, x0, hogwild, {.max_epochs = 4, .seed = 4}).x != next.x);
  Hogwild at_once({.learning_rate = falling, .threads = 1, .passes = 4});
  CHECK(minimize(f, x0, at_once, {.max_iterations = 1, .seed = 3}).x == next.x);
}

TEST_CASE("a limit within a pass of Hogwild ends it there, with the full sum", "[hogwild]") {
  const Data data(100, 7, 3);
  const LogisticRegression f(data.x, data.y);
  for (const Sharing sharing : {Sharing::asynchronous, Sharing::synchronous}) {
    Hogwild hogwild({.threads = 2, .sharing = sharing});
    const auto result = minimize(f, VectorXd::Zero(7), hogwild, {.max_evaluations = 50});
    CHECK(result.status == Status::EvaluationLimit);
    CHECK(result.gradient_evaluations == 50);
    CHECK(hogwild.steps() == 48);
    CHECK(result.loss == f.loss(result.x));
  }
}

TEST_CASE("threads without locks come to the loss of one", "[hogwild]") {
  const Data data(4000, 300, 4);
  const SparseRows<double> sparse = data.x.sparseView();
  const auto loss = [&](const auto& x, int threads, std::uint64_t seed) {
    const auto f = l2(LogisticRegression(x, data.y, {.intercept = true}), 0.01);
    return minimize(f, VectorXd::Zero(301),
                    Hogwild({.learning_rate =
                                 [](std::int64_t k) { return 0.02 / (1 + double(k) / 4000); },
                             .threads = threads}),
                    {.max_epochs = 8, .seed = seed})
        .loss;
  };
  for (const std::uint64_t seed : {1u, 2u}) {
    const double one = loss(sparse, 1, seed);
    for (const int threads : {2, 4}) {
      CHECK(std::abs(loss(sparse, threads, seed) - one) < 0.01 * one);
    }
  }
  const double one = loss(data.x, 1, 0);
  CHECK(std::abs(loss(data.x, 2, 0) - one) < 0.01 * one);
}

TEST_CASE("threads without locks come to the loss of one: 20 seeds, a million updates",
          "[hogwild][.long]") {
  const Data data(50'000, 60, 5);
  const SparseRows<double> x = data.x.sparseView();
  const auto f = l2(LogisticRegression(x, data.y), 1e-4);
  // A rate that stays at 0.05 leaves noise of 1 % in the loss of one thread alone, from seed to seed.
  const auto rate = [](std::int64_t k) { return 0.05 / (1 + double(k) / 50'000); };
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto loss = [&](int threads) {
      return minimize(f, VectorXd::Zero(60),
                      Hogwild({.learning_rate = rate, .threads = threads, .passes = 20}),
                      {.max_epochs = 20, .seed = seed})
          .loss;
    };
    const double one = loss(1);
    for (const int threads : {2, 4}) CHECK(std::abs(loss(threads) - one) < 0.01 * one);
  }
}

TEST_CASE("Hogwild takes a model whose full sums all cores share", "[hogwild]") {
  const Data data(100, 4, 11);
  const LogisticRegression model(data.x, data.y);
  const Hogwild<VectorXd> hogwild({.threads = 1});
  auto one = hogwild, other = hogwild;
  CHECK(minimize(l2(all_cores(model), 0.1), VectorXd::Zero(4), one, {.max_epochs = 3}).x ==
        minimize(l2(model, 0.1), VectorXd::Zero(4), other, {.max_epochs = 3}).x);
}

TEST_CASE("Hogwild finds the optimum that L-BFGS's norm of the gradient promises", "[hogwild]") {
  const Data data(500, 6, 6);
  const MatrixXd x = data.x;
  const VectorXd y = x * VectorXd::LinSpaced(6, -1, 1);
  const LinearRegression f(x, y);  // every sample's loss is 0 there
  const auto result = minimize(f, VectorXd::Zero(6), Hogwild({.learning_rate = 0.1, .threads = 2}),
                               {.max_epochs = 200, .gradient_tolerance = 1e-10});
  CHECK(result.status == Status::GradientTolerance);
  CHECK(result.gradient_norm <= 1e-10);
}

TEST_CASE("Hogwild refuses what it cannot do", "[hogwild]") {
  CHECK_THROWS_WITH(Hogwild({.learning_rate = -1.0}),
                    "Hogwild: learning_rate must be in [0, inf), got -1");
  CHECK_THROWS_WITH(Hogwild({.threads = -1}), "Hogwild: threads must be at least 0, got -1");
  CHECK_THROWS_WITH(Hogwild({.passes = 0}), "Hogwild: passes must be at least 1, got 0");
  const Data data(40, 3, 7);
  const LogisticRegression model(data.x, data.y);
  for (const Sharing sharing : {Sharing::asynchronous, Sharing::synchronous}) {
    for (const Schedule& rate :
         {Schedule(0.5), Schedule([](std::int64_t k) { return k < 7 ? 0.1 : 0.5; })}) {
      const auto run = [&] {
        return minimize(l2(model, 2), VectorXd::Zero(3),
                        Hogwild({.learning_rate = rate, .sharing = sharing}));
      };
      CHECK_THROWS_WITH(run(), "Hogwild: learning_rate must be in [0, 0.5), got 0.5");
    }
  }
  const SoftmaxRegression softmax(data.x, data.y);
  const auto with_softmax = [&] { return minimize(softmax, VectorXd::Zero(6), Hogwild()); };
  CHECK_THROWS_WITH(with_softmax(),
                    "Hogwild: objective must be a linear model of one output, got one of 2");
}

TEST_CASE("a rate that is too large ends with a status, at a finite point", "[hogwild]") {
  const Data data(200, 5, 8);
  const VectorXd y = data.x * VectorXd::Ones(5);
  const LinearRegression f(data.x, y);
  for (const int threads : {1, 2}) {
    for (const Sharing sharing : {Sharing::asynchronous, Sharing::synchronous}) {
      const auto result =
          minimize(f, VectorXd::Zero(5),
                   Hogwild({.learning_rate = 1e3, .threads = threads, .sharing = sharing}),
                   {.max_epochs = 50});
      CHECK(result.status == Status::NonFinite);
      CHECK(result.x.allFinite());
      CHECK(result.loss <= f.loss(VectorXd(VectorXd::Zero(5))));
    }
  }
  VectorXd bad = data.y;
  bad[17] = std::nan("");
  const LinearRegression poisoned(data.x, bad);
  const auto result = minimize(poisoned, VectorXd::Zero(5), Hogwild({.threads = 2}));
  CHECK(result.status == Status::NonFinite);
  CHECK(result.iterations == 0);
}

namespace {

// A squared loss whose slopes go wrong on the way, whichever thread asks for them.
struct SpoiledSlopes {
  FaultPlan plan;
  std::atomic<std::int64_t>* slopes;
  std::atomic<std::int64_t>* faults;

  static constexpr Index outputs() { return 1; }
  template <class Z, class Y, class Losses>
  static void evaluate(Z& z, const Y& y, Losses& losses) {
    z.col(0) -= y;
    losses = 0.5 * z.col(0).square();
  }
  double slope(double z, double y) const {
    const std::int64_t number = 1 + slopes->fetch_add(1);
    const bool strikes = plan.once ? number == plan.from : number >= plan.from;
    if (plan.fault == Fault::none || !strikes) return z - y;
    ++*faults;
    if (plan.fault == Fault::exception) throw InjectedError(number);
    return plan.value();
  }
};

using SpoiledModel = LinearModel<SpoiledSlopes, Referred<MatrixXd>, Referred<VectorXd>>;

// Full sums that go wrong, around a linear model.
template <class F>
struct SpoiledSums : Faulty<F> {
  const F& f;
  SpoiledSums(const F& inside, const FaultPlan& plan) : Faulty<F>(inside, plan), f(inside) {}
  const auto& linear_part() const { return f.linear_part(); }
  double ridge() const { return f.ridge(); }
};

}  // namespace

TEST_CASE("Hogwild: no fault within a pass or a full sum is taken for success, or ruins the result",
          "[hogwild][faults]") {
  const Data data(60, 4, 9);
  const VectorXd x0 = VectorXd::LinSpaced(4, -3, 2);
  std::atomic<std::int64_t> slopes = 0, faults = 0;
  const auto model = [&](const FaultPlan& plan) {
    return l2(SpoiledModel("Spoiled", data.x, data.y, SpoiledSlopes{plan, &slopes, &faults}, {}),
              0.02);
  };
  const auto healthy = model({});
  constexpr std::int64_t most = 21;
  int runs = 0, struck = 0, exceptions = 0, converged = 0;
  for (const Sharing sharing : {Sharing::asynchronous, Sharing::synchronous}) {
    for (const int threads : {1, 2}) {
      Hogwild hogwild({.learning_rate = 0.1, .threads = threads, .sharing = sharing});
      const auto run = [&](const auto& f, std::int64_t iterations, double tolerance) {
        return minimize(f, x0, hogwild,
                        {.max_iterations = iterations, .gradient_tolerance = tolerance});
      };
      const bool same_bits = threads == 1 || sharing == Sharing::synchronous;
      const VectorXd expected = run(SpoiledSums(healthy, {}), 2, 0).x;
      for (const Fault fault : {Fault::nan, Fault::infinity, Fault::minus_infinity, Fault::huge,
                                Fault::minus_huge, Fault::exception}) {
        for (const bool in_pass : {true, false}) {
          for (const Part part : {Part::loss, Part::coefficient, Part::gradient}) {
            if (in_pass && part != Part::gradient) continue;
            for (const bool once : {true, false}) {
              for (int from = 1; from <= 20; ++from) {
                FaultPlan plan{
                    .fault = fault, .part = part, .from = from, .once = once, .index = from % 4};
                if (in_pass) plan.from = 1 + 7 * (from - 1);
                CAPTURE(int(sharing), threads, in_pass, plan);
                const auto f = model(in_pass ? plan : FaultPlan());
                const SpoiledSums faulty(f, in_pass ? FaultPlan() : plan);
                slopes = 0;
                faults = 0;
                ++runs;
                try {
                  const auto result = run(faulty, most, from % 2 == 0 ? 0.05 : 0);
                  const auto hits = faults + faulty.counts().faults;
                  if (hits > 0) ++struck;
                  CHECK(result.x.allFinite());
                  CHECK(result.iterations <= most);
                  CHECK(faulty.counts().gradients <= most + 1);
                  CHECK((fault != Fault::exception || hits == 0));
                  VectorXd g = x0;
                  const double loss = healthy.loss_and_gradient(result.x, g);
                  if (in_pass || part != Part::loss || !plan.finite()) {
                    CHECK(loss <= healthy.loss(x0));
                  }
                  if (result.converged()) {
                    ++converged;
                    CHECK(g.cwiseAbs().maxCoeff() <= 0.05);
                  }
                  if (hits > 0 && !plan.finite()) {
                    const bool bottomless = fault == Fault::minus_infinity && part == Part::loss;
                    CHECK(result.status ==
                          (bottomless && from > 1 ? Status::Diverged : Status::NonFinite));
                    CHECK(result.trouble.first_evaluation == (!in_pass && from == 1));
                    if (!in_pass && from == 1) CHECK(result.x == x0);
                  }
                } catch (const InjectedError& error) {
                  ++struck;
                  ++exceptions;
                  CHECK(fault == Fault::exception);
                  if (once) {
                    CHECK(error.evaluation == plan.from);
                  } else {
                    CHECK(error.evaluation >= plan.from);
                  }
                }
                const VectorXd again = run(SpoiledSums(healthy, {}), 2, 0).x;
                CHECK((same_bits ? again == expected : (again - expected).norm() < 0.5));
              }
            }
          }
        }
      }
    }
  }
  CHECK(runs == 4 * 6 * 4 * 2 * 20);
  CHECK(struck > runs / 2);
  CHECK(exceptions > runs / 20);
  CHECK(converged > 0);
}

TEST_CASE("an exception of a schedule passes through Hogwild", "[hogwild][faults]") {
  const Data data(300, 4, 9);
  const LogisticRegression model(data.x, data.y);
  Hogwild hogwild(
      {.learning_rate = [](std::int64_t k) { return k < 400 ? 0.01 : throw InjectedError(k); },
       .threads = 2});
  const auto run = [&](std::int64_t epochs) {
    return minimize(model, VectorXd::Zero(4), hogwild, {.max_epochs = epochs});
  };
  CHECK_THROWS_AS(run(2), InjectedError);
  CHECK(run(1).status == Status::EpochLimit);
}

TEST_CASE("any allocation of Hogwild may fail, and nothing is lost", "[hogwild][faults]") {
  const Data data(300, 4, 9);
  const SparseRows<double> x = data.x.sparseView();
  const auto f = l2(LogisticRegression(x, data.y), 0.1);
  int failures = 0;
  for (const Sharing sharing : {Sharing::asynchronous, Sharing::synchronous}) {
    for (const int threads : {1, 2, 4}) {
      const std::int64_t held = blocks_in_use();
      {
        const HogwildOptions options{
            .learning_rate = falling, .threads = threads, .sharing = sharing};
        const auto run = [&](auto&& hogwild) {
          return minimize(f, VectorXd::Zero(4), hogwild,
                          {.max_epochs = 3, .gradient_tolerance = 0, .batch_size = 20});
        };
        const auto expected = run(Hogwild(options));
        const bool same_bits = threads == 1 || sharing == Sharing::synchronous;
        for (std::int64_t k = 1;; ++k) {
          Hogwild hogwild(options);  // without its threads
          const Ending ending = out_of_memory(k, [&] { (void)run(hogwild); });
          if (ending == Ending::untouched) break;
          CHECK(ending == Ending::thrown);
          ++failures;
          const auto again = run(hogwild);
          CHECK(again.status == Status::EpochLimit);
          CHECK((same_bits ? again.x == expected.x : std::abs(again.loss - expected.loss) < 1e-2));
        }
      }
      CHECK(blocks_in_use() == held);
    }
  }
  CHECK(failures >= (counts_malloc() ? 100 : 20));
}

TEST_CASE("epochs of Hogwild allocate nothing after the first", "[hogwild]") {
  const Data data(300, 4, 10);
  const SparseRows<double> x = data.x.sparseView();
  const auto f = l2(LogisticRegression(x, data.y), 0.1);
  for (const Sharing sharing : {Sharing::asynchronous, Sharing::synchronous}) {
    for (const int threads : {1, 2}) {
      const auto allocations = [&](std::int64_t epochs) {
        return allocated_by([&] {
          (void)minimize(
              f, VectorXd::Zero(4),
              Hogwild({.learning_rate = falling, .threads = threads, .sharing = sharing}),
              {.max_epochs = epochs, .gradient_tolerance = 0});
        });
      };
      CHECK(allocations(9).count == allocations(2).count);
    }
  }
}
