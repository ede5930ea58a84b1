// schedule_free: steps whose average needs no schedule, the rate of a chain of any direction u.
//
//     w_k = k^r η_max^p,   c = w_k / Σ w                     k = 1, 2, ..., η_max the largest rate so far
//     y ← y + c (z − y) + η (β (1 − c) − 1) u                the parameters: where gradients are taken
//     z ← z − η u                                            z = y at the start
//     averaged(y) = x = (y − (1 − β) z) / β                  the point to evaluate
//
// A. Defazio et al., "The road less scheduled", NeurIPS 2024, equations 4 to 6, in the form of the authors' code, which
// moves y and z and forms x when asked. optax forms x at every step and evaluates warm-up one step apart.
#ifndef DESCENT_TRANSFORM_SCHEDULE_FREE_HPP
#define DESCENT_TRANSFORM_SCHEDULE_FREE_HPP

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/rounded.hpp"
#include "descent/core/schedule.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of Schedule-Free steps, with the defaults of the authors' code.
struct ScheduleFreeOptions {
  Schedule learning_rate = 1;  ///< η, a number in [0, ∞) or a schedule (of the warm-up)
  double beta = 0.9;           ///< β, how far y lies towards the average x, in (0, 1]
  double step_power = 0;       ///< r, of the number of the step in the weights, in [0, ∞)
  double rate_power = 2;       ///< p, of the largest rate in the weights, in [0, ∞)
};

/// Carries the learning rate. State: z and two numbers; one pass.
class ScheduleFree {
 public:
  static constexpr Stage yields = Stage::step;
  static constexpr std::size_t slots = 1;
  static constexpr std::size_t numbers = 2;  // Σ w and η_max

  explicit ScheduleFree(ScheduleFreeOptions options) : options_(std::move(options)) {}

  /// η of the update after k others.
  double rate(std::int64_t k) const { return options_.learning_rate(k); }
  /// Another rate from now on.
  void set_rate(Schedule learning_rate) { options_.learning_rate = std::move(learning_rate); }

  template <class Real>
  auto kernel(const StepInfo& step) const {
    const bool first = step.t == 1;
    const double weight = share(step), rate = step.learning_rate;
    const auto c = static_cast<Real>(weight), minus_rate = static_cast<Real>(-rate),
               pull = static_cast<Real>(rate * (rounded(options_.beta * (1 - weight)) - 1));
    return [=](auto& update, const auto& y, auto& z) {
      if (first) z = y;
      const auto to_average = c * (z - y) + pull * update;
      z += minus_rate * update;
      update = to_average;
    };
  }

  template <class Real>
  auto average(std::int64_t) const {
    const auto b = static_cast<Real>(options_.beta), a = static_cast<Real>(1 - options_.beta);
    return [=](const auto& y, const auto& z) { return (y - a * z) / b; };
  }

 private:
  ScheduleFreeOptions options_;

  // c, 0 while the rate has been 0.
  double share(const StepInfo& step) const {
    double& sum = step.numbers[0];
    double& largest = step.numbers[1];
    largest = std::max(largest, step.learning_rate);
    const double weight = rounded(power(static_cast<double>(step.t), options_.step_power) *
                                  power(largest, options_.rate_power));
    sum += weight;
    return sum > 0 ? weight / sum : 0;
  }
  // Without std::pow, whose last bits differ by library, where it is not needed.
  static double power(double base, double exponent) {
    if (exponent == 0) return 1;
    if (exponent == 1) return base;
    return exponent == 2 ? rounded(base * base) : std::pow(base, exponent);
  }
};

/// Throws `std::invalid_argument` outside the ranges above; `who` is the name that its message begins with.
inline ScheduleFree schedule_free(const ScheduleFreeOptions& options = {},
                                  std::string_view who = "schedule_free") {
  options.learning_rate.checked(who, "learning_rate", range::non_negative);
  checked(who, "beta", options.beta, {.lower = 0, .upper = 1, .lower_open = true});
  checked(who, "step_power", options.step_power, range::non_negative);
  checked(who, "rate_power", options.rate_power, range::non_negative);
  return ScheduleFree(options);
}

}  // namespace descent::inline v0

#endif  // DESCENT_TRANSFORM_SCHEDULE_FREE_HPP
