// cyclic: up and down in lines, again and again (PyTorch's CyclicLR).
#ifndef DESCENT_SCHEDULE_CYCLIC_HPP
#define DESCENT_SCHEDULE_CYCLIC_HPP

#include <cmath>
#include <cstdint>

#include "descent/core/anneal.hpp"
#include "descent/core/errors.hpp"

namespace descent::inline v0 {

/// The shape of the schedule.
struct CyclicOptions {
  double initial = 1e-3;  ///< where every cycle begins and ends, in [0, ∞)
  double peak = 0.1;      ///< half-way of the first cycle, in [0, ∞); may lie below `initial`
  std::int64_t steps_up = 2000;  ///< updates from `initial` to the peak, at least 1
  std::int64_t steps_down = 0;   ///< updates back, at least 0; 0: as many as up
  double cycle_rate = 1;         ///< factor of peak − initial after each cycle, in (0, 1]
  double step_rate = 1;          ///< factor of peak − initial after each update, in (0, 1]
};

/// What `cyclic` returns.
struct Cyclic : CyclicOptions {
  double operator()(std::int64_t k) const {
    const std::int64_t up = steps_up, down = steps_down == 0 ? steps_up : steps_down;
    std::int64_t cycles = 0, at = k;
    if (k >= up && k - up >= down) {  // else k lies in the first cycle, and up + down may overflow
      cycles = k / (up + down);
      at = k % (up + down);
    }
    const double height = at < up
                              ? static_cast<double>(at) / static_cast<double>(up)
                              : static_cast<double>(down - (at - up)) / static_cast<double>(down);
    const double scale = std::pow(cycle_rate, static_cast<double>(cycles)) *
                         std::pow(step_rate, static_cast<double>(k));
    return linear_between(initial, peak, height * scale);
  }
};

/// η(k) = initial + (peak − initial)·h·cycle_rateᶜ·step_rateᵏ with c cycles completed and h rising from 0 to 1 in
/// steps_up updates and falling back in steps_down; L. N. Smith, "Cyclical learning rates", WACV 2017. PyTorch's modes:
/// triangular is the default, triangular2 is `.cycle_rate = 0.5`, exp_range is `.step_rate = gamma`. Its momentum, which
/// cycles the other way, is another `cyclic` with `initial` above `peak`. Throws `std::invalid_argument` outside the
/// ranges above.
inline Cyclic cyclic(const CyclicOptions& options) {
  constexpr Range factor{.lower = 0, .upper = 1, .lower_open = true};
  checked("cyclic", "initial", options.initial, range::non_negative);
  checked("cyclic", "peak", options.peak, range::non_negative);
  checked_count("cyclic", "steps_up", options.steps_up, 1);
  checked_count("cyclic", "steps_down", options.steps_down, 0);
  checked("cyclic", "cycle_rate", options.cycle_rate, factor);
  checked("cyclic", "step_rate", options.step_rate, factor);
  return {options};
}

}  // namespace descent::inline v0

#endif  // DESCENT_SCHEDULE_CYCLIC_HPP
