// What a user of `minimize` relies on: why it stops, what it counts, what it returns. Faults and bad numbers are in
// tests/minimize/.
#include <descent/minimize.hpp>
#include <descent/objective/callable.hpp>
#include <descent/objective/linear_regression.hpp>
#include <descent/observe/history.hpp>
#include <descent/optimizer/adam.hpp>
#include <descent/optimizer/gradient_descent.hpp>
#include <descent/optimizer/sgd.hpp>

#include "support/catch.hpp"
#include "support/faults.hpp"
#include "support/problems.hpp"
#include "support/refusal.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

using namespace descent;
using namespace descent_test;
using Eigen::VectorXd;

namespace {

VectorXd zero(Eigen::Index n = 3) {
  return VectorXd::Zero(n);
}

/// f = x: no lower bound, so nothing but a limit ends a run on it.
const auto slope = objective([](const VectorXd& x, VectorXd& g) {
  g.setOnes();
  return x.sum();
});

struct Indifferent {
  static constexpr bool uses_loss = false;
  double seen = 0;
  void operator()(const Progress& p) { seen = p.loss; }
};

Line line(Eigen::Index n) {
  const Eigen::ArrayXd a = Eigen::ArrayXd::LinSpaced(n, -1, 1);
  return {a, 2 * a + 1 + 0.1 * (7 * a).sin()};
}

}  // namespace

// ---------------------------------------------------------------------------------- why it stops

TEST_CASE("a gradient within the tolerance ends a run, the bound included") {
  const auto gradient_of_size = [](double size) {
    return objective([=](const VectorXd&, VectorXd& g) {
      g.setZero();
      g[1] = -size;
      return 1.0;
    });
  };
  const auto run = [&](double size, const MinimizeOptions& options = {.max_iterations = 5}) {
    return minimize(gradient_of_size(size), zero(), GradientDescent(), options);
  };
  const auto next = [](double v) { return std::nextafter(v, 1); };
  CHECK(run(1e-6).status == Status::GradientTolerance);  // the default
  CHECK(run(next(1e-6)).status == Status::IterationLimit);
  MinimizeOptions options{.max_iterations = 5, .gradient_tolerance = 0.25};
  CHECK(run(0.25, options).status == Status::GradientTolerance);
  CHECK(run(next(0.25), options).status == Status::IterationLimit);
  options.gradient_tolerance = 0;
  CHECK(run(0, options).status == Status::GradientTolerance);
  CHECK(run(5e-324, options).status == Status::IterationLimit);

  const auto result = run(0.25, {.gradient_tolerance = 0.5});
  CHECK(result.converged());
  CHECK(result.iterations == 0);
  CHECK(result.gradient_evaluations == 1);
  CHECK(result.gradient_norm == 0.25);
  CHECK(result.message() ==
        "converged: the largest gradient coefficient, 0.25, is within 0.5, after 0 iterations");
}

TEST_CASE("the default tolerance in float is 1e-3") {
  const auto run = [](float size) {
    const auto f = objective([=](const Eigen::VectorXf&, Eigen::VectorXf& g) {
      g.setConstant(size);
      return 0;
    });
    return minimize(f, Eigen::VectorXf::Zero(2), GradientDescent(), {.max_iterations = 2}).status;
  };
  CHECK(run(0.999e-3f) == Status::GradientTolerance);
  CHECK(run(1.001e-3f) == Status::IterationLimit);
}

TEST_CASE("a loss that changes little ends a run, the bound included") {
  // The loss falls by 1/8 a step, exactly; with `level`, from there.
  const auto run = [](double level, double tolerance) {
    const auto f = objective([=](const VectorXd& x, VectorXd& g) {
      g.setOnes();
      return level + x[0];
    });
    return minimize(f, zero(1), GradientDescent({.learning_rate = 0.125}),
                    {.max_iterations = 8, .loss_tolerance = tolerance});
  };
  const auto below = [](double v) { return std::nextafter(v, 0); };
  CHECK(run(0, 0.125).status == Status::LossTolerance);  // of max(1, |loss|) = 1
  CHECK(run(0, 0.125).iterations == 1);
  CHECK(run(0, below(0.125)).status == Status::IterationLimit);
  CHECK(run(64.125, 0.125 / 64).status == Status::LossTolerance);
  CHECK(run(64.125, 0.125 / 64).iterations == 1);
  CHECK(run(64.125, below(0.125 / 64)).iterations == 8);
  CHECK(run(0, 0.125).message() ==
        "converged: the loss, -0.125, changes by no more than 0.125 of max(1, |loss|), after 1 "
        "iteration");
  const auto constant = objective([](const VectorXd&, VectorXd& g) {
    g.setOnes();
    return 1.0;
  });
  CHECK(minimize(constant, zero(), GradientDescent(), {.loss_tolerance = 0}).status ==
        Status::LossTolerance);
}

TEST_CASE("parameters that change little end a run, the bound included") {
  const auto run = [](double start, double tolerance) {
    return minimize(slope, VectorXd{{start, 0.0}}, GradientDescent({.learning_rate = 0.125}),
                    {.max_iterations = 8, .step_tolerance = tolerance});
  };
  const auto below = [](double v) { return std::nextafter(v, 0); };
  CHECK(run(0, 0.125).status == Status::StepTolerance);  // of max(1, |x|) = 1
  CHECK(run(0, 0.125).converged());
  CHECK(run(0, 0.125).iterations == 1);
  CHECK(run(0, below(0.125)).status == Status::IterationLimit);
  CHECK(run(-63.875, 0.125 / 64).status == Status::StepTolerance);
  CHECK(run(-63.875, below(0.125 / 64)).iterations == 2);  // |x| grows: at the second step
  CHECK(run(0, 0.125).message() ==
        "converged: the parameters change by no more than 0.125 of max(1, |x|), after 1 iteration");
}

TEST_CASE("a step that was skipped is no convergence") {
  struct Sleeper : GradientDescent<VectorXd> {
    StepOutcome advance(const VectorXd& x, const VectorXd&, VectorXd& next, double) {
      next = x;
      return {.taken = false};
    }
  };
  const auto result = minimize(slope, zero(), Sleeper(),
                               {.max_iterations = 3, .loss_tolerance = 1, .step_tolerance = 1});
  CHECK(result.status == Status::IterationLimit);
}

TEST_CASE("a run that finds nothing better than its start says so") {
  struct Bowl {
    double loss_and_gradient(const VectorXd& x, VectorXd& g) const {
      g = x;
      return 0.5 * x.squaredNorm();
    }
  };
  const VectorXd start = VectorXd::Ones(2);
  const auto far =
      minimize(Bowl{}, start, GradientDescent({.learning_rate = 3}), {.max_iterations = 5});
  CHECK(far.unmoved);
  CHECK(far.x == start);
  CHECK(far.message() ==
        "stopped at the limit of iterations, after 5 iterations, without a point better than the "
        "start: a smaller learning rate may help");
  const auto near =
      minimize(Bowl{}, start, GradientDescent({.learning_rate = 0.1}), {.max_iterations = 5});
  CHECK_FALSE(near.unmoved);
  CHECK(near.message() == "stopped at the limit of iterations, after 5 iterations");
}

TEST_CASE("each limit ends a run") {
  const GradientDescent<> gd;
  const auto run = [&](const MinimizeOptions& options) {
    return minimize(slope, zero(), GradientDescent(gd), options);
  };
  SECTION("10 000 iterations where none is given") {
    const auto result = run({});
    CHECK(result.status == Status::IterationLimit);
    CHECK(result.iterations == 10'000);
    CHECK_FALSE(result.converged());
    CHECK(result.message() == "stopped at the limit of iterations, after 10000 iterations");
  }
  SECTION("iterations") {
    for (const std::int64_t n : {0, 1, 7}) {
      const auto result = run({.max_iterations = n});
      CHECK(result.status == Status::IterationLimit);
      CHECK(result.iterations == n);
      CHECK(result.gradient_evaluations == n + 1);
    }
    CHECK(run({.max_iterations = 12'000}).iterations == 12'000);
  }
  SECTION("evaluations") {
    for (const std::int64_t n : {1, 2, 9}) {
      const auto result = run({.max_evaluations = n});
      CHECK(result.status == Status::EvaluationLimit);
      CHECK(result.gradient_evaluations == n);
      CHECK(result.loss_evaluations == n);
      CHECK(result.iterations == n - 1);
    }
    CHECK(run({.max_evaluations = 20'000}).iterations == 19'999);
    CHECK(run({.max_evaluations = 1}).message() ==
          "stopped at the limit of evaluations, after 0 iterations");
  }
  SECTION("time") {
    const auto at_once = run({.time_limit = 0});
    CHECK(at_once.status == Status::TimeLimit);
    CHECK(at_once.iterations == 0);
    const auto result = run({.time_limit = 0.02});
    CHECK(result.status == Status::TimeLimit);
    CHECK(result.iterations > 0);
    CHECK(result.seconds >= 0.02);
    CHECK(result.seconds < 1);
    CHECK_THAT(result.message(), StartsWith("stopped at the limit of time, after "));
    // The limit of iterations where none is given no longer applies.
    const auto longer = minimize(slope, zero(), GradientDescent(gd), {.time_limit = 1e9},
                                 [](const Progress& p) { return p.iterations < 10'001; });
    CHECK(longer.status == Status::Stopped);
    CHECK(longer.iterations == 10'001);
  }
  SECTION("epochs") {
    const Line data = line(10);
    const auto result = minimize(data, zero(2), SGD(), {.max_epochs = 3, .batch_size = 4});
    CHECK(result.status == Status::EpochLimit);
    CHECK(result.epochs == 3);
    CHECK(result.iterations == 9);
    CHECK(result.message() == "stopped at the limit of epochs, after 9 iterations");
    CHECK(minimize(data, zero(2), SGD(), {.max_epochs = 0}).iterations == 0);
    const auto full = minimize(data, zero(2), Adam(), {.max_epochs = 5});
    CHECK(full.status == Status::EpochLimit);
    CHECK(full.epochs == 5);
    CHECK(full.iterations == 5);
    CHECK(minimize(data, zero(2), Adam(), {.max_epochs = 20'000, .gradient_tolerance = 0}).epochs ==
          20'000);
  }
  SECTION("the first of several") {
    const Line data = line(10);
    const auto status = [&](const MinimizeOptions& options) {
      return minimize(data, zero(2), SGD(), options).status;
    };
    CHECK(status({.max_iterations = 5, .max_epochs = 1}) == Status::IterationLimit);
    CHECK(status({.max_iterations = 15, .max_epochs = 1}) == Status::EpochLimit);
    CHECK(status({.max_iterations = 15, .max_epochs = 9, .max_evaluations = 5}) ==
          Status::EvaluationLimit);
    CHECK(status({.max_iterations = 15, .time_limit = 0}) == Status::TimeLimit);
  }
}

TEST_CASE("an observer ends a run") {
  const auto result = minimize(slope, zero(), GradientDescent(), {},
                               [](const Progress& p) { return p.iterations < 4; });
  CHECK(result.status == Status::Stopped);
  CHECK(result.iterations == 4);
  CHECK(result.message() == "stopped by an observer, after 4 iterations");

  const auto sampled = minimize(line(10), zero(2), SGD(), {.max_epochs = 9},
                                [](const Progress& p, const VectorXd&) { return p.epochs < 2; });
  CHECK(sampled.status == Status::Stopped);
  CHECK(sampled.epochs == 2);
}

TEST_CASE("convergence comes before an observer's wish") {
  const auto result = minimize(Bowl{}, zero(1), GradientDescent({.learning_rate = 1}), {},
                               [](const Progress&) { return false; });
  CHECK(result.status == Status::GradientTolerance);
}

// ---------------------------------------------------------------------------------- what it counts

TEST_CASE("evaluations are counted as they are made") {
  const auto counted = [](const auto& faulty, const auto& result) {
    CHECK(result.loss_evaluations == faulty.counts().losses);
    CHECK(result.gradient_evaluations == faulty.counts().gradients);
  };
  const MinimizeOptions ten{.max_iterations = 10};
  const GradientDescent<> gd({.learning_rate = 0.01});

  SECTION("loss and gradient at once") {
    const Bowl bowl;
    const Faulty f(bowl);
    const auto result = minimize(f, zero(), GradientDescent(gd), ten);
    counted(f, result);
    CHECK(result.loss_evaluations == 11);
    CHECK(result.gradient_evaluations == 11);
  }
  SECTION("apart: the loss once, at the end") {
    const SeparateBowl bowl;
    const Faulty f(bowl);
    const auto result = minimize(f, zero(), GradientDescent(gd), ten);
    counted(f, result);
    CHECK(result.loss_evaluations == 1);
    CHECK(result.gradient_evaluations == 11);
    CHECK(result.loss == bowl.loss(result.x));
  }
  SECTION("apart: at each point when somebody asks for it") {
    const SeparateBowl bowl;
    History log;
    for (const bool watched : {true, false}) {
      const Faulty f(bowl);
      const auto result = watched ? minimize(f, zero(), GradientDescent(gd), ten, history(log))
                                  : minimize(f, zero(), GradientDescent(gd),
                                             {.max_iterations = 10, .loss_tolerance = 0});
      counted(f, result);
      CHECK(result.loss_evaluations == 11);
      CHECK(result.gradient_evaluations == 11);
    }
  }
  SECTION("apart: not for an observer that has no use for it") {
    Indifferent indifferent;
    const SeparateBowl bowl;
    const Faulty f(bowl);
    const auto result = minimize(f, zero(), GradientDescent(gd), ten, indifferent);
    counted(f, result);
    CHECK(result.loss_evaluations == 1);
    CHECK(std::isnan(indifferent.seen));
  }
  SECTION("mini-batches: the full sum once, at the end") {
    const Line data = line(10);
    const Faulty f(data);
    const auto result = minimize(f, zero(2), SGD(), {.max_epochs = 4, .batch_size = 3});
    counted(f, result);
    CHECK(result.iterations == 16);
    CHECK(f.counts().batches == 16);
    CHECK(result.gradient_evaluations == 17);
    CHECK(result.loss_evaluations == 1);
  }
  SECTION("mini-batches: the full sum after each epoch when somebody asks for it") {
    const Line data = line(10);
    History log;
    const Faulty f(data);
    const auto result = minimize(f, zero(2), SGD(), {.max_epochs = 4}, history(log));
    counted(f, result);
    CHECK(f.counts().batches == 40);
    CHECK(result.gradient_evaluations == 44);
    CHECK(result.loss_evaluations == 4);

    const Faulty f2(data);
    const auto tolerant = minimize(f2, zero(2), SGD({.learning_rate = 1e-5}),
                                   {.max_epochs = 4, .loss_tolerance = 1e-30});
    counted(f2, tolerant);
    CHECK(tolerant.loss_evaluations == 5);  // at x0, too
  }
}

TEST_CASE("observers are told after each iteration, or epoch") {
  History log;
  (void)minimize(Bowl{}, zero(), GradientDescent({.learning_rate = 0.1}), {.max_iterations = 5},
                 history(log));
  REQUIRE(log.rows.size() == 5);
  for (std::size_t k = 0; k < 5; ++k) {
    const Progress& row = log.rows[k];
    CHECK(row.iterations == static_cast<std::int64_t>(k + 1));
    CHECK(row.epochs == 0);
    CHECK(row.max_iterations == 5);
    CHECK(row.max_epochs == 0);
    CHECK(row.learning_rate == 0.1);
    CHECK(row.loss < (k == 0 ? 100 : log.rows[k - 1].loss));
  }

  log.clear();
  const Line data = line(10);
  const auto result =
      minimize(data, zero(2), SGD({.learning_rate = 0.1}), {.max_iterations = 25}, history(log));
  REQUIRE(log.rows.size() == 3);  // two epochs, and where it ended
  CHECK(log.rows[0].epochs == 1);
  CHECK(log.rows[0].iterations == 10);
  CHECK(log.rows[1].iterations == 20);
  CHECK(log.rows[2].iterations == 25);
  CHECK(log.rows[2].epochs == 2);
  CHECK(log.rows[2].loss == result.loss);
  CHECK(log.rows[2].gradient_norm == result.gradient_norm);
  CHECK(log.rows[0].max_epochs == 0);

  log.clear();
  (void)minimize(data, zero(2), SGD(), {.max_iterations = 0}, history(log));
  (void)minimize(Bowl{}, zero(), Adam(), {.max_iterations = 0}, history(log));
  CHECK(log.rows.empty());
}

// ---------------------------------------------------------------------------------- what it returns

TEST_CASE("the loss and the gradient norm are those of x, exactly") {
  const Bowl bowl;
  const auto check = [&](const auto& result) {
    VectorXd g = result.x;
    CHECK(result.loss == bowl.loss_and_gradient(result.x, g));
    CHECK(result.gradient_norm == g.cwiseAbs().maxCoeff());
  };
  check(minimize(bowl, zero(), Adam({.learning_rate = 0.3}), {.max_iterations = 20}));
  check(minimize(SeparateBowl{}, zero(), Adam({.learning_rate = 0.3}), {.max_iterations = 20}));
  check(minimize(bowl, zero(), Adam(), {.max_iterations = 0}));
  check(minimize(bowl, zero(), Adam({.learning_rate = 0.1})));

  const Line data = line(12);
  for (const auto& options :
       {MinimizeOptions{.max_epochs = 3}, MinimizeOptions{.max_iterations = 7},
        MinimizeOptions{.max_epochs = 3, .gradient_tolerance = 1e-9}}) {
    const auto result = minimize(data, zero(2), SGD({.learning_rate = 0.1}), options);
    VectorXd g(2);
    data.gradient(result.x, g);
    CHECK(result.loss == data.loss(result.x));
    CHECK(result.gradient_norm == g.cwiseAbs().maxCoeff());
  }
}

TEST_CASE("with a known loss the best point comes back, otherwise the last") {
  // Momentum overshoots: at some time the loss rises.
  const auto optimizer = [] { return GradientDescent({.learning_rate = 0.1, .momentum = 0.95}); };
  std::vector<VectorXd> points{zero(1)};
  std::vector<double> losses{0.5};
  const MinimizeOptions options{.max_iterations = 40, .gradient_tolerance = 0};
  const auto best =
      minimize(Bowl{}, zero(1), optimizer(), options, [&](const Progress& p, const VectorXd& x) {
        points.push_back(x);
        losses.push_back(p.loss);
      });
  const auto least = std::min_element(losses.begin(), losses.end());
  REQUIRE(*least < losses.back());
  CHECK(best.loss == *least);
  CHECK(best.x == points[static_cast<std::size_t>(least - losses.begin())]);

  const auto last = minimize(SeparateBowl{}, zero(1), optimizer(), options);
  CHECK(last.x == points.back());
}

TEST_CASE("a run that never gets better returns its start") {
  const auto result = minimize(Bowl{}, VectorXd{{1.5}}, GradientDescent({.learning_rate = 3}),
                               {.max_iterations = 5});
  CHECK(result.x == VectorXd{{1.5}});
  CHECK(result.status == Status::IterationLimit);
}

TEST_CASE(
    "x0 is an expression, a vector or a matrix of any kind, and a temporary optimizer adapts") {
  const auto check = [](const auto& x0) {
    const auto result = minimize(Bowl{}, x0, Adam({.learning_rate = 0.1}));
    CHECK(result.converged());
    CHECK(result.x.rows() == x0.rows());
    CHECK(result.x.cols() == x0.cols());
    CHECK(static_cast<double>((result.x.array() - 1).abs().maxCoeff()) < 1e-3);
    return result;
  };
  check(VectorXd::Zero(4));
  static_assert(std::is_same_v<decltype(check(Eigen::Vector2d{0, 3}).x), Eigen::Vector2d>);
  check(Eigen::Vector2d{0, 3});
  check(Eigen::VectorXf::Zero(5));
  check(Eigen::Matrix3d::Identity());
  check(Eigen::MatrixXd::Zero(2, 3));
  check(Eigen::Matrix<double, 2, 3, Eigen::RowMajor>::Zero());
  check(Eigen::RowVector3d::Zero());
  const Eigen::MatrixXd m = Eigen::MatrixXd::Zero(3, 2);
  check(m.col(1));
  check(2 * m.col(0) + m.col(1));
  CHECK(minimize(line(10), Eigen::VectorXd::Zero(2), SGD({.learning_rate = 0.1})).x.size() == 2);
}

TEST_CASE("x0 and x may be one object") {
  VectorXd x = zero();
  x = minimize(Bowl{}, x, GradientDescent({.learning_rate = 0.1})).x;
  CHECK((x.array() - 1).abs().maxCoeff() < 1e-5);
}

TEST_CASE("a named optimizer keeps its state, starts afresh, and goes on when told to") {
  const MinimizeOptions ten{.max_iterations = 10};
  Adam adam({.learning_rate = 0.01});
  const auto first = minimize(Bowl{}, zero(), adam, ten);
  CHECK(adam.steps() == 10);
  CHECK(adam.first_moment().size() == 3);
  const auto second = minimize(Bowl{}, zero(), adam, ten);
  CHECK(adam.steps() == 10);
  CHECK(second.x == first.x);

  const auto third = minimize(Bowl{}, second.x, adam, {.max_iterations = 10, .warm_start = true});
  CHECK(adam.steps() == 20);
  Adam whole({.learning_rate = 0.01});
  const auto both = minimize(Bowl{}, zero(), whole, {.max_iterations = 20});
  CHECK(third.x == both.x);
  CHECK(third.loss == both.loss);
  CHECK(adam.state() == whole.state());

  SGD sgd({.learning_rate = 0.1, .momentum = 0.5});
  (void)minimize(line(8), zero(2), sgd, {.max_epochs = 2});
  CHECK(sgd.steps() == 16);
  CHECK(minimize(Bowl{}, zero(7), adam, ten).x.size() == 7);  // afresh for another size as well
}

TEST_CASE("a temporary that has stepped cannot change its type") {
  Adam<VectorXd> adam;
  VectorXd x = zero(2);
  adam.step(x, VectorXd{{1.0, 2.0}});
  CHECK_THAT(refusal([&] { (void)minimize(Bowl{}, Eigen::Vector2d::Zero(), std::move(adam)); }),
             ContainsSubstring("optimizer") && ContainsSubstring("1 steps"));
}

TEST_CASE("an optimizer of one's own needs four members") {
  struct SignDescent {
    using Vector = Eigen::VectorXd;
    double rate = 0.25;
    std::int64_t count = 0;
    void step(VectorXd& x, const VectorXd& g) {
      x.array() -= rate * g.array().sign();
      ++count;
    }
    void reset() { count = 0; }
    std::int64_t steps() const { return count; }
    double learning_rate() const { return rate; }
  };
  static_assert(Optimizer<SignDescent>);
  SignDescent mine{.count = 3};
  const auto result = minimize(Bowl{}, zero(), mine);
  CHECK(result.status == Status::GradientTolerance);
  CHECK(mine.count == 4);
  CHECK(result.x == VectorXd::Ones(3));
  const auto sampled =
      minimize(line(10), zero(2), SignDescent{.rate = 0.01}, {.max_epochs = 3, .batch_size = 5});
  CHECK(sampled.iterations == 6);
  const auto overflow = minimize(slope, zero(1), SignDescent{.rate = 1e308});
  CHECK(overflow.status == Status::Diverged);
  CHECK(overflow.x.allFinite());
}

// ---------------------------------------------------------------------------------- mini-batches

TEST_CASE("the same seed gives the same bits, another seed others") {
  const Line data = line(50);
  for (const Sampling sampling : {shuffled, with_replacement}) {
    const auto run = [&](std::uint64_t seed) {
      data.asked.clear();
      const auto result =
          minimize(data, zero(2), SGD({.learning_rate = 0.1}),
                   {.max_epochs = 2, .batch_size = 7, .sampling = sampling, .seed = seed});
      return std::pair(result.x, data.asked);
    };
    CHECK(run(7) == run(7));
    CHECK(run(7).first != run(8).first);
    CHECK(run(0).second != run(1).second);
  }
}

TEST_CASE("shuffled epochs visit every sample once, each in another order") {
  const Line data = line(23);
  for (const std::int64_t batch : {1, 2, 5, 22, 23, 24, 1000}) {
    data.asked.clear();
    const auto result = minimize(data, zero(2), SGD({.learning_rate = 0.1}),
                                 {.max_epochs = 3, .batch_size = batch});
    CHECK(result.iterations ==
          3 * ((23 + std::min<std::int64_t>(batch, 23) - 1) / std::min<std::int64_t>(batch, 23)));
    REQUIRE(data.asked.size() == 3 * 23);
    std::set<std::vector<Eigen::Index>> orders;
    for (int epoch = 0; epoch < 3; ++epoch) {
      const auto begin = data.asked.begin() + epoch * 23;
      orders.emplace(begin, begin + 23);
      CHECK(std::set(begin, begin + 23).size() == 23);
    }
    CHECK(orders.size() == 3);
  }
}

TEST_CASE("SGD takes one sample an update unless told otherwise, the others all of them") {
  const Line data = line(10);
  CHECK(minimize(data, zero(2), SGD(), {.max_epochs = 1}).iterations == 10);
  CHECK(minimize(data, zero(2), SGD(), {.max_epochs = 1, .batch_size = 4}).iterations == 3);
  data.asked.clear();
  (void)minimize(data, zero(2), Adam(), {.max_epochs = 1});
  (void)minimize(data, zero(2), GradientDescent(), {.max_epochs = 1});
  CHECK(data.asked.empty());
}

TEST_CASE("a mini-batch gradient is never a proof of convergence") {
  // The first sample's gradient is 0 at x0, the full one is not.
  Line data{Eigen::ArrayXd::Zero(2), Eigen::ArrayXd{{0.0, 1.0}}};
  const auto run = [&](const MinimizeOptions& options) {
    return minimize(data, zero(2), SGD({.learning_rate = 1e-3}), options);
  };
  CHECK(run({.max_epochs = 3}).status == Status::EpochLimit);
  CHECK(run({.max_epochs = 3, .gradient_tolerance = 1e-3}).status == Status::EpochLimit);
  CHECK(run({.max_epochs = 3, .gradient_tolerance = 1e-3}).gradient_norm > 0.4);
}

TEST_CASE("tolerances of mini-batch runs are tested on the full sum, at epoch ends, when given") {
  const Eigen::ArrayXd a = Eigen::ArrayXd::LinSpaced(20, -1, 1);
  const Line exact{a, 2 * a + 1};  // every sample agrees, so SGD converges
  const auto run = [&](const MinimizeOptions& options) {
    return minimize(exact, zero(2), SGD({.learning_rate = 0.3}), options);
  };
  const auto gradient = run({.max_epochs = 500, .gradient_tolerance = 1e-6});
  CHECK(gradient.status == Status::GradientTolerance);
  CHECK(gradient.iterations == 20 * gradient.epochs);
  CHECK(gradient.gradient_norm <= 1e-6);
  const auto loss = run({.max_epochs = 500, .loss_tolerance = 1e-12});
  CHECK(loss.status == Status::LossTolerance);
  CHECK(loss.loss < 1e-11);
  const auto step = run({.max_epochs = 500, .step_tolerance = 1e-7});
  CHECK(step.status == Status::StepTolerance);
  CHECK((step.x - VectorXd{{2.0, 1.0}}).norm() < 1e-6);
  CHECK(run({.max_epochs = 100}).status == Status::EpochLimit);  // none is on by itself
}

// ---------------------------------------------------------------------------------- what it refuses

TEST_CASE("options outside their ranges are refused with name, value and range") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const Line data = line(10);
  Adam adam;
  (void)minimize(data, zero(2), adam, {.max_iterations = 3});
  const auto before = adam.state();
  const auto check = [&](const MinimizeOptions& options, const std::string& message) {
    const std::string said = refusal([&] { (void)minimize(data, zero(2), adam, options); });
    CHECK(said == "minimize: " + message);
    CHECK(adam.state() == before);  // not even reset
    CHECK(refusal([&] { (void)minimize(data, zero(2), SGD(), options); }) == said);
  };
  using Real = std::optional<double> MinimizeOptions::*;
  using Count = std::optional<std::int64_t> MinimizeOptions::*;
  const std::pair<std::string, Real> reals[] = {
      {"time_limit", &MinimizeOptions::time_limit},
      {"gradient_tolerance", &MinimizeOptions::gradient_tolerance},
      {"loss_tolerance", &MinimizeOptions::loss_tolerance},
      {"step_tolerance", &MinimizeOptions::step_tolerance}};
  for (const auto& [name, member] : reals) {
    for (const double value : {std::nan(""), infinity, -infinity, -1.0, -1e-300, -5e-324, -1e308}) {
      MinimizeOptions options;
      options.*member = value;
      check(options, name + " must be in [0, inf), got " + to_text(value));
    }
    for (const double value : {0.0, -0.0, 5e-324, 1.0, 1e308}) {
      MinimizeOptions options{.max_iterations = 1};
      options.*member = value;
      CHECK_NOTHROW((void)minimize(data, zero(2), Adam(), options));
      CHECK_NOTHROW((void)minimize(data, zero(2), SGD(), options));
    }
  }
  const std::tuple<std::string, Count, std::int64_t> counts[] = {
      {"max_iterations", &MinimizeOptions::max_iterations, 0},
      {"max_epochs", &MinimizeOptions::max_epochs, 0},
      {"max_evaluations", &MinimizeOptions::max_evaluations, 1},
      {"batch_size", &MinimizeOptions::batch_size, 1}};
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  for (const auto& [name, member, least] : counts) {
    for (const std::int64_t value : {least - 1, least - 2, std::int64_t{-1000}, -most, -most - 1}) {
      MinimizeOptions options;
      options.*member = value;
      check(options,
            name + " must be at least " + std::to_string(least) + ", got " + std::to_string(value));
    }
    for (const std::int64_t value : {least, least + 1, most}) {
      MinimizeOptions options{.time_limit = 0.001};
      options.*member = value;
      CHECK_NOTHROW((void)minimize(data, zero(2), Adam(), options));
      CHECK_NOTHROW((void)minimize(data, zero(2), SGD(), options));
    }
  }
}

namespace {
// Its size is its own affair: without batches it is no finite sum.
struct Sized {
  static Eigen::Index size() { return 0; }
  static double loss_and_gradient(const VectorXd& x, VectorXd& g) {
    g = x;
    return 0.5 * x.squaredNorm();
  }
};
}  // namespace

TEST_CASE("an objective with a size alone is no finite sum") {
  const auto result = minimize(Sized(), VectorXd::Ones(2), GradientDescent({.learning_rate = 0.5}));
  CHECK(result.converged());
  CHECK(result.epochs == 0);
}

TEST_CASE("options that do not fit the objective or the optimizer are refused") {
  const auto plain = [](const MinimizeOptions& options) {
    return refusal([&] { (void)minimize(Bowl{}, zero(), Adam(), options); });
  };
  CHECK(plain({.batch_size = 32}) ==
        "minimize: batch_size must be unset for an objective that is not a finite sum: that "
        "needs size() and gradient(x, batch, g), got 32");
  CHECK(plain({.max_epochs = 3}) ==
        "minimize: max_epochs must be unset for an objective that is not a finite sum: that "
        "needs size() and gradient(x, batch, g), got 3");
  CHECK(refusal([] { (void)minimize(line(9), zero(2), GradientDescent(), {.batch_size = 4}); }) ==
        "minimize: batch_size must be unset with GradientDescent, which uses the full gradient "
        "(SGD samples), got 4");
}

TEST_CASE("empty data and sizes that differ are refused") {
  const Line empty{Eigen::ArrayXd(0), Eigen::ArrayXd(0)};
  const std::string message = "minimize: size() of the objective must be at least 1, got 0";
  CHECK(refusal([&] { (void)minimize(empty, zero(2), SGD()); }) == message);
  CHECK(refusal([&] { (void)minimize(empty, zero(2), Adam(), {.batch_size = 2}); }) == message);
  CHECK(refusal([&] { (void)minimize(empty, zero(2), GradientDescent()); }) == message);

  const auto resizes = objective([](const VectorXd& x, VectorXd& g) {
    g = VectorXd::Zero(x.size() + 1);
    return 0.0;
  });
  CHECK(refusal([&] { (void)minimize(resizes, zero(3), Adam()); }) ==
        "minimize: gradient must be of the shape of x, 3 x 1, got 4 x 1");

  Adam adam;
  (void)minimize(Bowl{}, zero(3), adam, {.max_iterations = 1});
  CHECK_THAT(refusal([&] { (void)minimize(Bowl{}, zero(4), adam, {.warm_start = true}); }),
             ContainsSubstring("4 x 1") && ContainsSubstring("3 coefficients"));
  CHECK(adam.steps() == 1);
}

TEST_CASE("exceptions pass through with their type, and the optimizer is usable afterwards") {
  struct Mine : std::exception {
    int value = 42;
  };
  Adam adam({.learning_rate = 0.1});
  const auto expected = minimize(Bowl{}, zero(), adam, {.max_iterations = 5}).x;
  const auto check = [&](const auto& call) {
    int value = 0;
    try {
      call();
    } catch (const Mine& mine) {
      value = mine.value;
    }
    CHECK(value == 42);
    CHECK(minimize(Bowl{}, zero(), adam, {.max_iterations = 5}).x == expected);
  };
  SECTION("from the objective") {
    int calls = 0;
    const auto f = objective([&](const VectorXd& x, VectorXd& g) {
      if (++calls == 3) throw Mine();
      return Bowl{}.loss_and_gradient(x, g);
    });
    check([&] { (void)minimize(f, zero(), adam); });
    CHECK(calls == 3);
  }
  SECTION("from an observer") {
    check([&] {
      (void)minimize(Bowl{}, zero(), adam, {}, [](const Progress& p) {
        if (p.iterations == 3) throw Mine();
      });
    });
  }
  SECTION("from a schedule") {
    const auto rate = [](std::int64_t k) { return k == 2 ? throw Mine() : 0.1; };
    Adam scheduled({.learning_rate = rate});
    check([&] { (void)minimize(Bowl{}, zero(), scheduled); });
  }
}

TEST_CASE("a schedule that leaves its range is refused at the step where it does") {
  const auto rate = [](std::int64_t k) { return k == 2 ? -1.0 : 0.1; };
  CHECK_THAT(refusal([&] { (void)minimize(Bowl{}, zero(), Adam({.learning_rate = rate})); }),
             ContainsSubstring("learning_rate of step 3") && ContainsSubstring("[0, inf)") &&
                 ContainsSubstring("-1"));
}

TEST_CASE("observers of any kind") {
  std::vector<int> order;
  struct Hooked {
    std::vector<int>* order;
    int number;
    void begin(const VectorXd& x0) { order->push_back(x0.size() == 3 ? number : -1); }
    bool operator()(const Progress&) {
      order->push_back(10 + number);
      return true;
    }
    bool end(VectorXd&) {
      order->push_back(20 + number);
      return false;
    }
  };
  Hooked first{&order, 1};
  (void)minimize(Bowl{}, zero(), GradientDescent({.learning_rate = 0.01}), {.max_iterations = 2},
                 first, Hooked{&order, 2}, [&](const Progress&) { order.push_back(30); });
  CHECK(order == std::vector<int>{1, 2, 11, 12, 30, 11, 12, 30, 21, 22});
}

TEST_CASE("an observer that replaces x is believed, but its point is evaluated") {
  struct Replace {
    double value;
    void operator()(const Progress&) const {}
    bool end(VectorXd& x) const {
      x.setConstant(value);
      return true;
    }
  };
  const auto run = [](double value, const MinimizeOptions& options = {}) {
    return minimize(SeparateBowl{}, zero(), GradientDescent({.learning_rate = 0.3}), options,
                    Replace{value});
  };
  const auto moved = run(3);
  CHECK(moved.x == VectorXd::Constant(3, 3));
  CHECK(moved.loss == SeparateBowl{}.loss(moved.x));
  CHECK(moved.gradient_norm == 6);
  CHECK(moved.status == Status::Stopped);  // the run converged, but this point did not
  CHECK_FALSE(moved.converged());
  CHECK(run(1).status == Status::GradientTolerance);
  CHECK(run(3, {.max_iterations = 2}).status == Status::IterationLimit);
  const auto nowhere = run(std::nan(""));
  CHECK(nowhere.status == Status::NonFinite);
}
