// Rprop: step sizes that grow while a coefficient's gradient keeps its sign, and shrink when it changes.
//
//     s = g · g_previous
//     Δ ← clip(Δ · η⁺ or η⁻ or 1 as s > 0, s < 0 or s = 0, Δ_min, Δ_max)
//     g ← 0 where s < 0
//     step = −sign(g) Δ
//
// M. Riedmiller and H. Braun, "A direct adaptive method for faster backpropagation learning", ICNN 1993; this variant, which
// forgets the gradient after a change of sign, is PyTorch's (C. Igel and M. Hüsken, NC 2000, call it iRprop−). As there, a
// product s that underflows counts as 0. optax applies the step of the update before.
#ifndef DESCENT_OPTIMIZER_RPROP_HPP
#define DESCENT_OPTIMIZER_RPROP_HPP

#include <Eigen/Core>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/schedule.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/stepper.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of Rprop, with PyTorch's defaults.
struct RpropOptions {
  Schedule learning_rate =
      1e-2;  ///< η, the first Δ: a number in [0, ∞); a schedule scales all steps by η(k)/η(0)
  double eta_minus = 0.5;  ///< η⁻, in (0, 1)
  double eta_plus = 1.2;   ///< η⁺, in (1, ∞)
  double step_min = 1e-6;  ///< Δ_min, in [0, ∞)
  double step_max = 50;    ///< Δ_max, in [Δ_min, ∞)
};

/// Makes Rprop's step, with a rate for each coefficient. A learning rate that changes (by a schedule, by
/// `set_learning_rate`, by `scale_learning_rate`) scales the steps beside Δ. State: the last gradient and Δ; one pass.
class RpropStep {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr Stage yields = Stage::step;
  static constexpr std::size_t slots = 2;
  double initial(std::size_t slot) const { return slot == 0 ? 0 : first_; }

  /// Throws `std::invalid_argument` outside the ranges of the options.
  explicit RpropStep(const RpropOptions& options)
      : options_(options), first_(options.learning_rate(0)) {
    options.learning_rate.checked("Rprop", "learning_rate", range::non_negative);
    checked("Rprop", "eta_minus", options.eta_minus,
            {.lower = 0, .upper = 1, .lower_open = true, .upper_open = true});
    checked("Rprop", "eta_plus", options.eta_plus, {.lower = 1, .lower_open = true});
    checked("Rprop", "step_min", options.step_min, range::non_negative);
    checked("Rprop", "step_max", options.step_max, {.lower = options.step_min});
  }

  /// η of the update after k others.
  double rate(std::int64_t k) const { return options_.learning_rate(k); }
  /// Another η from now on; Δ stays.
  void set_rate(Schedule rate) { options_.learning_rate = std::move(rate); }

  template <class Real>
  auto kernel(const StepInfo& step) const {
    const auto scale = static_cast<Real>(first_ > 0 ? step.learning_rate / first_ : 1);
    const auto minus = static_cast<Real>(options_.eta_minus);
    const auto plus = static_cast<Real>(options_.eta_plus);
    const auto least = static_cast<Real>(options_.step_min);
    const auto most = static_cast<Real>(options_.step_max);
    return [=](auto& update, const auto&, auto& last, auto& size) {
      using L = std::remove_cvref_t<decltype(update)>;
      const L s = update * last, zero(0);
      size = size * select(zero < s, L(plus), select(s < zero, L(minus), L(1)));
      size = min(max(size, L(least)), L(most));
      last = zero_where(s < zero, update);
      update = -(sign(last) * (L(scale) * size));
    };
  }

 private:
  RpropOptions options_;
  double first_;
};

/// State: two slots; one pass. For full gradients: on mini-batches signs change by chance. Throws
/// `std::invalid_argument` outside the ranges above.
template <class Vector = Eigen::VectorXd>
class Rprop : public Stepper<Vector, RpropStep> {
 public:
  /// A fresh optimizer; throws `std::invalid_argument` outside the ranges of the options.
  explicit Rprop(const RpropOptions& options = {})
      : Stepper<Vector, RpropStep>{RpropStep(options)} {}

  /// The gradient before, 0 where its sign changed, n coefficients; empty before the first step.
  auto last_gradient() const { return this->template slot<0>(0); }
  /// Δ, n coefficients; empty before the first step.
  auto step_sizes() const { return this->template slot<0>(1); }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_RPROP_HPP
