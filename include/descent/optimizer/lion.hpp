// Lion: the sign of an interpolated momentum.
//
//     u = sign(β₁ m + (1 − β₁) g)
//     m ← β₂ m + (1 − β₂) g
//     step = −η (u + λ x)
//
// X. Chen et al., "Symbolic discovery of optimization algorithms", NeurIPS 2023, program 1. sign(0) = 0. (Optimisers.jl has
// the two decay factors swapped.)
#ifndef DESCENT_OPTIMIZER_LION_HPP
#define DESCENT_OPTIMIZER_LION_HPP

#include <Eigen/Core>
#include <cstddef>
#include <string_view>

#include "descent/core/errors.hpp"
#include "descent/core/schedule.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/stepper.hpp"
#include "descent/transform/add_decayed_weights.hpp"
#include "descent/transform/scale_by_learning_rate.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of Lion's direction.
struct ScaleByLionOptions {
  double beta1 = 0.9;   ///< β₁, of the interpolation, in [0, 1)
  double beta2 = 0.99;  ///< β₂, decay of the momentum, in [0, 1)
};

/// g ← sign(β₁ m + (1 − β₁) g). State: m; one pass.
class ScaleByLion {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr Stage yields = Stage::direction;
  static constexpr std::size_t slots = 1;

  explicit ScaleByLion(const ScaleByLionOptions& options) : options_(options) {}

  template <class Real>
  auto kernel(const StepInfo&) const {
    const auto b1 = static_cast<Real>(options_.beta1), a1 = static_cast<Real>(1 - options_.beta1);
    const auto b2 = static_cast<Real>(options_.beta2), a2 = static_cast<Real>(1 - options_.beta2);
    return [=](auto& update, const auto&, auto& m) {
      const auto g = update;
      update = sign(b1 * m + a1 * g);
      m = b2 * m + a2 * g;
      m = select(g == 0, flush_denormals(m), m);  // until then even a denormal has a sign
    };
  }

 private:
  ScaleByLionOptions options_;
};

/// Throws `std::invalid_argument` outside the ranges above; `who` is the name that its message begins with.
inline ScaleByLion scale_by_lion(const ScaleByLionOptions& options = {},
                                 std::string_view who = "scale_by_lion") {
  checked(who, "beta1", options.beta1, range::decay_rate);
  checked(who, "beta2", options.beta2, range::decay_rate);
  return ScaleByLion(options);
}

/// The hyper-parameters of Lion, with the paper's defaults.
struct LionOptions {
  Schedule learning_rate = 1e-4;  ///< η, a number in [0, ∞) or a schedule
  double beta1 = 0.9;             ///< β₁, of the interpolation, in [0, 1)
  double beta2 = 0.99;            ///< β₂, decay of the momentum, in [0, 1)
  double weight_decay = 0;        ///< λ, decoupled, in [0, ∞)
};

/// State: one slot; one pass. An infinite gradient has a sign, moves x as any other, and stays in m: guard with
/// `skip_if_not_finite()`. Throws `std::invalid_argument` outside the ranges above.
template <class Vector = Eigen::VectorXd>
class Lion : public Stepper<Vector, ScaleByLion, AddDecayedWeights, ScaleByLearningRate> {
  using Base = Stepper<Vector, ScaleByLion, AddDecayedWeights, ScaleByLearningRate>;

 public:
  /// A fresh optimizer; throws `std::invalid_argument` outside the ranges of the options.
  explicit Lion(const LionOptions& options = {})
      : Base{scale_by_lion({.beta1 = options.beta1, .beta2 = options.beta2}, "Lion"),
             add_decayed_weights(options.weight_decay, "Lion"),
             scale_by_learning_rate(options.learning_rate, "Lion")} {}

  /// m, n coefficients; empty before the first step.
  auto momentum_buffer() const { return this->template slot<0>(0); }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_LION_HPP
