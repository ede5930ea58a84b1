// ADOPT: Adam whose denominator is one step old, so that it converges with any β₂.
//
//     first step: v = g², no step
//     u = clip( g/max(√v, ε), ±(t − 1)^¼ ),   m ← β₁ m + (1 − β₁) u,   step = −η m
//     v ← β₂ v + (1 − β₂) g²
//
// S. Taniguchi et al., "ADOPT: Modified Adam can converge with any β₂ with the optimal rate", NeurIPS 2024, Algorithm 2,
// with the clipping that the authors' code and optax have. Weight decay acts at the first step already, as in optax.
#ifndef DESCENT_OPTIMIZER_ADOPT_HPP
#define DESCENT_OPTIMIZER_ADOPT_HPP

#include <Eigen/Core>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string_view>
#include <type_traits>

#include "descent/core/errors.hpp"
#include "descent/core/schedule.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/stepper.hpp"
#include "descent/transform/add_decayed_weights.hpp"
#include "descent/transform/scale_by_learning_rate.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of ADOPT's direction.
struct ScaleByAdoptOptions {
  double beta1 = 0.9;     ///< β₁, decay of the first moment, in [0, 1)
  double beta2 = 0.9999;  ///< β₂, decay of the second moment, in [0, 1)
  double epsilon = 1e-6;  ///< ε, in (0, ∞)
  bool clip = true;       ///< bound the scaled gradient by (t − 1)^¼
};

/// State: m and v; one pass.
class ScaleByAdopt {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr Stage yields = Stage::direction;
  static constexpr std::size_t slots = 2;
  /// It looks back at the first step: a coefficient must not miss it.
  static constexpr bool lazy() { return false; }

  explicit ScaleByAdopt(const ScaleByAdoptOptions& options) : options_(options) {}

  template <class Real>
  auto kernel(const StepInfo& step) const {
    const bool first = step.t == 1;
    const auto bound =
        options_.clip ? static_cast<Real>(std::sqrt(std::sqrt(static_cast<double>(step.t - 1))))
                      : std::numeric_limits<Real>::infinity();
    const auto b1 = static_cast<Real>(options_.beta1), a1 = static_cast<Real>(1 - options_.beta1);
    const auto b2 = static_cast<Real>(options_.beta2), a2 = static_cast<Real>(1 - options_.beta2);
    const auto epsilon = static_cast<Real>(options_.epsilon);
    return [=](auto& update, const auto&, auto& m, auto& v) {
      using L = std::remove_cvref_t<decltype(update)>;
      const L square = update * update;
      if (first) {
        v = flush_denormals(square);
        update = update - update;
      } else {
        const L scaled = update / max(sqrt(v), L(epsilon));
        m = flush_denormals(b1 * m + a1 * min(max(scaled, L(-bound)), L(bound)));
        v = flush_denormals(b2 * v + a2 * square);
        update = m;
      }
    };
  }

  /// The largest |g| whose square the state can hold.
  template <class Real>
  static Real gradient_limit() {
    return std::sqrt((std::numeric_limits<Real>::max)());
  }

 private:
  ScaleByAdoptOptions options_;
};

/// Throws `std::invalid_argument` outside the ranges above; `who` is the name that its message begins with.
inline ScaleByAdopt scale_by_adopt(const ScaleByAdoptOptions& options = {},
                                   std::string_view who = "scale_by_adopt") {
  checked(who, "beta1", options.beta1, range::decay_rate);
  checked(who, "beta2", options.beta2, range::decay_rate);
  checked(who, "epsilon", options.epsilon, range::positive);
  return ScaleByAdopt(options);
}

/// The hyper-parameters of ADOPT, with the authors' defaults.
struct ADOPTOptions {
  Schedule learning_rate = 1e-3;  ///< η, a number in [0, ∞) or a schedule
  double beta1 = 0.9;             ///< β₁, decay of the first moment, in [0, 1)
  double beta2 = 0.9999;          ///< β₂, decay of the second moment, in [0, 1)
  double epsilon = 1e-6;          ///< ε, in (0, ∞)
  double weight_decay = 0;        ///< λ, decoupled, in [0, ∞)
  bool clip = true;               ///< bound the scaled gradient by (t − 1)^¼
};

/// State: two slots; one pass. Throws `std::invalid_argument` outside the ranges above.
template <class Vector = Eigen::VectorXd>
class ADOPT : public Stepper<Vector, ScaleByAdopt, AddDecayedWeights, ScaleByLearningRate> {
  using Base = Stepper<Vector, ScaleByAdopt, AddDecayedWeights, ScaleByLearningRate>;

 public:
  /// A fresh optimizer; throws `std::invalid_argument` outside the ranges of the options.
  explicit ADOPT(const ADOPTOptions& options = {})
      : Base{scale_by_adopt({.beta1 = options.beta1,
                             .beta2 = options.beta2,
                             .epsilon = options.epsilon,
                             .clip = options.clip},
                            "ADOPT"),
             add_decayed_weights(options.weight_decay, "ADOPT"),
             scale_by_learning_rate(options.learning_rate, "ADOPT")} {}

  /// m, n coefficients; empty before the first step.
  auto first_moment() const { return this->template slot<0>(0); }
  /// v, n coefficients; empty before the first step.
  auto second_moment() const { return this->template slot<0>(1); }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_ADOPT_HPP
