// PolyakStep: gradient descent whose rate comes from the loss.
//
//     x ← x − min((f(x) − f*) / (‖g‖² + ε), η) g
//
// B. T. Polyak, "Introduction to Optimization", 1987, section 5.3; with the largest rate η: N. Loizou et al., "Stochastic
// Polyak step-size for SGD", AISTATS 2021, equation 3. optax takes no step once ‖g‖² is below 2.2e-16; we do, as g may be
// small by its unit alone, and the quotient is bounded by η.
#ifndef DESCENT_OPTIMIZER_POLYAK_STEP_HPP
#define DESCENT_OPTIMIZER_POLYAK_STEP_HPP

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/rounded.hpp"
#include "descent/core/schedule.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/stepper.hpp"
#include "descent/engine/transform.hpp"
#include "descent/transform/scale_by_learning_rate.hpp"

namespace descent::inline v0 {

/// The step of PolyakStep. No state; reducing.
class ScaleByPolyakStep : public ScaleByLearningRate {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr std::array reduces{Reduce::norm};

  ScaleByPolyakStep(Schedule learning_rate, double lowest_loss, double epsilon)
      : ScaleByLearningRate(std::move(learning_rate)),
        lowest_loss_(lowest_loss),
        epsilon_(epsilon) {}

  template <class Real>
  auto statistic(const StepInfo&) const {
    return [](const auto& update, const auto&) { return std::array{update}; };
  }

  template <class Real>
  auto kernel(const StepInfo& step) const {
    const auto minus_rate = static_cast<Real>(-rate_of(step));
    return [=](auto& update, const auto&) { update = minus_rate * update; };
  }

 private:
  double lowest_loss_, epsilon_;

  double rate_of(const StepInfo& step) const {
    if (std::isnan(step.loss)) {
      throw_invalid(
          "PolyakStep", "loss", "nan",
          "known: step(x, g, loss); of a mini-batch by an objective with loss_and_gradient");
    }
    const double above = step.loss - lowest_loss_, norm = step.sums[0];
    if (!(above > 0)) return 0;
    return std::min(step.learning_rate, above / (rounded(norm * norm) + epsilon_));
  }
};

/// The hyper-parameters of Polyak's step, with optax's defaults.
struct PolyakStepOptions {
  Schedule learning_rate = 1;  ///< η, the largest rate, a number in [0, ∞) or a schedule
  double lowest_loss = 0;      ///< f*, the least that f can be, in (-∞, ∞)
  double epsilon = 0;          ///< ε, in [0, ∞)
};

/// State: no slot; two passes, the first of which only reads. The loss must be known: `step(x, g, loss)`. `minimize`
/// evaluates it with full gradients; of mini-batches, where it comes with the gradient (loss_and_gradient). Where it is not
/// known, or NaN, the step throws `std::invalid_argument` and changes nothing. A loss of f* or less makes no step. Throws
/// `std::invalid_argument` outside the ranges above.
template <class Vector = Eigen::VectorXd>
class PolyakStep : public Stepper<Vector, ScaleByPolyakStep> {
  using Base = Stepper<Vector, ScaleByPolyakStep>;

 public:
  /// Its steps depend on the loss.
  static constexpr bool needs_loss = true;

  explicit PolyakStep(const PolyakStepOptions& options = {})
      : Base{ScaleByPolyakStep(
            options.learning_rate.checked("PolyakStep", "learning_rate", range::non_negative),
            checked("PolyakStep", "lowest_loss", options.lowest_loss, Range{}),
            checked("PolyakStep", "epsilon", options.epsilon, range::non_negative))} {}
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_POLYAK_STEP_HPP
