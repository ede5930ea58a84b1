// clip_by_value: every coefficient of g is brought into [−c, c].
//
// PyTorch's clip_grad_value_ (optax: clip). It changes the direction of g, which clip_by_global_norm does not.
#ifndef DESCENT_TRANSFORM_CLIP_BY_VALUE_HPP
#define DESCENT_TRANSFORM_CLIP_BY_VALUE_HPP

#include <type_traits>

#include "descent/core/errors.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"

namespace descent::inline v0 {

/// No state; one pass. NaN stays NaN.
class ClipByValue {
 public:
  static constexpr Stage accepts = Stage::gradient;

  explicit ClipByValue(double limit) : limit_(limit) {}

  /// No coefficient behind it is larger.
  double bound() const { return limit_; }

  template <class Real>
  auto kernel(const StepInfo&) const {
    const auto c = static_cast<Real>(limit_);
    return [=](auto& update, const auto&) {
      using L = std::remove_reference_t<decltype(update)>;
      update = min(max(update, L(-c)), L(c));
    };
  }

 private:
  double limit_;
};

/// c = limit in (0, ∞), otherwise `std::invalid_argument`.
inline ClipByValue clip_by_value(double limit) {
  return ClipByValue(checked("clip_by_value", "limit", limit, range::positive));
}

}  // namespace descent::inline v0

#endif  // DESCENT_TRANSFORM_CLIP_BY_VALUE_HPP
