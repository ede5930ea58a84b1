// Adam: a running mean of the gradients over the root of one of their squares.
//
//     m ← β₁ m + (1 − β₁) g          m̂ = m / (1 − β₁ᵗ)
//     v ← β₂ v + (1 − β₂) g²         v̂ = v / (1 − β₂ᵗ)
//     step = −η m̂/(√v̂ + ε)
//
// D. P. Kingma and J. Ba, "Adam: A method for stochastic optimization", ICLR 2015, Algorithm 1. With weight decay the
// gradient is g + λx (coupled, as PyTorch's Adam; decoupled is AdamW). Where peers differ: TensorFlow, Keras and
// ensmallen use the folded form (option `folded`); optax takes AMSGrad's maximum over v̂, PyTorch and we over v.
#ifndef DESCENT_OPTIMIZER_ADAM_HPP
#define DESCENT_OPTIMIZER_ADAM_HPP

#include <Eigen/Core>

#include "descent/core/schedule.hpp"
#include "descent/engine/stepper.hpp"
#include "descent/transform/add_decayed_weights.hpp"
#include "descent/transform/scale_by_adam.hpp"
#include "descent/transform/scale_by_learning_rate.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of Adam, with PyTorch's defaults.
struct AdamOptions {
  Schedule learning_rate = 1e-3;  ///< η, a number in [0, ∞) or a schedule
  double beta1 = 0.9;             ///< β₁, decay of the first moment, in [0, 1)
  double beta2 = 0.999;           ///< β₂, decay of the second moment, in [0, 1)
  double epsilon = 1e-8;          ///< ε, in [0, ∞)
  double weight_decay = 0;        ///< λ, coupled, in [0, ∞)
  bool amsgrad = false;           ///< divide by the largest v so far; one more slot
  bool folded = false;            ///< the paper's folded form, see scale_by_adam
};

/// State: two slots, three with AMSGrad; one pass. Throws `std::invalid_argument` outside the ranges above.
template <class Vector = Eigen::VectorXd>
class Adam : public Stepper<Vector, AddDecayedWeights, ScaleByAdam, ScaleByLearningRate> {
  using Base = Stepper<Vector, AddDecayedWeights, ScaleByAdam, ScaleByLearningRate>;

 public:
  explicit Adam(const AdamOptions& options = {})
      : Base{add_decayed_weights(options.weight_decay, "Adam"),
             scale_by_adam({.beta1 = options.beta1,
                            .beta2 = options.beta2,
                            .epsilon = options.epsilon,
                            .amsgrad = options.amsgrad,
                            .folded = options.folded},
                           "Adam"),
             scale_by_learning_rate(options.learning_rate, "Adam")} {}

  /// m, n coefficients; empty before the first step.
  auto first_moment() const { return this->template slot<1>(0); }
  /// v, n coefficients; empty before the first step.
  auto second_moment() const { return this->template slot<1>(1); }
  /// The largest v so far, n coefficients; empty before the first step and without AMSGrad.
  auto largest_second_moment() const { return this->template slot<1>(2); }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_ADAM_HPP
