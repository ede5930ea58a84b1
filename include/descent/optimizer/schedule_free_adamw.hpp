// ScheduleFreeAdamW: AdamW without a schedule, and with an average in place of the first moment.
//
//     v ← β₂ v + (1 − β₂) g²;   u = g / (√(v / (1 − β₂ᵗ)) + ε) + λ y;   y, z by schedule_free (transform/schedule_free.hpp)
//
// A. Defazio et al., "The road less scheduled", NeurIPS 2024, Algorithm 1; weight decay at y, as in the authors' code.
#ifndef DESCENT_OPTIMIZER_SCHEDULE_FREE_ADAMW_HPP
#define DESCENT_OPTIMIZER_SCHEDULE_FREE_ADAMW_HPP

#include <Eigen/Core>
#include <cmath>
#include <cstddef>
#include <limits>

#include "descent/core/errors.hpp"
#include "descent/core/schedule.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/power.hpp"
#include "descent/engine/stepper.hpp"
#include "descent/transform/add_decayed_weights.hpp"
#include "descent/transform/schedule_free.hpp"

namespace descent::inline v0 {

/// g ← g / (√v̂ + ε): Adam's direction without a first moment. State: v; one pass.
class ScaleBySecondMoment {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr Stage yields = Stage::direction;
  static constexpr std::size_t slots = 1;

  ScaleBySecondMoment(double beta2, double epsilon) : one_minus_power_(beta2), epsilon_(epsilon) {}

  template <class Real>
  auto kernel(const StepInfo& step) {
    const double beta2 = one_minus_power_.beta(), root = std::sqrt(one_minus_power_(step.t));
    const auto b2 = static_cast<Real>(beta2), a2 = static_cast<Real>(1 - beta2);
    // g/(√v̂ + ε) = k g/(√v + ε k) with k = √(1 − β₂ᵗ)
    const auto k = static_cast<Real>(root), epsilon = static_cast<Real>(epsilon_ * root);
    return [=](auto& update, const auto&, auto& v) {
      v = flush_denormals(b2 * v + a2 * (update * update));
      update = (k * update) / (sqrt(v) + epsilon);
    };
  }

  /// The largest |g| whose square v can hold: a larger one would freeze its coordinate for ever.
  template <class Real>
  static Real gradient_limit() {
    return std::sqrt((std::numeric_limits<Real>::max)());
  }

 private:
  OneMinusPower one_minus_power_;
  double epsilon_;
};

/// The hyper-parameters of Schedule-Free AdamW, with the defaults of the authors' code.
struct ScheduleFreeAdamWOptions {
  Schedule learning_rate =
      0.0025;               ///< η, a number in [0, ∞) or a schedule: a warm-up, which then stays
  double beta1 = 0.9;       ///< β₁, how far y lies towards the average, in (0, 1]
  double beta2 = 0.999;     ///< β₂, decay of the second moment, in [0, 1)
  double epsilon = 1e-8;    ///< ε, in [0, ∞)
  double weight_decay = 0;  ///< λ, decoupled, at y, in [0, ∞)
  double step_power = 0;    ///< r, of the number of the step in the weights, in [0, ∞)
  double rate_power = 2;    ///< p, of the largest rate in the weights, in [0, ∞)
};

/// The parameters that it steps are y, where gradients are taken; `averaged(y)` is the point to evaluate. State: two slots
/// and two numbers; one pass. Throws `std::invalid_argument` outside the ranges above.
template <class Vector = Eigen::VectorXd>
class ScheduleFreeAdamW
    : public Stepper<Vector, ScaleBySecondMoment, AddDecayedWeights, ScheduleFree> {
  using Base = Stepper<Vector, ScaleBySecondMoment, AddDecayedWeights, ScheduleFree>;

 public:
  explicit ScheduleFreeAdamW(const ScheduleFreeAdamWOptions& options = {})
      : Base{ScaleBySecondMoment(
                 checked("ScheduleFreeAdamW", "beta2", options.beta2, range::decay_rate),
                 checked("ScheduleFreeAdamW", "epsilon", options.epsilon, range::non_negative)),
             add_decayed_weights(options.weight_decay, "ScheduleFreeAdamW"),
             schedule_free({.learning_rate = options.learning_rate,
                            .beta = checked("ScheduleFreeAdamW", "beta1", options.beta1,
                                            {.lower = 0, .upper = 1, .lower_open = true}),
                            .step_power = options.step_power,
                            .rate_power = options.rate_power},
                           "ScheduleFreeAdamW")} {}

  /// v, n coefficients; empty before the first step.
  auto second_moment() const { return this->template slot<0>(0); }
  /// z, n coefficients; empty before the first step.
  auto base_point() const { return this->template slot<2>(0); }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_SCHEDULE_FREE_ADAMW_HPP
