// SignDescent: every coefficient moves by the rate, against the sign of its gradient; with momentum it is Signum.
//
//     m ← μ m + (1 − μ) g
//     step = −η sign(m)
//
// J. Bernstein et al., "signSGD: Compressed optimisation for non-convex problems", ICML 2018, Algorithms 1 and 2.
// sign(0) = 0.
#ifndef DESCENT_OPTIMIZER_SIGN_DESCENT_HPP
#define DESCENT_OPTIMIZER_SIGN_DESCENT_HPP

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

/// The hyper-parameters of the sign of the momentum.
struct ScaleBySignumOptions {
  double momentum =
      0;  ///< μ, decay of the average, in [0, 1); 0 is no average, and then there is no state either
};

/// g ← sign(m). State: m, unless momentum is 0; one pass.
class ScaleBySignum {
 public:
  static constexpr Stage accepts = Stage::gradient | Stage::direction;
  static constexpr Stage yields = Stage::direction;
  static constexpr std::size_t slots = 1;
  static constexpr std::size_t forms = 2;
  static constexpr std::size_t slots_in(std::size_t form) { return form; }
  std::size_t form() const { return options_.momentum == 0 ? 0 : 1; }
  /// For a momentum that varies: serves all of them.
  static constexpr std::size_t varying_form() { return 1; }

  explicit ScaleBySignum(const ScaleBySignumOptions& options) : options_(options) {}

  template <class Real, std::size_t Form>
  auto kernel(const StepInfo&) const {
    const auto mu = static_cast<Real>(options_.momentum);
    const auto gain = static_cast<Real>(1 - options_.momentum);
    if constexpr (Form == 0) {
      return [](auto& update, const auto&) { update = sign(update); };
    } else {
      return [=](auto& update, const auto&, auto& m) {
        m = mu * m + gain * update;
        m = select(update == 0, flush_denormals(m), m);  // until then even a denormal has a sign
        update = sign(m);
      };
    }
  }

 private:
  ScaleBySignumOptions options_;
};

/// Throws `std::invalid_argument` outside the ranges above; `who` is the name that its message begins with.
inline ScaleBySignum scale_by_signum(const ScaleBySignumOptions& options = {},
                                     std::string_view who = "scale_by_signum") {
  checked(who, "momentum", options.momentum, range::decay_rate);
  return ScaleBySignum(options);
}

/// The hyper-parameters of SignDescent.
struct SignDescentOptions {
  Schedule learning_rate = 1e-3;  ///< η, a number in [0, ∞) or a schedule
  double momentum = 0;            ///< μ, in [0, 1); above 0 it is Signum
  double weight_decay = 0;        ///< λ, decoupled, in [0, ∞)
};

/// State: no slot, one with momentum; one pass. An infinite gradient has a sign and moves x as any other: guard with
/// `skip_if_not_finite()`. Throws `std::invalid_argument` outside the ranges above.
template <class Vector = Eigen::VectorXd>
class SignDescent : public Stepper<Vector, ScaleBySignum, AddDecayedWeights, ScaleByLearningRate> {
  using Base = Stepper<Vector, ScaleBySignum, AddDecayedWeights, ScaleByLearningRate>;

 public:
  /// A fresh optimizer; throws `std::invalid_argument` outside the ranges of the options.
  explicit SignDescent(const SignDescentOptions& options = {})
      : Base{scale_by_signum({.momentum = options.momentum}, "SignDescent"),
             add_decayed_weights(options.weight_decay, "SignDescent"),
             scale_by_learning_rate(options.learning_rate, "SignDescent")} {}

  /// m, n coefficients; empty before the first step and without momentum.
  auto momentum_buffer() const { return this->template slot<0>(0); }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_SIGN_DESCENT_HPP
