// LinearRegression: least squares, f(w) = 1/(2n) ‖Xw − y‖².
#ifndef DESCENT_OBJECTIVE_LINEAR_REGRESSION_HPP
#define DESCENT_OBJECTIVE_LINEAR_REGRESSION_HPP

#include <Eigen/Core>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/stored.hpp"
#include "descent/engine/linear_model.hpp"

namespace descent::inline v0 {

/// ℓ(z, y) = ½ (z − y)², slope z − y.
struct SquaredLoss {
  /// Scores a sample.
  static constexpr Eigen::Index outputs() { return 1; }
  /// ∂²ℓ/∂z², which is the same everywhere.
  static constexpr double curvature = 1;
  /// The largest ∂²ℓ/∂z².
  static constexpr double largest_curvature() { return curvature; }

  /// The slope s at the score z with z + q s = v, q > 0: SDCA's step.
  static double dual_step(double v, double y, double q) { return (v - y) / (1 + q); }

  /// From scores to losses and slopes, see `LinearModel`.
  template <class Z, class Y, class Losses>
  static void evaluate(Z& z, const Y& y, Losses& losses) {
    z.col(0) -= y;
    losses = z.col(0).square() * typename Z::Scalar(0.5);
  }
};

/// LinearRegression(X, y), or (X, y, {.intercept = true}): f(w) = 1/(2n) Σᵢ (xᵢᵀw − yᵢ)², ∇f(w) = 1/n Xᵀ(Xw − y). For X, y
/// and w see `LinearModel`.
template <class HeldX, class HeldY>
class LinearRegression : public LinearModel<SquaredLoss, HeldX, HeldY> {
 public:
  template <class X, class Y>
  LinearRegression(X&& x, Y&& y, const LinearModelOptions& options = {})
      : LinearModel<SquaredLoss, HeldX, HeldY>("LinearRegression", std::forward<X>(x),
                                               std::forward<Y>(y), {}, options) {}
};

template <class X, class Y>
LinearRegression(X&&, Y&&, const LinearModelOptions& = {})
    -> LinearRegression<Stored<X&&>, Stored<Y&&>>;

}  // namespace descent::inline v0

#endif  // DESCENT_OBJECTIVE_LINEAR_REGRESSION_HPP
