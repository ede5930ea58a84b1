// check_gradient: compares an objective's gradient with differences of its loss.
#ifndef DESCENT_OBJECTIVE_CHECK_GRADIENT_HPP
#define DESCENT_OBJECTIVE_CHECK_GRADIENT_HPP

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "descent/core/errors.hpp"
#include "descent/core/objective.hpp"

namespace descent::inline v0 {

/// How exact a gradient must be.
struct CheckGradientOptions {
  double tolerance =
      0;  ///< largest relative error taken for right, in [0, ∞); 0: 1e-6 in double, 1e-2 in float
};

/// What `check_gradient` found. `error` is |analytic − numeric| / max(|analytic|, |numeric|) of the worst coefficient,
/// after what rounding and the differences themselves explain is taken off.
struct GradientCheck {
  double error = 0;         ///< relative, see above
  Eigen::Index index = -1;  ///< of the worst coefficient, in memory order
  double analytic = 0;      ///< that coefficient of the gradient
  double numeric = 0;       ///< the same by differences
  double tolerance = 0;     ///< the largest error taken for right

  /// Whether the error is within the tolerance.
  [[nodiscard]] bool ok() const { return error <= tolerance; }
  /// The same.
  explicit operator bool() const { return ok(); }

  /// One sentence that names the worst coefficient.
  [[nodiscard]] std::string message() const {
    if (index < 0) return "the gradient has no coefficients";
    return std::string(ok() ? "the gradient agrees with" : "the gradient differs from") +
           " central differences: worst coefficient " + std::to_string(index) + ", gradient " +
           to_text(analytic) + ", differences " + to_text(numeric) + ", relative error " +
           to_text(error);
  }
};

/// Compares each coefficient of ∇f(x) with central differences of the loss, D(h) = (f(x + heᵢ) − f(x − heᵢ))/(2h),
/// extrapolated to (4 D(h/2) − D(h))/3 with the best of several h. Costs 16 evaluations a coefficient.
template <class F, class Derived>
GradientCheck check_gradient(const F& f, const Eigen::MatrixBase<Derived>& at,
                             const CheckGradientOptions& options = {}) {
  using V = typename Derived::PlainObject;
  using Scalar = typename V::Scalar;
  require_objective<F, V>();
  constexpr double precision = std::numeric_limits<Scalar>::epsilon();

  GradientCheck worst;
  worst.tolerance = checked("check_gradient", "tolerance", options.tolerance, range::non_negative);
  if (worst.tolerance == 0) worst.tolerance = sizeof(Scalar) == 4 ? 1e-2 : 1e-6;

  V x = at, g = V::Constant(at.rows(), at.cols(), std::numeric_limits<Scalar>::quiet_NaN()),
    unused = g;
  const auto loss = [&] {
    if constexpr (HasLoss<F, V>)
      return static_cast<double>(f.loss(x));
    else
      return static_cast<double>(f.loss_and_gradient(x, unused));
  };
  if constexpr (HasGradient<F, V>)
    f.gradient(x, g);
  else
    (void)f.loss_and_gradient(x, g);
  if (g.rows() != x.rows() || g.cols() != x.cols()) {
    throw_invalid("check_gradient", "gradient", std::to_string(g.size()) + " coefficients",
                  "of the size of x, " + std::to_string(x.size()));
  }

  for (Eigen::Index i = 0; i < x.size(); ++i) {
    Scalar& xi = x.data()[i];
    const Scalar x0 = xi;
    const auto difference = [&](double h, double& noise) {
      xi = static_cast<Scalar>(static_cast<double>(x0) + h);
      const double above = loss(), up = static_cast<double>(xi);
      xi = static_cast<Scalar>(static_cast<double>(x0) - h);
      const double below = loss(), down = static_cast<double>(xi);
      xi = x0;
      noise = 8 * precision * (std::max)(std::abs(above), std::abs(below)) / h;
      return (above - below) / (up - down);
    };
    double numeric = std::numeric_limits<double>::quiet_NaN(),
           doubt = std::numeric_limits<double>::infinity();
    double h = std::pow(precision, 0.2) * (std::max)(1.0, std::abs(static_cast<double>(x0)));
    for (int attempt = 0; attempt < 4; ++attempt, h /= 16) {
      double noise = 0, noise2 = 0;
      const double coarse = difference(h, noise), fine = difference(h / 2, noise2);
      const double uncertain = std::abs(fine - coarse) / 3 + noise2;
      if (uncertain < doubt) {
        numeric = (4 * fine - coarse) / 3;
        doubt = uncertain;
      }
    }
    const auto analytic = static_cast<double>(g.data()[i]);
    const double size = (std::max)(std::abs(analytic), std::abs(numeric));
    double error = (std::max)(0.0, std::abs(analytic - numeric) - doubt) / (size > 0 ? size : 1);
    if (!std::isfinite(analytic) || !std::isfinite(numeric))
      error = std::numeric_limits<double>::infinity();
    if (worst.index < 0 || error > worst.error) {
      worst.error = error;
      worst.index = i;
      worst.analytic = analytic;
      worst.numeric = numeric;
    }
  }
  return worst;
}

}  // namespace descent::inline v0

#endif  // DESCENT_OBJECTIVE_CHECK_GRADIENT_HPP
