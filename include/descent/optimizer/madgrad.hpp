// MADGRAD: dual averaging with the cube root of the sum of squares, and momentum.
//
//     λ_t = (η + ε) √t;   s ← s + λ_t g;   G ← G + λ_t g²          with g + λ x in place of g where there is decay
//     z = x₀ − s / (∛G + ε);   x ← x + (1 − μ) (z − x)
//
// A. Defazio and S. Jelassi, "Adaptivity without compromise: A momentumized, adaptive, dual averaged gradient method for
// stochastic optimization", JMLR 23, 2022, Algorithm 1; ε as in the authors' code, which adds it to a rate above 0, too. At a
// rate of 0 x still follows z.
#ifndef DESCENT_OPTIMIZER_MADGRAD_HPP
#define DESCENT_OPTIMIZER_MADGRAD_HPP

#include <Eigen/Core>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/schedule.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/cube_root.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/stepper.hpp"
#include "descent/transform/add_decayed_weights.hpp"
#include "descent/transform/scale_by_learning_rate.hpp"

namespace descent::inline v0 {

/// The step of MADGRAD. State: s, G and x₀; one pass.
class StepByMADGRAD : public ScaleByLearningRate {
 public:
  static constexpr std::size_t slots = 3;
  /// It looks back at the first step: a coefficient must not miss it.
  static constexpr bool lazy() { return false; }

  StepByMADGRAD(Schedule learning_rate, double momentum, double epsilon)
      : ScaleByLearningRate(std::move(learning_rate)), momentum_(momentum), epsilon_(epsilon) {}

  template <class Real>
  auto kernel(const StepInfo& step) const {
    const bool first = step.t == 1;
    const double rate = step.learning_rate > 0 ? step.learning_rate + epsilon_ : 0;
    const auto weight = static_cast<Real>(rate * std::sqrt(static_cast<double>(step.t)));
    const auto epsilon = static_cast<Real>(epsilon_), share = static_cast<Real>(1 - momentum_);
    return [=](auto& update, const auto& x, auto& s, auto& squares, auto& x0) {
      if (first) x0 = x;
      s = flush_denormals(s + weight * update);
      squares = flush_denormals(squares + weight * (update * update));
      const auto z = x0 - s / (cube_root(squares) + epsilon);
      update = share * (z - x);
    };
  }

  /// The largest |g| of which the sum holds squares with weights of 2⁴⁰ together: a larger one would bring its coordinate
  /// back to x₀ for ever.
  template <class Real>
  static Real gradient_limit() {
    return std::sqrt((std::numeric_limits<Real>::max)()) * Real(0x1p-20);
  }

 private:
  double momentum_, epsilon_;
};

/// The hyper-parameters of MADGRAD, with the defaults of the authors' code.
struct MADGRADOptions {
  Schedule learning_rate = 0.01;  ///< η, a number in [0, ∞) or a schedule
  double momentum = 0.9;          ///< μ, in [0, 1)
  double epsilon = 1e-6;          ///< ε, in [0, ∞)
  double weight_decay = 0;        ///< λ, coupled, in [0, ∞)
};

/// State: three slots; one pass. The sums only grow, so there is nothing to forget: a long run slows down as 1/√t at a
/// constant rate. Throws `std::invalid_argument` outside the ranges above.
template <class Vector = Eigen::VectorXd>
class MADGRAD : public Stepper<Vector, AddDecayedWeights, StepByMADGRAD> {
  using Base = Stepper<Vector, AddDecayedWeights, StepByMADGRAD>;

 public:
  explicit MADGRAD(const MADGRADOptions& options = {})
      : Base{add_decayed_weights(options.weight_decay, "MADGRAD"),
             StepByMADGRAD(
                 options.learning_rate.checked("MADGRAD", "learning_rate", range::non_negative),
                 checked("MADGRAD", "momentum", options.momentum, range::decay_rate),
                 checked("MADGRAD", "epsilon", options.epsilon, range::non_negative))} {}

  /// s, n coefficients; empty before the first step.
  auto sum_of_gradients() const { return this->template slot<1>(0); }
  /// G, n coefficients; empty before the first step.
  auto sum_of_squares() const { return this->template slot<1>(1); }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_MADGRAD_HPP
