#include <descent/observe/early_stopping.hpp>

#include <descent/minimize.hpp>
#include <descent/objective/callable.hpp>
#include <descent/optimizer/gradient_descent.hpp>
#include <descent/optimizer/sgd.hpp>

#include "support/catch.hpp"
#include "support/problems.hpp"

#include <Eigen/Core>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

using namespace descent;
using namespace descent_test;
using Eigen::VectorXd;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Validation losses from a list, one a look; the last one again and again.
struct Listed {
  std::vector<double> losses;
  mutable std::size_t looks = 0;
  double loss(const VectorXd&) const { return losses[std::min(looks++, losses.size() - 1)]; }
};

/// x falls by 1 an iteration, for ever.
const auto slope = objective([](const VectorXd& x, VectorXd& g) {
  g.setOnes();
  return x.sum();
});

template <class Stop>
Result<VectorXd> run(Stop&& stop, std::int64_t most = 50) {
  return minimize(slope, VectorXd::Zero(2), GradientDescent({.learning_rate = 1}),
                  {.max_iterations = most}, std::forward<Stop>(stop));
}

VectorXd after(std::int64_t iterations) {
  return VectorXd::Constant(2, -static_cast<double>(iterations));
}

}  // namespace

TEST_CASE("a run ends after `patience` looks without improvement") {
  for (const std::int64_t patience : {1, 2, 5}) {
    const Listed validation{{5, 4, 3, 2, 9, 9, 9, 9, 9, 9}};
    auto stop = early_stopping(validation, {.patience = patience});
    const auto result = run(stop);
    CHECK(result.status == Status::Stopped);
    CHECK(result.iterations == 4 + patience);
    CHECK(result.x == after(4 + patience));
    CHECK(stop.best_loss() == 2);
    CHECK(stop.best_iteration() == 4);
  }
}

TEST_CASE("an improvement starts the count anew") {
  const Listed validation{{5, 6, 6, 4, 6, 6, 3, 6, 6, 6}};
  CHECK(run(early_stopping(validation, {.patience = 3})).iterations == 10);
}

TEST_CASE("equal is no improvement, nor is less than min_delta") {
  const Listed constant{{1}};
  CHECK(run(early_stopping(constant, {.patience = 3})).iterations == 4);
  std::vector<double> falling;
  for (int i = 0; i < 60; ++i) falling.push_back(8 - i / 16.0);
  const Listed slow{falling};
  CHECK(run(early_stopping(slow, {.patience = 3})).iterations == 50);
  const Listed again{falling};
  CHECK(run(early_stopping(again, {.patience = 3, .min_delta = 1.0})).iterations == 4);
  // Two steps of 1/16 are needed to beat 1/16: improvements at 1, 3, 5, ...
  const Listed edge{falling};
  auto stop = early_stopping(edge, {.patience = 2, .min_delta = 0.0625});
  CHECK(run(stop).iterations == 50);
  CHECK(stop.best_iteration() == 49);
}

TEST_CASE("restore_best gives back exactly the best parameters, and the loss there") {
  const Listed validation{{5, 4, 2, 7, 7, 7}};
  const auto result = run(early_stopping(validation, {.patience = 2, .restore_best = true}));
  CHECK(result.iterations == 5);
  CHECK(result.x == after(3));
  CHECK(result.loss == -6);
  CHECK(result.status == Status::Stopped);

  const Listed until_limit{{5, 2, 7}};
  const auto limited =
      run(early_stopping(until_limit, {.patience = 100, .restore_best = true}), 10);
  CHECK(limited.status == Status::IterationLimit);
  CHECK(limited.x == after(2));

  // Bits, also in float.
  std::vector<Eigen::VectorXf> points;
  const auto float_validation = objective([&](const Eigen::VectorXf& x, Eigen::VectorXf& g) {
    g = x;
    points.push_back(x);
    return points.size() == 4 ? 0.0 : 1.0;
  });
  const auto in_float = minimize(
      Bowl{}, Eigen::VectorXf::Constant(3, 0.1f), GradientDescent({.learning_rate = 0.037}), {},
      early_stopping(float_validation, {.patience = 3, .restore_best = true}));
  CHECK(in_float.iterations == 7);
  CHECK(in_float.x == points[3]);
}

TEST_CASE("a restored point is no false success") {
  const Listed validation{{5, 4, 7}};
  const auto result =
      minimize(Bowl{}, VectorXd::Zero(2), GradientDescent({.learning_rate = 0.4}), {},
               early_stopping(validation, {.patience = 1000, .restore_best = true}));
  CHECK(result.iterations > 10);  // it did converge,
  CHECK(result.gradient_norm > 0.1);
  CHECK(result.status == Status::Stopped);  // but not here
}

TEST_CASE("looks once in `every` iterations") {
  const Listed validation{{5, 4, 9}};
  auto stop = early_stopping(validation, {.patience = 2, .restore_best = true, .every = 3});
  const auto result = run(stop);
  CHECK(result.iterations == 12);
  CHECK(validation.looks == 4);
  CHECK(stop.best_iteration() == 6);
  CHECK(result.x == after(6));
}

TEST_CASE("a validation loss that is not finite is no improvement") {
  const Listed nan{{std::nan("")}};
  const auto never = run(early_stopping(nan, {.patience = 3, .restore_best = true}));
  CHECK(never.iterations == 3);
  CHECK(never.x == after(3));  // nothing to restore
  const Listed infinite{{infinity, infinity, 4, infinity, std::nan(""), infinity}};
  auto stop = early_stopping(infinite, {.patience = 3, .restore_best = true});
  const auto result = run(stop);
  CHECK(result.iterations == 6);
  CHECK(result.x == after(3));
  CHECK(stop.best_loss() == 4);
}

TEST_CASE("each run begins anew") {
  const Listed first{{3, 2, 1, 5, 5}};
  auto stop = early_stopping(first, {.patience = 2, .restore_best = true});
  CHECK(run(stop).x == after(3));
  first.looks = 0;
  CHECK(run(stop).x == after(3));
  CHECK(stop.best_iteration() == 3);
}

TEST_CASE("mini-batch runs are watched after each epoch") {
  const Line line{Eigen::ArrayXd::LinSpaced(10, -1, 1), Eigen::ArrayXd::LinSpaced(10, 0, 4)};
  std::vector<VectorXd> points;
  const Listed validation{{3, 1, 2}};
  auto stop = early_stopping(validation, {.patience = 2, .restore_best = true});
  const auto result = minimize(
      line, VectorXd::Zero(2), SGD({.learning_rate = 0.1}), {.max_epochs = 50},
      [&](const Progress&, const VectorXd& x) { points.push_back(x); }, stop);
  CHECK(result.status == Status::Stopped);
  CHECK(result.epochs == 4);
  CHECK(stop.best_iteration() == 20);
  CHECK(result.x == points[1]);
  CHECK(result.loss == line.loss(points[1]));
}

TEST_CASE("the training loss is not evaluated for its sake") {
  static_assert(!decltype(early_stopping(Listed()))::uses_loss);
  const Listed validation{{1}};
  const auto result =
      minimize(SeparateBowl{}, VectorXd::Zero(2), GradientDescent({.learning_rate = 0.01}),
               {.max_iterations = 20}, early_stopping(validation, {.patience = 100}));
  CHECK(result.loss_evaluations == 1);
}

TEST_CASE("a validation objective that only offers both at once will do") {
  const auto result = minimize(Bowl{}, VectorXd::Zero(2), GradientDescent({.learning_rate = 0.1}),
                               {.max_iterations = 10}, early_stopping(Bowl{}));
  CHECK(result.status == Status::IterationLimit);
}

TEST_CASE("options outside their ranges are refused") {
  const Listed v{{1}};
  for (const std::int64_t bad : {0, -1}) {
    CHECK_THROWS_WITH(early_stopping(v, {.patience = bad}),
                      "early_stopping: patience must be at least 1, got " + std::to_string(bad));
    CHECK_THROWS_WITH(early_stopping(v, {.every = bad}),
                      "early_stopping: every must be at least 1, got " + std::to_string(bad));
  }
  for (const double bad : {-1.0, std::nan(""), infinity}) {
    CHECK_THROWS_WITH(early_stopping(v, {.min_delta = bad}),
                      "early_stopping: min_delta must be in [0, inf), got " + to_text(bad));
  }
}
