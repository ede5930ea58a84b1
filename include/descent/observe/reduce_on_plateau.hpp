// reduce_on_plateau: a smaller learning rate when the loss no longer falls (PyTorch's ReduceLROnPlateau).
#ifndef DESCENT_OBSERVE_REDUCE_ON_PLATEAU_HPP
#define DESCENT_OBSERVE_REDUCE_ON_PLATEAU_HPP

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/progress.hpp"
#include "descent/core/stored.hpp"
#include "descent/core/validation.hpp"

namespace descent::inline v0 {

/// Whether a threshold is a part of the best metric or a difference from it.
enum class ThresholdMode { relative, absolute };

/// When the rate is reduced, and by how much; PyTorch's defaults.
struct ReduceOnPlateauOptions {
  double factor = 0.1;  ///< of each reduction, in (0, 1)
  std::int64_t patience =
      10;                   ///< looks without improvement that are let pass; the next one reduces
  double threshold = 1e-4;  ///< an improvement is metric < best − margin; in [0, ∞)
  ThresholdMode threshold_mode =
      ThresholdMode::relative;   ///< margin = threshold·|best|, or threshold
  std::int64_t cooldown = 0;     ///< looks after a reduction that do not count, at least 0
  double min_learning_rate = 0;  ///< not reduced below it, in [0, ∞)
  double epsilon = 1e-8;         ///< a reduction by no more than this is left out, in [0, ∞)
  bool maximize = false;   ///< the metric should grow: an improvement is metric > best + margin
  std::int64_t every = 1;  ///< looks once in so many iterations or epochs, at least 1
};

/// The rule, for a loop of one's own: `optimizer.scale_learning_rate(plateau(loss, optimizer.learning_rate()))`. A metric
/// that is NaN is no improvement. The margin is a part of |best|, so it works below zero too; PyTorch's, a part of best,
/// does not.
class Plateau {
  ReduceOnPlateauOptions options_;
  double best_ = 0;
  std::int64_t waited_ = 0, cooling_ = 0;

 public:
  /// Throws `std::invalid_argument` outside the ranges above.
  explicit Plateau(const ReduceOnPlateauOptions& options) : options_(options) {
    constexpr std::string_view who = "reduce_on_plateau";
    checked(who, "factor", options.factor,
            {.lower = 0, .upper = 1, .lower_open = true, .upper_open = true});
    checked_count(who, "patience", options.patience, 0);
    checked(who, "threshold", options.threshold, range::non_negative);
    checked_count(who, "cooldown", options.cooldown, 0);
    checked(who, "min_learning_rate", options.min_learning_rate, range::non_negative);
    checked(who, "epsilon", options.epsilon, range::non_negative);
    checked_count(who, "every", options.every, 1);
    reset();
  }

  /// The best metric so far; infinite before the first.
  double best() const { return best_; }

  /// Forgets what it has seen.
  void reset() {
    best_ = options_.maximize ? -std::numeric_limits<double>::infinity()
                              : std::numeric_limits<double>::infinity();
    waited_ = cooling_ = 0;
  }

  /// Takes in the metric and returns the factor of all later rates: 1 unless the rate is to be reduced.
  double operator()(double metric, double learning_rate) {
    if (improves(metric)) {
      best_ = metric;
      waited_ = 0;
    } else {
      ++waited_;
    }
    if (cooling_ > 0) {
      --cooling_;
      waited_ = 0;
    }
    if (waited_ <= options_.patience) return 1;
    cooling_ = options_.cooldown;
    waited_ = 0;
    const double reduced = options_.factor * learning_rate;
    const double next = (std::max)(reduced, options_.min_learning_rate);
    if (!(learning_rate - next > options_.epsilon)) return 1;
    return next == reduced ? options_.factor : next / learning_rate;
  }

 protected:
  /// Looks once in so many calls.
  std::int64_t every() const { return options_.every; }

 private:
  bool improves(double metric) const {
    double margin = options_.threshold;
    if (options_.threshold_mode == ThresholdMode::relative) margin *= std::abs(best_);
    if (std::isinf(best_)) margin = 0;
    return options_.maximize ? metric > best_ + margin : metric < best_ - margin;
  }
};

/// In the place of a validation objective: the training loss.
struct TrainingLoss {};

/// Watches the training loss or a validation objective, after each iteration, or after each epoch of a run on
/// mini-batches. Each run begins anew; the rate stays reduced with `warm_start`.
template <class Held>
class ReduceOnPlateau : public Plateau {
  static constexpr bool validates = !std::is_same_v<Held, TrainingLoss>;
  Held validation_;
  std::int64_t seen_ = 0;

 public:
  static constexpr bool uses_loss = !validates;  // the training loss
  /// The optimizer must be able to.
  static constexpr bool scales_learning_rate = true;

  ReduceOnPlateau(Held validation, const ReduceOnPlateauOptions& options)
      : Plateau(options), validation_(std::move(validation)) {}

  template <class V>
  void begin(const V&) {
    reset();
    seen_ = 0;
  }

  using Plateau::operator();
  void operator()(const Progress& progress) requires(!validates) {
    if (++seen_ % every() == 0) look(progress, progress.loss);
  }
  template <class V>
  void operator()(const Progress& progress, const V& x) requires(validates) {
    if (++seen_ % every() == 0) look(progress, validation_loss(validation_.get(), x));
  }

 private:
  void look(const Progress& progress, double metric) {
    progress.scale_learning_rate((*this)(metric, progress.learning_rate));
  }
};

/// Multiplies the rate by `factor` after more than `patience` looks at the training loss without improvement. On top
/// of a schedule, too: what is reduced is the rate of the next update.
inline ReduceOnPlateau<TrainingLoss> reduce_on_plateau(const ReduceOnPlateauOptions& options = {}) {
  return {TrainingLoss{}, options};
}
/// The same, watching a validation objective, which is referred to where it is an lvalue, and must outlive the run then.
template <class F>
requires(!std::is_same_v<std::remove_cvref_t<F>, ReduceOnPlateauOptions>) auto reduce_on_plateau(
    F&& validation, const ReduceOnPlateauOptions& options = {}) {
  return ReduceOnPlateau<Stored<F&&>>(Stored<F&&>(std::forward<F>(validation)), options);
}

}  // namespace descent::inline v0

#endif  // DESCENT_OBSERVE_REDUCE_ON_PLATEAU_HPP
