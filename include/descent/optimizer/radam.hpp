// RAdam: Adam that waits with its denominator until the variance of that is bounded.
//
//     ρ∞ = 2/(1 − β₂) − 1,   ρ = ρ∞ − 2 t β₂ᵗ/(1 − β₂ᵗ)
//     ρ > 5:  step = −η r √(1 − β₂ᵗ) m̂/(√v + ε),   r² = (ρ − 4)(ρ − 2) ρ∞/((ρ∞ − 4)(ρ∞ − 2) ρ)
//     else:   step = −η m̂
//
// L. Liu et al., "On the variance of the adaptive learning rate and beyond", ICLR 2020, Algorithm 2, whose bound is ρ > 4;
// bound and place of ε are PyTorch's. optax has ρ ≥ 5 and ε on √v̂.
#ifndef DESCENT_OPTIMIZER_RADAM_HPP
#define DESCENT_OPTIMIZER_RADAM_HPP

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

/// The hyper-parameters of RAdam's direction.
struct ScaleByRadamOptions {
  double beta1 = 0.9;     ///< β₁, decay of the first moment, in [0, 1)
  double beta2 = 0.999;   ///< β₂, decay of the second moment, in [0, 1)
  double epsilon = 1e-8;  ///< ε, in [0, ∞)
};

/// State: m and v; one pass.
class ScaleByRadam {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr Stage yields = Stage::direction;
  static constexpr std::size_t slots = 2;

  explicit ScaleByRadam(const ScaleByRadamOptions& options)
      : options_(options), one_minus_power1_(options.beta1), one_minus_power2_(options.beta2) {}

  template <class Real>
  auto kernel(const StepInfo& step) {
    const double c1 = one_minus_power1_(step.t), c2 = one_minus_power2_(step.t);
    const double limit = 2 / (1 - options_.beta2) - 1;
    const double rho = limit - 2 * static_cast<double>(step.t) * (1 - c2) / c2;
    const bool adaptive = rho > 5;
    const double r =
        adaptive ? std::sqrt((rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho) * c2)
                 : 1;
    const auto gain = static_cast<Real>(r / c1);
    // One formula for both: without the denominator its root weighs 0 and ε is 1.
    const auto weight = static_cast<Real>(adaptive ? 1 : 0);
    const auto epsilon = static_cast<Real>(adaptive ? options_.epsilon : 1);
    const auto b1 = static_cast<Real>(options_.beta1), a1 = static_cast<Real>(1 - options_.beta1);
    const auto b2 = static_cast<Real>(options_.beta2), a2 = static_cast<Real>(1 - options_.beta2);
    return [=](auto& update, const auto&, auto& m, auto& v) {
      m = flush_denormals(b1 * m + a1 * update);
      v = flush_denormals(b2 * v + a2 * (update * update));
      update = (gain * m) / (weight * sqrt(v) + epsilon);
    };
  }

  /// The largest |g| whose square the state can hold.
  template <class Real>
  static Real gradient_limit() {
    return std::sqrt((std::numeric_limits<Real>::max)());
  }

 private:
  ScaleByRadamOptions options_;
  OneMinusPower one_minus_power1_, one_minus_power2_;
};

/// Throws `std::invalid_argument` outside the ranges above; `who` is the name that its message begins with.
inline ScaleByRadam scale_by_radam(const ScaleByRadamOptions& options = {},
                                   std::string_view who = "scale_by_radam") {
  checked(who, "beta1", options.beta1, range::decay_rate);
  checked(who, "beta2", options.beta2, range::decay_rate);
  checked(who, "epsilon", options.epsilon, range::non_negative);
  return ScaleByRadam(options);
}

/// The hyper-parameters of RAdam, with PyTorch's defaults.
struct RAdamOptions {
  Schedule learning_rate = 1e-3;  ///< η, a number in [0, ∞) or a schedule
  double beta1 = 0.9;             ///< β₁, decay of the first moment, in [0, 1)
  double beta2 = 0.999;           ///< β₂, decay of the second moment, in [0, 1)
  double epsilon = 1e-8;          ///< ε, in [0, ∞)
  double weight_decay = 0;        ///< λ, coupled, in [0, ∞)
};

/// State: two slots; one pass. Throws `std::invalid_argument` outside the ranges above.
template <class Vector = Eigen::VectorXd>
class RAdam : public Stepper<Vector, AddDecayedWeights, ScaleByRadam, ScaleByLearningRate> {
  using Base = Stepper<Vector, AddDecayedWeights, ScaleByRadam, ScaleByLearningRate>;

 public:
  /// A fresh optimizer; throws `std::invalid_argument` outside the ranges of the options.
  explicit RAdam(const RAdamOptions& options = {})
      : Base{add_decayed_weights(options.weight_decay, "RAdam"),
             scale_by_radam(
                 {.beta1 = options.beta1, .beta2 = options.beta2, .epsilon = options.epsilon},
                 "RAdam"),
             scale_by_learning_rate(options.learning_rate, "RAdam")} {}

  /// m, n coefficients; empty before the first step.
  auto first_moment() const { return this->template slot<1>(0); }
  /// v, n coefficients; empty before the first step.
  auto second_moment() const { return this->template slot<1>(1); }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_RADAM_HPP
