// OptimisticDescent: gradient descent that adds how the gradient just changed.
//
//     step = −η ( (α + β) g − β g_previous ),   g_previous = g at the first step
//
// A. Mokhtari, A. Ozdaglar and S. Pattathil, "A unified analysis of extra-gradient and optimistic gradient methods for
// saddle point problems", AISTATS 2020, equation 5; as optax has it.
#ifndef DESCENT_OPTIMIZER_OPTIMISTIC_DESCENT_HPP
#define DESCENT_OPTIMIZER_OPTIMISTIC_DESCENT_HPP

#include <Eigen/Core>
#include <cstddef>
#include <string_view>

#include "descent/core/errors.hpp"
#include "descent/core/schedule.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/stepper.hpp"
#include "descent/transform/scale_by_learning_rate.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of the optimistic direction.
struct ScaleByOptimismOptions {
  double alpha = 1;  ///< α, weight of the gradient, in [0, ∞)
  double beta = 1;   ///< β, weight of its change, in [0, ∞)
};

/// g ← (α + β) g − β g_previous. State: the last gradient; one pass.
class ScaleByOptimism {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr Stage yields = Stage::direction;
  static constexpr std::size_t slots = 1;
  /// It looks back at the first step: a coefficient must not miss it.
  static constexpr bool lazy() { return false; }

  explicit ScaleByOptimism(const ScaleByOptimismOptions& options) : options_(options) {}

  template <class Real>
  auto kernel(const StepInfo& step) const {
    const auto both = static_cast<Real>(options_.alpha + options_.beta);
    const auto beta = static_cast<Real>(options_.beta);
    const bool first = step.t == 1;
    return [=](auto& update, const auto&, auto& last) {
      const auto g = update;
      update = both * g - beta * (first ? g : last);
      last = g;
    };
  }

 private:
  ScaleByOptimismOptions options_;
};

/// Throws `std::invalid_argument` outside the ranges above; `who` is the name that its message begins with.
inline ScaleByOptimism scale_by_optimism(const ScaleByOptimismOptions& options = {},
                                         std::string_view who = "scale_by_optimism") {
  checked(who, "alpha", options.alpha, range::non_negative);
  checked(who, "beta", options.beta, range::non_negative);
  return ScaleByOptimism(options);
}

/// The hyper-parameters of OptimisticDescent.
struct OptimisticDescentOptions {
  Schedule learning_rate = 1e-2;  ///< η, a number in [0, ∞) or a schedule
  double alpha = 1;               ///< α, weight of the gradient, in [0, ∞)
  double beta = 1;                ///< β, weight of its change, in [0, ∞)
};

/// State: one slot; one pass. Throws `std::invalid_argument` outside the ranges above.
template <class Vector = Eigen::VectorXd>
class OptimisticDescent : public Stepper<Vector, ScaleByOptimism, ScaleByLearningRate> {
  using Base = Stepper<Vector, ScaleByOptimism, ScaleByLearningRate>;

 public:
  /// A fresh optimizer; throws `std::invalid_argument` outside the ranges of the options.
  explicit OptimisticDescent(const OptimisticDescentOptions& options = {})
      : Base{scale_by_optimism({.alpha = options.alpha, .beta = options.beta}, "OptimisticDescent"),
             scale_by_learning_rate(options.learning_rate, "OptimisticDescent")} {}

  /// The gradient of the step before, n coefficients; empty before the first step.
  auto last_gradient() const { return this->template slot<0>(0); }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_OPTIMISTIC_DESCENT_HPP
