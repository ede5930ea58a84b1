// AdamW: Adam with decoupled weight decay.
//
//     m ← β₁ m + (1 − β₁) g          m̂ = m / (1 − β₁ᵗ)
//     v ← β₂ v + (1 − β₂) g²         v̂ = v / (1 − β₂ᵗ)
//     step = −η (m̂/(√v̂ + ε) + λ x)
//
// I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR 2019, Algorithm 2. As in PyTorch the rate
// multiplies λ; the paper scales it by a schedule of its own, and optax's default is λ = 1e-4.
#ifndef DESCENT_OPTIMIZER_ADAMW_HPP
#define DESCENT_OPTIMIZER_ADAMW_HPP

#include <Eigen/Core>

#include "descent/core/schedule.hpp"
#include "descent/engine/stepper.hpp"
#include "descent/transform/add_decayed_weights.hpp"
#include "descent/transform/scale_by_adam.hpp"
#include "descent/transform/scale_by_learning_rate.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of AdamW, with PyTorch's defaults.
struct AdamWOptions {
  Schedule learning_rate = 1e-3;  ///< η, a number in [0, ∞) or a schedule
  double beta1 = 0.9;             ///< β₁, decay of the first moment, in [0, 1)
  double beta2 = 0.999;           ///< β₂, decay of the second moment, in [0, 1)
  double epsilon = 1e-8;          ///< ε, in [0, ∞)
  double weight_decay = 1e-2;     ///< λ, decoupled, in [0, ∞)
  bool amsgrad = false;           ///< divide by the largest v so far; one more slot
  bool folded = false;            ///< the paper's folded form, see scale_by_adam
};

/// State: two slots, three with AMSGrad; one pass. Throws `std::invalid_argument` outside the ranges above.
template <class Vector = Eigen::VectorXd>
class AdamW : public Stepper<Vector, ScaleByAdam, AddDecayedWeights, ScaleByLearningRate> {
  using Base = Stepper<Vector, ScaleByAdam, AddDecayedWeights, ScaleByLearningRate>;

 public:
  explicit AdamW(const AdamWOptions& options = {})
      : Base{scale_by_adam({.beta1 = options.beta1,
                            .beta2 = options.beta2,
                            .epsilon = options.epsilon,
                            .amsgrad = options.amsgrad,
                            .folded = options.folded},
                           "AdamW"),
             add_decayed_weights(options.weight_decay, "AdamW"),
             scale_by_learning_rate(options.learning_rate, "AdamW")} {}

  /// m, n coefficients; empty before the first step.
  auto first_moment() const { return this->template slot<0>(0); }
  /// v, n coefficients; empty before the first step.
  auto second_moment() const { return this->template slot<0>(1); }
  /// The largest v so far, n coefficients; empty before the first step and without AMSGrad.
  auto largest_second_moment() const { return this->template slot<0>(2); }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_ADAMW_HPP
