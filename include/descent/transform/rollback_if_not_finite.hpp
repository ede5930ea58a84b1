// rollback_if_not_finite: a gradient with a NaN or an infinity undoes the step that led to it, and all later ones are
// shorter.
//
//     g finite:   y ← x, and the chain goes on
//     otherwise:  x ← y, η ← factor · η
//
// The parameters go back to the last point whose gradient was finite; the state of the transforms behind it is that of
// the step that is undone.
#ifndef DESCENT_TRANSFORM_ROLLBACK_IF_NOT_FINITE_HPP
#define DESCENT_TRANSFORM_ROLLBACK_IF_NOT_FINITE_HPP

#include <array>
#include <cstddef>

#include "descent/core/errors.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/transform.hpp"

namespace descent::inline v0 {

/// A gate. State: y; one more pass, which only reads. Before the first finite gradient there is nothing to go back to,
/// and x stays.
class RollbackIfNotFinite {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr std::array reduces{Reduce::sum};
  static constexpr std::size_t slots = 1;

  explicit RollbackIfNotFinite(double factor) : factor_(factor) {}

  template <class Real>
  auto statistic(const StepInfo&) const {
    return [](const auto& update, const auto&, const auto&) { return std::array{update - update}; };
  }
  bool admits(const StepInfo& step) const { return step.sums[0] == 0; }
  double slows_down() const { return factor_; }

  template <class Real>
  auto otherwise(const StepInfo& step) const {
    const bool nowhere = step.t == 1;
    return [=](auto& parameter, const auto&, auto& y) {
      if (!nowhere) parameter = y;
    };
  }
  template <class Real>
  auto kernel(const StepInfo&) const {
    return [](auto&, const auto& parameter, auto& y) { y = parameter; };
  }

 private:
  double factor_;
};

/// factor in (0, 1], otherwise `std::invalid_argument`.
inline RollbackIfNotFinite rollback_if_not_finite(double factor = 0.5) {
  return RollbackIfNotFinite(checked("rollback_if_not_finite", "factor", factor,
                                     Range{.lower = 0, .upper = 1, .lower_open = true}));
}

}  // namespace descent::inline v0

#endif  // DESCENT_TRANSFORM_ROLLBACK_IF_NOT_FINITE_HPP
