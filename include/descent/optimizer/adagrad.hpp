// Adagrad: every coefficient has a rate of its own, which shrinks with the gradients it has seen.
//
//     s ← s + g²
//     step = −η/(1 + (t − 1) δ) · g/(√s + ε)
//
// J. Duchi, E. Hazan and Y. Singer, "Adaptive subgradient methods for online learning and stochastic optimization", JMLR
// 12, 2011, figure 1, with PyTorch's decay δ of the rate. Where peers differ: optax starts s at 0.1 and has ε = 1e-7 inside
// the root; ensmallen's ε = 1e-8.
#ifndef DESCENT_OPTIMIZER_ADAGRAD_HPP
#define DESCENT_OPTIMIZER_ADAGRAD_HPP

#include <Eigen/Core>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string_view>

#include "descent/core/errors.hpp"
#include "descent/core/rounded.hpp"
#include "descent/core/schedule.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/stepper.hpp"
#include "descent/transform/add_decayed_weights.hpp"
#include "descent/transform/scale_by_learning_rate.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of Adagrad's direction.
struct ScaleByAdagradOptions {
  double learning_rate_decay = 0;        ///< δ, in [0, ∞)
  double initial_accumulator_value = 0;  ///< s before the first step, in [0, ∞)
  double epsilon = 1e-10;                ///< ε, in [0, ∞)
};

/// g ← g/((√s + ε)(1 + (t − 1) δ)). State: s, which only grows; one pass.
class ScaleByAdagrad {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr Stage yields = Stage::direction;
  static constexpr std::size_t slots = 1;
  double initial(std::size_t) const { return options_.initial_accumulator_value; }

  explicit ScaleByAdagrad(const ScaleByAdagradOptions& options) : options_(options) {}

  template <class Real>
  auto kernel(const StepInfo& step) const {
    const double decay = rounded(static_cast<double>(step.t - 1) * options_.learning_rate_decay);
    const auto factor = static_cast<Real>(1 / (1 + decay));
    const auto epsilon = static_cast<Real>(options_.epsilon);
    return [=](auto& update, const auto&, auto& s) {
      s += update * update;
      update = (factor * update) / (sqrt(s) + epsilon);
    };
  }

  /// The largest |g| of which the sum holds 2⁴⁰ squares.
  template <class Real>
  static Real gradient_limit() {
    return std::sqrt((std::numeric_limits<Real>::max)()) * Real(0x1p-20);
  }

 private:
  ScaleByAdagradOptions options_;
};

/// Throws `std::invalid_argument` outside the ranges above; `who` is the name that its message begins with.
inline ScaleByAdagrad scale_by_adagrad(const ScaleByAdagradOptions& options = {},
                                       std::string_view who = "scale_by_adagrad") {
  checked(who, "learning_rate_decay", options.learning_rate_decay, range::non_negative);
  checked(who, "initial_accumulator_value", options.initial_accumulator_value, range::non_negative);
  checked(who, "epsilon", options.epsilon, range::non_negative);
  return ScaleByAdagrad(options);
}

/// The hyper-parameters of Adagrad, with PyTorch's defaults.
struct AdagradOptions {
  Schedule learning_rate = 1e-2;         ///< η, a number in [0, ∞) or a schedule
  double learning_rate_decay = 0;        ///< δ, in [0, ∞)
  double weight_decay = 0;               ///< λ, coupled, in [0, ∞)
  double initial_accumulator_value = 0;  ///< s before the first step, in [0, ∞)
  double epsilon = 1e-10;                ///< ε, in [0, ∞)
};

/// State: one slot; one pass. Throws `std::invalid_argument` outside the ranges above.
template <class Vector = Eigen::VectorXd>
class Adagrad : public Stepper<Vector, AddDecayedWeights, ScaleByAdagrad, ScaleByLearningRate> {
  using Base = Stepper<Vector, AddDecayedWeights, ScaleByAdagrad, ScaleByLearningRate>;

 public:
  /// A fresh optimizer; throws `std::invalid_argument` outside the ranges of the options.
  explicit Adagrad(const AdagradOptions& options = {})
      : Base{add_decayed_weights(options.weight_decay, "Adagrad"),
             scale_by_adagrad({.learning_rate_decay = options.learning_rate_decay,
                               .initial_accumulator_value = options.initial_accumulator_value,
                               .epsilon = options.epsilon},
                              "Adagrad"),
             scale_by_learning_rate(options.learning_rate, "Adagrad")} {}

  /// s, n coefficients; empty before the first step.
  auto accumulator() const { return this->template slot<1>(0); }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_ADAGRAD_HPP
