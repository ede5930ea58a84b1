// Adadelta: steps whose units are those of the parameters.
//
//     s ← ρ s + (1 − ρ) g²
//     d = √(a + ε)/√(s + ε) · g
//     a ← ρ a + (1 − ρ) d²
//     step = −η d
//
// M. D. Zeiler, "ADADELTA: An adaptive learning rate method", arXiv:1212.5701, 2012, Algorithm 1 (η = 1, ρ = 0.95); the
// defaults are PyTorch's.
#ifndef DESCENT_OPTIMIZER_ADADELTA_HPP
#define DESCENT_OPTIMIZER_ADADELTA_HPP

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
#include "descent/engine/stepper.hpp"
#include "descent/transform/add_decayed_weights.hpp"
#include "descent/transform/scale_by_learning_rate.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of Adadelta's direction.
struct ScaleByAdadeltaOptions {
  double rho = 0.9;       ///< ρ, decay of both averages, in [0, 1)
  double epsilon = 1e-6;  ///< ε, inside the roots, in [0, ∞)
};

/// g ← √(a + ε)/√(s + ε) · g. State: s and a; one pass.
class ScaleByAdadelta {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr Stage yields = Stage::direction;
  static constexpr std::size_t slots = 2;

  explicit ScaleByAdadelta(const ScaleByAdadeltaOptions& options) : options_(options) {}

  template <class Real>
  auto kernel(const StepInfo&) const {
    const auto rho = static_cast<Real>(options_.rho), gain = static_cast<Real>(1 - options_.rho);
    const auto epsilon = static_cast<Real>(options_.epsilon);
    return [=](auto& update, const auto&, auto& s, auto& a) {
      s = flush_denormals(rho * s + gain * (update * update));
      update = (sqrt(a + epsilon) / sqrt(s + epsilon)) * update;
      a = flush_denormals(rho * a + gain * (update * update));
    };
  }

  /// The largest |g| whose square the state can hold.
  template <class Real>
  static Real gradient_limit() {
    return std::sqrt((std::numeric_limits<Real>::max)());
  }

 private:
  ScaleByAdadeltaOptions options_;
};

/// Throws `std::invalid_argument` outside the ranges above; `who` is the name that its message begins with.
inline ScaleByAdadelta scale_by_adadelta(const ScaleByAdadeltaOptions& options = {},
                                         std::string_view who = "scale_by_adadelta") {
  checked(who, "rho", options.rho, range::decay_rate);
  checked(who, "epsilon", options.epsilon, range::non_negative);
  return ScaleByAdadelta(options);
}

/// The hyper-parameters of Adadelta, with PyTorch's defaults.
struct AdadeltaOptions {
  Schedule learning_rate = 1.0;  ///< η, a number in [0, ∞) or a schedule
  double rho = 0.9;              ///< ρ, decay of both averages, in [0, 1)
  double epsilon = 1e-6;         ///< ε, inside the roots, in [0, ∞)
  double weight_decay = 0;       ///< λ, coupled, in [0, ∞)
};

/// State: two slots; one pass. Throws `std::invalid_argument` outside the ranges above.
template <class Vector = Eigen::VectorXd>
class Adadelta : public Stepper<Vector, AddDecayedWeights, ScaleByAdadelta, ScaleByLearningRate> {
  using Base = Stepper<Vector, AddDecayedWeights, ScaleByAdadelta, ScaleByLearningRate>;

 public:
  /// A fresh optimizer; throws `std::invalid_argument` outside the ranges of the options.
  explicit Adadelta(const AdadeltaOptions& options = {})
      : Base{add_decayed_weights(options.weight_decay, "Adadelta"),
             scale_by_adadelta({.rho = options.rho, .epsilon = options.epsilon}, "Adadelta"),
             scale_by_learning_rate(options.learning_rate, "Adadelta")} {}

  /// s, n coefficients; empty before the first step.
  auto mean_square() const { return this->template slot<1>(0); }
  /// a, n coefficients; empty before the first step.
  auto mean_square_update() const { return this->template slot<1>(1); }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_ADADELTA_HPP
