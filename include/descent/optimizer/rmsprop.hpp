// RMSprop: the gradient over the root of its running mean square.
//
//     s ← α s + (1 − α) g²;   centered: m ← α m + (1 − α) g
//     d = g/(√s + ε),   centered: g/(√max(s − m², 0) + ε)
//     momentum: b ← μ b + d,   d = b
//     step = −η d
//
// T. Tieleman and G. Hinton, lecture 6.5 of "Neural networks for machine learning", 2012; centered: A. Graves,
// arXiv:1308.0850, 2013, equations 38–45, with ε outside the root as in PyTorch. Where peers differ: optax has α = 0.9, ε
// inside the root and η inside the momentum; PyTorch's centered form yields NaN where s − m² rounds below zero.
#ifndef DESCENT_OPTIMIZER_RMSPROP_HPP
#define DESCENT_OPTIMIZER_RMSPROP_HPP

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
#include "descent/transform/trace.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of RMSprop's direction.
struct ScaleByRmsOptions {
  double alpha = 0.99;    ///< α, decay of the averages, in [0, 1)
  double epsilon = 1e-8;  ///< ε, outside the root, in [0, ∞)
  bool centered = false;  ///< divide by the standard deviation instead; one more slot
};

/// g ← g/(√s + ε). State: s and, centered, m; one pass.
class ScaleByRms {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr Stage yields = Stage::direction;
  static constexpr std::size_t slots = 2;
  static constexpr std::size_t forms = 2;
  static constexpr std::size_t slots_in(std::size_t form) { return form == 0 ? 1 : 2; }
  std::size_t form() const { return options_.centered ? 1 : 0; }

  explicit ScaleByRms(const ScaleByRmsOptions& options) : options_(options) {}

  template <class Real, std::size_t Form>
  auto kernel(const StepInfo&) const {
    const auto alpha = static_cast<Real>(options_.alpha);
    const auto gain = static_cast<Real>(1 - options_.alpha);
    const auto epsilon = static_cast<Real>(options_.epsilon);
    if constexpr (Form == 0) {
      return [=](auto& update, const auto&, auto& s) {
        s = flush_denormals(alpha * s + gain * (update * update));
        update = update / (sqrt(s) + epsilon);
      };
    } else {
      return [=](auto& update, const auto&, auto& s, auto& m) {
        s = flush_denormals(alpha * s + gain * (update * update));
        m = flush_denormals(alpha * m + gain * update);
        using L = std::remove_cvref_t<decltype(s)>;
        update = update / (sqrt(max(s - m * m, L(0))) + epsilon);
      };
    }
  }

  /// The largest |g| whose square the state can hold.
  template <class Real>
  static Real gradient_limit() {
    return std::sqrt((std::numeric_limits<Real>::max)());
  }

 private:
  ScaleByRmsOptions options_;
};

/// Throws `std::invalid_argument` outside the ranges above; `who` is the name that its message begins with.
inline ScaleByRms scale_by_rms(const ScaleByRmsOptions& options = {},
                               std::string_view who = "scale_by_rms") {
  checked(who, "alpha", options.alpha, range::decay_rate);
  checked(who, "epsilon", options.epsilon, range::non_negative);
  return ScaleByRms(options);
}

/// The hyper-parameters of RMSprop, with PyTorch's defaults.
struct RMSpropOptions {
  Schedule learning_rate = 1e-2;  ///< η, a number in [0, ∞) or a schedule
  double alpha = 0.99;            ///< α, decay of the averages, in [0, 1)
  double epsilon = 1e-8;          ///< ε, outside the root, in [0, ∞)
  double weight_decay = 0;        ///< λ, coupled, in [0, ∞)
  double momentum = 0;            ///< μ, in [0, 1)
  bool centered = false;          ///< divide by the standard deviation instead
};

/// State: one slot, one more with momentum and one more when centered; one pass. Throws `std::invalid_argument` outside
/// the ranges above.
template <class Vector = Eigen::VectorXd>
class RMSprop : public Stepper<Vector, AddDecayedWeights, ScaleByRms, Trace, ScaleByLearningRate> {
  using Base = Stepper<Vector, AddDecayedWeights, ScaleByRms, Trace, ScaleByLearningRate>;

 public:
  /// A fresh optimizer; throws `std::invalid_argument` outside the ranges of the options.
  explicit RMSprop(const RMSpropOptions& options = {})
      : Base{add_decayed_weights(options.weight_decay, "RMSprop"),
             scale_by_rms(
                 {.alpha = options.alpha, .epsilon = options.epsilon, .centered = options.centered},
                 "RMSprop"),
             trace({.momentum = options.momentum}, "RMSprop"),
             scale_by_learning_rate(options.learning_rate, "RMSprop")} {}

  /// s, n coefficients; empty before the first step.
  auto mean_square() const { return this->template slot<1>(0); }

  /// m, n coefficients; empty before the first step and where it is not centered.
  auto mean_gradient() const { return this->template slot<1>(1); }
  /// b, n coefficients; empty before the first step and without momentum.
  auto momentum_buffer() const { return this->template slot<2>(0); }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_RMSPROP_HPP
