// inverse_sqrt: a linear rise, then the inverse root of the step: how the first Transformer was trained.
#ifndef DESCENT_SCHEDULE_INVERSE_SQRT_HPP
#define DESCENT_SCHEDULE_INVERSE_SQRT_HPP

#include <cmath>
#include <cstdint>

#include "descent/core/errors.hpp"

namespace descent::inline v0 {

/// The shape of the schedule.
struct InverseSqrtOptions {
  double peak = 1e-3;                ///< rate of update number warmup_steps, in [0, ∞)
  std::int64_t warmup_steps = 4000;  ///< w, at least 1, which is no warm-up
};

/// What `inverse_sqrt` returns.
struct InverseSqrt : InverseSqrtOptions {
  double operator()(std::int64_t k) const {
    const double t = static_cast<double>(k) + 1, w = static_cast<double>(warmup_steps);
    return peak * (t < w ? t / w : std::sqrt(w / t));
  }
};

/// η(k) = peak·min(t/w, √(w/t)) with t = k + 1; A. Vaswani et al., "Attention is all you need", NeurIPS 2017, equation 3,
/// whose peak is 1/√(d_model·w). No pow: the same bits everywhere. Throws `std::invalid_argument` outside the ranges
/// above.
inline InverseSqrt inverse_sqrt(const InverseSqrtOptions& options) {
  checked("inverse_sqrt", "peak", options.peak, range::non_negative);
  checked_count("inverse_sqrt", "warmup_steps", options.warmup_steps, 1);
  return {options};
}

}  // namespace descent::inline v0

#endif  // DESCENT_SCHEDULE_INVERSE_SQRT_HPP
