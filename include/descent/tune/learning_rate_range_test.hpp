// learning_rate_range_test: a short run with a rate that grows from tiny to too large, to see where the loss falls.
//
//     ηₖ = min (max/min)^(k/(steps − 1)),   x ← step of rate ηₖ,   Lₖ = loss of the next batch, at the new x
//     Eₖ = β Eₖ₋₁ + (1 − β) Lₖ,   Sₖ = Eₖ/(1 − βᵏ⁺¹)
//
// until Lₖ is not finite or Sₖ is four times the lowest S. L. N. Smith, "Cyclical learning rates for training neural
// networks", WACV 2017, section 3.3, whose rate grows linearly; growth by a factor, smoothing and stopping are those of
// fastai and PyTorch Lightning. There Lₖ is the loss before the step of rate ηₖ, and β = 0.98.
//
// Two rates come out of a curve, as there. A *tenth of the rate at the lowest S* is the suggestion (fastai's "minimum"). The
// *steepest* is where S falls fastest by the logarithm of the rate, Sₖ₊₁ − Sₖ₋₁ being least and negative (Lightning's
// suggestion); it follows the noise where batches are small, and is then far too low. The first tenth of the steps counts
// for neither, nor for stopping: few losses are in S.
#ifndef DESCENT_TUNE_LEARNING_RATE_RANGE_TEST_HPP
#define DESCENT_TUNE_LEARNING_RATE_RANGE_TEST_HPP

#include <Eigen/Core>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "descent/core/batches.hpp"
#include "descent/core/errors.hpp"
#include "descent/core/geometric_mean.hpp"
#include "descent/core/objective.hpp"
#include "descent/core/optimizer.hpp"
#include "descent/core/rounded.hpp"

namespace descent::inline v0 {

/// Which rates are tried, and how.
struct LearningRateRangeTestOptions {
  double min = 1e-7;             ///< the first rate, in (0, ∞)
  double max = 10;               ///< the last one, in (min, ∞)
  std::int64_t steps = 100;      ///< at least 10
  std::int64_t batch_size = 32;  ///< samples a step, at least 1; finite sums only
  std::uint64_t seed = 0;        ///< of the batches: the same seed gives the same curve
  double smoothing = 0.9;        ///< β, in [0, 1)
  double divergence = 4;         ///< stops where S exceeds the lowest by this factor, in (1, ∞)
};

/// What came out of a range test. Rates and losses are as many as steps were made with a finite loss after them.
struct LearningRateCurve {
  std::vector<double> rates;     ///< ηₖ
  std::vector<double> losses;    ///< Lₖ
  std::vector<double> smoothed;  ///< Sₖ
  bool diverged = false;         ///< whether it ended before the largest rate
  /// A tenth of the rate at the lowest S; NaN where S never fell.
  double suggestion = std::numeric_limits<double>::quiet_NaN();
  /// The rate where S fell fastest; NaN where it never did.
  double steepest = std::numeric_limits<double>::quiet_NaN();
};

namespace tuning {

/// The loss at x and its gradient: of a batch, or of everything.
template <class F, class V, class... B>
double evaluate(const F& f, const V& x, V& g, B... batch) {
  if constexpr (requires { f.loss_and_gradient(x, batch..., g); }) {
    return static_cast<double>(f.loss_and_gradient(x, batch..., g));
  } else {
    f.gradient(x, batch..., g);
    return static_cast<double>(f.loss(x, batch...));
  }
}

/// The optimizer for parameters V, fresh.
template <class V, class O>
auto fresh(const O& optimizer) {
  if constexpr (std::is_same_v<typename O::Vector, V>) {
    O copy = optimizer;
    copy.reset();
    return copy;
  } else {
    return optimizer.template rebind<V>();
  }
}

inline void suggest(LearningRateCurve& curve, std::size_t skipped) {
  const auto& s = curve.smoothed;
  double lowest = skipped < s.size() ? s[skipped] : 0, fall = 0;
  for (std::size_t k = skipped; k < s.size(); ++k) {
    if (s[k] < lowest) {
      lowest = s[k];
      curve.suggestion = curve.rates[k] / 10;
    }
    if (k + 1 < s.size() && s[k + 1] - s[k - 1] < fall) {
      fall = s[k + 1] - s[k - 1];
      curve.steepest = curve.rates[k];
    }
  }
}

/// The run itself; `evaluate` returns the loss at x and writes g.
template <class O, class V, class Evaluate>
LearningRateCurve range_test(O& optimizer, V& x, V& g, const LearningRateRangeTestOptions& options,
                             const Evaluate& evaluate) {
  LearningRateCurve curve;
  const auto skipped = static_cast<std::size_t>(options.steps / 10);
  double average = 0, weight = 1, lowest = std::numeric_limits<double>::infinity();
  double loss = evaluate();
  for (std::int64_t k = 0; k < options.steps; ++k) {
    const double rate = geometric_mean(
        options.min, options.max, static_cast<double>(k) / static_cast<double>(options.steps - 1));
    optimizer.set_learning_rate(rate);
    if constexpr (requires { optimizer.step(x, g, loss); }) {
      optimizer.step(x, g, loss);
    } else {
      optimizer.step(x, g);
    }
    loss = evaluate();
    if (!std::isfinite(loss)) {
      curve.diverged = true;
      break;
    }
    average += rounded((1 - options.smoothing) * (loss - average));
    weight = rounded(weight * options.smoothing);
    const double smoothed = average / (1 - weight);
    curve.rates.push_back(rate);
    curve.losses.push_back(loss);
    curve.smoothed.push_back(smoothed);
    if (curve.rates.size() <= skipped) continue;
    if (smoothed > lowest + rounded((options.divergence - 1) * std::abs(lowest))) {
      curve.diverged = true;
      break;
    }
    if (smoothed < lowest) lowest = smoothed;
  }
  suggest(curve, skipped);
  return curve;
}

}  // namespace tuning

/// Runs a copy of the optimizer from x0 (both stay as they are), with the rate in the place of its own, on batches of a
/// finite sum (with an optimizer that wants full gradients: on all of it), or on the whole objective. `optimizer` is any
/// one whose rate can be set, temporary or named. Throws `std::invalid_argument` outside the ranges above.
template <class F, class X, class O>
LearningRateCurve learning_rate_range_test(const F& f, const Eigen::MatrixBase<X>& x0,
                                           const O& optimizer,
                                           const LearningRateRangeTestOptions& options = {}) {
  using V = typename X::PlainObject;
  static_assert(Optimizer<O>, "learning_rate_range_test: the third argument is an optimizer");
  constexpr std::string_view who = "learning_rate_range_test";
  checked(who, "min", options.min, range::positive);
  checked(who, "max", options.max, {.lower = options.min, .lower_open = true});
  checked_count(who, "steps", options.steps, 10);
  checked_count(who, "batch_size", options.batch_size, 1);
  checked(who, "smoothing", options.smoothing, range::decay_rate);
  checked(who, "divergence", options.divergence, {.lower = 1, .lower_open = true});

  constexpr bool by_batches = gradients_of<O> != Gradients::full && FiniteSumObjective<F, V>;
  auto trial = tuning::fresh<V>(optimizer);
  static_assert(
      requires { trial.set_learning_rate(1.0); },
      "learning_rate_range_test: the optimizer must have void set_learning_rate(double)");
  V x = x0, g = x;
  if constexpr (by_batches) {
    static_assert(
        HasBatchLossAndGradient<F, V> || requires(Batch batch) { f.loss(x, batch); },
        "learning_rate_range_test: a finite sum must tell the loss of a batch: double "
        "loss_and_gradient(const V& x, descent::Batch batch, V& g) const, or double "
        "loss(const V& x, descent::Batch batch) const");
    const std::span<const double> probabilities = sampling_probabilities(f);
    Batches batches(static_cast<Eigen::Index>(f.size()),
                    static_cast<Eigen::Index>(options.batch_size),
                    probabilities.empty() ? Sampling::shuffled : Sampling::with_replacement,
                    options.seed, {.probabilities = probabilities});
    return tuning::range_test(trial, x, g, options,
                              [&] { return tuning::evaluate(f, x, g, batches.next()); });
  } else {
    return tuning::range_test(trial, x, g, options, [&] { return tuning::evaluate(f, x, g); });
  }
}

}  // namespace descent::inline v0

#endif  // DESCENT_TUNE_LEARNING_RATE_RANGE_TEST_HPP
