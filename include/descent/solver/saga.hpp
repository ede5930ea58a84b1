// SAGA: stochastic gradients whose variance vanishes at the minimum, as each is corrected by the last of the same sample.
//
//     x ← prox_{ηh}(x − η (gᵢ(x) − g̃ᵢ + c)),   c ← c + (gᵢ(x) − g̃ᵢ)/n,   g̃ᵢ ← gᵢ(x)          c = 1/n Σ g̃ᵢ, at first at the start
//
// A. Defazio, F. Bach and S. Lacoste-Julien, "SAGA: a fast incremental gradient method with support for non-strongly convex
// composite objectives", NeurIPS 2014, eqs. (1) and (2). SAG, with `biased`, takes c into account first, x ← x − η c:
// M. Schmidt, N. Le Roux and F. Bach, "Minimizing finite sums with the stochastic average gradient", Math. Program. 162,
// 2017. (scikit-learn's begin with g̃ = 0, and divide by the number of samples seen.)
#ifndef DESCENT_SOLVER_SAGA_HPP
#define DESCENT_SOLVER_SAGA_HPP

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/solver.hpp"
#include "descent/engine/rounds.hpp"
#include "descent/engine/slope_table.hpp"
#include "descent/transform/scale_by_learning_rate.hpp"

namespace descent::inline v0 {

/// The options of SAGA.
struct SAGAOptions {
  double learning_rate = 0;  ///< η, in [0, ∞); 0: 1/(3L), for linear models with a smooth loss
  std::int64_t inner_steps =
      0;                ///< between full gradients, at least 0; 0: one pass over the samples
  bool biased = false;  ///< SAG instead
};

/// SAGA(), or with a proximal step SAGA(proximal_l1(λ), {...}). An iteration is a round of steps; the full gradient at its
/// end is there for tolerances, and `epochs` does not count it. Memory: of a linear model, l2 or none around it, one number
/// a sample, and a step on sparse data costs the non-zeros of its rows, unless there is a proximal step; of any other finite
/// sum a gradient a sample (n times d numbers), and a step evaluates gradients sample by sample. Throws
/// `std::invalid_argument` outside the ranges above.
template <class V = Eigen::VectorXd, class Prox = Unpenalized>
class SAGA : public Rounds<V, ScaleByLearningRate, Prox> {
  using Base = Rounds<V, ScaleByLearningRate, Prox>;

 public:
  using typename Base::Scalar;
  using typename Base::Vector;

  explicit SAGA(const SAGAOptions& options = {}) : SAGA(Prox(), options) {}
  explicit SAGA(Prox prox, const SAGAOptions& options = {})
      : Base("SAGA", std::move(prox), options.learning_rate), options_(options) {
    (void)checked_count("SAGA", "inner_steps", options.inner_steps, 0);
  }

  /// One round.
  template <class E>
  Iteration<Vector> iterate(Point<Vector>& now, E& evaluate) {
    const auto& f = evaluate.objective();
    constexpr bool linear = ScoresSamples<decltype(f), Vector>;
    const Memory memory = options_.biased ? Memory::sag : Memory::saga;
    Vector& x = this->next_.x;
    x = now.x;
    if (this->first_) {
      if constexpr (linear) {
        table_.fill(f, now.x, now.g, evaluate.batch_size());
      } else {
        if (!evaluate.room(static_cast<std::int64_t>(f.size()))) return {Moved::refused};
        if (!fill(now, evaluate)) return {Moved::stuck};
      }
    }
    table_.begin();
    const std::int64_t most = this->steps_of_round(options_.inner_steps, 1, evaluate);
    const std::int64_t calls = linear ? 1 : static_cast<std::int64_t>(evaluate.batch_size());
    std::int64_t steps = 0;
    for (Batch batch; steps < most && !(batch = evaluate.next(calls)).empty(); ++steps) {
      if constexpr (linear && !Base::proximal) {
        table_.step(f, batch, this->learning_rate(), memory, x);
        evaluate.count(1);
      } else {
        if constexpr (linear) {
          table_.estimate(f, batch, memory, x, this->direction_);
          evaluate.count(1);
        } else {
          if (!estimate(batch, evaluate)) return {Moved::stuck};
        }
        this->step();
      }
    }
    if constexpr (linear && !Base::proximal) table_.settle(x, x);
    return this->close(steps, now, evaluate);
  }

  /// The options in force.
  const SAGAOptions& options() const { return options_; }
  /// The same solver for parameters of another type, fresh.
  template <class Other>
  SAGA<Other, Prox> rebind() const {
    return SAGA<Other, Prox>(this->prox_, options_);
  }
  /// The same solver with a proximal step behind it, fresh.
  template <class Other>
  requires(!Base::proximal) SAGA<V, Other> with(Other prox)
  const { return SAGA<V, Other>(std::move(prox), options_); }

 private:
  SAGAOptions options_;
  SlopeTable<Vector> table_;                                  // of linear models
  Eigen::Matrix<Scalar, Vector::SizeAtCompileTime, -1> all_;  // of others: g̃, a column a sample
  Vector mean_{};                                             // and c

  auto column(Eigen::Index i) { return all_.col(i).reshaped(mean_.rows(), mean_.cols()); }

  template <class E>
  bool fill(const Point<Vector>& now, E& evaluate) {
    const auto& f = evaluate.objective();
    if constexpr (requires { f.sampling_probabilities(); }) {
      if (f.sampling_probabilities().size() > 0) {
        throw_invalid("SAGA", "objective", "one by importance",
                      "of samples that are drawn alike, whose gradients are not weighted");
      }
    }
    const Eigen::Index n = f.size();
    all_.resize(now.x.size(), n);
    mean_ = now.g;
    for (Eigen::Index i = 0; i < n; ++i) {
      if (!evaluate.sampled(now.x, Batch(&i, 1), this->next_.g)) return false;
      column(i) = this->next_.g;
    }
    return true;
  }
  // A sample that is in the batch more than once counts as often, but is evaluated and kept once.
  template <class E>
  bool estimate(Batch batch, E& evaluate) {
    Vector &v = this->direction_, &g = this->next_.g;
    const auto n = static_cast<Scalar>(all_.cols()), b = static_cast<Scalar>(batch.size());
    v = mean_;
    for (std::size_t k = 0; k < batch.size(); ++k) {
      const Eigen::Index i = batch[k];
      const Batch before = batch.first(k);
      if (std::find(before.begin(), before.end(), i) != before.end()) continue;
      if (!evaluate.sampled(this->next_.x, batch.subspan(k, 1), g)) return false;
      const auto times = static_cast<Scalar>(std::count(batch.begin(), batch.end(), i));
      mean_ += (g - column(i)) / n;
      v += (g - column(i)) * (times / b);
      column(i) = g;
    }
    if (options_.biased) v = mean_;
    return true;
  }
};
template <ProximalStep Prox>
SAGA(Prox, SAGAOptions = {}) -> SAGA<Eigen::VectorXd, Prox>;

}  // namespace descent::inline v0

#endif  // DESCENT_SOLVER_SAGA_HPP
