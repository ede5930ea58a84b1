// LAMB: Adam's direction, as long as the parameters: step = −η ‖x‖/‖u‖ · u.
//
//     u = m̂ / (√v̂ + ε) + λ x;   x ← x − η φ(‖x‖)/‖u‖ · u          (ratio 1 where a norm is 0)
//
// Y. You et al., "Large batch optimization for deep learning: Training BERT in 76 minutes", ICLR 2020, Algorithm 2. Here
// all parameters are one block, one layer of the paper: an optimizer for each layer is its rule for each. Where peers
// differ: optax has no bounds on ‖x‖ either by default, some ports of PyTorch bound it by 10.
#ifndef DESCENT_OPTIMIZER_LAMB_HPP
#define DESCENT_OPTIMIZER_LAMB_HPP

#include <Eigen/Core>
#include <limits>

#include "descent/core/schedule.hpp"
#include "descent/engine/stepper.hpp"
#include "descent/transform/add_decayed_weights.hpp"
#include "descent/transform/scale_by_adam.hpp"
#include "descent/transform/scale_by_learning_rate.hpp"
#include "descent/transform/scale_by_trust_ratio.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of LAMB, with the paper's defaults.
struct LAMBOptions {
  Schedule learning_rate = 1e-3;  ///< η, a number in [0, ∞) or a schedule
  double beta1 = 0.9;             ///< β₁, decay of the first moment, in [0, 1)
  double beta2 = 0.999;           ///< β₂, decay of the second moment, in [0, 1)
  double epsilon = 1e-6;          ///< ε, in [0, ∞)
  double weight_decay = 0;        ///< λ, inside of u, in [0, ∞)
  double min_norm = 0;            ///< the least that ‖x‖ counts for, in [0, ∞)
  double max_norm = (std::numeric_limits<double>::max)();  ///< the most, in (0, ∞)
};

/// State: two slots; two passes, as ‖u‖ is known only after the first. Throws `std::invalid_argument` outside the ranges
/// above.
template <class Vector = Eigen::VectorXd>
class LAMB : public Stepper<Vector, ScaleByAdam, AddDecayedWeights, ScaleByTrustRatio,
                            ScaleByLearningRate> {
  using Base =
      Stepper<Vector, ScaleByAdam, AddDecayedWeights, ScaleByTrustRatio, ScaleByLearningRate>;

 public:
  explicit LAMB(const LAMBOptions& options = {})
      : Base{scale_by_adam(
                 {.beta1 = options.beta1, .beta2 = options.beta2, .epsilon = options.epsilon},
                 "LAMB"),
             add_decayed_weights(options.weight_decay, "LAMB"),
             scale_by_trust_ratio({.min_norm = options.min_norm, .max_norm = options.max_norm},
                                  "LAMB"),
             scale_by_learning_rate(options.learning_rate, "LAMB")} {}

  /// m, n coefficients; empty before the first step.
  auto first_moment() const { return this->template slot<0>(0); }
  /// v, n coefficients; empty before the first step.
  auto second_moment() const { return this->template slot<0>(1); }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_LAMB_HPP
