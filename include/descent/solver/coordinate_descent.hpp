// CoordinateDescent: f(x) + λ₁ ‖x‖₁ + λ₂/2 ‖x‖² with f smooth, one coefficient at a time.
//
//     zⱼ ← soft(Hⱼⱼ zⱼ − (g + H(z − x))ⱼ, λ₁) / (Hⱼⱼ + λ₂),   j = 1 ... n, again and again;     x ← x + t (z − x)
//
// The sweeps minimize the quadratic model of f at x with the penalty as it is, and ask f nothing: J. Friedman, T. Hastie and R.
// Tibshirani, "Regularization paths for generalized linear models via coordinate descent", J. Stat. Softw. 33(1), 2010, section
// 2.2 (covariance updates). For a quadratic f, such as least squares, the first model is f itself; else this is a proximal Newton
// method, with t halved until f + h descends: P. Tseng and S. Yun, Math. Program. 117, 2009, eq. (3). H comes from the objective's
// `hessian_product`, or from differences of n gradients: for some hundreds of parameters, of which few will not be 0.
//
// The loss, of the result and for observers, is with the penalties, and the gradient's norm is that of the shortest subgradient:
// |gⱼ + λ₂xⱼ + λ₁ sign xⱼ|, and max(|gⱼ| − λ₁, 0) where xⱼ is 0.
#ifndef DESCENT_SOLVER_COORDINATE_DESCENT_HPP
#define DESCENT_SOLVER_COORDINATE_DESCENT_HPP

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/optimizer.hpp"
#include "descent/core/solver.hpp"
#include "descent/engine/line.hpp"

namespace descent::inline v0 {

/// The options of CoordinateDescent.
struct CoordinateDescentOptions {
  double l1 = 0;                   ///< λ₁, in [0, ∞)
  double l2 = 0;                   ///< λ₂, in [0, ∞)
  std::int64_t max_sweeps = 1000;  ///< over all coefficients, in one iteration; at least 1
};

/// Memory: n² numbers and a few vectors. An iteration takes n gradients (or Hessian products) and an evaluation, seldom more.
/// Throws `std::invalid_argument` outside the ranges above.
template <class V = Eigen::VectorXd>
class CoordinateDescent {
 public:
  /// The type of the parameters.
  using Vector = V;
  /// float or double.
  using Scalar = typename Vector::Scalar;
  /// Those of the full loss.
  static constexpr Gradients gradients = Gradients::full;

  explicit CoordinateDescent(const CoordinateDescentOptions& options = {}) : options_(options) {
    checked("CoordinateDescent", "l1", options.l1, range::non_negative);
    checked("CoordinateDescent", "l2", options.l2, range::non_negative);
    checked_count("CoordinateDescent", "max_sweeps", options.max_sweeps, 1);
  }

  /// Makes room.
  void begin(const Vector& x) {
    next_ = {.x = x, .g = x};
    z_ = slope_ = unit_ = x;
    hessian_.resize(x.size(), x.size());
  }
  /// Loss and norm with the penalties.
  void regard(Point<Vector>& point) const {
    point.loss += penalty(point.x);
    point.norm = shortest(point);
  }

  /// One step; `now` must have been evaluated.
  template <class E>
  Iteration<Vector> iterate(Point<Vector>& now, E& evaluate) {
    if (!model(now, evaluate)) return {evaluate.open() ? Moved::stuck : Moved::refused};
    sweep_all(now);
    // What the model promises to first order: gᵀ(z − x) + h(z) − h(x).
    double promised = penalty(z_) - penalty(now.x);
    for (Eigen::Index i = 0; i < z_.size(); ++i) {
      promised += static_cast<double>(now.g.data()[i]) *
                  static_cast<double>(z_.data()[i] - now.x.data()[i]);
    }
    const double rounding = rounding_of<Scalar>(now.loss);
    double t = 1;
    for (int trials = 0; trials < 40; ++trials, t /= 2) {
      next_.x = t == 1 ? z_ : Vector(now.x + static_cast<Scalar>(t) * (z_ - now.x));
      if (!evaluate(next_)) {
        if (!evaluate.open()) return {Moved::refused};
        continue;
      }
      regard(next_);
      const double change = next_.loss - now.loss;
      const bool blind = std::abs(change) <= rounding;
      if (blind ? next_.norm < now.norm : change < 0 && change <= 1e-4 * t * promised) {
        std::swap(now, next_);
        ++steps_;
        step_ = t;
        return {Moved::moved, &next_.x};
      }
    }
    return {Moved::stuck};
  }

  /// Back to before the first step.
  void reset() {
    steps_ = 0;
    step_ = 0;
  }
  /// The number of steps taken.
  std::int64_t steps() const { return steps_; }
  /// The length t of the last step.
  double learning_rate() const { return step_; }
  /// The options in force.
  const CoordinateDescentOptions& options() const { return options_; }
  /// The same solver for parameters of another type, fresh.
  template <class Other>
  CoordinateDescent<Other> rebind() const {
    return CoordinateDescent<Other>(options_);
  }

 private:
  static constexpr int size = Vector::SizeAtCompileTime;

  CoordinateDescentOptions options_;
  Point<Vector> next_{};
  Vector z_{}, slope_{}, unit_{};  // slope_: g + H(z − x)
  Eigen::Matrix<Scalar, size, size> hessian_;
  std::int64_t steps_ = 0;
  double step_ = 0;

  double penalty(const Vector& x) const {
    double sum = 0;
    for (Eigen::Index i = 0; i < x.size(); ++i) {
      const auto xi = static_cast<double>(x.data()[i]);
      sum += options_.l1 * std::abs(xi) + 0.5 * options_.l2 * xi * xi;
    }
    return sum;
  }
  double shortest(const Point<Vector>& point) const {
    double most = 0;
    for (Eigen::Index i = 0; i < point.x.size(); ++i) {
      const auto x = static_cast<double>(point.x.data()[i]),
                 g = static_cast<double>(point.g.data()[i]);
      const double length = x == 0 ? (std::max)(std::abs(g) - options_.l1, 0.0)
                                   : std::abs(g + options_.l2 * x + std::copysign(options_.l1, x));
      most = (std::max)(most, length);
    }
    return most;
  }

  // The Hessian at `now`, column by column.
  template <class E>
  bool model(const Point<Vector>& now, E& evaluate) {
    const Eigen::Index n = now.x.size();
    for (Eigen::Index j = 0; j < n; ++j) {
      if constexpr (E::has_hessian_product) {
        unit_.setZero();
        unit_.data()[j] = 1;
        evaluate.hessian_product(now.x, unit_, slope_);
        for (Eigen::Index i = 0; i < n; ++i) hessian_(i, j) = slope_.data()[i];
      } else {
        const Scalar h = std::cbrt(std::numeric_limits<Scalar>::epsilon()) *
                         (std::max)(std::abs(now.x.data()[j]), Scalar(1));
        next_.x = now.x;
        next_.x.data()[j] += h;
        const Scalar made = next_.x.data()[j] - now.x.data()[j];
        if (!evaluate.gradient_alone(next_)) return false;
        for (Eigen::Index i = 0; i < n; ++i) {
          hessian_(i, j) = (next_.g.data()[i] - now.g.data()[i]) / made;
        }
      }
    }
    return true;
  }

  void sweep_all(const Point<Vector>& now) {
    const Eigen::Index n = now.x.size();
    const auto l1 = static_cast<Scalar>(options_.l1), l2 = static_cast<Scalar>(options_.l2);
    const Scalar least =
        std::numeric_limits<Scalar>::epsilon() * hessian_.diagonal().cwiseAbs().maxCoeff() +
        (std::numeric_limits<Scalar>::min)();
    z_ = now.x;
    slope_ = now.g;
    // Until no coefficient matters beside what the gradient is now.
    const double enough = 1e-8 * now.norm;
    for (std::int64_t sweep = 0; sweep < options_.max_sweeps; ++sweep) {
      double most = 0;
      for (Eigen::Index j = 0; j < n; ++j) {
        const Scalar curvature = (std::max)(hessian_(j, j), least), old = z_.data()[j];
        const Scalar u = curvature * old - slope_.data()[j];
        const Scalar soft = u > l1 ? u - l1 : u < -l1 ? u + l1 : Scalar(0);
        const Scalar change = soft / (curvature + l2) - old;
        if (change == 0) continue;
        z_.data()[j] = soft / (curvature + l2);
        for (Eigen::Index i = 0; i < n; ++i) slope_.data()[i] += change * hessian_(i, j);
        most = (std::max)(most, static_cast<double>(std::abs(change) * (curvature + l2)));
      }
      if (most <= enough) break;
    }
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_SOLVER_COORDINATE_DESCENT_HPP
