// What a transform is told about the step that it is about to take.
#ifndef DESCENT_CORE_STEP_INFO_HPP
#define DESCENT_CORE_STEP_INFO_HPP

#include <cstddef>
#include <cstdint>
#include <limits>

#include "descent/core/version.hpp"

namespace descent::inline v0 {

/// Handed to `Transform::kernel<Real>(step)` once per step. Everything is a `double`, whatever the parameters' scalar.
struct StepInfo {
  /// The number of this step: 1 for the first.
  std::int64_t t = 1;
  /// The learning rate of this step: the schedule at t - 1 times the scale that observers set.
  double learning_rate = 0;
  /// The loss at the parameters before the step where the caller knows it, NaN elsewhere.
  double loss = std::numeric_limits<double>::quiet_NaN();
  /// The number of parameters.
  std::ptrdiff_t size = 0;
  /// The sums that a reducing transform asked for, in its order (see engine/transform.hpp); null for others.
  const double* sums = nullptr;
  /// The doubles that a transform keeps from step to step (`numbers` of them); null for others.
  double* numbers = nullptr;
};

}  // namespace descent::inline v0

#endif  // DESCENT_CORE_STEP_INFO_HPP
