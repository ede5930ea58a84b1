// ProximalGradient (ISTA) and FISTA: f(x) + h(x), where f is smooth and h need not be, but has a proximal step.
//
//     x⁺ = prox_{t h}(y − t ∇f(y)),     prox_{t h}(z) = argmin h(x) + ‖x − z‖²/(2t)
//
// ProximalGradient: y = x. FISTA: y is beyond x, y⁺ = x⁺ + (θ − 1)/θ⁺ (x⁺ − x), θ⁺ = (1 + √(1 + 4θ²))/2, θ₁ = 1. A. Beck and
// M. Teboulle, "A fast iterative shrinkage-thresholding algorithm", SIAM J. Imaging Sci. 2(1), 2009, eqs. (4.1)-(4.3), with
// their backtracking: t is halved until f(x⁺) ≤ f(y) + ∇f(y)ᵀ(x⁺ − y) + ‖x⁺ − y‖²/(2t). The momentum starts again where it
// points upwards, (y − x⁺)ᵀ(x⁺ − x) > 0: B. O'Donoghue and E. Candès, Found. Comput. Math. 15, 2015, eq. (13).
//
// The loss, of the result and for observers, is f + h. The gradient's norm is maxᵢ |y − x⁺|ᵢ/t, which is the gradient's where
// there is no h; some subgradient of f + h at x⁺ is at most twice as long.
#ifndef DESCENT_SOLVER_PROXIMAL_GRADIENT_HPP
#define DESCENT_SOLVER_PROXIMAL_GRADIENT_HPP

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
#include "descent/core/stage.hpp"
#include "descent/engine/line.hpp"
#include "descent/engine/proximal_penalty.hpp"
#include "descent/engine/stepper.hpp"
#include "descent/engine/vectors.hpp"
#include "descent/transform/scale_by_learning_rate.hpp"

namespace descent::inline v0 {

/// The options of ProximalGradient and FISTA.
struct ProximalGradientOptions {
  double step =
      0;  ///< t, in [0, ∞); 0: by backtracking, from a first guess that is doubled while it holds
  bool restart = true;  ///< FISTA: whether the momentum starts again where it points upwards
};

/// h is a transform of new parameters: `proximal_l1(λ)`, `proximal_elastic_net`, `project_on_box`, `project_on_simplex` and so
/// on, or what the objective brings (`l1`, `elastic_net`); with a projection the start is projected first. Full gradients; two evaluations an iteration, of which one needs no
/// gradient. Memory: 6 vectors of the size of x. Throws `std::invalid_argument` outside the ranges above.
template <class V, class Prox, bool Accelerated>
class ForwardBackward {
  static_assert(
      requires { requires Prox::accepts == Stage::point; },
      "ProximalGradient, FISTA: the first argument is a proximal step or a projection, as in "
      "descent::FISTA(descent::proximal_l1(0.1)); for a smooth objective alone there is "
      "descent::LBFGS");

 public:
  /// The type of the parameters.
  using Vector = V;
  /// float or double.
  using Scalar = typename Vector::Scalar;
  /// Those of the full loss.
  static constexpr Gradients gradients = Gradients::full;

  /// h, by its proximal step, and the options.
  explicit ForwardBackward(Prox prox, const ProximalGradientOptions& options = {})
      : options_(options),
        prox_(std::move(prox)),
        step_(scale_by_learning_rate(1.0), prox_),
        length_(checked(Accelerated ? "FISTA" : "ProximalGradient", "step", options.step,
                        range::non_negative)) {}

  /// Makes room, and projects the start where h is a projection.
  void begin(Vector& x) {
    y_ = next_ = {.x = x, .g = x};
    y_.g.setZero();
    step_.reset();
    if constexpr (!has_penalty) {
      (void)step_.advance(y_.x, y_.g, x, 0);
    }
    at_x_ = true;
    theta_ = 1;
    lowest_ = std::numeric_limits<double>::infinity();
    if (options_.step == 0) length_ = 0;
  }
  /// f + h, and the norm for a step of 1.
  void regard(Point<Vector>& point) {
    y_.x = point.x;
    y_.g = point.g;
    y_.loss = point.loss;
    point.loss += penalty(point.x);
    if (length_ == 0) {
      length_ = first_step(y_ = {.x = y_.x, .g = y_.g, .loss = y_.loss, .norm = point.norm},
                           dot(point.g, point.g));
      grows_ = true;
      if (!(length_ > 0) || !std::isfinite(length_)) length_ = 1;
    }
    (void)go(y_);
    point.norm = mapping();
  }

  /// One step.
  template <class E>
  Iteration<Vector> iterate(Point<Vector>& now, E& evaluate) {
    // The gradient at y; where there is none, at x, without momentum.
    if (!at_x_ && !evaluate(y_)) {
      if (!evaluate.open()) return {Moved::refused};
      theta_ = 1;
      y_.x = now.x;
      if (!evaluate(y_)) return {evaluate.open() ? Moved::stuck : Moved::refused};
    }
    if (!descend(evaluate)) return {evaluate.open() ? Moved::stuck : Moved::refused};
    const double norm = mapping();
    // A step that rounding swallows comes of steps that are all too long, unless it is the end.
    if (at_rest(now.x) && norm == now.norm) return {Moved::stuck};

    // The next y, from x, x⁺ and this y.
    const bool again = options_.restart && uphill(now.x);
    const double theta = again ? 1 : theta_, after = (1 + std::sqrt(1 + 4 * theta * theta)) / 2;
    const auto beta = static_cast<Scalar>(Accelerated ? (theta - 1) / after : 0);
    theta_ = after;
    y_.x = next_.x + beta * (next_.x - now.x);
    at_x_ = false;

    std::swap(now.x, next_.x);
    now.loss = next_.loss + penalty(now.x);
    now.norm = norm;
    lowest_ = (std::min)(lowest_, now.loss);
    ++steps_;
    return {Moved::moved, &next_.x};
  }

  /// Back to before the first step.
  void reset() {
    steps_ = 0;
    length_ = options_.step;
  }
  /// The number of steps taken.
  std::int64_t steps() const { return steps_; }
  /// The length t of the next step.
  double learning_rate() const { return length_; }
  /// The options in force.
  const ProximalGradientOptions& options() const { return options_; }

 protected:
  ProximalGradientOptions options_;  ///< in force
  Prox prox_;                        ///< the regularizer's step

  /// Refuses a second h: one step could only be taken after the other, which is not the step of their sum.
  static constexpr void require_none() {
    static_assert(std::is_same_v<Prox, NoPenalty>,
                  "minimize: this objective brings a proximal step of its own (l1, elastic_net), "
                  "so the solver must not have another one: FISTA() or ProximalGradient()");
  }

 private:
  static constexpr bool has_penalty = requires(const Prox& prox, const V& x) { prox.penalty(x); };

  Stepper<Vector, ScaleByLearningRate, Prox> step_;
  Point<Vector> y_{}, next_{};
  bool at_x_ = true, grows_ = false;
  double length_, theta_ = 1;
  double lowest_ = 0;  // f + h of all points
  std::int64_t steps_ = 0;

  double penalty(const Vector& x) const {
    if constexpr (has_penalty) {
      return prox_.penalty(x);
    } else {
      return 0;
    }
  }
  // x⁺ from y.
  bool go(const Point<Vector>& y) {
    step_.set_learning_rate(length_);
    return step_.advance(y.x, y.g, next_.x, y.loss).finite;
  }
  // A step that rounding swallows, as x is too large for it, is no sign of convergence: half a unit of y is added.
  double mapping() const {
    constexpr auto precision = static_cast<double>(std::numeric_limits<Scalar>::epsilon());
    double most = 0;
    for (Eigen::Index i = 0; i < y_.x.size(); ++i) {
      const auto y = static_cast<double>(y_.x.data()[i]);
      const double d = std::abs(y - static_cast<double>(next_.x.data()[i]));
      most = (std::max)(most, d + 0.5 * precision * std::abs(y));
    }
    return most / length_;
  }
  bool uphill(const Vector& x) const {
    double product = 0;
    for (Eigen::Index i = 0; i < x.size(); ++i) {
      const auto next = static_cast<double>(next_.x.data()[i]);
      product +=
          (static_cast<double>(y_.x.data()[i]) - next) * (next - static_cast<double>(x.data()[i]));
    }
    return product > 0;
  }

  // Whether the quadratic model at y with 1/t bounds f at x⁺.
  template <class E>
  bool bounded(E& evaluate) {
    if (!go(y_) || !evaluate.loss(next_)) return false;
    double linear = 0, squares = 0;
    for (Eigen::Index i = 0; i < y_.x.size(); ++i) {
      const double d = static_cast<double>(next_.x.data()[i]) - static_cast<double>(y_.x.data()[i]);
      linear += static_cast<double>(y_.g.data()[i]) * d;
      squares += d * d;
    }
    const double bound = y_.loss + linear + squares / (2 * length_),
                 rounding = rounding_of<Scalar>(y_.loss);
    // What is within rounding must not add up, where there is no momentum to climb by.
    return next_.loss <= bound ||
           (next_.loss <= bound + rounding &&
            (Accelerated || next_.loss + penalty(next_.x) <= lowest_ + rounding));
  }
  bool at_rest(const Vector& x) const { return next_.x == y_.x && y_.x == x; }
  template <class E>
  bool descend(E& evaluate) {
    if (options_.step > 0) return go(y_) && evaluate.loss(next_);
    for (int trials = 0; trials < 60; ++trials) {
      if (bounded(evaluate)) {
        if (!grows_ || trials >= 30) return true;
        length_ *= 2;
      } else {
        if (!evaluate.open()) return false;
        grows_ = false;
        length_ /= trials < 40 ? 2 : 32;
      }
    }
    return false;
  }
};

/// ISTA: ProximalGradient(proximal_l1(0.1)), or ProximalGradient() for an objective that brings h, such as l1(f, 0.1).
template <class V = Eigen::VectorXd, class Prox = NoPenalty>
class ProximalGradient : public ForwardBackward<V, Prox, false> {
  using Base = ForwardBackward<V, Prox, false>;

 public:
  using Base::Base;
  explicit ProximalGradient(
      const ProximalGradientOptions& options = {}) requires std::is_same_v<Prox, NoPenalty>
      : Base(NoPenalty(), options) {}
  /// The same solver for parameters of another type, fresh.
  template <class Other>
  ProximalGradient<Other, Prox> rebind() const {
    return ProximalGradient<Other, Prox>(this->prox_, this->options_);
  }
  /// The same solver with the h that an objective brings, fresh.
  template <class Other>
  ProximalGradient<V, Other> with(Other prox) const {
    Base::require_none();
    return ProximalGradient<V, Other>(std::move(prox), this->options_);
  }
};
template <class Prox>
ProximalGradient(Prox, ProximalGradientOptions = {}) -> ProximalGradient<Eigen::VectorXd, Prox>;

/// With momentum: FISTA(proximal_l1(0.1), {.step = 0.01}), or FISTA({.step = 0.01}) for an objective that brings h.
template <class V = Eigen::VectorXd, class Prox = NoPenalty>
class FISTA : public ForwardBackward<V, Prox, true> {
  using Base = ForwardBackward<V, Prox, true>;

 public:
  using Base::Base;
  explicit FISTA(
      const ProximalGradientOptions& options = {}) requires std::is_same_v<Prox, NoPenalty>
      : Base(NoPenalty(), options) {}
  /// The same solver for parameters of another type, fresh.
  template <class Other>
  FISTA<Other, Prox> rebind() const {
    return FISTA<Other, Prox>(this->prox_, this->options_);
  }
  /// The same solver with the h that an objective brings, fresh.
  template <class Other>
  FISTA<V, Other> with(Other prox) const {
    Base::require_none();
    return FISTA<V, Other>(std::move(prox), this->options_);
  }
};
template <class Prox>
FISTA(Prox, ProximalGradientOptions = {}) -> FISTA<Eigen::VectorXd, Prox>;

}  // namespace descent::inline v0

#endif  // DESCENT_SOLVER_PROXIMAL_GRADIENT_HPP
