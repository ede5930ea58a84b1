// Yogi: Adam whose second moment grows and shrinks by a bounded amount.
//
//     m ← β₁ m + (1 − β₁) g
//     v ← v − (1 − β₂) sign(v − g²) g²
//     step = −η m̂/(√v̂ + ε)
//
// M. Zaheer et al., "Adaptive methods for nonconvex optimization", NeurIPS 2018, Algorithm 2. m and v start at
// `initial_accumulator_value` and are corrected for bias, as in optax; ensmallen does not correct.
#ifndef DESCENT_OPTIMIZER_YOGI_HPP
#define DESCENT_OPTIMIZER_YOGI_HPP

#include <Eigen/Core>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string_view>

#include "descent/core/errors.hpp"
#include "descent/core/schedule.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/power.hpp"
#include "descent/engine/stepper.hpp"
#include "descent/transform/scale_by_learning_rate.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of Yogi's direction.
struct ScaleByYogiOptions {
  double beta1 = 0.9;                       ///< β₁, decay of the first moment, in [0, 1)
  double beta2 = 0.999;                     ///< β₂, in [0, 1)
  double epsilon = 1e-3;                    ///< ε, outside the root, in [0, ∞)
  double initial_accumulator_value = 1e-6;  ///< m and v before the first step, in [0, ∞)
};

/// g ← m̂/(√v̂ + ε). State: m and v; one pass.
class ScaleByYogi {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr Stage yields = Stage::direction;
  static constexpr std::size_t slots = 2;
  double initial(std::size_t) const { return options_.initial_accumulator_value; }

  explicit ScaleByYogi(const ScaleByYogiOptions& options)
      : options_(options), one_minus_power1_(options.beta1), one_minus_power2_(options.beta2) {}

  template <class Real>
  auto kernel(const StepInfo& step) {
    const double root = std::sqrt(one_minus_power2_(step.t));
    const auto k = static_cast<Real>(root / one_minus_power1_(step.t));
    const auto epsilon = static_cast<Real>(options_.epsilon * root);
    const auto b1 = static_cast<Real>(options_.beta1), a1 = static_cast<Real>(1 - options_.beta1);
    const auto a2 = static_cast<Real>(1 - options_.beta2);
    return [=](auto& update, const auto&, auto& m, auto& v) {
      const auto square = update * update;
      m = flush_denormals(b1 * m + a1 * update);
      v = flush_denormals(v - (a2 * sign(v - square)) * square);
      update = (k * m) / (sqrt(v) + epsilon);
    };
  }

  /// The largest |g| for which v, which may pass g² by a part of it, fits into the state.
  template <class Real>
  static Real gradient_limit() {
    return std::sqrt((std::numeric_limits<Real>::max)()) / 2;
  }

 private:
  ScaleByYogiOptions options_;
  OneMinusPower one_minus_power1_, one_minus_power2_;
};

/// Throws `std::invalid_argument` outside the ranges above; `who` is the name that its message begins with.
inline ScaleByYogi scale_by_yogi(const ScaleByYogiOptions& options = {},
                                 std::string_view who = "scale_by_yogi") {
  checked(who, "beta1", options.beta1, range::decay_rate);
  checked(who, "beta2", options.beta2, range::decay_rate);
  checked(who, "epsilon", options.epsilon, range::non_negative);
  checked(who, "initial_accumulator_value", options.initial_accumulator_value, range::non_negative);
  return ScaleByYogi(options);
}

/// The hyper-parameters of Yogi, with optax's defaults.
struct YogiOptions {
  Schedule learning_rate = 1e-2;            ///< η, a number in [0, ∞) or a schedule
  double beta1 = 0.9;                       ///< β₁, decay of the first moment, in [0, 1)
  double beta2 = 0.999;                     ///< β₂, in [0, 1)
  double epsilon = 1e-3;                    ///< ε, outside the root, in [0, ∞)
  double initial_accumulator_value = 1e-6;  ///< m and v before the first step, in [0, ∞)
};

/// State: two slots; one pass. Throws `std::invalid_argument` outside the ranges above.
template <class Vector = Eigen::VectorXd>
class Yogi : public Stepper<Vector, ScaleByYogi, ScaleByLearningRate> {
  using Base = Stepper<Vector, ScaleByYogi, ScaleByLearningRate>;

 public:
  /// A fresh optimizer; throws `std::invalid_argument` outside the ranges of the options.
  explicit Yogi(const YogiOptions& options = {})
      : Base{scale_by_yogi({.beta1 = options.beta1,
                            .beta2 = options.beta2,
                            .epsilon = options.epsilon,
                            .initial_accumulator_value = options.initial_accumulator_value},
                           "Yogi"),
             scale_by_learning_rate(options.learning_rate, "Yogi")} {}

  /// m, n coefficients; empty before the first step.
  auto first_moment() const { return this->template slot<0>(0); }
  /// v, n coefficients; empty before the first step.
  auto second_moment() const { return this->template slot<0>(1); }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_YOGI_HPP
