// project_on_ball: x ← x · min(1, r / ‖x‖), behind the rate.
//
// The Euclidean projection on the ball of radius r around 0. (project_on_l1_ball is in project_on_simplex.hpp.)
#ifndef DESCENT_TRANSFORM_PROJECT_ON_BALL_HPP
#define DESCENT_TRANSFORM_PROJECT_ON_BALL_HPP

#include <array>

#include "descent/core/errors.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/transform.hpp"

namespace descent::inline v0 {

/// No state; reducing: one more pass. NaN stays NaN.
class ProjectOnBall {
 public:
  static constexpr Stage accepts = Stage::point;
  static constexpr std::array reduces{Reduce::norm};

  explicit ProjectOnBall(double radius) : radius_(radius) {}

  template <class Real>
  auto statistic(const StepInfo&) const {
    return [](const auto& x, const auto&) { return std::array{x}; };
  }
  template <class Real>
  auto kernel(const StepInfo& step) const {
    const double norm = step.sums[0];
    const auto scale = static_cast<Real>(norm <= radius_ ? 1 : radius_ / norm);
    return [=](auto& x, const auto&) { x = scale * x; };
  }

 private:
  double radius_;
};

/// r = radius in (0, ∞), otherwise `std::invalid_argument`.
inline ProjectOnBall project_on_ball(double radius) {
  return ProjectOnBall(checked("project_on_ball", "radius", radius, range::positive));
}

}  // namespace descent::inline v0

#endif  // DESCENT_TRANSFORM_PROJECT_ON_BALL_HPP
