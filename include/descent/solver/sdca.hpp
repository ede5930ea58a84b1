// SDCA: coordinate ascent in the dual of a linear model with a ridge, one sample after another, without a learning rate.
//
//     min 1/n Σ φᵢ(xᵢᵀw) + λ/2 ‖w‖² + h(w)   has the dual   max −1/n Σ φᵢ*(sᵢ) − g*(λu),   u = −1/(λn) Σ sᵢ xᵢ,
//
// g(w) = λ/2 ‖w‖² + h(w), so that w = prox_{h/λ}(u), which is u without h. A step maximizes it along sᵢ exactly (with h: a lower
// bound of it): sᵢ⁺ = φᵢ′(z) where z + q sᵢ⁺ = xᵢᵀw + q sᵢ, q = ‖xᵢ‖²/(λn). Each loss states that step (`dual_step`): the
// squared one, Huber's, pinball and hinge in closed form, the logistic and Poisson's by Newton's method on one number.
//
// S. Shalev-Shwartz and T. Zhang, "Stochastic dual coordinate ascent methods for regularized loss minimization", J. Mach.
// Learn. Res. 14, 2013, figure 1; with h their "Accelerated proximal stochastic dual coordinate ascent for regularized loss
// minimization", Math. Program. 155, 2016, option I. Their α is −s. liblinear's dual solvers are this without the division
// by n: its C is 1/(λn).
#ifndef DESCENT_SOLVER_SDCA_HPP
#define DESCENT_SOLVER_SDCA_HPP

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/optimizer.hpp"
#include "descent/core/solver.hpp"
#include "descent/engine/rounds.hpp"
#include "descent/engine/slope_table.hpp"
#include "descent/engine/stepper.hpp"
#include "descent/engine/vectors.hpp"
#include "descent/transform/scale_by_learning_rate.hpp"

namespace descent::inline v0 {

/// The options of SDCA.
struct SDCAOptions {
  /// Mini-batches between full gradients, at least 0; 0: one pass over the samples.
  std::int64_t inner_steps = 0;
};

/// SDCA(), or with a proximal step SDCA(proximal_l1(λ)). For linear models of one output without an intercept, whose l2
/// around them are more than 0, with any loss of the library. The start is only compared with: SDCA begins at s = 0, which is
/// w = prox(0). An iteration is a round; samples of a mini-batch are visited one after another. A step costs the
/// coefficients of a row, of sparse data the non-zeros; with a proximal step all coefficients.
///
/// f(w) − min f is at most the `duality_gap()`. `gradient_norm` of the result is √(2λ gap), or the gradient's where that is
/// smaller and there is no h: divided by λ, either bounds the distance from the minimum, and the first goes to 0 for losses
/// with corners, too. Memory: 3 numbers a sample. Throws `std::invalid_argument` for other objectives.
template <class V = Eigen::VectorXd, class Prox = Unpenalized>
class SDCA {
  static constexpr bool proximal = !std::is_same_v<Prox, Unpenalized>;

 public:
  /// The type of the parameters.
  using Vector = V;
  /// float or double.
  using Scalar = typename Vector::Scalar;
  /// Those of mini-batches.
  static constexpr Gradients gradients = Gradients::sampled;

  explicit SDCA(const SDCAOptions& options = {}) : SDCA(Prox(), options) {}
  explicit SDCA(Prox prox, const SDCAOptions& options = {})
      : options_(options), prox_(std::move(prox)), step_(Rate(1.0), prox_) {
    (void)checked_count("SDCA", "inner_steps", options.inner_steps, 0);
  }

  /// Makes room.
  void begin(Vector& x) {
    next_ = {.x = x, .g = x};
    u_ = zero_ = x;
    zero_.setZero();
    first_ = true;
  }
  /// Prepares the dual; loss and norm as the head of this class says.
  template <class E>
  void regard(Point<Vector>& now, E& evaluate) {
    const auto& f = evaluate.objective();
    static_assert(ScoresSamples<decltype(f), Vector>,
                  "SDCA: the objective is a linear model of one output with l2 around it, such as "
                  "l2(LogisticRegression(X, y), 0.01)");
    if (first_) prepare(f);
    measure(now);
  }

  /// One round.
  template <class E>
  Iteration<Vector> iterate(Point<Vector>& now, E& evaluate) {
    const auto& model = evaluate.objective().linear_part();
    const auto n = static_cast<std::int64_t>(model.size());
    const auto b = static_cast<std::int64_t>(evaluate.batch_size());
    const std::int64_t most = options_.inner_steps > 0 ? options_.inner_steps : (n + b - 1) / b;
    std::int64_t steps = 0;
    for (Batch batch; steps < most && !(batch = evaluate.next(1)).empty(); ++steps) {
      for (const Eigen::Index i : batch) ascend(model, i);
      evaluate.count(1);
    }
    if (steps == 0) return {Moved::refused};
    next_.x = primal();
    if (!evaluate.close(next_)) return {Moved::stuck};
    steps_ += steps;
    std::swap(now, next_);
    measure(now);
    return {Moved::moved, &next_.x};
  }

  /// Back to before the first step.
  void reset() { steps_ = 0; }
  /// The number of mini-batches visited, of all rounds.
  std::int64_t steps() const { return steps_; }
  /// There is none: a step is as long as is best.
  static double learning_rate() { return 1; }
  /// At the last full gradient: the loss is above its minimum by no more.
  double duality_gap() const { return gap_; }
  /// s, a number a sample: the slopes of the losses at the minimum, when the gap is 0.
  const Eigen::VectorXd& dual() const { return dual_; }
  /// The options in force.
  const SDCAOptions& options() const { return options_; }
  /// The same solver for parameters of another type, fresh.
  template <class Other>
  SDCA<Other, Prox> rebind() const {
    return SDCA<Other, Prox>(prox_, options_);
  }
  /// The same solver with a proximal step, fresh.
  template <class Other>
  requires(!proximal) SDCA<V, Other> with(Other prox)
  const { return SDCA<V, Other>(std::move(prox), options_); }

 private:
  // The proximal step is what follows a step along 0 at the rate 1/λ.
  using Rate = ScaleByLearningRate;
  struct NoStep {
    NoStep(const Rate&, const Prox&) {}
  };
  template <class P>
  struct StepOf {
    using type = Stepper<V, Rate, P>;
  };
  using Step =
      typename std::conditional_t<proximal, StepOf<Prox>, std::type_identity<NoStep>>::type;

  SDCAOptions options_;
  Prox prox_;
  Step step_;
  Point<Vector> next_{};
  Vector u_{}, w_{}, zero_{};
  Eigen::VectorXd dual_, conjugate_, squares_;  // s, φ*(s), ‖x‖²
  double lambda_ = 0, gap_ = std::numeric_limits<double>::quiet_NaN();
  bool first_ = true;
  std::int64_t steps_ = 0;

  template <class F>
  void prepare(const F& f) {
    const auto& model = f.linear_part();
    const Eigen::Index n = model.size();
    lambda_ = f.ridge();
    if (!(lambda_ > 0)) {
      throw_invalid("SDCA", "the ridge", to_text(lambda_), "positive: l2(model, lambda)");
    }
    if (model.parameters() > model.data().cols()) {
      throw_invalid("SDCA", "the model", "one with an intercept",
                    "without, as that has no ridge: center X and y, or add a column of ones");
    }
    dual_.setZero(n);
    conjugate_.setZero(n);
    squares_.resize(n);
    for (Eigen::Index i = 0; i < n; ++i) {
      squares_[i] = model.squared_norm(i);
      if constexpr (requires { model.loss_function().least(0.0); }) {
        const auto y = static_cast<double>(model.targets()[i]);
        conjugate_[i] = -model.weight(i) * model.loss_function().least(y);
      }
    }
    u_.setZero();
    if constexpr (proximal) {
      step_.set_learning_rate(1 / lambda_);
      w_ = u_;
      (void)step_.advance(u_, zero_, w_, 0);
    }
    first_ = false;
  }

  const Vector& primal() const {
    if constexpr (proximal) {
      return w_;
    } else {
      return u_;
    }
  }

  template <class Model>
  void ascend(const Model& model, Eigen::Index i) {
    const double scale = 1 / (lambda_ * static_cast<double>(model.size()));
    const double weight = model.weight(i), q = squares_[i] * scale;
    const auto score = static_cast<double>(model.score(primal(), i));
    const double v = score + q * dual_[i], y = static_cast<double>(model.targets()[i]);
    const double s = q * weight > 0
                         ? weight * model.loss_function().dual_step(v, y, q * weight)
                         : static_cast<double>(model.slope(static_cast<Scalar>(score), i));
    const double z = v - q * s;
    conjugate_[i] = s * z - static_cast<double>(model.sample_loss(static_cast<Scalar>(z), i));
    model.add_row(i, static_cast<Scalar>((dual_[i] - s) * scale), u_);
    dual_[i] = s;
    if constexpr (proximal) (void)step_.advance(u_, zero_, w_, 0);
  }

  // The loss with h, and what stands for the gradient's norm.
  void measure(Point<Vector>& now) {
    const Vector& w = primal();
    double penalty = 0;  // of w
    if constexpr (proximal && requires { prox_.penalty(w); }) {
      now.loss += prox_.penalty(now.x);
      penalty = prox_.penalty(w);
    }
    const double dual = -conjugate_.mean() - lambda_ * (dot(u_, w) - 0.5 * dot(w, w)) + penalty;
    constexpr auto precision = static_cast<double>(std::numeric_limits<Scalar>::epsilon());
    gap_ = (std::max)(now.loss - dual, 0.0) + precision * (std::abs(now.loss) + std::abs(dual));
    const double bound = std::sqrt(2 * lambda_ * gap_);
    now.norm = proximal ? bound : (std::min)(now.norm, bound);
  }
};
template <ProximalStep Prox>
SDCA(Prox, SDCAOptions = {}) -> SDCA<Eigen::VectorXd, Prox>;

}  // namespace descent::inline v0

#endif  // DESCENT_SOLVER_SDCA_HPP
