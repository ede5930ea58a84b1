// scale_by_learning_rate: the step, u = −η(k) · direction, that is added to the parameters.
#ifndef DESCENT_TRANSFORM_SCALE_BY_LEARNING_RATE_HPP
#define DESCENT_TRANSFORM_SCALE_BY_LEARNING_RATE_HPP

#include <cstdint>
#include <string_view>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/schedule.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"

namespace descent::inline v0 {

/// No state; one pass.
class ScaleByLearningRate {
 public:
  static constexpr Stage yields = Stage::step;

  explicit ScaleByLearningRate(Schedule learning_rate) : learning_rate_(std::move(learning_rate)) {}

  /// η of the update after k others.
  double rate(std::int64_t k) const { return learning_rate_(k); }
  /// Another rate from now on.
  void set_rate(Schedule learning_rate) { learning_rate_ = std::move(learning_rate); }

  template <class Real>
  auto kernel(const StepInfo& step) const {
    const auto minus_rate = static_cast<Real>(-step.learning_rate);
    return [=](auto& update, const auto&) { update = minus_rate * update; };
  }

 private:
  Schedule learning_rate_;
};

/// η = learning_rate, a number in [0, ∞) or a schedule; a number outside is an `std::invalid_argument` at once, a
/// schedule's value at the step it is for. `who` is the name that the message begins with.
inline ScaleByLearningRate scale_by_learning_rate(Schedule learning_rate,
                                                  std::string_view who = "scale_by_learning_rate") {
  learning_rate.checked(who, "learning_rate", range::non_negative);
  return ScaleByLearningRate(std::move(learning_rate));
}

}  // namespace descent::inline v0

#endif  // DESCENT_TRANSFORM_SCALE_BY_LEARNING_RATE_HPP
