// Adan: Adam with Nesterov's momentum made of gradient differences.
//
//     d = g − g_previous (0 at the first step)
//     m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) d,   n ← β₃ n + (1 − β₃)(g + β₂ d)²
//     u = (m̂ + β₂ v̂)/(√n̂ + ε)
//     x ← (x − η u)/(1 + η λ),   or (1 − η λ) x − η u without the proximal form
//
// X. Xie et al., "Adan: Adaptive Nesterov momentum algorithm for faster optimizing deep models", IEEE TPAMI 2024, Algorithm
// 1, with the authors' code's decay rates (its β is one minus the paper's). optax weights d by 1 − β₂, which is reported
// as a defect.
#ifndef DESCENT_OPTIMIZER_ADAN_HPP
#define DESCENT_OPTIMIZER_ADAN_HPP

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
#include "descent/transform/proximal.hpp"
#include "descent/transform/scale_by_learning_rate.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of Adan's direction.
struct ScaleByAdanOptions {
  double beta1 = 0.98;    ///< β₁, decay of the gradients' average, in [0, 1)
  double beta2 = 0.92;    ///< β₂, decay of the differences' average, in [0, 1)
  double beta3 = 0.99;    ///< β₃, decay of the second moment, in [0, 1)
  double epsilon = 1e-8;  ///< ε, in [0, ∞)
};

/// g ← (m̂ + β₂ v̂)/(√n̂ + ε). State: m, v, n and the last gradient; one pass.
class ScaleByAdan {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr Stage yields = Stage::direction;
  static constexpr std::size_t slots = 4;
  /// It looks back at the first step: a coefficient must not miss it.
  static constexpr bool lazy() { return false; }

  explicit ScaleByAdan(const ScaleByAdanOptions& options)
      : options_(options),
        one_minus_power1_(options.beta1),
        one_minus_power2_(options.beta2),
        one_minus_power3_(options.beta3) {}

  template <class Real>
  auto kernel(const StepInfo& step) {
    const double root = std::sqrt(one_minus_power3_(step.t));
    const auto cm = static_cast<Real>(root / one_minus_power1_(step.t));
    const auto cv = static_cast<Real>(options_.beta2 * (root / one_minus_power2_(step.t)));
    const auto epsilon = static_cast<Real>(options_.epsilon * root);
    const auto b1 = static_cast<Real>(options_.beta1), a1 = static_cast<Real>(1 - options_.beta1);
    const auto b2 = static_cast<Real>(options_.beta2), a2 = static_cast<Real>(1 - options_.beta2);
    const auto b3 = static_cast<Real>(options_.beta3), a3 = static_cast<Real>(1 - options_.beta3);
    const bool first = step.t == 1;
    return [=](auto& update, const auto&, auto& m, auto& v, auto& n, auto& last) {
      const auto g = update;
      const auto d = first ? g - g : g - last;
      const auto ahead = g + b2 * d;
      m = flush_denormals(b1 * m + a1 * g);
      v = flush_denormals(b2 * v + a2 * d);
      n = flush_denormals(b3 * n + a3 * (ahead * ahead));
      last = g;
      update = (cm * m + cv * v) / (sqrt(n) + epsilon);
    };
  }

  /// The largest |g| for which the square of g + β₂ d fits into the state.
  template <class Real>
  static Real gradient_limit() {
    return std::sqrt((std::numeric_limits<Real>::max)()) / 4;
  }

 private:
  ScaleByAdanOptions options_;
  OneMinusPower one_minus_power1_, one_minus_power2_, one_minus_power3_;
};

/// Throws `std::invalid_argument` outside the ranges above; `who` is the name that its message begins with.
inline ScaleByAdan scale_by_adan(const ScaleByAdanOptions& options = {},
                                 std::string_view who = "scale_by_adan") {
  checked(who, "beta1", options.beta1, range::decay_rate);
  checked(who, "beta2", options.beta2, range::decay_rate);
  checked(who, "beta3", options.beta3, range::decay_rate);
  checked(who, "epsilon", options.epsilon, range::non_negative);
  return ScaleByAdan(options);
}

/// The hyper-parameters of Adan, with the authors' defaults.
struct AdanOptions {
  Schedule learning_rate = 1e-3;  ///< η, a number in [0, ∞) or a schedule
  double beta1 = 0.98;            ///< β₁, decay of the gradients' average, in [0, 1)
  double beta2 = 0.92;            ///< β₂, decay of the differences' average, in [0, 1)
  double beta3 = 0.99;            ///< β₃, decay of the second moment, in [0, 1)
  double epsilon = 1e-8;          ///< ε, in [0, ∞)
  double weight_decay = 0;        ///< λ, in [0, ∞)
  bool proximal = true;           ///< decay by the proximal step, else as AdamW does
};

/// State: four slots; one pass. Throws `std::invalid_argument` outside the ranges above.
template <class Vector = Eigen::VectorXd>
class Adan : public Stepper<Vector, ScaleByAdan, AddDecayedWeights, ScaleByLearningRate, Proximal> {
  using Base = Stepper<Vector, ScaleByAdan, AddDecayedWeights, ScaleByLearningRate, Proximal>;

 public:
  /// A fresh optimizer; throws `std::invalid_argument` outside the ranges of the options.
  explicit Adan(const AdanOptions& options = {})
      : Base{scale_by_adan({.beta1 = options.beta1,
                            .beta2 = options.beta2,
                            .beta3 = options.beta3,
                            .epsilon = options.epsilon},
                           "Adan"),
             add_decayed_weights(decay_if(!options.proximal, options), "Adan"),
             scale_by_learning_rate(options.learning_rate, "Adan"),
             proximal_l2(decay_if(options.proximal, options))} {}

  /// m, n coefficients; empty before the first step.
  auto first_moment() const { return this->template slot<0>(0); }
  /// v, the average of the differences, n coefficients; empty before the first step.
  auto mean_difference() const { return this->template slot<0>(1); }
  /// n, n coefficients; empty before the first step.
  auto second_moment() const { return this->template slot<0>(2); }
  /// The gradient of the step before, n coefficients; empty before the first step.
  auto last_gradient() const { return this->template slot<0>(3); }

 private:
  static double decay_if(bool condition, const AdanOptions& options) {
    checked("Adan", "weight_decay", options.weight_decay, range::non_negative);
    return condition ? options.weight_decay : 0;
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_ADAN_HPP
