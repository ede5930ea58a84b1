// Hogwild against loops by hand, alone and with others; what it refuses, and what becomes of faults.
#include "support/allocations.hpp"
#include "support/catch.hpp"

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
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto loss = [&](int threads) {
      return minimize(f, VectorXd::Zero(60),
                      Hogwild({.learning_rate = 0.05, .threads = threads, .passes = 20}),
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

struct Failure {};

// A squared loss that fails at its 1000-th slope.
struct Failing {
  std::atomic<int>* left;
  static constexpr Index outputs() { return 1; }
  template <class Z, class Y, class Losses>
  static void evaluate(Z& z, const Y& y, Losses& losses) {
    z.col(0) -= y;
    losses = 0.5 * z.col(0).square();
  }
  double slope(double z, double y) const {
    if (--*left == 0) throw Failure();
    return z - y;
  }
};

}  // namespace

TEST_CASE("an exception on a worker keeps its type, and Hogwild goes on being of use",
          "[hogwild]") {
  const Data data(300, 4, 9);
  std::atomic<int> left = 0;
  using Model = LinearModel<Failing, Referred<MatrixXd>, Referred<VectorXd>>;
  const Model model("Failing", data.x, data.y, Failing{&left}, {});
  for (const Sharing sharing : {Sharing::asynchronous, Sharing::synchronous}) {
    for (const int threads : {1, 2, 4}) {
      const std::int64_t held = descent_test::blocks_in_use();
      {
        Hogwild hogwild({.learning_rate = 0.01, .threads = threads, .sharing = sharing});
        const auto run = [&] {
          return minimize(model, VectorXd::Zero(4), hogwild, {.max_epochs = 5});
        };
        for (const int fails_at : {1, 299, 1000}) {
          left = fails_at;
          CHECK_THROWS_AS(run(), Failure);
        }
        left = -1;
        const auto result = run();
        CHECK(result.status == Status::EpochLimit);
        CHECK(result.loss < model.loss(VectorXd(VectorXd::Zero(4))));
      }
      CHECK(descent_test::blocks_in_use() == held);
    }
  }
  // From a schedule, on the thread that called.
  Hogwild hogwild({.learning_rate = [](std::int64_t k) { return k < 400 ? 0.01 : throw Failure(); },
                   .threads = 2});
  left = -1;
  const auto run = [&](std::int64_t epochs) {
    return minimize(model, VectorXd::Zero(4), hogwild, {.max_epochs = epochs});
  };
  CHECK_THROWS_AS(run(2), Failure);
  CHECK(run(1).status == Status::EpochLimit);
}

TEST_CASE("epochs of Hogwild allocate nothing after the first", "[hogwild]") {
  const Data data(300, 4, 10);
  const SparseRows<double> x = data.x.sparseView();
  const auto f = l2(LogisticRegression(x, data.y), 0.1);
  for (const Sharing sharing : {Sharing::asynchronous, Sharing::synchronous}) {
    for (const int threads : {1, 2}) {
      const auto allocations = [&](std::int64_t epochs) {
        return descent_test::allocated_by([&] {
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
