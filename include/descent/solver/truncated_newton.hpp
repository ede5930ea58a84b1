// TruncatedNewton: Newton's step within a trust region, as far as a few conjugate gradients go.
//
//     minimize  gᵀp + ½ pᵀHp,  ‖p‖ ≤ Δ;     x ← x + p  if f descends as the model says
//
// T. Steihaug, "The conjugate gradient method and trust regions in large scale optimization", SIAM J. Numer. Anal. 20(3), 1983:
// conjugate gradients from p = 0 until ‖g + Hp‖ ≤ η ‖g‖, η = min(½, √(‖g‖/‖g₀‖)), or the region's boundary, or a direction of
// negative curvature, which is followed to the boundary. Δ by J. Nocedal and S. J. Wright, "Numerical Optimization", 2nd ed.,
// Algorithm 4.1: a quarter of ‖p‖ where less than a quarter of the promised descent came true, twice Δ where more than three
// quarters did at the boundary. H is only multiplied with vectors: by `hessian_product` where the objective has it, otherwise by
// a difference of gradients, Hd ≈ (∇f(x + hd) − g)/h with h‖d‖ = √ε max(‖x‖, ‖p₀‖), one gradient each.
#ifndef DESCENT_SOLVER_TRUNCATED_NEWTON_HPP
#define DESCENT_SOLVER_TRUNCATED_NEWTON_HPP

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
#include "descent/engine/vectors.hpp"

namespace descent::inline v0 {

/// The options of TruncatedNewton.
struct TruncatedNewtonOptions {
  double radius = 0;  ///< the first Δ, in [0, ∞); 0: the length of a first step along −g
  std::int64_t inner_iterations =
      0;  ///< of conjugate gradients a step, at least 0; 0: min(2n, 200)
};

/// For smooth objectives, full gradients; converges faster than linearly. Memory: 8 vectors of the size of x. Throws
/// `std::invalid_argument` outside the ranges above.
template <class V = Eigen::VectorXd>
class TruncatedNewton {
 public:
  /// The type of the parameters.
  using Vector = V;
  /// float or double.
  using Scalar = typename Vector::Scalar;
  /// Those of the full loss.
  static constexpr Gradients gradients = Gradients::full;

  explicit TruncatedNewton(const TruncatedNewtonOptions& options = {}) : options_(options) {
    checked("TruncatedNewton", "radius", options.radius, range::non_negative);
    checked_count("TruncatedNewton", "inner_iterations", options.inner_iterations, 0);
  }

  /// Makes room.
  void begin(const Vector& x) {
    next_ = beside_ = {.x = x, .g = x};
    p_ = d_ = r_ = hd_ = x;
    radius_ = options_.radius;
    first_norm_ = 0;
  }

  /// One step; `now` must have been evaluated.
  template <class E>
  Iteration<Vector> iterate(Point<Vector>& now, E& evaluate) {
    const double squared_norm = dot(now.g, now.g), norm = std::sqrt(squared_norm);
    if (first_norm_ == 0) first_norm_ = norm;
    if (radius_ == 0) radius_ = first_step(now, squared_norm) * norm;
    for (int trials = 0; trials < 60; ++trials) {
      if (!solve(now, norm, evaluate)) break;
      const double length = std::sqrt(dot(p_, p_)),
                   promised = -0.5 * (dot(now.g, p_) + dot(p_, r_));
      move_along(now.x, 1, p_, next_.x);
      if (!(promised > 0) || next_.x == now.x) break;
      double ratio = -1;  // of the descent to what was promised
      if (evaluate(next_)) {
        const double rounding = rounding_of<Scalar>(now.loss), change = now.loss - next_.loss;
        ratio = change / promised;
        if (std::abs(change) <= rounding && promised <= rounding) {  // the gradients decide
          ratio = dot(next_.g, next_.g) < squared_norm ? 0.5 : -1;
        }
      } else if (!evaluate.open()) {
        break;
      }
      if (!(ratio >= 0.25)) {
        radius_ = 0.25 * length;
      } else if (ratio > 0.75 && at_boundary_) {
        radius_ *= 2;
      }
      if (ratio > 1e-4) {
        std::swap(now, next_);
        ++steps_;
        length_ = length;
        return {Moved::moved, &next_.x};
      }
    }
    return {evaluate.open() ? Moved::stuck : Moved::refused};
  }

  /// Back to before the first step.
  void reset() {
    steps_ = 0;
    length_ = 0;
  }
  /// The number of steps taken.
  std::int64_t steps() const { return steps_; }
  /// The length ‖p‖ of the last step.
  double learning_rate() const { return length_; }
  /// The options in force.
  const TruncatedNewtonOptions& options() const { return options_; }
  /// The same solver for parameters of another type, fresh.
  template <class Other>
  TruncatedNewton<Other> rebind() const {
    return TruncatedNewton<Other>(options_);
  }

 private:
  TruncatedNewtonOptions options_;
  Point<Vector> next_{}, beside_{};
  Vector p_{}, d_{}, r_{}, hd_{};  // the step, the direction of conjugate gradients, g + Hp, Hd
  double radius_ = 0, first_norm_ = 0, length_ = 0;
  bool at_boundary_ = false;
  std::int64_t steps_ = 0;

  // hd = H d; false where that is not finite or a limit is reached.
  template <class E>
  bool multiply(const Point<Vector>& now, E& evaluate) {
    if constexpr (E::has_hessian_product) {
      evaluate.hessian_product(now.x, d_, hd_);
    } else {
      const double size = std::sqrt((std::max)(dot(now.x, now.x), radius_ * radius_));
      const double h = std::sqrt(static_cast<double>(std::numeric_limits<Scalar>::epsilon())) *
                       size / std::sqrt(dot(d_, d_));
      move_along(now.x, h, d_, beside_.x);
      if (!evaluate.gradient_alone(beside_)) return false;
      hd_ = (beside_.g - now.g) / static_cast<Scalar>(h);
    }
    return std::isfinite(dot(hd_, hd_));
  }

  // p and r of the model's minimum, about; false where a limit is reached.
  template <class E>
  bool solve(const Point<Vector>& now, double norm, E& evaluate) {
    const double enough = (std::min)(0.5, std::sqrt(norm / first_norm_)) * norm;
    const Eigen::Index n = now.x.size();
    const std::int64_t most = options_.inner_iterations > 0 ? options_.inner_iterations
                                                            : (std::min)(2 * n, Eigen::Index(200));
    p_.setZero();
    r_ = now.g;
    d_ = -now.g;
    at_boundary_ = false;
    double rr = norm * norm;
    for (std::int64_t k = 0; k < most; ++k) {
      if (!multiply(now, evaluate)) {
        if (!evaluate.open()) return false;
        hd_.setZero();  // nothing is known of the curvature: to the boundary
      }
      const double curvature = dot(d_, hd_), dd = dot(d_, d_), alpha = rr / curvature;
      const double pd = dot(p_, d_), pp = dot(p_, p_);
      if (!(curvature > 0) || !(pp + alpha * (2 * pd + alpha * dd) < radius_ * radius_)) {
        // τ ≥ 0 with ‖p + τd‖ = Δ.
        const double room = (std::max)(radius_ * radius_ - pp, 0.0);
        const double tau = room / (pd + std::sqrt(pd * pd + dd * room));
        add(tau);
        at_boundary_ = true;
        return true;
      }
      add(alpha);
      const double rr_next = dot(r_, r_);
      if (!(std::sqrt(rr_next) > enough)) return true;
      d_ = static_cast<Scalar>(rr_next / rr) * d_ - r_;
      rr = rr_next;
    }
    return true;
  }
  void add(double t) {
    p_ += static_cast<Scalar>(t) * d_;
    r_ += static_cast<Scalar>(t) * hd_;
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_SOLVER_TRUNCATED_NEWTON_HPP
