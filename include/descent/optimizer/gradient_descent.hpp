// GradientDescent: steps along the gradient of the full loss, with momentum where wanted.
//
//     b ← μ b + g;   step = −η b,  or −η (g + μ b) with Nesterov
//
// A.-L. Cauchy, C. R. Acad. Sci. Paris 25, 1847; heavy ball: B. T. Polyak, 1964; Nesterov's form as in PyTorch. On a
// quadratic with eigenvalues in [μ, L] and η = 2/(L + μ) the error shrinks by (κ − 1)/(κ + 1) a step, κ = L/μ.
#ifndef DESCENT_OPTIMIZER_GRADIENT_DESCENT_HPP
#define DESCENT_OPTIMIZER_GRADIENT_DESCENT_HPP

#include <Eigen/Core>

#include "descent/core/optimizer.hpp"
#include "descent/core/schedule.hpp"
#include "descent/engine/stepper.hpp"
#include "descent/transform/scale_by_learning_rate.hpp"
#include "descent/transform/trace.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of GradientDescent.
struct GradientDescentOptions {
  Schedule learning_rate = 1e-2;  ///< η, a number in [0, ∞) or a schedule
  double momentum = 0;            ///< μ, in [0, 1)
  bool nesterov = false;          ///< Nesterov's form; needs momentum > 0
};

/// State: no slot, one with momentum; one pass. Throws `std::invalid_argument` outside the ranges above.
template <class Vector = Eigen::VectorXd>
class GradientDescent : public Stepper<Vector, Trace, ScaleByLearningRate> {
  using Base = Stepper<Vector, Trace, ScaleByLearningRate>;

 public:
  static constexpr Gradients gradients = Gradients::full;

  explicit GradientDescent(const GradientDescentOptions& options = {})
      : Base{trace({.momentum = options.momentum, .nesterov = options.nesterov}, "GradientDescent"),
             scale_by_learning_rate(options.learning_rate, "GradientDescent")} {}

  /// b, n coefficients; empty before the first step and without momentum.
  auto momentum_buffer() const { return this->template slot<0>(0); }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_GRADIENT_DESCENT_HPP
