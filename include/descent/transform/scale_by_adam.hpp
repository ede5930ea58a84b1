// scale_by_adam: the direction of Adam, and of AMSGrad.
//
//     m ← β₁ m + (1 − β₁) g          m̂ = m / (1 − β₁ᵗ)
//     v ← β₂ v + (1 − β₂) g²         v̂ = v / (1 − β₂ᵗ)
//     g ← m̂ / (√v̂ + ε)
//
// D. P. Kingma and J. Ba, "Adam: A method for stochastic optimization", ICLR 2015, Algorithm 1.
#ifndef DESCENT_TRANSFORM_SCALE_BY_ADAM_HPP
#define DESCENT_TRANSFORM_SCALE_BY_ADAM_HPP

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "descent/core/errors.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/power.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of Adam's direction.
struct ScaleByAdamOptions {
  double beta1 = 0.9;     ///< β₁, decay of the first moment, in [0, 1)
  double beta2 = 0.999;   ///< β₂, decay of the second moment, in [0, 1)
  double epsilon = 1e-8;  ///< ε, in [0, ∞)
  bool amsgrad =
      false;  ///< divide by the largest v so far (S. J. Reddi et al., ICLR 2018), corrected as v is
  bool folded = false;  ///< the paper's folded form: ε joins √v before the correction, not after it
};

/// State: m, v and, with AMSGrad, the largest v; one pass. ε stands outside the root and after the correction, as in
/// the paper and in PyTorch. `folded` is the form at the end of the paper's section 2 (TensorFlow, Keras, ensmallen):
/// √(1 − β₂ᵗ)/(1 − β₁ᵗ) · m/(√v + ε), where ε acts 1/√(1 − β₂ᵗ) times stronger, 31.6 times at t = 1. AMSGrad follows
/// PyTorch: the maximum is taken of v, optax takes it of v̂.
class ScaleByAdam {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr Stage yields = Stage::direction;
  static constexpr std::size_t slots = 3;
  static constexpr std::size_t forms = 2;
  static constexpr std::size_t slots_in(std::size_t form) { return form == 0 ? 2 : 3; }
  std::size_t form() const { return options_.amsgrad ? 1 : 0; }

  explicit ScaleByAdam(const ScaleByAdamOptions& options)
      : options_(options), one_minus_power1_(options.beta1), one_minus_power2_(options.beta2) {}

  template <class Real, std::size_t Form>
  auto kernel(const StepInfo& step) {
    if (step.t != prepared_) prepare(step.t);
    const auto k = static_cast<Real>(k_), epsilon = static_cast<Real>(epsilon_);
    prepare(step.t + 1);
    const auto b1 = static_cast<Real>(options_.beta1), a1 = static_cast<Real>(1 - options_.beta1);
    const auto b2 = static_cast<Real>(options_.beta2), a2 = static_cast<Real>(1 - options_.beta2);
    const auto moments = [=](const auto& g, auto& m, auto& v) {
      m = flush_denormals(b1 * m + a1 * g);
      v = flush_denormals(b2 * v + a2 * (g * g));
    };
    if constexpr (Form == 0) {
      return [=](auto& update, const auto&, auto& m, auto& v) {
        moments(update, m, v);
        update = (k * m) / (sqrt(v) + epsilon);
      };
    } else {
      return [=](auto& update, const auto&, auto& m, auto& v, auto& largest_v) {
        moments(update, m, v);
        largest_v = max(v, largest_v);
        update = (k * m) / (sqrt(largest_v) + epsilon);
      };
    }
  }

  /// The largest |g| whose square the second moment can hold: a larger one would freeze its coordinate for ever.
  template <class Real>
  static Real gradient_limit() {
    return std::sqrt((std::numeric_limits<Real>::max)());
  }

 private:
  ScaleByAdamOptions options_;
  OneMinusPower one_minus_power1_, one_minus_power2_;
  std::int64_t prepared_ = 0;
  double k_ = 0, epsilon_ = 0;

  // m̂/(√v̂ + ε) = k m/(√v + ε √c₂) with c = 1 − βᵗ and k = √c₂/c₁: one product and one rounding less, and nothing
  // stands between root and quotient. Worked out a step ahead, so that no lane waits for it.
  [[gnu::noinline]] void prepare(std::int64_t t) {
    const double root = std::sqrt(one_minus_power2_(t));
    k_ = root / one_minus_power1_(t);
    epsilon_ = options_.folded ? options_.epsilon : options_.epsilon * root;
    prepared_ = t;
  }
};

/// Throws `std::invalid_argument` outside the ranges above; `who` is the name that its message begins with.
inline ScaleByAdam scale_by_adam(const ScaleByAdamOptions& options = {},
                                 std::string_view who = "scale_by_adam") {
  checked(who, "beta1", options.beta1, range::decay_rate);
  checked(who, "beta2", options.beta2, range::decay_rate);
  checked(who, "epsilon", options.epsilon, range::non_negative);
  return ScaleByAdam(options);
}

}  // namespace descent::inline v0

#endif  // DESCENT_TRANSFORM_SCALE_BY_ADAM_HPP
