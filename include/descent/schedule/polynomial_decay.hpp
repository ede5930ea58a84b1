// polynomial_decay: a power of what is left of the run (PyTorch's PolynomialLR).
#ifndef DESCENT_SCHEDULE_POLYNOMIAL_DECAY_HPP
#define DESCENT_SCHEDULE_POLYNOMIAL_DECAY_HPP

#include <cmath>
#include <cstdint>

#include "descent/core/errors.hpp"
#include "descent/core/rounded.hpp"

namespace descent::inline v0 {

/// The shape of the schedule.
struct PolynomialDecayOptions {
  double initial = 0.1;             ///< η₀, in [0, ∞)
  double final = 0;                 ///< rate from total_steps on, in [0, ∞)
  std::int64_t total_steps = 1000;  ///< updates from the first rate to the last, at least 1
  double power = 1;                 ///< p, in (0, ∞); 1 is a line
};

/// What `polynomial_decay` returns.
struct PolynomialDecay : PolynomialDecayOptions {
  double operator()(std::int64_t k) const {
    if (k >= total_steps) return final;
    const double left = static_cast<double>(total_steps - k) / static_cast<double>(total_steps);
    const double weight = std::pow(left, power);
    return rounded(initial * weight) + rounded(final * (1 - weight));
  }
};

/// η(k) = final + (initial − final)·(1 − k/total_steps)^power, then final; optax's polynomial_schedule. PyTorch's final
/// is 0, and it refuses nothing. Throws `std::invalid_argument` outside the ranges above.
inline PolynomialDecay polynomial_decay(const PolynomialDecayOptions& options) {
  checked("polynomial_decay", "initial", options.initial, range::non_negative);
  checked("polynomial_decay", "final", options.final, range::non_negative);
  checked_count("polynomial_decay", "total_steps", options.total_steps, 1);
  checked("polynomial_decay", "power", options.power, range::positive);
  return {options};
}

}  // namespace descent::inline v0

#endif  // DESCENT_SCHEDULE_POLYNOMIAL_DECAY_HPP
