// QHAdam: Adam with quasi-hyperbolic moments.
//
//     m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²
//     step = −η ( (1 − ν₁) g + ν₁ m̂ ) / ( √((1 − ν₂) g² + ν₂ v̂) + ε )
//
// J. Ma and D. Yarats, "Quasi-hyperbolic momentum and Adam for deep learning", ICLR 2019, equation 18. The authors' code
// carries m̂ and v̂ themselves, which is the same in exact arithmetic.
#ifndef DESCENT_OPTIMIZER_QHADAM_HPP
#define DESCENT_OPTIMIZER_QHADAM_HPP

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
#include "descent/transform/add_decayed_weights.hpp"
#include "descent/transform/scale_by_learning_rate.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of QHAdam's direction.
struct ScaleByQhadamOptions {
  double beta1 = 0.995;   ///< β₁, decay of the first moment, in [0, 1)
  double beta2 = 0.999;   ///< β₂, decay of the second moment, in [0, 1)
  double nu1 = 0.7;       ///< ν₁, weight of the first moment, in [0, 1]
  double nu2 = 1;         ///< ν₂, weight of the second moment, in [0, 1]
  double epsilon = 1e-8;  ///< ε, in [0, ∞)
};

/// State: m and v; one pass.
class ScaleByQhadam {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr Stage yields = Stage::direction;
  static constexpr std::size_t slots = 2;

  explicit ScaleByQhadam(const ScaleByQhadamOptions& options)
      : options_(options), one_minus_power1_(options.beta1), one_minus_power2_(options.beta2) {}

  template <class Real>
  auto kernel(const StepInfo& step) {
    const auto cm = static_cast<Real>(options_.nu1 / one_minus_power1_(step.t));
    const auto cv = static_cast<Real>(options_.nu2 / one_minus_power2_(step.t));
    const auto rest1 = static_cast<Real>(1 - options_.nu1);
    const auto rest2 = static_cast<Real>(1 - options_.nu2);
    const auto b1 = static_cast<Real>(options_.beta1), a1 = static_cast<Real>(1 - options_.beta1);
    const auto b2 = static_cast<Real>(options_.beta2), a2 = static_cast<Real>(1 - options_.beta2);
    const auto epsilon = static_cast<Real>(options_.epsilon);
    return [=](auto& update, const auto&, auto& m, auto& v) {
      const auto square = update * update;
      m = flush_denormals(b1 * m + a1 * update);
      v = flush_denormals(b2 * v + a2 * square);
      update = (rest1 * update + cm * m) / (sqrt(rest2 * square + cv * v) + epsilon);
    };
  }

  /// The largest |g| whose square the state can hold.
  template <class Real>
  static Real gradient_limit() {
    return std::sqrt((std::numeric_limits<Real>::max)());
  }

 private:
  ScaleByQhadamOptions options_;
  OneMinusPower one_minus_power1_, one_minus_power2_;
};

/// Throws `std::invalid_argument` outside the ranges above; `who` is the name that its message begins with.
inline ScaleByQhadam scale_by_qhadam(const ScaleByQhadamOptions& options = {},
                                     std::string_view who = "scale_by_qhadam") {
  checked(who, "beta1", options.beta1, range::decay_rate);
  checked(who, "beta2", options.beta2, range::decay_rate);
  checked(who, "nu1", options.nu1, range::fraction);
  checked(who, "nu2", options.nu2, range::fraction);
  checked(who, "epsilon", options.epsilon, range::non_negative);
  return ScaleByQhadam(options);
}

/// The hyper-parameters of QHAdam.
struct QHAdamOptions {
  Schedule learning_rate = 1e-3;        ///< η, a number in [0, ∞) or a schedule
  double beta1 = 0.995;                 ///< β₁, decay of the first moment, in [0, 1)
  double beta2 = 0.999;                 ///< β₂, decay of the second moment, in [0, 1)
  double nu1 = 0.7;                     ///< ν₁, weight of the first moment, in [0, 1]
  double nu2 = 1;                       ///< ν₂, weight of the second moment, in [0, 1]
  double epsilon = 1e-8;                ///< ε, in [0, ∞)
  double weight_decay = 0;              ///< λ, in [0, ∞)
  bool decoupled_weight_decay = false;  ///< as AdamW decays, not as Adam does
};

/// State: two slots; one pass. Throws `std::invalid_argument` outside the ranges above.
template <class Vector = Eigen::VectorXd>
class QHAdam : public Stepper<Vector, AddDecayedWeights, ScaleByQhadam, AddDecayedWeights,
                              ScaleByLearningRate> {
  using Base =
      Stepper<Vector, AddDecayedWeights, ScaleByQhadam, AddDecayedWeights, ScaleByLearningRate>;

 public:
  /// A fresh optimizer; throws `std::invalid_argument` outside the ranges of the options.
  explicit QHAdam(const QHAdamOptions& options = {})
      : Base{add_decayed_weights(options.decoupled_weight_decay ? 0 : options.weight_decay,
                                 "QHAdam"),
             scale_by_qhadam({.beta1 = options.beta1,
                              .beta2 = options.beta2,
                              .nu1 = options.nu1,
                              .nu2 = options.nu2,
                              .epsilon = options.epsilon},
                             "QHAdam"),
             add_decayed_weights(options.decoupled_weight_decay ? options.weight_decay : 0,
                                 "QHAdam"),
             scale_by_learning_rate(options.learning_rate, "QHAdam")} {}

  /// m, n coefficients; empty before the first step.
  auto first_moment() const { return this->template slot<1>(0); }
  /// v, n coefficients; empty before the first step.
  auto second_moment() const { return this->template slot<1>(1); }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_QHADAM_HPP
