// SGD: steps along the gradient of a mini-batch, with momentum and weight decay as PyTorch has them.
//
//     g ← g + λ x;   b ← μ b + (1 − τ) g  (b = g at the first step);   x ← x − η b,  or − η (g + μ b) with Nesterov
//
// H. Robbins and S. Monro, "A stochastic approximation method", Ann. Math. Stat. 22(3), 1951. Where peers differ:
// ensmallen and OptimLib put η inside the sum b, which gives other numbers once the rate changes.
#ifndef DESCENT_OPTIMIZER_SGD_HPP
#define DESCENT_OPTIMIZER_SGD_HPP

#include <Eigen/Core>

#include "descent/core/optimizer.hpp"
#include "descent/core/schedule.hpp"
#include "descent/engine/stepper.hpp"
#include "descent/transform/add_decayed_weights.hpp"
#include "descent/transform/scale_by_learning_rate.hpp"
#include "descent/transform/trace.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of SGD, with PyTorch's defaults.
struct SGDOptions {
  Schedule learning_rate = 1e-3;  ///< η, a number in [0, ∞) or a schedule
  double momentum = 0;            ///< μ, in [0, 1)
  double dampening = 0;           ///< τ, in [0, 1]
  bool nesterov = false;          ///< Nesterov's form; needs momentum > 0 and dampening = 0
  double weight_decay = 0;        ///< λ, coupled, in [0, ∞)
};

/// State: no slot, one with momentum; one pass. In `minimize` it takes one sample an update unless
/// `batch_size` says otherwise: the classical algorithm with `sampling = with_replacement`, epochs with `shuffled`.
/// Throws `std::invalid_argument` outside the ranges above.
template <class Vector = Eigen::VectorXd>
class SGD : public Stepper<Vector, AddDecayedWeights, Trace, ScaleByLearningRate> {
  using Base = Stepper<Vector, AddDecayedWeights, Trace, ScaleByLearningRate>;

 public:
  static constexpr Gradients gradients = Gradients::sampled;

  explicit SGD(const SGDOptions& options = {})
      : Base{add_decayed_weights(options.weight_decay, "SGD"),
             trace({.momentum = options.momentum,
                    .dampening = options.dampening,
                    .nesterov = options.nesterov},
                   "SGD"),
             scale_by_learning_rate(options.learning_rate, "SGD")} {}

  /// b, n coefficients; empty before the first step and without momentum.
  auto momentum_buffer() const { return this->template slot<1>(0); }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_SGD_HPP
