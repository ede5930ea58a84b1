// AdaBelief: Adam whose denominator is how far the gradient strays from its average.
//
//     m ← β₁ m + (1 − β₁) g
//     s ← β₂ s + (1 − β₂)(g − m)² + ε'
//     step = −η ( m̂/(√ŝ + ε) + λ x )
//
// J. Zhuang et al., "AdaBelief optimizer: Adapting stepsizes by the belief in observed gradients", NeurIPS 2020, Algorithm
// 2; ε' joins the state at every step, as in the authors' code and in optax.
#ifndef DESCENT_OPTIMIZER_ADABELIEF_HPP
#define DESCENT_OPTIMIZER_ADABELIEF_HPP

#include <Eigen/Core>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string_view>

#include "descent/core/errors.hpp"
#include "descent/core/schedule.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/power.hpp"
#include "descent/engine/stepper.hpp"
#include "descent/transform/add_decayed_weights.hpp"
#include "descent/transform/scale_by_learning_rate.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of AdaBelief's direction.
struct ScaleByBeliefOptions {
  double beta1 = 0.9;           ///< β₁, decay of the first moment, in [0, 1)
  double beta2 = 0.999;         ///< β₂, decay of the second moment, in [0, 1)
  double epsilon = 1e-16;       ///< ε, outside the root, in [0, ∞)
  double epsilon_root = 1e-16;  ///< ε', added to s at every step, in [0, ∞)
};

/// g ← m̂/(√ŝ + ε). State: m and s; one pass.
class ScaleByBelief {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr Stage yields = Stage::direction;
  static constexpr std::size_t slots = 2;

  explicit ScaleByBelief(const ScaleByBeliefOptions& options)
      : options_(options), one_minus_power1_(options.beta1), one_minus_power2_(options.beta2) {}

  template <class Real>
  auto kernel(const StepInfo& step) {
    // m̂/(√ŝ + ε) = k m/(√s + ε √c₂), c = 1 − βᵗ, k = √c₂/c₁
    const double root = std::sqrt(one_minus_power2_(step.t));
    const auto k = static_cast<Real>(root / one_minus_power1_(step.t));
    const auto epsilon = static_cast<Real>(options_.epsilon * root);
    const auto epsilon_root = static_cast<Real>(options_.epsilon_root);
    const auto b1 = static_cast<Real>(options_.beta1), a1 = static_cast<Real>(1 - options_.beta1);
    const auto b2 = static_cast<Real>(options_.beta2), a2 = static_cast<Real>(1 - options_.beta2);
    return [=](auto& update, const auto&, auto& m, auto& s) {
      m = flush_denormals(b1 * m + a1 * update);
      const auto surprise = update - m;
      s = flush_denormals(b2 * s + a2 * (surprise * surprise) + epsilon_root);
      update = (k * m) / (sqrt(s) + epsilon);
    };
  }

  /// The largest |g| for which the square of g − m fits into the state.
  template <class Real>
  static Real gradient_limit() {
    return std::sqrt((std::numeric_limits<Real>::max)()) / 2;
  }

 private:
  ScaleByBeliefOptions options_;
  OneMinusPower one_minus_power1_, one_minus_power2_;
};

/// Throws `std::invalid_argument` outside the ranges above; `who` is the name that its message begins with.
inline ScaleByBelief scale_by_belief(const ScaleByBeliefOptions& options = {},
                                     std::string_view who = "scale_by_belief") {
  checked(who, "beta1", options.beta1, range::decay_rate);
  checked(who, "beta2", options.beta2, range::decay_rate);
  checked(who, "epsilon", options.epsilon, range::non_negative);
  checked(who, "epsilon_root", options.epsilon_root, range::non_negative);
  return ScaleByBelief(options);
}

/// The hyper-parameters of AdaBelief, with the authors' defaults.
struct AdaBeliefOptions {
  Schedule learning_rate = 1e-3;  ///< η, a number in [0, ∞) or a schedule
  double beta1 = 0.9;             ///< β₁, decay of the first moment, in [0, 1)
  double beta2 = 0.999;           ///< β₂, decay of the second moment, in [0, 1)
  double epsilon = 1e-16;         ///< ε, outside the root, in [0, ∞)
  double epsilon_root = 1e-16;    ///< ε', added to s at every step, in [0, ∞)
  double weight_decay = 0;        ///< λ, decoupled, in [0, ∞)
};

/// State: two slots; one pass. Throws `std::invalid_argument` outside the ranges above.
template <class Vector = Eigen::VectorXd>
class AdaBelief : public Stepper<Vector, ScaleByBelief, AddDecayedWeights, ScaleByLearningRate> {
  using Base = Stepper<Vector, ScaleByBelief, AddDecayedWeights, ScaleByLearningRate>;

 public:
  /// A fresh optimizer; throws `std::invalid_argument` outside the ranges of the options.
  explicit AdaBelief(const AdaBeliefOptions& options = {})
      : Base{scale_by_belief({.beta1 = options.beta1,
                              .beta2 = options.beta2,
                              .epsilon = options.epsilon,
                              .epsilon_root = options.epsilon_root},
                             "AdaBelief"),
             add_decayed_weights(options.weight_decay, "AdaBelief"),
             scale_by_learning_rate(options.learning_rate, "AdaBelief")} {}

  /// m, n coefficients; empty before the first step.
  auto first_moment() const { return this->template slot<0>(0); }
  /// s, n coefficients; empty before the first step.
  auto second_moment() const { return this->template slot<0>(1); }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_ADABELIEF_HPP
