// NAdam: Adam with Nesterov's momentum and a schedule for it.
//
//     μ_t = β₁ (1 − ½ · 0.96^(t ψ)),   P_t = μ_1 ⋯ μ_t
//     m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²
//     step = −η [ (1 − μ_t)/(1 − P_t) g + μ_{t+1}/(1 − P_t μ_{t+1}) m ] / (√(v/(1 − β₂ᵗ)) + ε)
//
// T. Dozat, "Incorporating Nesterov momentum into Adam", ICLR workshop 2016, Algorithm 2, as PyTorch 2 has it (1.13 counts
// μ_t twice on one of its paths). optax has μ_t = β₁, as here with a huge ψ.
#ifndef DESCENT_OPTIMIZER_NADAM_HPP
#define DESCENT_OPTIMIZER_NADAM_HPP

#include <Eigen/Core>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "descent/core/errors.hpp"
#include "descent/core/rounded.hpp"
#include "descent/core/schedule.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/power.hpp"
#include "descent/engine/stepper.hpp"
#include "descent/transform/add_decayed_weights.hpp"
#include "descent/transform/scale_by_learning_rate.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of NAdam's direction.
struct ScaleByNadamOptions {
  double beta1 = 0.9;            ///< β₁, decay of the first moment, in [0, 1)
  double beta2 = 0.999;          ///< β₂, decay of the second moment, in [0, 1)
  double epsilon = 1e-8;         ///< ε, in [0, ∞)
  double momentum_decay = 4e-3;  ///< ψ, of the momentum's schedule, in [0, ∞)
};

/// State: m and v, and one number, the product of the μ; one pass.
class ScaleByNadam {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr Stage yields = Stage::direction;
  static constexpr std::size_t slots = 2;
  static constexpr std::size_t numbers = 1;

  explicit ScaleByNadam(const ScaleByNadamOptions& options)
      : options_(options),
        one_minus_power2_(options.beta2),
        one_minus_decay_(std::pow(0.96, options.momentum_decay)) {}

  template <class Real>
  auto kernel(const StepInfo& step) {
    double& product = step.numbers[0];
    if (step.t == 1) product = 1;
    const double mu = momentum(step.t), next = momentum(step.t + 1);
    product = rounded(product * mu);
    const double root = std::sqrt(one_minus_power2_(step.t));
    const auto cg = static_cast<Real>(root * ((1 - mu) / (1 - product)));
    const auto cm = static_cast<Real>(root * (next / (1 - rounded(product * next))));
    const auto epsilon = static_cast<Real>(options_.epsilon * root);
    const auto b1 = static_cast<Real>(options_.beta1), a1 = static_cast<Real>(1 - options_.beta1);
    const auto b2 = static_cast<Real>(options_.beta2), a2 = static_cast<Real>(1 - options_.beta2);
    return [=](auto& update, const auto&, auto& m, auto& v) {
      m = flush_denormals(b1 * m + a1 * update);
      v = flush_denormals(b2 * v + a2 * (update * update));
      update = (cg * update + cm * m) / (sqrt(v) + epsilon);
    };
  }

  /// The largest |g| whose square the state can hold.
  template <class Real>
  static Real gradient_limit() {
    return std::sqrt((std::numeric_limits<Real>::max)());
  }

 private:
  ScaleByNadamOptions options_;
  OneMinusPower one_minus_power2_, one_minus_decay_;

  // μ_t = β₁ (1 − ½ cᵗ) = ½ β₁ (1 + (1 − cᵗ)) with c = 0.96^ψ
  double momentum(std::int64_t t) {
    return rounded(0.5 * options_.beta1 * (1 + one_minus_decay_(t)));
  }
};

/// Throws `std::invalid_argument` outside the ranges above; `who` is the name that its message begins with.
inline ScaleByNadam scale_by_nadam(const ScaleByNadamOptions& options = {},
                                   std::string_view who = "scale_by_nadam") {
  checked(who, "beta1", options.beta1, range::decay_rate);
  checked(who, "beta2", options.beta2, range::decay_rate);
  checked(who, "epsilon", options.epsilon, range::non_negative);
  checked(who, "momentum_decay", options.momentum_decay, range::non_negative);
  return ScaleByNadam(options);
}

/// The hyper-parameters of NAdam, with PyTorch's defaults.
struct NAdamOptions {
  Schedule learning_rate = 2e-3;        ///< η, a number in [0, ∞) or a schedule
  double beta1 = 0.9;                   ///< β₁, decay of the first moment, in [0, 1)
  double beta2 = 0.999;                 ///< β₂, decay of the second moment, in [0, 1)
  double epsilon = 1e-8;                ///< ε, in [0, ∞)
  double weight_decay = 0;              ///< λ, in [0, ∞)
  double momentum_decay = 4e-3;         ///< ψ, of the momentum's schedule, in [0, ∞)
  bool decoupled_weight_decay = false;  ///< as AdamW decays (NAdamW), not as Adam does
};

/// State: two slots and a number; one pass. Throws `std::invalid_argument` outside the ranges above.
template <class Vector = Eigen::VectorXd>
class NAdam : public Stepper<Vector, AddDecayedWeights, ScaleByNadam, AddDecayedWeights,
                             ScaleByLearningRate> {
  using Base =
      Stepper<Vector, AddDecayedWeights, ScaleByNadam, AddDecayedWeights, ScaleByLearningRate>;

 public:
  /// A fresh optimizer; throws `std::invalid_argument` outside the ranges of the options.
  explicit NAdam(const NAdamOptions& options = {})
      : Base{
            add_decayed_weights(options.decoupled_weight_decay ? 0 : options.weight_decay, "NAdam"),
            scale_by_nadam({.beta1 = options.beta1,
                            .beta2 = options.beta2,
                            .epsilon = options.epsilon,
                            .momentum_decay = options.momentum_decay},
                           "NAdam"),
            add_decayed_weights(options.decoupled_weight_decay ? options.weight_decay : 0, "NAdam"),
            scale_by_learning_rate(options.learning_rate, "NAdam")} {}

  /// m, n coefficients; empty before the first step.
  auto first_moment() const { return this->template slot<1>(0); }
  /// v, n coefficients; empty before the first step.
  auto second_moment() const { return this->template slot<1>(1); }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_NADAM_HPP
