// cosine_decay: half a cosine from the first rate to the last (PyTorch's CosineAnnealingLR; SGDR without restarts).
#ifndef DESCENT_SCHEDULE_COSINE_DECAY_HPP
#define DESCENT_SCHEDULE_COSINE_DECAY_HPP

#include <cstdint>

#include "descent/core/cosine.hpp"
#include "descent/core/errors.hpp"

namespace descent::inline v0 {

/// The shape of the schedule.
struct CosineDecayOptions {
  double initial = 0.1;             ///< η₀, in [0, ∞)
  std::int64_t total_steps = 1000;  ///< updates from the first rate to the last, at least 1
  double final = 0;                 ///< η_min, in [0, ∞)
  bool periodic =
      false;  ///< after total_steps: false stays at `final`, true goes back up, as PyTorch does
};

/// What `cosine_decay` returns.
struct CosineDecay : CosineDecayOptions {
  double operator()(std::int64_t k) const {
    if (!periodic && k >= total_steps) return final;
    if (k >= total_steps) k %= 2 * total_steps;
    return cosine_between(initial, final,
                          static_cast<double>(k) / static_cast<double>(total_steps));
  }
};

/// η(k) = final + (initial − final)·(1 + cos(π·k/total_steps))/2; I. Loshchilov and F. Hutter, "SGDR", ICLR 2017,
/// equation 5. optax stays at the end as we do; PyTorch climbs again. Throws `std::invalid_argument` outside the ranges
/// above.
inline CosineDecay cosine_decay(const CosineDecayOptions& options) {
  checked("cosine_decay", "initial", options.initial, range::non_negative);
  checked_count("cosine_decay", "total_steps", options.total_steps, 1);
  checked("cosine_decay", "final", options.final, range::non_negative);
  return {options};
}

}  // namespace descent::inline v0

#endif  // DESCENT_SCHEDULE_COSINE_DECAY_HPP
