// PoissonRegression: counts whose logarithm's mean is linear.
//
//     ℓ(z, y) = exp(z) − y z          the negative log-likelihood without log y!, which no w changes
//
// P. McCullagh and J. A. Nelder, "Generalized linear models", 1989, chapter 6. Half of scikit-learn's deviance but for a
// constant.
#ifndef DESCENT_OBJECTIVE_POISSON_REGRESSION_HPP
#define DESCENT_OBJECTIVE_POISSON_REGRESSION_HPP

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/stored.hpp"
#include "descent/engine/increasing_root.hpp"
#include "descent/engine/linear_model.hpp"

namespace descent::inline v0 {

/// Slope eᶻ − y.
struct PoissonLoss {
  /// Scores a sample.
  static constexpr Eigen::Index outputs() { return 1; }

  /// The slope s at the score z with z + q s = v, q > 0: SDCA's step.
  static double dual_step(double v, double y, double q) {
    // z + q eᶻ = v + q y =: c, whose root is no more than c, and if that is positive than log(c/q) or 0.
    const double c = v + q * y;
    const double most = c > 0 ? (std::min)(c, (std::max)(0.0, std::log(c / q))) : c;
    const double z = increasing_root(c - q * std::exp(most), most, most,
                                     [&](double at) -> std::pair<double, double> {
                                       const double mean = q * std::exp(at);
                                       return {at + mean - c, 1 + mean};
                                     });
    return std::exp(z) - y;
  }
  /// The least loss of all scores, where it is not 0.
  static double least(double y) { return y > 0 ? y - y * std::log(y) : 0; }

  /// From scores to losses and slopes, see `LinearModel`.
  template <class Z, class Y, class Losses>
  static void evaluate(Z& z, const Y& y, Losses& losses) {
    const Losses mean = z.col(0).exp();
    losses = mean - y * z.col(0);
    z.col(0) = mean - y;
  }
};

/// PoissonRegression(X, y): y of numbers that are not negative, anything else is an `std::invalid_argument`. For X, y and w
/// see `LinearModel`.
template <class HeldX, class HeldY>
class PoissonRegression : public LinearModel<PoissonLoss, HeldX, HeldY> {
 public:
  template <class X, class Y>
  PoissonRegression(X&& x, Y&& y, const LinearModelOptions& options = {})
      : LinearModel<PoissonLoss, HeldX, HeldY>("PoissonRegression", std::forward<X>(x),
                                               std::forward<Y>(y), {}, options) {
    for (Eigen::Index i = 0; i < this->size(); ++i) {
      (void)checked("PoissonRegression", "y", static_cast<double>(this->targets()[i]),
                    range::non_negative);
    }
  }
};

template <class X, class Y>
PoissonRegression(X&&, Y&&, const LinearModelOptions& = {})
    -> PoissonRegression<Stored<X&&>, Stored<Y&&>>;

}  // namespace descent::inline v0

#endif  // DESCENT_OBJECTIVE_POISSON_REGRESSION_HPP
