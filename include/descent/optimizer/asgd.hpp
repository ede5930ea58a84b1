// ASGD: SGD with a decaying rate, and the average of its iterates.
//
//     x ← (1 − λ η_t) x − η_t g,   η_t = η/(1 + λ η (t − 1))^α
//     after step t₀:  n ← n + 1,   a ← a + (x − a)/n
//
// B. T. Polyak and A. B. Juditsky, "Acceleration of stochastic approximation by averaging", SIAM J. Control Optim. 30(4),
// 1992, with the rate of L. Bottou, "Large-scale machine learning with stochastic gradient descent", 2010, as PyTorch has it.
// `averaged(x)` is what converges. Where peers differ: PyTorch's average begins one step later.
#ifndef DESCENT_OPTIMIZER_ASGD_HPP
#define DESCENT_OPTIMIZER_ASGD_HPP

#include <Eigen/Core>
#include <cmath>
#include <cstdint>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/rounded.hpp"
#include "descent/core/schedule.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/stepper.hpp"
#include "descent/transform/add_decayed_weights.hpp"
#include "descent/transform/swa.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of ASGD, with PyTorch's defaults.
struct ASGDOptions {
  Schedule learning_rate = 1e-2;   ///< η, a number in [0, ∞) or a schedule
  double lambda = 1e-4;            ///< λ, decay of rate and parameters, in [0, ∞)
  double alpha = 0.75;             ///< α, power of the rate's decay, in [0, ∞)
  std::int64_t start = 1'000'000;  ///< t₀, the step after which iterates are averaged, at least 0
  double weight_decay = 0;         ///< coupled decay beside λ, in [0, ∞)
};

/// Makes ASGD's step, with a rate of its own. No state; one pass.
class DecayingStep {
 public:
  static constexpr Stage yields = Stage::step;

  /// Throws `std::invalid_argument` outside the ranges of the options.
  explicit DecayingStep(const ASGDOptions& options) : options_(options) {
    options.learning_rate.checked("ASGD", "learning_rate", range::non_negative);
    checked("ASGD", "lambda", options.lambda, range::non_negative);
    checked("ASGD", "alpha", options.alpha, range::non_negative);
  }

  /// η of the update after k others, before its decay.
  double rate(std::int64_t k) const { return options_.learning_rate(k); }
  /// Another η from now on; its decay goes on.
  void set_rate(Schedule rate) { options_.learning_rate = std::move(rate); }

  template <class Real>
  auto kernel(const StepInfo& step) const {
    const double t = static_cast<double>(step.t), lambda = options_.lambda;
    const double growth = 1 + rounded(lambda * step.learning_rate * (t - 1));
    // The default's power without std::pow, whose last bit depends on the machine.
    const double root = std::sqrt(growth);
    const double power =
        options_.alpha == 0.75 ? root * std::sqrt(root) : std::pow(growth, options_.alpha);
    const double eta = step.learning_rate / power;
    const auto minus_rate = static_cast<Real>(-eta), shrink = static_cast<Real>(-lambda * eta);
    return [=](auto& update, const auto& parameter) {
      update = shrink * parameter + minus_rate * update;
    };
  }

 private:
  ASGDOptions options_;
};

/// State: one slot, the average; one pass. Throws `std::invalid_argument` outside the ranges above.
template <class Vector = Eigen::VectorXd>
class ASGD : public Stepper<Vector, AddDecayedWeights, DecayingStep, Swa> {
  using Base = Stepper<Vector, AddDecayedWeights, DecayingStep, Swa>;

 public:
  /// A fresh optimizer; throws `std::invalid_argument` outside the ranges of the options.
  explicit ASGD(const ASGDOptions& options = {})
      : Base{add_decayed_weights(options.weight_decay, "ASGD"), DecayingStep(options),
             Swa({.start = checked_count("ASGD", "start", options.start, 0)})} {}
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_ASGD_HPP
