// NovoGrad: gradients by the moving average of their norm, then momentum.
//
//     v ← β₂ v + (1 − β₂) ‖g‖²       v = ‖g‖² at the first step; one number for all parameters
//     m ← β₁ m + g / (√v + ε) + λ x;   x ← x − η m
//
// B. Ginsburg et al., "Stochastic gradient methods with layer-wise adaptive moments for training of deep networks", 2019,
// Algorithm 1; all parameters are one block, one layer of the paper. optax writes the same; β₁ m is not weighed by 1 − β₁.
#ifndef DESCENT_OPTIMIZER_NOVOGRAD_HPP
#define DESCENT_OPTIMIZER_NOVOGRAD_HPP

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "descent/core/errors.hpp"
#include "descent/core/rounded.hpp"
#include "descent/core/schedule.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/stepper.hpp"
#include "descent/engine/transform.hpp"
#include "descent/transform/add_decayed_weights.hpp"
#include "descent/transform/scale_by_learning_rate.hpp"
#include "descent/transform/trace.hpp"

namespace descent::inline v0 {

/// g ← g / (√v + ε), v the moving average of ‖g‖². State: √v, so that no square overflows; reducing.
class ScaleByAverageNorm {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr Stage yields = Stage::direction;
  static constexpr std::array reduces{Reduce::norm};
  static constexpr std::size_t numbers = 1;

  ScaleByAverageNorm(double beta2, double epsilon) : beta2_(beta2), epsilon_(epsilon) {}

  template <class Real>
  auto statistic(const StepInfo&) const {
    return [](const auto& update, const auto&) { return std::array{update}; };
  }

  template <class Real>
  auto kernel(const StepInfo& step) const {
    double& root = step.numbers[0];
    root = step.t == 1 ? step.sums[0] : average(root, step.sums[0]);
    const auto scale = static_cast<Real>(1 / (root + epsilon_));
    return [=](auto& update, const auto&) { update = scale * update; };
  }

 private:
  double beta2_, epsilon_;

  // √(β₂ r² + (1 − β₂) n²), in units of the larger one.
  double average(double root, double norm) const {
    const double unit = std::max(norm, root);
    if (unit == 0) return 0;
    const double r = root / unit, n = norm / unit;
    return unit *
           std::sqrt(rounded(beta2_ * rounded(r * r)) + rounded((1 - beta2_) * rounded(n * n)));
  }
};

/// The hyper-parameters of NovoGrad, with the paper's β₁ and β₂ for images (language: 0.95, 0.98).
struct NovoGradOptions {
  Schedule learning_rate = 0.01;  ///< η, a number in [0, ∞) or a schedule
  double beta1 = 0.95;            ///< β₁, momentum, in [0, 1)
  double beta2 = 0.98;            ///< β₂, decay of v, in [0, 1)
  double epsilon = 1e-8;          ///< ε, in [0, ∞)
  double weight_decay = 0;        ///< λ, inside of the momentum, in [0, ∞)
};

/// State: one slot, none with β₁ = 0, and one number; two passes, the first of which only reads. Throws
/// `std::invalid_argument` outside the ranges above.
template <class Vector = Eigen::VectorXd>
class NovoGrad
    : public Stepper<Vector, ScaleByAverageNorm, AddDecayedWeights, Trace, ScaleByLearningRate> {
  using Base = Stepper<Vector, ScaleByAverageNorm, AddDecayedWeights, Trace, ScaleByLearningRate>;

  static Trace momentum(const NovoGradOptions& options) {
    checked("NovoGrad", "beta1", options.beta1, range::decay_rate);
    return trace({.momentum = options.beta1}, "NovoGrad");
  }

 public:
  explicit NovoGrad(const NovoGradOptions& options = {})
      : Base{ScaleByAverageNorm(
                 checked("NovoGrad", "beta2", options.beta2, range::decay_rate),
                 checked("NovoGrad", "epsilon", options.epsilon, range::non_negative)),
             add_decayed_weights(options.weight_decay, "NovoGrad"), momentum(options),
             scale_by_learning_rate(options.learning_rate, "NovoGrad")} {}

  /// m, n coefficients; empty before the first step and with β₁ = 0.
  auto first_moment() const { return this->template slot<2>(0); }
  /// v; 0 before the first step.
  double second_moment() const { return this->state().numbers[0] * this->state().numbers[0]; }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_NOVOGRAD_HPP
