// project_on_simplex, project_on_l1_ball: the Euclidean projections on the simplex and on the l1-ball.
//
//     { x : xᵢ ≥ 0, Σ xᵢ = r }:   x ← max(x − θ, 0), with θ such that the sum is r
//     { x : ‖x‖₁ ≤ r }:           x ← sign(x) · (the projection of |x| on the simplex), unless x is inside already
//
// J. Duchi et al., "Efficient projections onto the l1-ball for learning in high dimensions", ICML 2008, figures 1 and 2,
// by sorting: O(n log n).
#ifndef DESCENT_TRANSFORM_PROJECT_ON_SIMPLEX_HPP
#define DESCENT_TRANSFORM_PROJECT_ON_SIMPLEX_HPP

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

#include "descent/core/errors.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/transform.hpp"

namespace descent::inline v0 {

/// A whole transform: one more pass, and a sort. NaN makes all coefficients NaN.
class ProjectOnSimplex {
 public:
  static constexpr Stage accepts = Stage::point;

  /// Room to sort in; nothing that a later step depends on.
  struct State {
    std::vector<double> sorted;  ///< the coefficients in their order
    friend bool operator==(const State&, const State&) { return true; }
  };
  State init(Eigen::Index rows, Eigen::Index cols) const {
    return {std::vector<double>(std::size_t(rows * cols))};
  }

  ProjectOnSimplex(double radius, bool ball) : radius_(radius), ball_(ball) {}

  template <class Point, class Before>
  void apply(Point&& x, const Before&, State& state, const StepInfo&) const {
    using Real = typename std::remove_cvref_t<Point>::Scalar;
    if (x.size() == 0) return;
    std::vector<double>& s = state.sorted;
    double all = 0;
    for (std::size_t i = 0; i < s.size(); ++i) {
      s[i] = static_cast<double>(ball_ ? std::abs(x.data()[i]) : x.data()[i]);
      all += s[i];
    }
    if (!std::isfinite(all)) {
      x.setConstant(std::numeric_limits<Real>::quiet_NaN());
      return;
    }
    if (ball_ && all <= radius_) return;
    const double theta = threshold(s);
    for (std::size_t i = 0; i < s.size(); ++i) {
      const auto value = static_cast<double>(x.data()[i]);
      const double rest = (std::max)((ball_ ? std::abs(value) : value) - theta, 0.0);
      x.data()[i] = static_cast<Real>(ball_ ? std::copysign(rest, value) : rest);
    }
  }

 private:
  // θ, from coefficients that are sorted here. (A template, so that a sort is compiled where it is used alone.)
  template <class Numbers>
  double threshold(Numbers& s) const {
    std::sort(s.begin(), s.end(), [](double a, double b) { return a > b; });
    double sum = 0, theta = 0;
    for (std::size_t k = 0; k < s.size(); ++k) {
      sum += s[k];
      const double candidate = (sum - radius_) / static_cast<double>(k + 1);
      if (!(s[k] > candidate)) break;
      theta = candidate;
    }
    return theta;
  }

  double radius_;
  bool ball_;
};

/// Coefficients that are not negative and sum to r = radius in (0, ∞), otherwise `std::invalid_argument`.
inline ProjectOnSimplex project_on_simplex(double radius = 1) {
  return {checked("project_on_simplex", "radius", radius, range::positive), false};
}
/// Absolute values that sum to at most r = radius in (0, ∞), otherwise `std::invalid_argument`.
inline ProjectOnSimplex project_on_l1_ball(double radius) {
  return {checked("project_on_l1_ball", "radius", radius, range::positive), true};
}

}  // namespace descent::inline v0

#endif  // DESCENT_TRANSFORM_PROJECT_ON_SIMPLEX_HPP
