// HuberRegression: least squares that large residuals count less in.
//
//     ℓ(r) = r²/2 where |r| ≤ δ, else δ (|r| − δ/2)          r = xᵢᵀw − yᵢ
//
// P. J. Huber, "Robust estimation of a location parameter", Ann. Math. Stat. 35(1), 1964. PyTorch's HuberLoss; its
// SmoothL1Loss is this divided by δ. (scikit-learn's HuberRegressor estimates a scale besides.)
#ifndef DESCENT_OBJECTIVE_HUBER_REGRESSION_HPP
#define DESCENT_OBJECTIVE_HUBER_REGRESSION_HPP

#include <Eigen/Core>
#include <algorithm>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/stored.hpp"
#include "descent/engine/linear_model.hpp"

namespace descent::inline v0 {

/// Slope: the residual, clipped to [−δ, δ].
struct HuberLoss {
  double delta = 1;  ///< δ
  /// Scores a sample.
  static constexpr Eigen::Index outputs() { return 1; }
  /// The largest ∂²ℓ/∂z².
  static constexpr double largest_curvature() { return 1; }

  /// The slope s at the score z with z + q s = v, q > 0: SDCA's step.
  double dual_step(double v, double y, double q) const {
    return std::clamp((v - y) / (1 + q), -delta, delta);
  }

  /// From scores to losses and slopes, see `LinearModel`.
  template <class Z, class Y, class Losses>
  void evaluate(Z& z, const Y& y, Losses& losses) const {
    using Scalar = typename Z::Scalar;
    const auto d = static_cast<Scalar>(delta);
    const Losses r = z.col(0) - y;
    z.col(0) = r.max(-d).min(d);
    losses = z.col(0) * (r - Scalar(0.5) * z.col(0));
  }
};

/// What Huber's regression may be told.
struct HuberRegressionOptions {
  double delta = 1;              ///< δ, in (0, ∞)
  bool intercept = false;        ///< as in `LinearModelOptions`
  Eigen::VectorXd weights = {};  ///< as in `LinearModelOptions`
};

/// HuberRegression(X, y, {.delta = 1}). For X, y and w see `LinearModel`.
template <class HeldX, class HeldY>
class HuberRegression : public LinearModel<HuberLoss, HeldX, HeldY> {
 public:
  template <class X, class Y>
  HuberRegression(X&& x, Y&& y, const HuberRegressionOptions& options = {})
      : LinearModel<HuberLoss, HeldX, HeldY>(
            "HuberRegression", std::forward<X>(x), std::forward<Y>(y),
            HuberLoss{checked("HuberRegression", "delta", options.delta, range::positive)},
            {options.intercept, options.weights}) {}
};

template <class X, class Y>
HuberRegression(X&&, Y&&, const HuberRegressionOptions& = {})
    -> HuberRegression<Stored<X&&>, Stored<Y&&>>;

}  // namespace descent::inline v0

#endif  // DESCENT_OBJECTIVE_HUBER_REGRESSION_HPP
