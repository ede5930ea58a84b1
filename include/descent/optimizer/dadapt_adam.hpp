// DAdaptAdam: Adam that finds its own rate.
//
//     d_t = d η √(1 − β₂ᵗ) / (1 − β₁ᵗ)                       d an estimate of ‖x₀ − x*‖, in the norm of the method
//     r ← √β₂ r + (1 − √β₂) d_t ⟨g, s / (√v + ε)⟩            with s and v of the step before
//     m ← β₁ m + (1 − β₁) d_t g;   v ← β₂ v + (1 − β₂) g²;   s ← √β₂ s + (1 − √β₂) d_t g
//     x ← x − λ d_t x − m / (√v + ε)
//     d ← max(d, r / ((1 − √β₂) ‖s‖₁))
//
// A. Defazio and K. Mishchenko, "Learning-rate-free learning by D-Adaptation", ICML 2023, Algorithm 5, with the corrections
// of optax's dadapt_adamw (the authors' code corrects only if asked to). Prodigy is its successor.
#ifndef DESCENT_OPTIMIZER_DADAPT_ADAM_HPP
#define DESCENT_OPTIMIZER_DADAPT_ADAM_HPP

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

#include "descent/core/errors.hpp"
#include "descent/core/rounded.hpp"
#include "descent/core/schedule.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/power.hpp"
#include "descent/engine/stepper.hpp"
#include "descent/engine/transform.hpp"
#include "descent/transform/scale_by_learning_rate.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of D-Adaptation, with the defaults of optax and the authors' code.
struct DAdaptAdamOptions {
  Schedule learning_rate = 1;  ///< η, a factor of the rate that is found, in [0, ∞), or a schedule
  double beta1 = 0.9;          ///< β₁, decay of the first moment, in [0, 1)
  double beta2 = 0.999;        ///< β₂, decay of the second moment, in [0, 1)
  double epsilon = 1e-8;       ///< ε, in [0, ∞)
  double weight_decay = 0;     ///< λ, decoupled, in [0, ∞)
  double initial_d = 1e-6;     ///< the first d, well below what is found, in (0, ∞)
};

/// The step of DAdaptAdam. State: m, v, s, and two numbers; reducing.
class StepByDAdaptation : public ScaleByLearningRate {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr std::array reduces{Reduce::sum, Reduce::sum};  // ⟨g, s/(√v + ε)⟩, ‖s‖₁
  static constexpr std::size_t slots = 3;
  static constexpr std::size_t numbers = 2;  // d, r

  explicit StepByDAdaptation(const DAdaptAdamOptions& options)
      : ScaleByLearningRate(options.learning_rate),
        options_(options),
        beta3_(std::sqrt(options.beta2)),
        one_minus_power1_(options.beta1),
        one_minus_power2_(options.beta2) {}

  template <class Real>
  auto statistic(const StepInfo& step) const {
    const auto b3 = static_cast<Real>(beta3_),
               a3 = static_cast<Real>((1 - beta3_) * found_rate(step)),
               epsilon = static_cast<Real>(options_.epsilon);
    return [=](const auto& g, const auto&, const auto&, const auto& v, const auto& s) {
      return std::array{g * (s / (sqrt(v) + epsilon)), abs(b3 * s + a3 * g)};
    };
  }

  template <class Real>
  auto kernel(const StepInfo& step) {
    (void)one_minus_power1_(step.t), (void)one_minus_power2_(step.t);
    const double rate = found_rate(step);
    const auto b1 = static_cast<Real>(options_.beta1),
               a1 = static_cast<Real>((1 - options_.beta1) * rate);
    const auto b2 = static_cast<Real>(options_.beta2), a2 = static_cast<Real>(1 - options_.beta2);
    const auto b3 = static_cast<Real>(beta3_), a3 = static_cast<Real>((1 - beta3_) * rate);
    const auto epsilon = static_cast<Real>(options_.epsilon),
               decay = static_cast<Real>(options_.weight_decay * rate);
    look_back(step, rate);
    return [=](auto& update, const auto& x, auto& m, auto& v, auto& s) {
      m = flush_denormals(b1 * m + a1 * update);
      v = flush_denormals(b2 * v + a2 * (update * update));
      s = flush_denormals(b3 * s + a3 * update);
      update = -(decay * x + m / (sqrt(v) + epsilon));
    };
  }

  /// The largest |g| whose square v can hold: a larger one would freeze its coordinate for ever.
  template <class Real>
  static Real gradient_limit() {
    return std::sqrt((std::numeric_limits<Real>::max)());
  }
  /// d before the first step.
  double initial_d() const { return options_.initial_d; }

 private:
  DAdaptAdamOptions options_;
  double beta3_;
  OneMinusPower one_minus_power1_, one_minus_power2_;

  // d_t. What the powers remember is for the kernel to move on; a const member works on copies.
  double found_rate(const StepInfo& step) const {
    auto one_minus_power1 = one_minus_power1_, one_minus_power2 = one_minus_power2_;
    const double d = step.t == 1 ? options_.initial_d : step.numbers[0];
    return d * step.learning_rate * std::sqrt(one_minus_power2(step.t)) / one_minus_power1(step.t);
  }
  // r and the next d.
  void look_back(const StepInfo& step, double rate) const {
    double& d = step.numbers[0];
    double& r = step.numbers[1];
    if (step.t == 1) d = options_.initial_d;
    r = rounded(beta3_ * r) + rounded((1 - beta3_) * rate * step.sums[0]);
    const double estimate = r / ((1 - beta3_) * step.sums[1]);
    if (step.sums[1] > 0 && estimate > d) d = estimate;
  }
};

/// State: three slots and two numbers; two passes, the first of which only reads. Throws `std::invalid_argument` outside the
/// ranges above.
template <class Vector = Eigen::VectorXd>
class DAdaptAdam : public Stepper<Vector, StepByDAdaptation> {
  using Base = Stepper<Vector, StepByDAdaptation>;

  static const DAdaptAdamOptions& checked_options(const DAdaptAdamOptions& options) {
    constexpr auto who = "DAdaptAdam";
    options.learning_rate.checked(who, "learning_rate", range::non_negative);
    checked(who, "beta1", options.beta1, range::decay_rate);
    checked(who, "beta2", options.beta2, range::decay_rate);
    checked(who, "epsilon", options.epsilon, range::non_negative);
    checked(who, "weight_decay", options.weight_decay, range::non_negative);
    checked(who, "initial_d", options.initial_d, range::positive);
    return options;
  }

 public:
  explicit DAdaptAdam(const DAdaptAdamOptions& options = {})
      : Base{StepByDAdaptation(checked_options(options))} {}

  /// d, which never shrinks.
  double d() const {
    return this->steps() == 0 ? this->template transform<0>().initial_d()
                              : this->state().numbers[0];
  }
  /// m, n coefficients; empty before the first step.
  auto first_moment() const { return this->template slot<0>(0); }
  /// v, n coefficients; empty before the first step.
  auto second_moment() const { return this->template slot<0>(1); }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_DADAPT_ADAM_HPP
