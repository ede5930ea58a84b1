// SARAH: stochastic gradients that are carried on from step to step, from the full gradient at the start of a round.
//
//     v₀ = ∇f(x₀),   vₜ = g_B(xₜ) − g_B(xₜ₋₁) + vₜ₋₁,   xₜ₊₁ = prox_{ηh}(xₜ − η vₜ)
//
// L. M. Nguyen, J. Liu, K. Scheinberg and M. Takáč, "SARAH: a novel method for machine learning problems using stochastic
// recursive gradient", ICML 2017, algorithm 1, but a round begins where the last one ended and not at an iterate drawn from
// it; with `stop_ratio` algorithm 2 (SARAH+), whose γ is 1/8. v is biased within a round, and vanishes with it: SVRG's does
// not. (ensmallen's SARAH makes m = n steps.)
#ifndef DESCENT_SOLVER_SARAH_HPP
#define DESCENT_SOLVER_SARAH_HPP

#include <Eigen/Core>
#include <cstdint>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/solver.hpp"
#include "descent/engine/rounds.hpp"
#include "descent/engine/slope_table.hpp"
#include "descent/engine/vectors.hpp"
#include "descent/transform/scale_by_learning_rate.hpp"

namespace descent::inline v0 {

/// The options of SARAH.
struct SARAHOptions {
  double learning_rate = 0;  ///< η, in [0, ∞); 0: 1/(3L), for linear models with a smooth loss
  std::int64_t inner_steps =
      0;  ///< m, of a round, the full one too; at least 0; 0: two passes over the samples
  double stop_ratio = 0;  ///< γ, in [0, 1): a round ends once ‖vₜ‖² ≤ γ ‖v₀‖²; 0: after m steps
};

/// SARAH(), or with a proximal step SARAH(proximal_l1(λ), {...}). An iteration is a round; tolerances are tested at its end,
/// whose full gradient is a pass that `epochs` counts, but for the start's. Of any finite sum a step evaluates the gradient
/// of its batch twice; of a linear model, l2 or none around it, it reads its rows once. Steps cost all coefficients, of
/// sparse data, too. Memory: 6 vectors of the size of x. Throws `std::invalid_argument` outside the ranges above.
template <class V = Eigen::VectorXd, class Prox = Unpenalized>
class SARAH : public Rounds<V, ScaleByLearningRate, Prox> {
  using Base = Rounds<V, ScaleByLearningRate, Prox>;

 public:
  using typename Base::Scalar;
  using typename Base::Vector;

  explicit SARAH(const SARAHOptions& options = {}) : SARAH(Prox(), options) {}
  explicit SARAH(Prox prox, const SARAHOptions& options = {})
      : Base("SARAH", std::move(prox), options.learning_rate), options_(options) {
    (void)checked_count("SARAH", "inner_steps", options.inner_steps, 0);
    (void)checked("SARAH", "stop_ratio", options.stop_ratio, range::decay_rate);
  }

  /// One round.
  template <class E>
  Iteration<Vector> iterate(Point<Vector>& now, E& evaluate) {
    const auto& f = evaluate.objective();
    constexpr bool linear = ScoresSamples<decltype(f), Vector>;
    if (!this->first_) evaluate.visit(static_cast<std::int64_t>(f.size()));
    if (!evaluate.room(0)) return {Moved::refused};
    Vector &x = this->next_.x, &v = this->direction_;
    v = now.g;
    last_ = now.x;
    this->step(last_, x);
    const double enough = options_.stop_ratio * dot(v, v);
    const std::int64_t most = this->steps_of_round(options_.inner_steps, 2, evaluate);
    std::int64_t steps = 1;
    for (Batch batch; steps < most && !(batch = evaluate.next(linear ? 1 : 2)).empty(); ++steps) {
      if constexpr (linear) {
        carry_on(f, batch);
        evaluate.count(1);
      } else {
        Vector& g = this->next_.g;
        if (!evaluate.sampled(x, batch, g) || !evaluate.sampled(last_, batch, before_)) {
          return {Moved::stuck};
        }
        v += g - before_;
      }
      this->step(x, last_);
      x.swap(last_);
      if (enough > 0 && dot(v, v) <= enough) {
        ++steps;
        break;
      }
    }
    return this->close(steps, now, evaluate);
  }

  /// Makes room.
  void begin(Vector& x) {
    Base::begin(x);
    last_ = before_ = x;
  }
  /// The options in force.
  const SARAHOptions& options() const { return options_; }
  /// The same solver for parameters of another type, fresh.
  template <class Other>
  SARAH<Other, Prox> rebind() const {
    return SARAH<Other, Prox>(this->prox_, options_);
  }
  /// The same solver with a proximal step behind it, fresh.
  template <class Other>
  requires(!Base::proximal) SARAH<V, Other> with(Other prox)
  const { return SARAH<V, Other>(std::move(prox), options_); }

 private:
  SARAHOptions options_;
  Vector last_{}, before_{};  // the point before, and its gradient

  // Of a linear model: slopes differ, and the ridge's gradient is known.
  template <class F>
  void carry_on(const F& f, Batch batch) {
    const Vector& x = this->next_.x;
    Vector& v = this->direction_;
    const auto& model = f.linear_part();
    const auto b = static_cast<Scalar>(batch.size()), ridge = static_cast<Scalar>(f.ridge());
    model.each_penalized([&](Eigen::Index begin, Eigen::Index count) {
      for (Eigen::Index j = begin; j < begin + count; ++j) {
        v.data()[j] += ridge * (x.data()[j] - last_.data()[j]);
      }
    });
    for (const Eigen::Index i : batch) {
      const Scalar change =
          model.slope(model.score(x, i), i) - model.slope(model.score(last_, i), i);
      model.add_row(i, change / b, v);
    }
  }
};
template <ProximalStep Prox>
SARAH(Prox, SARAHOptions = {}) -> SARAH<Eigen::VectorXd, Prox>;

}  // namespace descent::inline v0

#endif  // DESCENT_SOLVER_SARAH_HPP
