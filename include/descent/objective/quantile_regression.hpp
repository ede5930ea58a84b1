// QuantileRegression: the τ-quantile of y, linear in x.
//
//     ℓ(r) = max(τ r, (τ − 1) r)          r = yᵢ − xᵢᵀw
//
// R. Koenker and G. Bassett, "Regression quantiles", Econometrica 46(1), 1978.
#ifndef DESCENT_OBJECTIVE_QUANTILE_REGRESSION_HPP
#define DESCENT_OBJECTIVE_QUANTILE_REGRESSION_HPP

#include <Eigen/Core>
#include <algorithm>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/stored.hpp"
#include "descent/engine/linear_model.hpp"

namespace descent::inline v0 {

/// The pinball loss; at its corner the slope 0 is taken.
struct PinballLoss {
  double quantile = 0.5;  ///< τ
  /// Scores a sample.
  static constexpr Eigen::Index outputs() { return 1; }

  /// The slope s at the score z with z + q s = v, q > 0: SDCA's step.
  double dual_step(double v, double y, double q) const {
    return std::clamp((v - y) / q, -quantile, 1 - quantile);
  }

  /// From scores to losses and slopes, see `LinearModel`.
  template <class Z, class Y, class Losses>
  void evaluate(Z& z, const Y& y, Losses& losses) const {
    using Scalar = typename Z::Scalar;
    const auto above = static_cast<Scalar>(quantile), below = static_cast<Scalar>(quantile - 1);
    const Losses r = y - z.col(0);
    losses = (above * r).max(below * r);
    z.col(0) =
        (r > Scalar(0))
            .select(-above, (r < Scalar(0)).select(Losses::Constant(r.size(), -below), Scalar(0)));
  }
};

/// What quantile regression may be told.
struct QuantileRegressionOptions {
  double quantile = 0.5;         ///< τ, in (0, 1)
  bool intercept = false;        ///< as in `LinearModelOptions`
  Eigen::VectorXd weights = {};  ///< as in `LinearModelOptions`
};

/// QuantileRegression(X, y, {.quantile = 0.5}). For X, y and w see `LinearModel`.
template <class HeldX, class HeldY>
class QuantileRegression : public LinearModel<PinballLoss, HeldX, HeldY> {
 public:
  template <class X, class Y>
  QuantileRegression(X&& x, Y&& y, const QuantileRegressionOptions& options = {})
      : LinearModel<PinballLoss, HeldX, HeldY>(
            "QuantileRegression", std::forward<X>(x), std::forward<Y>(y),
            PinballLoss{
                checked("QuantileRegression", "quantile", options.quantile,
                        Range{.lower = 0, .upper = 1, .lower_open = true, .upper_open = true})},
            {options.intercept, options.weights}) {}
};

template <class X, class Y>
QuantileRegression(X&&, Y&&, const QuantileRegressionOptions& = {})
    -> QuantileRegression<Stored<X&&>, Stored<Y&&>>;

}  // namespace descent::inline v0

#endif  // DESCENT_OBJECTIVE_QUANTILE_REGRESSION_HPP
