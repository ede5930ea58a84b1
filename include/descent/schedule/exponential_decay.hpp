// exponential_decay: the rate shrinks by the same factor at every update (PyTorch's ExponentialLR has steps = 1).
#ifndef DESCENT_SCHEDULE_EXPONENTIAL_DECAY_HPP
#define DESCENT_SCHEDULE_EXPONENTIAL_DECAY_HPP

#include <cmath>
#include <cstdint>

#include "descent/core/errors.hpp"

namespace descent::inline v0 {

/// The shape of the schedule.
struct ExponentialDecayOptions {
  double initial = 0.1;    ///< η₀, in [0, ∞)
  double rate = 0.96;      ///< factor that `steps` updates amount to, in (0, ∞)
  std::int64_t steps = 1;  ///< updates, at least 1
};

/// What `exponential_decay` returns.
struct ExponentialDecay : ExponentialDecayOptions {
  double operator()(std::int64_t k) const {
    return initial * std::pow(rate, static_cast<double>(k) / static_cast<double>(steps));
  }
};

/// η(k) = initial · rate^(k / steps), continuous in k. Throws `std::invalid_argument` outside the ranges above.
inline ExponentialDecay exponential_decay(const ExponentialDecayOptions& options) {
  checked("exponential_decay", "initial", options.initial, range::non_negative);
  checked("exponential_decay", "rate", options.rate, range::positive);
  checked_count("exponential_decay", "steps", options.steps, 1);
  return {options};
}

}  // namespace descent::inline v0

#endif  // DESCENT_SCHEDULE_EXPONENTIAL_DECAY_HPP
