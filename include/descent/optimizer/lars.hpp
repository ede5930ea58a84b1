// LARS: the gradient as long as a fraction of the parameters, then momentum with the rate inside of its sum.
//
//     u = g + λ x;   r = γ ‖x‖ / (‖u‖ + ε)                  (1 where a norm is 0)
//     b ← μ b − η r u;   x ← x + b,  or + (μ b − η r u) with Nesterov
//
// Y. You, I. Gitman and B. Ginsburg, "Large batch training of convolutional networks", 2017, Algorithm 1; all parameters are
// one block, one layer of the paper. Where sources differ: the paper divides by ‖g‖ + λ‖x‖; optax, TensorFlow and we by the
// norm of the sum. The rate stands inside of b, so a change of it acts through the momentum (in SGD it stands outside).
#ifndef DESCENT_OPTIMIZER_LARS_HPP
#define DESCENT_OPTIMIZER_LARS_HPP

#include <Eigen/Core>
#include <cstddef>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/schedule.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/stepper.hpp"
#include "descent/transform/add_decayed_weights.hpp"
#include "descent/transform/scale_by_learning_rate.hpp"
#include "descent/transform/scale_by_trust_ratio.hpp"

namespace descent::inline v0 {

/// Momentum with the rate inside: b ← μ b − η u, the step is b, or μ b − η u again (Nesterov). State: b, unless μ = 0.
class TraceOfSteps : public ScaleByLearningRate {
 public:
  static constexpr std::size_t slots = 1;
  static constexpr std::size_t forms = 3;  // none, heavy ball, Nesterov
  static constexpr std::size_t slots_in(std::size_t form) { return form == 0 ? 0 : 1; }
  std::size_t form() const { return momentum_ == 0 ? 0 : nesterov_ ? 2 : 1; }

  TraceOfSteps(Schedule learning_rate, double momentum, bool nesterov)
      : ScaleByLearningRate(std::move(learning_rate)), momentum_(momentum), nesterov_(nesterov) {}

  template <class Real, std::size_t Form>
  auto kernel(const StepInfo& step) const {
    const auto minus_rate = static_cast<Real>(-step.learning_rate);
    if constexpr (Form == 0) {
      return [=](auto& update, const auto&) { update = minus_rate * update; };
    } else {
      const auto mu = static_cast<Real>(momentum_);
      return [=](auto& update, const auto&, auto& b) {
        update = minus_rate * update;
        b = flush_denormals(mu * b + update);
        update = Form == 2 ? mu * b + update : b;
      };
    }
  }

 private:
  double momentum_;
  bool nesterov_;
};

/// The hyper-parameters of LARS, with the paper's trust coefficient and momentum.
struct LARSOptions {
  Schedule learning_rate = 0.1;      ///< η, a number in [0, ∞) or a schedule
  double momentum = 0.9;             ///< μ, in [0, 1)
  bool nesterov = false;             ///< Nesterov's form; needs momentum > 0
  double trust_coefficient = 0.001;  ///< γ, in (0, ∞)
  double epsilon = 0;                ///< ε, in [0, ∞)
  double weight_decay = 0;           ///< λ, coupled, in [0, ∞)
};

/// State: one slot, none without momentum; two passes, as ‖u‖ is known only after the first. Throws
/// `std::invalid_argument` outside the ranges above.
template <class Vector = Eigen::VectorXd>
class LARS : public Stepper<Vector, AddDecayedWeights, ScaleByTrustRatio, TraceOfSteps> {
  using Base = Stepper<Vector, AddDecayedWeights, ScaleByTrustRatio, TraceOfSteps>;

  static TraceOfSteps trace_of_steps(const LARSOptions& options) {
    options.learning_rate.checked("LARS", "learning_rate", range::non_negative);
    checked("LARS", "momentum", options.momentum, range::decay_rate);
    if (options.nesterov && options.momentum == 0) {
      throw_invalid("LARS", "momentum", "0", "in (0, 1) with nesterov");
    }
    return {options.learning_rate, options.momentum, options.nesterov};
  }

 public:
  explicit LARS(const LARSOptions& options = {})
      : Base{add_decayed_weights(options.weight_decay, "LARS"), trust_ratio(options),
             trace_of_steps(options)} {}

  /// b, n coefficients; empty before the first step and without momentum.
  auto momentum_buffer() const { return this->template slot<2>(0); }

 private:
  static ScaleByTrustRatio trust_ratio(const LARSOptions& options) {
    checked("LARS", "trust_coefficient", options.trust_coefficient, range::positive);
    return scale_by_trust_ratio(
        {.coefficient = options.trust_coefficient, .epsilon = options.epsilon}, "LARS");
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_LARS_HPP
