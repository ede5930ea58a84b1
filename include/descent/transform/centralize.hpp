// centralize: g ← g − mean(g).
//
// H. Yong et al., "Gradient centralization: A new optimization technique for deep neural networks", ECCV 2020, equation
// 1, where the mean is that of one unit's weights. Here the parameters are one unit.
#ifndef DESCENT_TRANSFORM_CENTRALIZE_HPP
#define DESCENT_TRANSFORM_CENTRALIZE_HPP

#include <array>

#include "descent/core/errors.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/transform.hpp"

namespace descent::inline v0 {

/// No state; reducing: one more pass, which only reads. The mean is summed in double.
class Centralize {
 public:
  static constexpr std::array reduces{Reduce::sum};

  template <class Real>
  auto statistic(const StepInfo&) const {
    return [](const auto& update, const auto&) { return std::array{update}; };
  }

  template <class Real>
  auto kernel(const StepInfo& step) const {
    const auto mean = static_cast<Real>(step.sums[0] / static_cast<double>(step.size));
    return [=](auto& update, const auto&) { update -= mean; };
  }
};

/// The coefficients behind it sum to 0.
inline Centralize centralize() {
  return {};
}

}  // namespace descent::inline v0

#endif  // DESCENT_TRANSFORM_CENTRALIZE_HPP
