// stop_if_not_finite: from the first gradient with a NaN or an infinity on, no step is taken.
//
// What `minimize` does by itself (Status::NonFinite), for a loop of one's own: parameters, state and step count stay
// those of the last good step until `reset()`. skip_if_not_finite takes up again, rollback_if_not_finite goes back.
#ifndef DESCENT_TRANSFORM_STOP_IF_NOT_FINITE_HPP
#define DESCENT_TRANSFORM_STOP_IF_NOT_FINITE_HPP

#include <array>
#include <cstddef>

#include "descent/core/errors.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/transform.hpp"

namespace descent::inline v0 {

/// A gate. State: whether it has stopped. One more pass, which only reads.
class StopIfNotFinite {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr std::array reduces{Reduce::sum};
  static constexpr std::size_t numbers = 1;

  template <class Real>
  auto statistic(const StepInfo&) const {
    // g − g is 0 for a finite g and NaN for any other, and a sum keeps NaN.
    return [](const auto& update, const auto&) { return std::array{update - update}; };
  }
  bool admits(const StepInfo& step) const {
    double& stopped = step.numbers[0];
    if (!(step.sums[0] == 0)) stopped = 1;
    return stopped == 0;
  }
};

/// Behind it no gradient is NaN or infinite.
inline StopIfNotFinite stop_if_not_finite() {
  return {};
}

}  // namespace descent::inline v0

#endif  // DESCENT_TRANSFORM_STOP_IF_NOT_FINITE_HPP
