// AdEMAMix: Adam with a second, slow average of the gradients.
//
//     m₁ ← β₁ m₁ + (1 − β₁) g,   m₂ ← β₃ m₂ + (1 − β₃) g,   v ← β₂ v + (1 − β₂) g²
//     step = −η ( (m̂₁ + α m₂)/(√v̂ + ε) + λ x )
//
// M. Pagliardini, P. Ablin and D. Grangier, "The AdEMAMix optimizer: Better, faster, older", ICLR 2025, Algorithm 1, with α
// and β₃ constant; the paper warms both up, which is `scheduled` around `scale_by_ademamix`.
#ifndef DESCENT_OPTIMIZER_ADEMAMIX_HPP
#define DESCENT_OPTIMIZER_ADEMAMIX_HPP

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

/// The hyper-parameters of AdEMAMix's direction.
struct ScaleByAdemamixOptions {
  double beta1 = 0.9;     ///< β₁, decay of the fast average, in [0, 1)
  double beta2 = 0.999;   ///< β₂, decay of the second moment, in [0, 1)
  double beta3 = 0.9999;  ///< β₃, decay of the slow average, in [0, 1)
  double alpha = 5;       ///< α, weight of the slow average, in [0, ∞)
  double epsilon = 1e-8;  ///< ε, in [0, ∞)
};

/// g ← (m̂₁ + α m₂)/(√v̂ + ε). State: m₁, m₂ and v; one pass. The slow average is not corrected for bias.
class ScaleByAdemamix {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr Stage yields = Stage::direction;
  static constexpr std::size_t slots = 3;

  explicit ScaleByAdemamix(const ScaleByAdemamixOptions& options)
      : options_(options), one_minus_power1_(options.beta1), one_minus_power2_(options.beta2) {}

  template <class Real>
  auto kernel(const StepInfo& step) {
    const double root = std::sqrt(one_minus_power2_(step.t));
    const auto fast = static_cast<Real>(root / one_minus_power1_(step.t));
    const auto slow = static_cast<Real>(root * options_.alpha);
    const auto epsilon = static_cast<Real>(options_.epsilon * root);
    const auto b1 = static_cast<Real>(options_.beta1), a1 = static_cast<Real>(1 - options_.beta1);
    const auto b2 = static_cast<Real>(options_.beta2), a2 = static_cast<Real>(1 - options_.beta2);
    const auto b3 = static_cast<Real>(options_.beta3), a3 = static_cast<Real>(1 - options_.beta3);
    return [=](auto& update, const auto&, auto& m1, auto& m2, auto& v) {
      m1 = flush_denormals(b1 * m1 + a1 * update);
      m2 = flush_denormals(b3 * m2 + a3 * update);
      v = flush_denormals(b2 * v + a2 * (update * update));
      update = (fast * m1 + slow * m2) / (sqrt(v) + epsilon);
    };
  }

  /// The largest |g| whose square the state can hold.
  template <class Real>
  static Real gradient_limit() {
    return std::sqrt((std::numeric_limits<Real>::max)());
  }

 private:
  ScaleByAdemamixOptions options_;
  OneMinusPower one_minus_power1_, one_minus_power2_;
};

/// Throws `std::invalid_argument` outside the ranges above; `who` is the name that its message begins with.
inline ScaleByAdemamix scale_by_ademamix(const ScaleByAdemamixOptions& options = {},
                                         std::string_view who = "scale_by_ademamix") {
  checked(who, "beta1", options.beta1, range::decay_rate);
  checked(who, "beta2", options.beta2, range::decay_rate);
  checked(who, "beta3", options.beta3, range::decay_rate);
  checked(who, "alpha", options.alpha, range::non_negative);
  checked(who, "epsilon", options.epsilon, range::non_negative);
  return ScaleByAdemamix(options);
}

/// The hyper-parameters of AdEMAMix, with the paper's defaults.
struct AdEMAMixOptions {
  Schedule learning_rate = 1e-3;  ///< η, a number in [0, ∞) or a schedule
  double beta1 = 0.9;             ///< β₁, decay of the fast average, in [0, 1)
  double beta2 = 0.999;           ///< β₂, decay of the second moment, in [0, 1)
  double beta3 = 0.9999;          ///< β₃, decay of the slow average, in [0, 1)
  double alpha = 5;               ///< α, weight of the slow average, in [0, ∞)
  double epsilon = 1e-8;          ///< ε, in [0, ∞)
  double weight_decay = 0;        ///< λ, decoupled, in [0, ∞)
};

/// State: three slots; one pass. Throws `std::invalid_argument` outside the ranges above.
template <class Vector = Eigen::VectorXd>
class AdEMAMix : public Stepper<Vector, ScaleByAdemamix, AddDecayedWeights, ScaleByLearningRate> {
  using Base = Stepper<Vector, ScaleByAdemamix, AddDecayedWeights, ScaleByLearningRate>;

 public:
  /// A fresh optimizer; throws `std::invalid_argument` outside the ranges of the options.
  explicit AdEMAMix(const AdEMAMixOptions& options = {})
      : Base{scale_by_ademamix({.beta1 = options.beta1,
                                .beta2 = options.beta2,
                                .beta3 = options.beta3,
                                .alpha = options.alpha,
                                .epsilon = options.epsilon},
                               "AdEMAMix"),
             add_decayed_weights(options.weight_decay, "AdEMAMix"),
             scale_by_learning_rate(options.learning_rate, "AdEMAMix")} {}

  /// m₁, n coefficients; empty before the first step.
  auto fast_average() const { return this->template slot<0>(0); }
  /// m₂, n coefficients; empty before the first step.
  auto slow_average() const { return this->template slot<0>(1); }
  /// v, n coefficients; empty before the first step.
  auto second_moment() const { return this->template slot<0>(2); }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_ADEMAMIX_HPP
