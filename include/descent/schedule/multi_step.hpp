// multi_step: the rate drops by a factor at each of some milestones (PyTorch's MultiStepLR).
#ifndef DESCENT_SCHEDULE_MULTI_STEP_HPP
#define DESCENT_SCHEDULE_MULTI_STEP_HPP

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "descent/core/errors.hpp"

namespace descent::inline v0 {

/// The shape of the schedule.
struct MultiStepOptions {
  double initial = 0.1;  ///< η₀, in [0, ∞)
  double rate = 0.1;     ///< factor of each drop, in (0, ∞)
};

/// What `multi_step` returns.
template <std::size_t N>
struct MultiStep : MultiStepOptions {
  std::array<std::int64_t, N> milestones;  ///< in their order

  double operator()(std::int64_t k) const {
    const auto drops = std::upper_bound(milestones.begin(), milestones.end(), k);
    return initial * std::pow(rate, static_cast<double>(drops - milestones.begin()));
  }
};

/// η(k) = initial · rate^(milestones up to k): `multi_step({.initial = 0.1, .rate = 0.1}, {30'000, 60'000})`. A
/// milestone that stands twice counts twice. As many as 14 fit a `Schedule`, which holds what it is made of inline. For a
/// list of values instead of one factor: `joined(0.1, 30'000, 0.03, 60'000, 0.01)`. Throws `std::invalid_argument`
/// outside the ranges above, for a milestone below 0, and for one before its predecessor.
template <std::size_t N>
MultiStep<N> multi_step(const MultiStepOptions& options, const std::int64_t (&milestones)[N]) {
  checked("multi_step", "initial", options.initial, range::non_negative);
  checked("multi_step", "rate", options.rate, range::positive);
  MultiStep<N> result{options, {}};
  std::int64_t least = 0;
  for (std::size_t i = 0; i < N; ++i) {
    least = checked_count("multi_step", "milestone", milestones[i], least);
    result.milestones[i] = least;
  }
  return result;
}

}  // namespace descent::inline v0

#endif  // DESCENT_SCHEDULE_MULTI_STEP_HPP
