// AdaBound: Adam whose rate for each coefficient is clipped to bounds that close in on SGD's.
//
//     m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²
//     r = clip( η √(1 − β₂ᵗ)/(1 − β₁ᵗ)/(√v + ε),  η* (1 − 1/(γ t + 1)),  η* (1 + 1/(γ t)) )
//     step = −r m
//
// L. Luo et al., "Adaptive gradient methods with dynamic bound of learning rate", ICLR 2019, Algorithm 2, and AMSBound, as
// the authors' code has them (the paper's bounds are 0.1 − 0.1/((1 − β₂) t + 1) and 0.1 + 0.1/((1 − β₂) t)). As there, η*
// follows the learning rate: final_learning_rate · η(k)/η(0), so with a warm-up it belongs to the rate at its begin.
#ifndef DESCENT_OPTIMIZER_ADABOUND_HPP
#define DESCENT_OPTIMIZER_ADABOUND_HPP

#include <Eigen/Core>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/rounded.hpp"
#include "descent/core/schedule.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/power.hpp"
#include "descent/engine/stepper.hpp"
#include "descent/transform/add_decayed_weights.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of AdaBound, with the authors' defaults.
struct AdaBoundOptions {
  Schedule learning_rate = 1e-3;  ///< η, a number in [0, ∞) or a schedule
  double beta1 = 0.9;             ///< β₁, decay of the first moment, in [0, 1)
  double beta2 = 0.999;           ///< β₂, decay of the second moment, in [0, 1)
  double final_learning_rate =
      0.1;                  ///< η* at the rate η(0), that the bounds close in on, in [0, ∞)
  double gamma = 1e-3;      ///< γ, how fast they do, in (0, ∞)
  double epsilon = 1e-8;    ///< ε, in [0, ∞)
  double weight_decay = 0;  ///< λ, coupled, in [0, ∞)
  bool amsbound = false;    ///< divide by the largest v so far; one more slot
};

/// Makes AdaBound's step, with a rate of its own. State: m, v and, with AMSBound, the largest v; one pass.
class BoundedStep {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr Stage yields = Stage::step;
  static constexpr std::size_t slots = 3;
  static constexpr std::size_t forms = 2;
  static constexpr std::size_t slots_in(std::size_t form) { return form == 0 ? 2 : 3; }
  std::size_t form() const { return options_.amsbound ? 1 : 0; }

  /// Throws `std::invalid_argument` outside the ranges of the options.
  explicit BoundedStep(const AdaBoundOptions& options)
      : options_(options),
        first_(options.learning_rate(0)),
        one_minus_power1_(options.beta1),
        one_minus_power2_(options.beta2) {
    options.learning_rate.checked("AdaBound", "learning_rate", range::non_negative);
    checked("AdaBound", "beta1", options.beta1, range::decay_rate);
    checked("AdaBound", "beta2", options.beta2, range::decay_rate);
    checked("AdaBound", "final_learning_rate", options.final_learning_rate, range::non_negative);
    checked("AdaBound", "gamma", options.gamma, range::positive);
    checked("AdaBound", "epsilon", options.epsilon, range::non_negative);
  }

  /// η of the update after k others.
  double rate(std::int64_t k) const { return options_.learning_rate(k); }
  /// Another η from now on; η* scales with it.
  void set_rate(Schedule rate) { options_.learning_rate = std::move(rate); }

  template <class Real, std::size_t Form>
  auto kernel(const StepInfo& step) {
    const double t = static_cast<double>(step.t), eta = step.learning_rate;
    const double target = options_.final_learning_rate * (first_ > 0 ? eta / first_ : eta > 0);
    const auto lower = static_cast<Real>(target * (1 - 1 / (1 + rounded(options_.gamma * t))));
    const auto upper = static_cast<Real>(target * (1 + 1 / (options_.gamma * t)));
    const auto gain =
        static_cast<Real>(eta * (std::sqrt(one_minus_power2_(step.t)) / one_minus_power1_(step.t)));
    const auto b1 = static_cast<Real>(options_.beta1), a1 = static_cast<Real>(1 - options_.beta1);
    const auto b2 = static_cast<Real>(options_.beta2), a2 = static_cast<Real>(1 - options_.beta2);
    const auto epsilon = static_cast<Real>(options_.epsilon);
    const auto bounded = [=](auto& update, auto& m, const auto& v) {
      using L = std::remove_cvref_t<decltype(m)>;
      const L rate = min(max(L(gain) / (sqrt(v) + epsilon), L(lower)), L(upper));
      update = -(rate * m);
    };
    const auto moments = [=](const auto& g, auto& m, auto& v) {
      m = flush_denormals(b1 * m + a1 * g);
      v = flush_denormals(b2 * v + a2 * (g * g));
    };
    if constexpr (Form == 0) {
      return [=](auto& update, const auto&, auto& m, auto& v) {
        moments(update, m, v);
        bounded(update, m, v);
      };
    } else {
      return [=](auto& update, const auto&, auto& m, auto& v, auto& largest_v) {
        moments(update, m, v);
        largest_v = max(v, largest_v);
        bounded(update, m, largest_v);
      };
    }
  }

  /// The largest |g| whose square the state can hold.
  template <class Real>
  static Real gradient_limit() {
    return std::sqrt((std::numeric_limits<Real>::max)());
  }

 private:
  AdaBoundOptions options_;
  double first_;
  OneMinusPower one_minus_power1_, one_minus_power2_;
};

/// State: two slots, three with AMSBound; one pass. Throws `std::invalid_argument` outside the ranges above.
template <class Vector = Eigen::VectorXd>
class AdaBound : public Stepper<Vector, AddDecayedWeights, BoundedStep> {
  using Base = Stepper<Vector, AddDecayedWeights, BoundedStep>;

 public:
  /// A fresh optimizer; throws `std::invalid_argument` outside the ranges of the options.
  explicit AdaBound(const AdaBoundOptions& options = {})
      : Base{add_decayed_weights(options.weight_decay, "AdaBound"), BoundedStep(options)} {}

  /// m, n coefficients; empty before the first step.
  auto first_moment() const { return this->template slot<1>(0); }
  /// v, n coefficients; empty before the first step.
  auto second_moment() const { return this->template slot<1>(1); }
  /// The largest v so far, n coefficients; empty before the first step and without AMSBound.
  auto largest_second_moment() const { return this->template slot<1>(2); }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_ADABOUND_HPP
