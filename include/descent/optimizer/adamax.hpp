// AdaMax: Adam with the infinity norm of past gradients.
//
//     m ← β₁ m + (1 − β₁) g
//     u ← max(β₂ u, |g| + ε)
//     step = −η/(1 − β₁ᵗ) · m/u
//
// D. P. Kingma and J. Ba, "Adam: A method for stochastic optimization", ICLR 2015, Algorithm 2, which has no ε; it stands
// where PyTorch and optax have it.
#ifndef DESCENT_OPTIMIZER_ADAMAX_HPP
#define DESCENT_OPTIMIZER_ADAMAX_HPP

#include <Eigen/Core>
#include <cstddef>
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

/// The hyper-parameters of AdaMax's direction.
struct ScaleByAdamaxOptions {
  double beta1 = 0.9;     ///< β₁, decay of the first moment, in [0, 1)
  double beta2 = 0.999;   ///< β₂, decay of the infinity norm, in [0, 1)
  double epsilon = 1e-8;  ///< ε, in [0, ∞)
};

/// g ← m/((1 − β₁ᵗ) u). State: m and u; one pass.
class ScaleByAdamax {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr Stage yields = Stage::direction;
  static constexpr std::size_t slots = 2;

  explicit ScaleByAdamax(const ScaleByAdamaxOptions& options)
      : options_(options), one_minus_power_(options.beta1) {}

  template <class Real>
  auto kernel(const StepInfo& step) {
    const auto correction = static_cast<Real>(1 / one_minus_power_(step.t));
    const auto b1 = static_cast<Real>(options_.beta1), a1 = static_cast<Real>(1 - options_.beta1);
    const auto b2 = static_cast<Real>(options_.beta2);
    const auto epsilon = static_cast<Real>(options_.epsilon);
    return [=](auto& update, const auto&, auto& m, auto& u) {
      m = flush_denormals(b1 * m + a1 * update);
      u = max(abs(update) + epsilon, flush_denormals(b2 * u));
      update = (correction * m) / u;
    };
  }

 private:
  ScaleByAdamaxOptions options_;
  OneMinusPower one_minus_power_;
};

/// Throws `std::invalid_argument` outside the ranges above; `who` is the name that its message begins with.
inline ScaleByAdamax scale_by_adamax(const ScaleByAdamaxOptions& options = {},
                                     std::string_view who = "scale_by_adamax") {
  checked(who, "beta1", options.beta1, range::decay_rate);
  checked(who, "beta2", options.beta2, range::decay_rate);
  checked(who, "epsilon", options.epsilon, range::non_negative);
  return ScaleByAdamax(options);
}

/// The hyper-parameters of AdaMax, with PyTorch's defaults.
struct AdaMaxOptions {
  Schedule learning_rate = 2e-3;  ///< η, a number in [0, ∞) or a schedule
  double beta1 = 0.9;             ///< β₁, decay of the first moment, in [0, 1)
  double beta2 = 0.999;           ///< β₂, decay of the infinity norm, in [0, 1)
  double epsilon = 1e-8;          ///< ε, in [0, ∞)
  double weight_decay = 0;        ///< λ, coupled, in [0, ∞)
};

/// State: two slots; one pass. Throws `std::invalid_argument` outside the ranges above.
template <class Vector = Eigen::VectorXd>
class AdaMax : public Stepper<Vector, AddDecayedWeights, ScaleByAdamax, ScaleByLearningRate> {
  using Base = Stepper<Vector, AddDecayedWeights, ScaleByAdamax, ScaleByLearningRate>;

 public:
  /// A fresh optimizer; throws `std::invalid_argument` outside the ranges of the options.
  explicit AdaMax(const AdaMaxOptions& options = {})
      : Base{add_decayed_weights(options.weight_decay, "AdaMax"),
             scale_by_adamax(
                 {.beta1 = options.beta1, .beta2 = options.beta2, .epsilon = options.epsilon},
                 "AdaMax"),
             scale_by_learning_rate(options.learning_rate, "AdaMax")} {}

  /// m, n coefficients; empty before the first step.
  auto first_moment() const { return this->template slot<1>(0); }
  /// u, n coefficients; empty before the first step.
  auto infinity_norm() const { return this->template slot<1>(1); }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_ADAMAX_HPP
