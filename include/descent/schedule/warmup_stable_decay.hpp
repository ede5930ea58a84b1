// warmup_stable_decay: a linear rise, a plateau, a decay at the end; the plateau can be as long as one likes.
#ifndef DESCENT_SCHEDULE_WARMUP_STABLE_DECAY_HPP
#define DESCENT_SCHEDULE_WARMUP_STABLE_DECAY_HPP

#include <cstdint>
#include <string_view>

#include "descent/core/anneal.hpp"
#include "descent/core/errors.hpp"

namespace descent::inline v0 {

/// The shape of the schedule.
struct WarmupStableDecayOptions {
  double peak = 1e-3;                ///< η_max, in [0, ∞)
  std::int64_t warmup_steps = 100;   ///< updates of the rise, at least 0
  std::int64_t total_steps = 10000;  ///< updates in all, at least 1
  std::int64_t decay_steps =
      2000;            ///< updates of the decay, at least 0; with the rise, at most total_steps
  double initial = 0;  ///< rate of the first update, in [0, ∞)
  double final = 0;    ///< rate from total_steps on, in [0, ∞)
  Anneal shape = Anneal::linear;  ///< of the decay
};

/// What `warmup_stable_decay` returns.
struct WarmupStableDecay : WarmupStableDecayOptions {
  double operator()(std::int64_t k) const {
    if (k < warmup_steps) {
      return linear_between(initial, peak,
                            static_cast<double>(k) / static_cast<double>(warmup_steps));
    }
    const std::int64_t decayed = k - (total_steps - decay_steps);
    if (decayed < 0) return peak;
    if (decayed >= decay_steps) return final;
    return anneal_between(shape, peak, final,
                          static_cast<double>(decayed) / static_cast<double>(decay_steps));
  }
};

/// S. Hu et al., "MiniCPM", 2024, section 4.2; the decay 1 − √progress of A. Hägele et al., NeurIPS 2024, is
/// `Anneal::square_root`. Throws `std::invalid_argument` outside the ranges above.
inline WarmupStableDecay warmup_stable_decay(const WarmupStableDecayOptions& options) {
  constexpr std::string_view who = "warmup_stable_decay";
  checked(who, "peak", options.peak, range::non_negative);
  checked_count(who, "warmup_steps", options.warmup_steps, 0);
  checked_count(who, "total_steps", options.total_steps, 1);
  checked_count(who, "decay_steps", options.decay_steps, 0);
  if (options.decay_steps > options.total_steps - options.warmup_steps) {
    throw_invalid(who, "total_steps", to_text(options.total_steps),
                  "at least warmup_steps + decay_steps");
  }
  checked(who, "initial", options.initial, range::non_negative);
  checked(who, "final", options.final, range::non_negative);
  return {options};
}

}  // namespace descent::inline v0

#endif  // DESCENT_SCHEDULE_WARMUP_STABLE_DECAY_HPP
