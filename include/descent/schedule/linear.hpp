// linear: a line from the first rate to the last, up or down (PyTorch's LinearLR).
#ifndef DESCENT_SCHEDULE_LINEAR_HPP
#define DESCENT_SCHEDULE_LINEAR_HPP

#include <cstdint>

#include "descent/core/anneal.hpp"
#include "descent/core/errors.hpp"

namespace descent::inline v0 {

/// The shape of the schedule.
struct LinearOptions {
  double initial = 0.1;             ///< η₀, in [0, ∞)
  double final = 0;                 ///< rate from total_steps on, in [0, ∞)
  std::int64_t total_steps = 1000;  ///< updates from the first rate to the last, at least 1
};

/// What `linear` returns.
struct Linear : LinearOptions {
  double operator()(std::int64_t k) const {
    if (k >= total_steps) return final;
    return linear_between(initial, final,
                          static_cast<double>(k) / static_cast<double>(total_steps));
  }
};

/// η(k) = initial + (final − initial)·k/total_steps, then final. PyTorch's LinearLR and ConstantLR give the ends as
/// factors of one rate. Throws `std::invalid_argument` outside the ranges above.
inline Linear linear(const LinearOptions& options) {
  checked("linear", "initial", options.initial, range::non_negative);
  checked("linear", "final", options.final, range::non_negative);
  checked_count("linear", "total_steps", options.total_steps, 1);
  return {options};
}

}  // namespace descent::inline v0

#endif  // DESCENT_SCHEDULE_LINEAR_HPP
