// CoordinateDescent: f(x) + λ₁ ‖x‖₁ + λ₂/2 ‖x‖² with f smooth, one coefficient at a time.
//
//     zⱼ ← soft(Hⱼⱼ zⱼ − (g + H(z − x))ⱼ, λ₁) / (Hⱼⱼ + λ₂),   j = 1 ... n, again and again;     x ← x + t (z − x)
//
// The sweeps minimize the quadratic model of f at x with the penalty as it is, and ask f nothing: J. Friedman, T. Hastie and R.
// Tibshirani, "Regularization paths for generalized linear models via coordinate descent", J. Stat. Softw. 33(1), 2010, section
// 2.2. For a quadratic f, such as least squares, the first model is f itself; else this is a proximal Newton method, with t
// halved until f + h descends: P. Tseng and S. Yun, Math. Program. 117, 2009, eq. (3).
//
// Least squares over dense X, standardized or not, alone or with l2, takes H as XᵀX/n and keeps the residuals Xz − y instead of it
// (naive updates): memory for one number a sample, and a sweep reads X twice at most. X lies best in columns. All else keeps H, from the
// objective's `hessian_product`, or from differences of n gradients: for some hundreds of parameters, of which few will not be 0.
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
#include <type_traits>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/optimizer.hpp"
#include "descent/core/solver.hpp"
#include "descent/engine/line.hpp"
#include "descent/engine/proximal_penalty.hpp"

namespace descent::inline v0 {

/// The options of CoordinateDescent.
struct CoordinateDescentOptions {
  double l1 = 0;                   ///< λ₁, in [0, ∞)
  double l2 = 0;                   ///< λ₂, in [0, ∞)
  std::int64_t max_sweeps = 1000;  ///< over all coefficients, in one iteration; at least 1
};

/// The quadratic model at x, as sweeps see it: by its Hessian, and g + H(z − x).
template <class Hessian, class V>
class HessianModel {
  using Scalar = typename V::Scalar;
  const Hessian& hessian_;
  V& slope_;

 public:
  HessianModel(const Hessian& hessian, V& slope) : hessian_(hessian), slope_(slope) {}
  /// Hⱼⱼ.
  Scalar curvature(Eigen::Index j) const { return hessian_(j, j); }
  /// (g + H(z − x))ⱼ.
  Scalar slope(Eigen::Index j, Scalar) const { return slope_.data()[j]; }
  /// zⱼ has changed.
  void move(Eigen::Index j, Scalar change) {
    for (Eigen::Index i = 0; i < slope_.size(); ++i) slope_.data()[i] += change * hessian_(i, j);
  }
};

/// Whether f is a linear model of a quadratic loss over dense data, standardized or not, with ridge or without.
template <class F>
concept QuadraticModel = requires(const F& f) {
  f.column_part().loss_function().curvature;
  f.ridge();
};

/// Such an f, which is its own quadratic model, by its residuals at z, times their weights and 1/n.
template <class Model, class V>
class ResidualModel {
  using Index = Eigen::Index;
  using Scalar = typename V::Scalar;
  using Residuals = Eigen::Matrix<Scalar, Eigen::Dynamic, 1>;
  const Model& model_;
  Residuals& residuals_;
  Scalar share_, ridge_;
  Index penalized_ = 0;  // coefficients, of which an intercept behind them is none

  Scalar ridge(Index j) const { return j < penalized_ ? ridge_ : Scalar(0); }
  bool weighted() const { return model_.weights().size() > 0; }
  auto weights() const { return model_.weights().template cast<Scalar>(); }

 public:
  ResidualModel(const Model& model, double ridge, const V& z, Residuals& residuals)
      : model_(model),
        residuals_(residuals),
        share_(static_cast<Scalar>(model.loss_function().curvature /
                                   static_cast<double>(model.size()))),
        ridge_(static_cast<Scalar>(ridge)) {
    model.each_penalized([&](Index, Index count) { penalized_ = count; });
    residuals.setZero(model.size());
    for (Index j = 0; j < z.size(); ++j) {
      const Scalar zj = z.data()[j];
      if (zj != 0) model.on_column(j, [&](const auto& x) { residuals += zj * x; });
    }
    for (Index i = 0; i < residuals.size(); ++i) {
      residuals[i] = model.slope(residuals[i], i) / static_cast<Scalar>(model.size());
    }
  }
  /// Hⱼⱼ.
  Scalar curvature(Index j) const {
    return ridge(j) + share_ * model_.on_column(j, [&](const auto& x) {
      return weighted() ? x.cwiseAbs2().dot(weights()) : x.squaredNorm();
    });
  }
  /// The derivative along zⱼ, at z.
  Scalar slope(Index j, Scalar z) const {
    return ridge(j) * z + model_.on_column(j, [&](const auto& x) { return x.dot(residuals_); });
  }
  /// zⱼ has changed.
  void move(Index j, Scalar change) {
    const Scalar a = share_ * change;
    model_.on_column(j, [&](const auto& x) {
      if (weighted()) {
        residuals_ += a * x.cwiseProduct(weights());
      } else {
        residuals_ += a * x;
      }
    });
  }
};

/// Memory: a few vectors; one number a sample for least squares over dense data, else n². An iteration takes an evaluation,
/// seldom more, and in the latter case n gradients (or Hessian products). The options penalize all coefficients; `l1`, `l2` and
/// `elastic_net` around a model leave its intercept out. Throws `std::invalid_argument` outside the ranges above.
template <class V = Eigen::VectorXd>
class CoordinateDescent {
  template <class Other>
  friend class CoordinateDescent;

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
    z_ = curvature_ = x;
  }
  /// Loss and norm with the penalties.
  void regard(Point<Vector>& point) const {
    point.loss += penalty(point.x);
    point.norm = shortest(point);
  }

  /// One step; `now` must have been evaluated.
  template <class E>
  Iteration<Vector> iterate(Point<Vector>& now, E& evaluate) {
    z_ = now.x;
    if constexpr (is_quadratic<E>) {
      const auto& f = evaluate.objective();
      const auto& model = f.column_part();
      using Model = std::remove_cvref_t<decltype(model)>;
      sweep_all(now, ResidualModel<Model, V>(model, f.ridge(), z_, residuals_));
    } else {
      if (!find_hessian(now, evaluate)) return {evaluate.open() ? Moved::stuck : Moved::refused};
      slope_ = now.g;
      sweep_all(now, HessianModel<Hessian, V>(hessian_, slope_));
    }
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
    CoordinateDescent<Other> solver(options_);
    solver.brought_ = brought_;
    return solver;
  }
  /// The same solver with the penalty that an objective brings beside its own, fresh.
  CoordinateDescent with(const ProximalPenalty& penalty) const {
    CoordinateDescent solver(options_);
    solver.brought_ = penalty;
    return solver;
  }

 private:
  static constexpr int size = Vector::SizeAtCompileTime;
  using Hessian = Eigen::Matrix<Scalar, size, size>;

  CoordinateDescentOptions options_;
  ProximalPenalty brought_{0, 0};  // by the objective
  Point<Vector> next_{};
  Vector z_{}, curvature_{}, slope_{}, unit_{};
  Hessian hessian_;
  Eigen::Matrix<Scalar, Eigen::Dynamic, 1> residuals_;
  std::int64_t steps_ = 0;
  double step_ = 0;

  template <class E>
  static constexpr bool is_quadratic = requires(const E& evaluate) {
    requires QuadraticModel<std::remove_cvref_t<decltype(evaluate.objective())>>;
  };

  // λ₁ and λ₂ of the i-th coefficient.
  double l1(Eigen::Index i) const {
    return options_.l1 + (brought_.penalizes(i) ? brought_.l1() : 0);
  }
  double l2(Eigen::Index i) const {
    return options_.l2 + (brought_.penalizes(i) ? brought_.l2() : 0);
  }
  double penalty(const Vector& x) const {
    double sum = 0;
    for (Eigen::Index i = 0; i < x.size(); ++i) {
      const auto xi = static_cast<double>(x.data()[i]);
      sum += l1(i) * std::abs(xi) + 0.5 * l2(i) * xi * xi;
    }
    return sum;
  }
  double shortest(const Point<Vector>& point) const {
    double most = 0;
    for (Eigen::Index i = 0; i < point.x.size(); ++i) {
      const auto x = static_cast<double>(point.x.data()[i]),
                 g = static_cast<double>(point.g.data()[i]);
      const double length = x == 0 ? (std::max)(std::abs(g) - l1(i), 0.0)
                                   : std::abs(g + l2(i) * x + std::copysign(l1(i), x));
      most = (std::max)(most, length);
    }
    return most;
  }

  // The Hessian at `now`, column by column.
  template <class E>
  bool find_hessian(const Point<Vector>& now, E& evaluate) {
    const Eigen::Index n = now.x.size();
    hessian_.resize(n, n);
    slope_ = unit_ = now.x;
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

  // z to the minimum of the quadratic model with the penalty.
  template <class Model>
  void sweep_all(const Point<Vector>& now, Model model) {
    const Eigen::Index n = now.x.size();
    // Where the curvature is negative, one sweep, as far as the positive one of that size would go; where there is none, so
    // far as tells that the loss falls without end.
    Scalar largest(0);
    bool convex = true;
    for (Eigen::Index j = 0; j < n; ++j) {
      const Scalar curvature = model.curvature(j);
      convex = convex && !(curvature < 0);
      curvature_.data()[j] = std::abs(curvature);
      largest = (std::max)(largest, std::abs(curvature));
    }
    const Scalar least =
        std::numeric_limits<Scalar>::epsilon() * largest +
        Scalar(sizeof(Scalar) == 4 ? 1e-31 : 1e-151) * static_cast<Scalar>(now.norm);
    // Until no coefficient matters beside what the gradient is now.
    const double enough = 1e-8 * now.norm;
    for (std::int64_t sweep = 0; sweep < options_.max_sweeps; ++sweep) {
      double most = 0;
      for (Eigen::Index j = 0; j < n; ++j) {
        const auto tau = static_cast<Scalar>(l1(j));
        const Scalar curvature = (std::max)(curvature_.data()[j], least), old = z_.data()[j];
        const Scalar steeper = curvature + static_cast<Scalar>(l2(j));
        const Scalar u = curvature * old - model.slope(j, old);
        const Scalar soft = u > tau ? u - tau : u < -tau ? u + tau : Scalar(0);
        const Scalar change = soft / steeper - old;
        if (change == 0) continue;
        z_.data()[j] = soft / steeper;
        model.move(j, change);
        most = (std::max)(most, static_cast<double>(std::abs(change) * steeper));
      }
      if (most <= enough || !convex) break;
    }
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_SOLVER_COORDINATE_DESCENT_HPP
