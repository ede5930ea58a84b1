// clip_by_global_norm: g ← g · min(1, c / (‖g‖ + 10⁻⁶)), ‖g‖ over all coefficients.
//
// R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural networks", ICML 2013,
// Algorithm 1; the 10⁻⁶ is PyTorch's clip_grad_norm_ (optax has none, and 0/0 where both are 0).
#ifndef DESCENT_TRANSFORM_CLIP_BY_GLOBAL_NORM_HPP
#define DESCENT_TRANSFORM_CLIP_BY_GLOBAL_NORM_HPP

#include <array>

#include "descent/core/errors.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/transform.hpp"

namespace descent::inline v0 {

/// No state; reducing: one more pass, which only reads. The norm neither overflows nor underflows, so a gradient of
/// 1e200 is clipped (PyTorch's norm is infinite there and the update vanishes). NaN stays NaN.
class ClipByGlobalNorm {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr std::array reduces{Reduce::norm};

  explicit ClipByGlobalNorm(double max_norm) : max_norm_(max_norm) {}

  /// No coefficient behind it is larger.
  double bound() const { return max_norm_; }

  template <class Real>
  auto statistic(const StepInfo&) const {
    return [](const auto& update, const auto&) { return std::array{update}; };
  }

  template <class Real>
  auto kernel(const StepInfo& step) const {
    const double ratio = max_norm_ / (step.sums[0] + 1e-6);
    const auto scale = static_cast<Real>(ratio > 1 ? 1 : ratio);
    return [=](auto& update, const auto&) { update = scale * update; };
  }

 private:
  double max_norm_;
};

/// c = max_norm in (0, ∞), otherwise `std::invalid_argument`.
inline ClipByGlobalNorm clip_by_global_norm(double max_norm) {
  return ClipByGlobalNorm(checked("clip_by_global_norm", "max_norm", max_norm, range::positive));
}

}  // namespace descent::inline v0

#endif  // DESCENT_TRANSFORM_CLIP_BY_GLOBAL_NORM_HPP
