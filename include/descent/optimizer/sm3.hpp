// SM3: Adagrad with a cover of the coefficients, here each alone, and momentum.
//
//     s ← s + g²
//     u = g/√(s + ε), 0 where s = 0
//     m ← μ m + (1 − μ) u
//     step = −η m
//
// R. Anil et al., "Memory-efficient adaptive optimization", NeurIPS 2019, Algorithm SM3-II, on vectors; ε as in optax.
#ifndef DESCENT_OPTIMIZER_SM3_HPP
#define DESCENT_OPTIMIZER_SM3_HPP

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
#include "descent/transform/scale_by_learning_rate.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of SM3's direction.
struct ScaleBySm3Options {
  double momentum = 0.9;  ///< μ, decay of the average of the scaled gradients, in [0, 1)
  double epsilon = 1e-8;  ///< ε, inside the root, in [0, ∞)
};

/// State: s and m; one pass.
class ScaleBySm3 {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr Stage yields = Stage::direction;
  static constexpr std::size_t slots = 2;

  explicit ScaleBySm3(const ScaleBySm3Options& options) : options_(options) {}

  template <class Real>
  auto kernel(const StepInfo&) const {
    const auto mu = static_cast<Real>(options_.momentum);
    const auto gain = static_cast<Real>(1 - options_.momentum);
    const auto epsilon = static_cast<Real>(options_.epsilon);
    return [=](auto& update, const auto&, auto& s, auto& m) {
      using L = std::remove_cvref_t<decltype(update)>;
      s += update * update;
      const L scaled = zero_where(s == L(0), update / sqrt(s + epsilon));
      m = flush_denormals(mu * m + gain * scaled);
      update = m;
    };
  }

  /// The largest |g| of which the sum holds 2⁴⁰ squares.
  template <class Real>
  static Real gradient_limit() {
    return std::sqrt((std::numeric_limits<Real>::max)()) * Real(0x1p-20);
  }

 private:
  ScaleBySm3Options options_;
};

/// Throws `std::invalid_argument` outside the ranges above; `who` is the name that its message begins with.
inline ScaleBySm3 scale_by_sm3(const ScaleBySm3Options& options = {},
                               std::string_view who = "scale_by_sm3") {
  checked(who, "momentum", options.momentum, range::decay_rate);
  checked(who, "epsilon", options.epsilon, range::non_negative);
  return ScaleBySm3(options);
}

/// The hyper-parameters of SM3, with optax's defaults.
struct SM3Options {
  Schedule learning_rate = 0.1;  ///< η, a number in [0, ∞) or a schedule
  double momentum = 0.9;         ///< μ, in [0, 1)
  double epsilon = 1e-8;         ///< ε, inside the root, in [0, ∞)
};

/// State: two slots; one pass. Throws `std::invalid_argument` outside the ranges above.
template <class Vector = Eigen::VectorXd>
class SM3 : public Stepper<Vector, ScaleBySm3, ScaleByLearningRate> {
  using Base = Stepper<Vector, ScaleBySm3, ScaleByLearningRate>;

 public:
  /// A fresh optimizer; throws `std::invalid_argument` outside the ranges of the options.
  explicit SM3(const SM3Options& options = {})
      : Base{scale_by_sm3({.momentum = options.momentum, .epsilon = options.epsilon}, "SM3"),
             scale_by_learning_rate(options.learning_rate, "SM3")} {}

  /// s, n coefficients; empty before the first step.
  auto accumulator() const { return this->template slot<0>(0); }
  /// m, n coefficients; empty before the first step.
  auto momentum_buffer() const { return this->template slot<0>(1); }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_SM3_HPP
