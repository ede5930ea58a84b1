// Progress: what an observer sees after each iteration, or after each epoch of a run on mini-batches.
#ifndef DESCENT_CORE_PROGRESS_HPP
#define DESCENT_CORE_PROGRESS_HPP

#include <cstdint>
#include <limits>

#include "descent/core/version.hpp"

namespace descent::inline v0 {

/// Any callable that takes a `const Progress&`, or a `const Progress&` and the parameters, and returns void or bool
/// (false stops the run) is an observer. It may also have
///
///     static constexpr bool uses_loss = false;   when no observer uses it, the loss is not evaluated for their sake
///     bool uses_loss() const;                    the same, known only after begin(x0)
///     void begin(const V& x0);                   called before the first evaluation
///     bool end(V& x);                            called once after the run; true when it replaced x
///     static constexpr bool scales_learning_rate = true;   refuses optimizers that cannot, at compile time
///
/// An observer may scale the optimizer's learning rate, as `reduce_on_plateau` does.
struct Progress {
  std::int64_t iterations = 0;  ///< updates made
  std::int64_t epochs = 0;      ///< whole passes over the samples; 0 where there are none
  /// The loss at the present parameters; in a run on mini-batches that of the full sum. NaN if not evaluated.
  double loss = std::numeric_limits<double>::quiet_NaN();
  /// The largest |coefficient| of the gradient there.
  double gradient_norm = std::numeric_limits<double>::quiet_NaN();
  double learning_rate = 0;         ///< of the next update
  double seconds = 0;               ///< since the start
  std::int64_t max_iterations = 0;  ///< the limit, 0 if none
  std::int64_t max_epochs = 0;      ///< the limit, 0 if none
  mutable double rate_factor = 1;   ///< what the observer in turn asked for

  /// Multiplies the rate of all later updates by a factor in [0, ∞), on top of the schedule. The observers that are told
  /// next see the new rate.
  void scale_learning_rate(double factor) const { rate_factor *= factor; }
};

}  // namespace descent::inline v0

#endif  // DESCENT_CORE_PROGRESS_HPP
