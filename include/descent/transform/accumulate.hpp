// accumulate: one step for the mean of k gradients, as if they were those of one large mini-batch.
//
//     s ← s + g          k − 1 times, and nothing else happens: neither the transforms behind it nor the parameters move
//     g ← (s + g) / k,  s ← 0          then the chain goes on
//
// PyTorch's loop that divides the loss by k and steps at every k-th; optax's MultiSteps, which runs the whole chain each
// time and throws the result away.
#ifndef DESCENT_TRANSFORM_ACCUMULATE_HPP
#define DESCENT_TRANSFORM_ACCUMULATE_HPP

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "descent/core/errors.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"

namespace descent::inline v0 {

/// State: s; one pass. `steps()` and schedules count the steps of the chain behind it, not the gradients.
class Accumulate {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr std::size_t slots = 1;
  static constexpr std::size_t numbers = 1;  // gradients in s

  explicit Accumulate(std::int64_t gradients) : gradients_(gradients) {}

  bool admits(const StepInfo& step) const {
    double& held = step.numbers[0];
    if (++held < static_cast<double>(gradients_)) return false;
    held = 0;
    return true;
  }
  template <class Real>
  auto otherwise(const StepInfo&) const {
    return [](auto&, const auto& update, auto& s) { s += update; };
  }
  template <class Real>
  auto kernel(const StepInfo&) const {
    const auto k = static_cast<Real>(gradients_);
    return [=](auto& update, const auto&, auto& s) {
      using L = std::remove_reference_t<decltype(update)>;
      update = (s + update) / k;
      s = L(0);
    };
  }

 private:
  std::int64_t gradients_;
};

/// k = gradients, at least 1, otherwise `std::invalid_argument`.
inline Accumulate accumulate(std::int64_t gradients) {
  return Accumulate(checked_count("accumulate", "gradients", gradients, 1));
}

}  // namespace descent::inline v0

#endif  // DESCENT_TRANSFORM_ACCUMULATE_HPP
