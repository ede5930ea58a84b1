// step_decay: the rate drops by a factor every so many updates (PyTorch's StepLR).
#ifndef DESCENT_SCHEDULE_STEP_DECAY_HPP
#define DESCENT_SCHEDULE_STEP_DECAY_HPP

#include <cmath>
#include <cstdint>

#include "descent/core/errors.hpp"

namespace descent::inline v0 {

/// The shape of the schedule.
struct StepDecayOptions {
  double initial = 0.1;     ///< η₀, in [0, ∞)
  double rate = 0.1;        ///< factor of each drop, in (0, ∞)
  std::int64_t steps = 30;  ///< updates between two drops, at least 1
};

/// What `step_decay` returns.
struct StepDecay : StepDecayOptions {
  double operator()(std::int64_t k) const {
    const std::int64_t drops = k / steps;
    return initial * std::pow(rate, static_cast<double>(drops));
  }
};

/// η(k) = initial · rate^⌊k / steps⌋, k the number of updates already made. The closed form, so a run that is resumed
/// at any k goes on exactly. Throws `std::invalid_argument` outside the ranges above.
inline StepDecay step_decay(const StepDecayOptions& options) {
  checked("step_decay", "initial", options.initial, range::non_negative);
  checked("step_decay", "rate", options.rate, range::positive);
  checked_count("step_decay", "steps", options.steps, 1);
  return {options};
}

}  // namespace descent::inline v0

#endif  // DESCENT_SCHEDULE_STEP_DECAY_HPP
