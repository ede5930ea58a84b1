#include <descent/tune/learning_rate_range_test.hpp>

#include <descent/minimize.hpp>
#include <descent/objective/callable.hpp>
#include <descent/objective/importance.hpp>
#include <descent/objective/linear_regression.hpp>
#include <descent/optimizer/adam.hpp>
#include <descent/optimizer/gradient_descent.hpp>
#include <descent/optimizer/sgd.hpp>

#include "support/catch.hpp"
#include "support/problems.hpp"
#include "support/refusal.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

using namespace descent;
using namespace descent_test;
using Eigen::VectorXd;

namespace {

/// f = a/2 x².
struct Parabola {
  double a = 1;
  double loss_and_gradient(const VectorXd& x, VectorXd& g) const {
    g[0] = a * x[0];
    return a / 2 * x[0] * x[0];
  }
};

double smoothed(const std::vector<double>& losses, std::size_t k, double beta) {
  double sum = 0, weights = 0;  // the weighted mean that the recursion stands for
  for (std::size_t i = 0; i <= k; ++i) {
    const double weight = std::pow(beta, double(k - i));
    sum += weight * losses[i];
    weights += weight;
  }
  return sum / weights;
}

}  // namespace

TEST_CASE("the rate grows by one factor, and each loss is that after its step") {
  const VectorXd start{{2.0}};
  const auto curve = learning_rate_range_test(
      Parabola{3}, start, GradientDescent(),
      {.min = 1e-4, .max = 1, .steps = 40, .smoothing = 0.8, .divergence = 1e9});
  REQUIRE(curve.rates.size() == 40);
  CHECK_FALSE(curve.diverged);
  CHECK(curve.rates.front() == 1e-4);
  CHECK(curve.rates.back() == 1);
  double x = 2;
  for (std::size_t k = 0; k < 40; ++k) {
    const double rate = 1e-4 * std::pow(1e4, double(k) / 39);
    CHECK(curve.rates[k] == Approx(rate).epsilon(1e-13));
    x -= rate * 3 * x;
    CHECK(curve.losses[k] == Approx(1.5 * x * x).epsilon(1e-10));
    CHECK(curve.smoothed[k] == Approx(smoothed(curve.losses, k, 0.8)).epsilon(1e-10));
  }
}

TEST_CASE("the run ends where the smoothed loss exceeds its lowest by the factor") {
  const VectorXd start{{2.0}};
  for (const double factor : {1.5, 4.0, 20.0}) {
    const auto curve = learning_rate_range_test(Parabola{}, start, SGD({.momentum = 0.1}),
                                                {.min = 1e-3, .max = 1e3, .divergence = factor});
    CHECK(curve.diverged);
    REQUIRE(curve.rates.size() > 12);
    REQUIRE(curve.rates.size() < 100);
    CHECK(curve.rates.back() > 2);  // where descent diverges
    const auto& s = curve.smoothed;
    double lowest = std::numeric_limits<double>::infinity();
    for (std::size_t k = 10; k + 1 < s.size(); ++k) {
      CHECK_FALSE(s[k] > factor * lowest);
      lowest = std::min(lowest, s[k]);
    }
    CHECK(s.back() > factor * lowest);
  }
}

TEST_CASE("a negative loss ends the run likewise, by its size") {
  const auto shifted = objective([](const VectorXd& x, VectorXd& g) {
    g = x;
    return 0.5 * x.squaredNorm() - 10;
  });
  const auto curve = learning_rate_range_test(shifted, VectorXd{{1.0}}, GradientDescent(),
                                              {.min = 1e-3, .max = 1e3, .smoothing = 0});
  CHECK(curve.diverged);
  CHECK(curve.losses.back() > 20);  // −10 + 3 · 10
  CHECK(curve.losses[curve.losses.size() - 2] <= 20);
}

TEST_CASE("the first tenth of the steps is no measure for stopping") {
  for (const int low : {10, 11}) {
    int evaluations = 0;
    const auto scripted = objective([&](const VectorXd&, VectorXd& g) {
      g.setZero();
      return ++evaluations <= low + 1 ? 0.001 : 1;  // the first is before all steps
    });
    const auto curve = learning_rate_range_test(scripted, VectorXd{{1.0}}, GradientDescent(),
                                                {.steps = 100, .smoothing = 0});
    CHECK(curve.diverged == (low == 11));
    CHECK(curve.rates.size() == (low == 11 ? 12 : 100));
  }
}

TEST_CASE("a loss that is not finite ends the curve before it") {
  const auto wall = objective([](const VectorXd& x, VectorXd& g) {
    g.setConstant(1);
    return x[0] < -1 ? std::nan("") : x[0];
  });
  const auto curve = learning_rate_range_test(wall, VectorXd{{0.0}}, GradientDescent(),
                                              {.min = 1e-3, .max = 1, .steps = 50});
  CHECK(curve.diverged);
  CHECK(curve.rates.size() < 50);
  double sum = 0;
  for (std::size_t k = 0; k < curve.rates.size(); ++k) {
    sum += curve.rates[k];
    CHECK(curve.losses[k] == Approx(-sum));
  }
  CHECK(curve.steepest == curve.rates[curve.rates.size() - 2]);  // it fell ever faster
  CHECK(curve.suggestion == curve.rates.back() / 10);

  const auto nothing = objective([](const VectorXd&, VectorXd& g) {
    g.setConstant(1);
    return std::nan("");
  });
  const auto none = learning_rate_range_test(nothing, VectorXd{{0.0}}, GradientDescent());
  CHECK(none.rates.empty());
  CHECK(none.diverged);
  CHECK(std::isnan(none.suggestion));
  CHECK(std::isnan(none.steepest));
}

TEST_CASE("the suggestion is a tenth of the rate at the lowest loss, the steepest by its side") {
  const auto suggested = [](const std::vector<double>& smoothed_losses, std::size_t skipped) {
    LearningRateCurve curve;
    curve.smoothed = smoothed_losses;
    for (std::size_t k = 0; k < curve.smoothed.size(); ++k) curve.rates.push_back(double(k + 1));
    tuning::suggest(curve, skipped);
    return curve;
  };
  const auto valley = suggested({9, 1, 8, 7, 6.5, 4, 3, 2.5, 2, 2, 5}, 2);
  CHECK(valley.suggestion == 0.9);  // 2 at 9, and not the 1, which is skipped
  CHECK(valley.steepest == 6);      // from 6.5 to 3 around 4

  const auto rising = suggested({2, 1, 1, 2, 2, 3}, 1);
  CHECK(std::isnan(rising.suggestion));
  CHECK(rising.steepest == 2);  // from 2 to 1 around 1
  CHECK(std::isnan(suggested({1, 1, 2, 3}, 1).steepest));
  CHECK(std::isnan(suggested({3, 2}, 5).suggestion));
}

TEST_CASE("batches of a finite sum are those of Batches, and the optimizer stays as it is") {
  const RegressionData data(50, 3, 0.1, 1);
  const LinearRegression model(data.X, data.y);
  const VectorXd start = VectorXd::Zero(3);
  Adam adam({.beta1 = 0.5});
  VectorXd x = start;
  adam.step(x, start);
  adam.scale_learning_rate(0.25);
  const auto before = adam.state();
  const auto curve = learning_rate_range_test(
      model, start, adam, {.min = 1e-3, .max = 1e-1, .steps = 20, .batch_size = 7, .seed = 5});
  CHECK(adam.state() == before);
  CHECK(adam.learning_rate() == 0.25e-3);
  REQUIRE(curve.losses.size() == 20);

  Batches batches(50, 7, shuffled, 5);
  Adam by_hand(
      {.learning_rate = [&](std::int64_t k) { return curve.rates[std::size_t(k)]; }, .beta1 = 0.5});
  x = start;
  VectorXd g = x;
  (void)model.loss_and_gradient(x, batches.next(), g);
  for (std::size_t k = 0; k < 20; ++k) {
    by_hand.step(x, g);
    CHECK(curve.losses[k] == model.loss_and_gradient(x, batches.next(), g));
  }
  const auto again =
      learning_rate_range_test(model, start, Adam({.beta1 = 0.5}),
                               {.min = 1e-3, .max = 1e-1, .steps = 20, .batch_size = 7, .seed = 5});
  CHECK(again.losses == curve.losses);
}

TEST_CASE(
    "full gradients where the optimizer wants them, probabilities where the objective has them") {
  const RegressionData data(50, 3, 0.1, 1);
  const LinearRegression model(data.X, data.y);
  const Eigen::Vector3d start = Eigen::Vector3d::Zero();
  const LearningRateRangeTestOptions options{
      .min = 1e-3, .max = 1e-1, .steps = 20, .batch_size = 7};
  const auto full = learning_rate_range_test(model, start, GradientDescent(), options);
  Eigen::Vector3d x = start, g;
  model.gradient(x, g);
  x -= full.rates[0] * g;
  CHECK(full.losses[0] == Approx(model.loss(x)).epsilon(1e-14));

  const auto weighted = importance(model, lipschitz_probabilities(model));
  const auto drawn = learning_rate_range_test(weighted, start, SGD(), options);
  Batches batches(50, 7, with_replacement, 0, {.probabilities = weighted.sampling_probabilities()});
  x = start;
  weighted.gradient(x, batches.next(), g);
  x -= drawn.rates[0] * g;
  CHECK(drawn.losses[0] == Approx(weighted.loss(x, batches.next())).epsilon(1e-14));
}

TEST_CASE("a run at the suggested rate gets further than one at a tenth or ten times of it") {
  const RegressionData data(400, 5, 0.1, 2);
  const LinearRegression model(data.X, data.y);
  const VectorXd start = VectorXd::Zero(5);
  const double least = model.loss(data.solution());
  const auto check = [&](auto optimizer) {
    const double rate = learning_rate_range_test(model, start, optimizer).suggestion;
    CAPTURE(rate);
    const auto gap = [&](double at) {
      optimizer.set_learning_rate(at);
      return minimize(model, start, optimizer, {.max_epochs = 4, .batch_size = 32}).loss - least;
    };
    CHECK(gap(rate) < 0.5 * gap(rate / 10));
    CHECK(gap(rate) < 0.02 * (model.loss(start) - least));
  };
  check(SGD());
  check(SGD({.momentum = 0.9}));
  check(Adam());
}

TEST_CASE("options of the range test outside their ranges are refused") {
  const auto with = [](const LearningRateRangeTestOptions& options) {
    return refusal(
        [&] { (void)learning_rate_range_test(Parabola{}, VectorXd{{1.0}}, SGD(), options); });
  };
  CHECK(with({.min = 0}) == "learning_rate_range_test: min must be in (0, inf), got 0");
  CHECK(with({.min = 1, .max = 1}) == "learning_rate_range_test: max must be in (1, inf), got 1");
  CHECK(with({.steps = 9}) == "learning_rate_range_test: steps must be at least 10, got 9");
  CHECK_THAT(with({.batch_size = 0}), ContainsSubstring("batch_size"));
  CHECK_THAT(with({.smoothing = 1}), ContainsSubstring("smoothing must be in [0, 1)"));
  CHECK_THAT(with({.divergence = 1}), ContainsSubstring("divergence must be in (1, inf)"));
  CHECK(with({.divergence = 1.001}) == "accepted");
  CHECK_THAT(with({.min = std::nan("")}), ContainsSubstring("min"));
}
