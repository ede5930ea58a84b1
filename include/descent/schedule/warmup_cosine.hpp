// warmup_cosine: a linear rise to the peak, then half a cosine down: how most large models are trained.
#ifndef DESCENT_SCHEDULE_WARMUP_COSINE_HPP
#define DESCENT_SCHEDULE_WARMUP_COSINE_HPP

#include <cstdint>

#include "descent/core/cosine.hpp"
#include "descent/core/errors.hpp"
#include "descent/core/rounded.hpp"

namespace descent::inline v0 {

/// The shape of the schedule.
struct WarmupCosineOptions {
  double peak = 1e-3;                ///< η_max, in [0, ∞)
  std::int64_t warmup_steps = 100;   ///< updates of the rise, at least 0
  std::int64_t total_steps = 10000;  ///< updates in all, the rise included; more than warmup_steps
  double initial = 0;                ///< rate of the first update, in [0, ∞)
  double final = 0;                  ///< rate from total_steps on, in [0, ∞)
};

/// What `warmup_cosine` returns.
struct WarmupCosine : WarmupCosineOptions {
  double operator()(std::int64_t k) const {
    if (k < warmup_steps) {
      return initial + rounded((peak - initial) *
                               (static_cast<double>(k) / static_cast<double>(warmup_steps)));
    }
    if (k >= total_steps) return final;
    return cosine_between(
        peak, final,
        static_cast<double>(k - warmup_steps) / static_cast<double>(total_steps - warmup_steps));
  }
};

/// η(k) = initial + (peak − initial)·k/warmup_steps while k < warmup_steps, then the cosine of `cosine_decay` from peak
/// to final over the other total_steps − warmup_steps updates; as optax's warmup_cosine_decay_schedule. Throws
/// `std::invalid_argument` outside the ranges above.
inline WarmupCosine warmup_cosine(const WarmupCosineOptions& options) {
  checked("warmup_cosine", "peak", options.peak, range::non_negative);
  checked_count("warmup_cosine", "warmup_steps", options.warmup_steps, 0);
  if (options.total_steps <= options.warmup_steps) {
    throw_invalid("warmup_cosine", "total_steps", to_text(options.total_steps),
                  join({"more than warmup_steps, ", to_text(options.warmup_steps)}));
  }
  checked("warmup_cosine", "initial", options.initial, range::non_negative);
  checked("warmup_cosine", "final", options.final, range::non_negative);
  return {options};
}

}  // namespace descent::inline v0

#endif  // DESCENT_SCHEDULE_WARMUP_COSINE_HPP
