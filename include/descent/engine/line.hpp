// A line through parameter space, φ(t) = f(x + t d), as line searches see it.
#ifndef DESCENT_ENGINE_LINE_HPP
#define DESCENT_ENGINE_LINE_HPP

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>

#include "descent/core/line_search.hpp"
#include "descent/core/solver.hpp"
#include "descent/engine/sweep.hpp"
#include "descent/engine/vectors.hpp"

namespace descent::inline v0 {

/// By how much losses of this size may differ from rounding alone. Their terms may be far larger than their sum, so it is
/// about the machine epsilon to the power 2/3 of it.
template <class Real>
double rounding_of(double loss) {
  return (sizeof(Real) == 4 ? 0x1p-15 : 0x1p-35) * std::abs(loss);
}

template <class V, class Evaluations>
class Line {
  const Point<V>& from_;
  const V& d_;
  Point<V>& to_;
  Evaluations& evaluate_;
  Trial start_, last_{.t = -1};
  double longest_;

  Trial not_finite(double t) {
    // Lower, but −∞, or with a gradient too large for its square; or out of the range of numbers.
    const bool abyss = to_.loss < from_.loss && !(to_.norm != to_.norm && std::isfinite(to_.loss));
    last_ = {.t = t, .beyond = abyss || first_not_finite(to_.x.data(), to_.x.size()) >= 0};
    return last_;
  }

 public:
  /// From an evaluated point along d, which descends: slope = gᵀd < 0. Trials are left in `to`.
  /// Descent is measured from `reference`, mostly from.loss.
  Line(const Point<V>& from, const V& d, double slope, Point<V>& to, Evaluations& evaluate,
       double reference, double longest = std::numeric_limits<double>::infinity())
      : from_(from),
        d_(d),
        to_(to),
        evaluate_(evaluate),
        start_{.t = 0, .loss = reference, .slope = slope},
        longest_(longest) {}

  const Trial& start() const { return start_; }
  double longest() const { return longest_; }
  bool open() const { return evaluate_.open(); }
  double rounding() const { return rounding_of<typename V::Scalar>(start_.loss); }

  /// φ(t) and φ′(t).
  Trial operator()(double t) {
    if (last_.t == t && last_.slope == last_.slope) return last_;
    bool known = false;  // the loss
    if constexpr (Evaluations::separate) {
      if (!(last_.t == t && last_.finite())) loss(t);
      if (!last_.finite()) return last_;
      known = true;
    } else {
      move_along(from_.x, t, d_, to_.x);
    }
    if (!(known ? evaluate_.gradient(to_) : evaluate_(to_))) return not_finite(t);
    last_ = {.t = t, .loss = to_.loss, .slope = dot(to_.g, d_)};
    return last_;
  }

  /// φ(t); cheaper than both where the objective can supply it alone.
  double loss(double t) {
    if constexpr (Evaluations::separate) {
      move_along(from_.x, t, d_, to_.x);
      last_ = evaluate_.loss(to_) ? Trial{.t = t, .loss = to_.loss} : not_finite(t);
      return last_.loss;
    } else {
      return (*this)(t).loss;
    }
  }

  /// Armijo's condition φ(t) ≤ φ(0) + c t φ′(0), or, where rounding leaves no difference between the losses, that of W. W. Hager
  /// and H. Zhang, SIAM J. Optim. 16(1), 2005, eq. (4.1), on slopes: φ′(t) ≤ (2c − 1) φ′(0), and it is less steep than φ′(0).
  bool sufficient(const Trial& trial, double c) const {
    return (trial.loss < start_.loss && trial.loss <= start_.loss + c * trial.t * start_.slope) ||
           (std::abs(trial.loss - start_.loss) <= rounding() && trial.slope > start_.slope &&
            trial.slope <= (2 * c - 1) * start_.slope);
  }

  /// Whether the loss has visibly descended: what is left to ask of the best trial of a search that ran out.
  bool descends(const Trial& trial) const { return trial.loss < start_.loss - rounding(); }

  /// Leaves loss and gradient of x + t d in `to`; false where they are not finite.
  bool settle(double t) { return (*this)(t).finite(); }
};

/// A first step along −g, with nothing known of the curvature: to the minimum, were f a quadratic function whose least value
/// is 0 (there 2f = gᵀH⁻¹g); but no longer than x itself. Scaling f, or x, scales it along.
template <class V>
double first_step(const Point<V>& point, double squared_norm) {
  const double to_zero = 2 * std::abs(point.loss) / squared_norm, size = largest_of(point.x),
               as_far = size / point.norm;
  const double t =
      to_zero > 0 && as_far > 0 ? (std::min)(to_zero, as_far) : (std::max)(to_zero, as_far);
  return t > 0 && std::isfinite(t) ? t : 1 / point.norm;
}

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_LINE_HPP
