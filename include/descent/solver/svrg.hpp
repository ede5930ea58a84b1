// SVRG: stochastic gradients whose variance vanishes at the minimum, as each is corrected by its own at a snapshot x̃.
//
//     x ← prox_{ηh}(x − η (g_B(x) − g_B(x̃) + ∇f(x̃))),     m times, then x̃ = x
//
// R. Johnson and T. Zhang, "Accelerating stochastic gradient descent using predictive variance reduction", NeurIPS 2013,
// option I: the snapshot is the last iterate. With a proximal step: L. Xiao and T. Zhang, "A proximal stochastic gradient
// method with progressive variance reduction", SIAM J. Optim. 24(4), 2014, whose snapshot is the average. (ensmallen's SVRG
// makes m = n steps, on batches that follow one another.)
#ifndef DESCENT_SOLVER_SVRG_HPP
#define DESCENT_SOLVER_SVRG_HPP

#include <Eigen/Core>
#include <cstdint>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/solver.hpp"
#include "descent/engine/rounds.hpp"
#include "descent/engine/slope_table.hpp"
#include "descent/transform/scale_by_learning_rate.hpp"

namespace descent::inline v0 {

/// The options of SVRG.
struct SVRGOptions {
  double learning_rate = 0;  ///< η, in [0, ∞); 0: 1/(3L), for linear models with a smooth loss
  std::int64_t inner_steps = 0;  ///< m, of a round, at least 0; 0: two passes over the samples
  bool average = false;  ///< the snapshot is the average of a round's iterates, not the last
};

/// SVRG(), or with a proximal step SVRG(proximal_l1(λ), {...}). An iteration is a round; tolerances are tested at
/// snapshots, whose full gradients are passes that `epochs` counts, but for the start's. Of any finite sum a step evaluates
/// the gradient of its batch twice. Of a linear model, l2 or none around it, it reads its rows once, and on sparse data it costs
/// their non-zeros, unless there is a proximal step or an average. Memory: 4 vectors of the size of x, and a number a sample
/// for linear models. Throws `std::invalid_argument` outside the ranges above.
template <class V = Eigen::VectorXd, class Prox = Unpenalized>
class SVRG : public Rounds<V, ScaleByLearningRate, Prox> {
  using Base = Rounds<V, ScaleByLearningRate, Prox>;

 public:
  using typename Base::Vector;

  explicit SVRG(const SVRGOptions& options = {}) : SVRG(Prox(), options) {}
  explicit SVRG(Prox prox, const SVRGOptions& options = {})
      : Base("SVRG", std::move(prox), options.learning_rate), options_(options) {
    (void)checked_count("SVRG", "inner_steps", options.inner_steps, 0);
  }

  /// One round.
  template <class E>
  Iteration<Vector> iterate(Point<Vector>& now, E& evaluate) {
    const auto& f = evaluate.objective();
    constexpr bool linear = ScoresSamples<decltype(f), Vector>;
    if (!this->first_) evaluate.visit(static_cast<std::int64_t>(f.size()));
    Vector& x = this->next_.x;
    x = now.x;
    if constexpr (linear) {
      table_.fill(f, now.x, now.g, evaluate.batch_size());
      table_.begin();
    }
    if (options_.average) mean_ = now.x;
    const std::int64_t most = this->steps_of_round(options_.inner_steps, 2, evaluate);
    std::int64_t steps = 0;
    for (Batch batch; steps < most && !(batch = evaluate.next(linear ? 1 : 2)).empty();) {
      Vector& direction = this->direction_;
      if constexpr (linear && !Base::proximal) {
        table_.step(f, batch, this->learning_rate(), Memory::fixed, x);
        evaluate.count(1);
      } else {
        if constexpr (linear) {
          table_.estimate(f, batch, Memory::fixed, x, direction);
          evaluate.count(1);
        } else {
          Vector& g = this->next_.g;
          if (!evaluate.sampled(x, batch, g) || !evaluate.sampled(now.x, batch, direction)) {
            return {Moved::stuck};
          }
          direction = g - direction + now.g;
        }
        this->step();
      }
      ++steps;
      if (options_.average) {
        if constexpr (linear) {
          table_.settle(x, direction);
        } else {
          direction = x;
        }
        mean_ += (direction - mean_) / static_cast<typename Vector::Scalar>(steps);
      }
    }
    if constexpr (linear && !Base::proximal) table_.settle(x, x);
    if (options_.average) x = mean_;
    return this->close(steps, now, evaluate);
  }

  /// The options in force.
  const SVRGOptions& options() const { return options_; }
  /// The same solver for parameters of another type, fresh.
  template <class Other>
  SVRG<Other, Prox> rebind() const {
    return SVRG<Other, Prox>(this->prox_, options_);
  }
  /// The same solver with a proximal step behind it, fresh.
  template <class Other>
  requires(!Base::proximal) SVRG<V, Other> with(Other prox)
  const { return SVRG<V, Other>(std::move(prox), options_); }

 private:
  SVRGOptions options_;
  SlopeTable<Vector> table_;
  Vector mean_{};  // of a round's iterates
};
template <ProximalStep Prox>
SVRG(Prox, SVRGOptions = {}) -> SVRG<Eigen::VectorXd, Prox>;

}  // namespace descent::inline v0

#endif  // DESCENT_SOLVER_SVRG_HPP
