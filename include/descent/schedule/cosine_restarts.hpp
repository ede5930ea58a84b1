// cosine_restarts: half a cosine again and again (SGDR; PyTorch's CosineAnnealingWarmRestarts).
#ifndef DESCENT_SCHEDULE_COSINE_RESTARTS_HPP
#define DESCENT_SCHEDULE_COSINE_RESTARTS_HPP

#include <cmath>
#include <cstdint>

#include "descent/core/cosine.hpp"
#include "descent/core/errors.hpp"
#include "descent/core/rounded.hpp"

namespace descent::inline v0 {

/// The shape of the schedule.
struct CosineRestartsOptions {
  double initial = 0.1;      ///< η_max, rate at the start of the first cycle, in [0, ∞)
  std::int64_t steps = 100;  ///< T₀, updates of the first cycle, at least 1
  std::int64_t growth = 1;   ///< T_mult: each cycle is so many times longer, at least 1
  double final = 0;          ///< η_min, in [0, ∞); no update reaches it
  double rate = 1;  ///< each cycle's first rate is that of the last one times this, in (0, ∞)
};

/// What `cosine_restarts` returns.
struct CosineRestarts : CosineRestartsOptions {
  double operator()(std::int64_t k) const {
    std::int64_t cycle = 0, length = steps;
    auto updates = static_cast<double>(length);  // of the cycle that k lies in
    if (growth == 1) {
      cycle = k / length;
      k %= length;
    } else {
      while (k >= length) {
        k -= length;
        ++cycle;
        updates = static_cast<double>(length) * static_cast<double>(growth);
        if (length > k / growth)
          break;  // the next one is longer than k, and than an integer may be
        length *= growth;
      }
    }
    const double peak = rate == 1 ? initial : initial * std::pow(rate, static_cast<double>(cycle));
    return cosine_between(peak, final, static_cast<double>(k) / updates);
  }
};

/// η(k) = final + (initial·rateⁱ − final)·(1 + cos(π·j/Tᵢ))/2 with j updates made in cycle i, which has Tᵢ =
/// steps·growthⁱ of them; I. Loshchilov and F. Hutter, "SGDR", ICLR 2017, equation 5. `rate` is Keras' m_mul. Throws
/// `std::invalid_argument` outside the ranges above.
inline CosineRestarts cosine_restarts(const CosineRestartsOptions& options) {
  checked("cosine_restarts", "initial", options.initial, range::non_negative);
  checked_count("cosine_restarts", "steps", options.steps, 1);
  checked_count("cosine_restarts", "growth", options.growth, 1);
  checked("cosine_restarts", "final", options.final, range::non_negative);
  checked("cosine_restarts", "rate", options.rate, range::positive);
  return {options};
}

}  // namespace descent::inline v0

#endif  // DESCENT_SCHEDULE_COSINE_RESTARTS_HPP
