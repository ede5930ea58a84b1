// check_gradient: compares an objective's gradient with differences of its loss.
#ifndef DESCENT_OBJECTIVE_CHECK_GRADIENT_HPP
#define DESCENT_OBJECTIVE_CHECK_GRADIENT_HPP

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "descent/core/errors.hpp"
#include "descent/core/objective.hpp"

namespace descent::inline v0 {

/// How exact a gradient must be.
struct CheckGradientOptions {
  double tolerance =
      0;  ///< largest relative error taken for right, in [0, ∞); 0: 1e-6 in double, 1e-2 in float
};

/// What `check_gradient` found. `error` is |analytic − numeric| / max(|analytic|, |numeric|) of the worst coefficient,
/// after what rounding and the differences themselves explain is taken off; with mini-batches |analytic − numeric|
/// divided by the ℓ1 norm of the gradient, or of a batch's where that is larger.
struct GradientCheck {
  double error = 0;         ///< relative, see above
  Eigen::Index index = -1;  ///< of the worst coefficient, in memory order
  double analytic = 0;      ///< that coefficient of the gradient
  double numeric = 0;       ///< what it should be: by differences, or as the mean of mini-batches
  double tolerance = 0;     ///< the largest error taken for right
  bool of_batches =
      false;  ///< whether the worst disagreement is with the gradients of mini-batches

  /// Whether the error is within the tolerance.
  [[nodiscard]] bool ok() const { return error <= tolerance; }
  /// The same.
  explicit operator bool() const { return ok(); }

  /// One sentence, which names the worst coefficient where there is an error, and guesses at the cause where the numbers
  /// allow it.
  [[nodiscard]] std::string message() const {
    if (index < 0) return "the gradient has no coefficients";
    const char* reference = of_batches ? "the mean over mini-batches" : "central differences";
    if (error == 0) return join({"the gradient agrees with ", reference, " to all their digits"});
    return join({"the gradient ", ok() ? "agrees with " : "differs from ", reference,
                 ": worst coefficient ", to_text(index), ", gradient ", to_text(analytic),
                 of_batches ? ", mean " : ", differences ", to_text(numeric), ", relative error ",
                 to_text(error), guess()});
  }

  /// Keeps the worse of two findings.
  void note(double its_error, Eigen::Index its_index, double its_analytic, double its_numeric) {
    if (!std::isfinite(its_analytic) || !std::isfinite(its_numeric)) {
      its_error = std::numeric_limits<double>::infinity();
    }
    if (index >= 0 && !(its_error > error)) return;
    error = its_error;
    index = its_index;
    analytic = its_analytic;
    numeric = its_numeric;
  }

 private:
  std::string_view guess() const {
    if (ok()) return "";
    const bool gradient = std::isfinite(analytic), other = std::isfinite(numeric);
    if (!gradient && !other) return " (the loss is not finite here: look at x and at the data)";
    if (!gradient || (of_batches && !other)) return " (was every coefficient written?)";
    if (of_batches) return " (a batch's loss and gradient are means over the batch)";
    if (!other) return " (the loss is not finite nearby)";
    if (error > 1.99) return " (the wrong sign?)";  // 2: as large, and opposite
    return "";
  }
};

namespace gradients {

// ∇f(x) in g against central differences of the loss.
template <class V, class Loss>
void compare_with_differences(V& x, const V& g, const Loss& loss, GradientCheck& worst) {
  using Scalar = typename V::Scalar;
  constexpr auto precision = static_cast<double>(std::numeric_limits<Scalar>::epsilon());
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
    // Until the differences are exact enough, or x no longer feels h.
    for (int attempt = 0; attempt < 12; ++attempt, h /= 16) {
      if (static_cast<Scalar>(static_cast<double>(x0) + h / 2) == x0) break;
      double noise = 0, noise2 = 0;
      const double coarse = difference(h, noise), fine = difference(h / 2, noise2);
      const double uncertain = std::abs(fine - coarse) / 3 + noise2;
      if (uncertain < doubt) {
        numeric = (4 * fine - coarse) / 3;
        doubt = uncertain;
      }
      if (attempt >= 1 && doubt <= 0.01 * worst.tolerance * std::abs(numeric)) break;
    }
    const auto analytic = static_cast<double>(g.data()[i]);
    const double size = (std::max)(std::abs(analytic), std::abs(numeric));
    const double error = (std::max)(0.0, std::abs(analytic - numeric) - doubt);
    worst.note(error / (size > 0 ? size : 1), i, analytic, numeric);
  }
}

// ∇f(x) in g against the mean of the gradients of two mini-batches, halves of the samples.
template <class F, class V>
void compare_with_batches(const F& f, const V& x, const V& g, GradientCheck& worst) {
  const auto n = static_cast<Eigen::Index>(f.size());
  std::vector<Eigen::Index> indices(static_cast<std::size_t>(n));
  std::iota(indices.begin(), indices.end(), Eigen::Index{0});
  const auto half = static_cast<std::size_t>((n + 1) / 2);
  V mean = V::Zero(g.rows(), g.cols()), part = mean;
  auto size = static_cast<double>(g.template lpNorm<1>());
  for (const Batch batch : {Batch(indices).first(half), Batch(indices).subspan(half)}) {
    if (batch.empty()) continue;
    part.setConstant(std::numeric_limits<typename V::Scalar>::quiet_NaN());
    if constexpr (HasBatchLossAndGradient<F, V>) {
      (void)f.loss_and_gradient(x, batch, part);
    } else {
      f.gradient(x, batch, part);
    }
    mean += part * static_cast<typename V::Scalar>(static_cast<double>(batch.size()) /
                                                   static_cast<double>(n));
    size = (std::max)(size, static_cast<double>(part.template lpNorm<1>()));
  }
  GradientCheck found{.of_batches = true};
  for (Eigen::Index i = 0; i < g.size(); ++i) {
    const auto full = static_cast<double>(g.data()[i]), its = static_cast<double>(mean.data()[i]);
    found.note(std::abs(full - its) / (size > 0 ? size : 1), i, full, its);
  }
  if (found.error > worst.tolerance && found.error > worst.error) {
    found.tolerance = worst.tolerance;
    worst = found;
  }
}

}  // namespace gradients

/// Compares each coefficient of ∇f(x) with central differences of the loss, D(h) = (f(x + heᵢ) − f(x − heᵢ))/(2h),
/// extrapolated to (4 D(h/2) − D(h))/3 with the best of several h. Costs 8 evaluations a coefficient, up to 48 where f
/// is hard to differentiate. What `f` offers is checked: `loss_and_gradient`, `loss` with `gradient`, or both; and of a
/// finite sum, that two mini-batches average to the full gradient.
template <class F, class Derived>
GradientCheck check_gradient(const F& f, const Eigen::MatrixBase<Derived>& at,
                             const CheckGradientOptions& options = {}) {
  using V = typename Derived::PlainObject;
  using Scalar = typename V::Scalar;
  require_objective<F, V>();

  GradientCheck worst;
  worst.tolerance = checked("check_gradient", "tolerance", options.tolerance, range::non_negative);
  if (worst.tolerance == 0) worst.tolerance = sizeof(Scalar) == 4 ? 1e-2 : 1e-6;

  V x = at, g = x, unused = x;
  const auto begin = [&] { g.setConstant(std::numeric_limits<Scalar>::quiet_NaN()); };
  const auto check_shape = [&] {
    if (g.rows() != x.rows() || g.cols() != x.cols()) {
      throw_invalid("check_gradient", "gradient", shape_text(g.rows(), g.cols()),
                    join({"of the shape of x, ", shape_text(x.rows(), x.cols())}));
    }
  };
  if constexpr (HasLoss<F, V> && HasGradient<F, V>) {
    begin();
    f.gradient(x, g);
    check_shape();
    gradients::compare_with_differences(
        x, g, [&] { return static_cast<double>(f.loss(x)); }, worst);
  }
  if constexpr (HasLossAndGradient<F, V>) {
    begin();
    (void)f.loss_and_gradient(x, g);
    check_shape();
    gradients::compare_with_differences(
        x, g, [&] { return static_cast<double>(f.loss_and_gradient(x, unused)); }, worst);
  }
  if constexpr (FiniteSumObjective<F, V>) gradients::compare_with_batches(f, x, g, worst);
  return worst;
}

}  // namespace descent::inline v0

#endif  // DESCENT_OBJECTIVE_CHECK_GRADIENT_HPP
