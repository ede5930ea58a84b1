// Prodigy: Adam that finds its own rate, and sooner than by D-Adaptation.
//
//     d_t = d η [√(1 − β₂ᵗ) / (1 − β₁ᵗ)]                     d an estimate of ‖x₀ − x*‖, in the norm of the method
//     r ← √β₂ r + d/d₀ d_t ⟨g, x₀ − x⟩;   s ← √β₂ s + d/d₀ d_t g
//     m ← β₁ m + (1 − β₁) d g;   v ← β₂ v + (1 − β₂) d² g²
//     d′ = c r / ‖s‖₁;   d ← max(d, d′) if d is still d₀;   d ← min(γ d, the largest d′ so far)
//     x ← x − λ d_t x − d_t m / (√v + d ε)
//
// K. Mishchenko and A. Defazio, "Prodigy: An expeditiously adaptive parameter-free learner", ICML 2024, Algorithm 4, as in
// the authors' code, where the correction in brackets is off by default (optax always corrects).
#ifndef DESCENT_OPTIMIZER_PRODIGY_HPP
#define DESCENT_OPTIMIZER_PRODIGY_HPP

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

/// The hyper-parameters of Prodigy, with the defaults of the authors' code.
struct ProdigyOptions {
  Schedule learning_rate = 1;  ///< η, a factor of the rate that is found, in [0, ∞), or a schedule
  double beta1 = 0.9;          ///< β₁, decay of the first moment, in [0, 1)
  double beta2 = 0.999;        ///< β₂, decay of the second moment, in [0, 1)
  double epsilon = 1e-8;       ///< ε, in [0, ∞)
  double weight_decay = 0;     ///< λ, decoupled, in [0, ∞)
  double initial_d = 1e-6;     ///< d₀, well below what is found, in (0, ∞)
  double d_coefficient = 1;    ///< c, in (0, ∞): larger for longer steps
  bool bias_correction = false;  ///< Adam's corrections in the rate
  bool safeguard_warmup =
      false;  ///< d in place of d_t in s, so that a warm-up of η does not inflate d
  /// γ, the most that d grows by in a step, in [1, ∞); by default as much as it wants.
  double growth_rate = (std::numeric_limits<double>::max)();
};

/// The step of Prodigy. State: x₀, m, v, s, and three numbers; reducing.
class StepByProdigy : public ScaleByLearningRate {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr std::array reduces{Reduce::sum, Reduce::sum};  // ⟨g, x₀ − x⟩, ‖s‖₁
  static constexpr std::size_t slots = 4;
  static constexpr std::size_t numbers = 3;  // d, the largest d′, r

  explicit StepByProdigy(const ProdigyOptions& options)
      : ScaleByLearningRate(options.learning_rate),
        options_(options),
        beta3_(std::sqrt(options.beta2)),
        one_minus_power1_(options.beta1),
        one_minus_power2_(options.beta2) {}

  template <class Real>
  auto statistic(const StepInfo& step) const {
    const bool first = step.t == 1;
    const auto b3 = static_cast<Real>(beta3_),
               a3 = static_cast<Real>(share_of_s(step, found_rate(step)));
    return
        [=](const auto& g, const auto& x, const auto& x0, const auto&, const auto&, const auto& s) {
          return std::array{g * ((first ? x : x0) - x), abs(b3 * s + a3 * g)};
        };
  }

  template <class Real>
  auto kernel(const StepInfo& step) {
    (void)one_minus_power1_(step.t), (void)one_minus_power2_(step.t);
    const bool first = step.t == 1;
    const double d = d_before(step), rate = found_rate(step);
    const auto b1 = static_cast<Real>(options_.beta1),
               a1 = static_cast<Real>((1 - options_.beta1) * d);
    const auto b2 = static_cast<Real>(options_.beta2),
               a2 = static_cast<Real>((1 - options_.beta2) * (d * d));
    const auto b3 = static_cast<Real>(beta3_), a3 = static_cast<Real>(share_of_s(step, rate));
    look_back(step, rate);
    const auto minus_rate = static_cast<Real>(-rate),
               minus_decay = static_cast<Real>(-options_.weight_decay * rate),
               epsilon = static_cast<Real>(options_.epsilon * step.numbers[0]);
    return [=](auto& update, const auto& x, auto& x0, auto& m, auto& v, auto& s) {
      if (first) x0 = x;
      m = flush_denormals(b1 * m + a1 * update);
      v = flush_denormals(b2 * v + a2 * (update * update));
      s = flush_denormals(b3 * s + a3 * update);
      update = minus_decay * x + (minus_rate * m) / (sqrt(v) + epsilon);
    };
  }

  /// The largest |g| whose square can be had: a larger one would freeze its coordinate for ever.
  template <class Real>
  static Real gradient_limit() {
    return std::sqrt((std::numeric_limits<Real>::max)());
  }
  /// d before the first step.
  double initial_d() const { return options_.initial_d; }

 private:
  ProdigyOptions options_;
  double beta3_;
  OneMinusPower one_minus_power1_, one_minus_power2_;

  double d_before(const StepInfo& step) const {
    return step.t == 1 ? options_.initial_d : step.numbers[0];
  }
  // d_t. What the powers remember is for the kernel to move on; a const member works on copies.
  double found_rate(const StepInfo& step) const {
    const double rate = d_before(step) * step.learning_rate;
    if (!options_.bias_correction) return rate;
    auto one_minus_power1 = one_minus_power1_, one_minus_power2 = one_minus_power2_;
    return rate * std::sqrt(one_minus_power2(step.t)) / one_minus_power1(step.t);
  }
  double share_of_s(const StepInfo& step, double rate) const {
    const double d = d_before(step);
    return d / options_.initial_d * (options_.safeguard_warmup ? d : rate);
  }
  // r and the next d.
  void look_back(const StepInfo& step, double rate) const {
    double& d = step.numbers[0];
    double& largest = step.numbers[1];
    double& r = step.numbers[2];
    if (step.t == 1) d = largest = options_.initial_d;
    r = rounded(beta3_ * r) + rounded(d / options_.initial_d * rate * step.sums[0]);
    const double estimate = options_.d_coefficient * r / step.sums[1];
    if (!(step.sums[1] > 0 && estimate > 0)) return;  // no gradient yet, or NaN
    if (d == options_.initial_d) d = std::max(d, estimate);
    largest = std::max(largest, estimate);
    d = std::min(largest, d * options_.growth_rate);
  }
};

/// State: four slots and three numbers; two passes, the first of which only reads. Throws `std::invalid_argument` outside
/// the ranges above.
template <class Vector = Eigen::VectorXd>
class Prodigy : public Stepper<Vector, StepByProdigy> {
  using Base = Stepper<Vector, StepByProdigy>;

  static const ProdigyOptions& checked_options(const ProdigyOptions& options) {
    constexpr auto who = "Prodigy";
    options.learning_rate.checked(who, "learning_rate", range::non_negative);
    checked(who, "beta1", options.beta1, range::decay_rate);
    checked(who, "beta2", options.beta2, range::decay_rate);
    checked(who, "epsilon", options.epsilon, range::non_negative);
    checked(who, "weight_decay", options.weight_decay, range::non_negative);
    checked(who, "initial_d", options.initial_d, range::positive);
    checked(who, "d_coefficient", options.d_coefficient, range::positive);
    checked(who, "growth_rate", options.growth_rate, {.lower = 1});
    return options;
  }

 public:
  explicit Prodigy(const ProdigyOptions& options = {})
      : Base{StepByProdigy(checked_options(options))} {}

  /// d, which never shrinks.
  double d() const {
    return this->steps() == 0 ? this->template transform<0>().initial_d()
                              : this->state().numbers[0];
  }
  /// m, n coefficients, weighed by d; empty before the first step.
  auto first_moment() const { return this->template slot<0>(1); }
  /// v, n coefficients, weighed by d²; empty before the first step.
  auto second_moment() const { return this->template slot<0>(2); }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_PRODIGY_HPP
