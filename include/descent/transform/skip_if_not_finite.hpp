// skip_if_not_finite: a step whose gradient has a NaN or an infinity is not taken.
#ifndef DESCENT_TRANSFORM_SKIP_IF_NOT_FINITE_HPP
#define DESCENT_TRANSFORM_SKIP_IF_NOT_FINITE_HPP

#include <array>

#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/transform.hpp"

namespace descent::inline v0 {

/// No state; a gate: parameters, state and step count stay as they are. One more pass, which only reads and is shared
/// with a reducing transform behind it.
class SkipIfNotFinite {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr std::array reduces{Reduce::sum};

  template <class Real>
  auto statistic(const StepInfo&) const {
    // g − g is 0 for a finite g and NaN for any other, and a sum keeps NaN.
    return [](const auto& update, const auto&) { return std::array{update - update}; };
  }
  bool admits(const StepInfo& step) const { return step.sums[0] == 0; }
};

inline SkipIfNotFinite skip_if_not_finite() {
  return {};
}

}  // namespace descent::inline v0

#endif  // DESCENT_TRANSFORM_SKIP_IF_NOT_FINITE_HPP
