// one_cycle: up to a large rate, and down to a tiny one (PyTorch's OneCycleLR).
#ifndef DESCENT_SCHEDULE_ONE_CYCLE_HPP
#define DESCENT_SCHEDULE_ONE_CYCLE_HPP

#include <algorithm>
#include <cstdint>

#include "descent/core/anneal.hpp"
#include "descent/core/errors.hpp"
#include "descent/core/rounded.hpp"

namespace descent::inline v0 {

/// The shape of the schedule.
struct OneCycleOptions {
  double peak = 0.1;                ///< η_max, in [0, ∞)
  std::int64_t total_steps = 1000;  ///< updates in all, at least 1
  double initial = 0.004;           ///< rate of the first update, in [0, ∞); PyTorch: peak/25
  double final = 4e-7;            ///< rate of the last update, in [0, ∞); PyTorch: initial/10⁴
  double rise = 0.3;              ///< part of the updates that rise, in [0, 1]
  Anneal shape = Anneal::cosine;  ///< of the phases
  bool three_phases = false;      ///< back to `initial` as fast as it rose, then on to `final`
};

/// What `one_cycle` returns.
struct OneCycle : OneCycleOptions {
  double operator()(std::int64_t k) const {
    const auto at = static_cast<double>(k), last = static_cast<double>(total_steps) - 1;
    const double top = (std::max)(rounded(rise * static_cast<double>(total_steps)) - 1, 0.0);
    const double middle = three_phases ? 2 * top : top;
    if (at >= last) return final;
    if (at < top) return anneal_between(shape, initial, peak, at / top);
    if (at < middle) return anneal_between(shape, peak, initial, (at - top) / (middle - top));
    return anneal_between(shape, three_phases ? initial : peak, final,
                          (at - middle) / (last - middle));
  }
};

/// From initial to peak at k = rise·total_steps − 1, then to final at k = total_steps − 1, where it stays; L. N. Smith
/// and N. Topin, "Super-convergence", 2019. Momentum, which goes the other way, is another `one_cycle`:
/// `{.peak = 0.85, .initial = 0.95, .final = 0.95}`. PyTorch gives the ends as quotients, and has no rate after the last
/// update. Throws `std::invalid_argument` outside the ranges above; three phases need rise <= 1/2.
inline OneCycle one_cycle(const OneCycleOptions& options) {
  checked("one_cycle", "peak", options.peak, range::non_negative);
  checked_count("one_cycle", "total_steps", options.total_steps, 1);
  checked("one_cycle", "initial", options.initial, range::non_negative);
  checked("one_cycle", "final", options.final, range::non_negative);
  checked("one_cycle", "rise", options.rise, range::fraction);
  if (options.three_phases && options.rise > 0.5) {
    throw_invalid("one_cycle", "rise", to_text(options.rise), "in [0, 0.5] with three_phases");
  }
  return {options};
}

}  // namespace descent::inline v0

#endif  // DESCENT_SCHEDULE_ONE_CYCLE_HPP
