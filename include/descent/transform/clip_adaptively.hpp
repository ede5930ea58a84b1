// clip_adaptively: a gradient may be at most λ times as large as the parameters.
//
//     g ← g · min(1, λ max(‖x‖, ε) / ‖g‖)
//
// A. Brock et al., "High-performance large-scale image recognition without normalization", ICML 2021, equation 3, where
// the norms are those of the units of a layer (optax: adaptive_grad_clip). Here the parameters are one unit.
#ifndef DESCENT_TRANSFORM_CLIP_ADAPTIVELY_HPP
#define DESCENT_TRANSFORM_CLIP_ADAPTIVELY_HPP

#include <array>

#include "descent/core/errors.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/transform.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of adaptive clipping.
struct ClipAdaptivelyOptions {
  double clipping = 0.01;  ///< λ, in (0, ∞)
  double epsilon = 1e-3;   ///< ε, the least norm that parameters count for, in (0, ∞)
};

/// No state; reducing: one more pass, which only reads. NaN stays NaN.
class ClipAdaptively {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr std::array reduces{Reduce::norm, Reduce::norm};

  explicit ClipAdaptively(const ClipAdaptivelyOptions& options) : options_(options) {}

  template <class Real>
  auto statistic(const StepInfo&) const {
    return [](const auto& update, const auto& parameter) { return std::array{update, parameter}; };
  }

  template <class Real>
  auto kernel(const StepInfo& step) const {
    const double g = step.sums[0], x = step.sums[1];
    const double limit = options_.clipping * (x < options_.epsilon ? options_.epsilon : x);
    const auto scale = static_cast<Real>(g <= limit ? 1 : limit / g);
    return [=](auto& update, const auto&) { update = scale * update; };
  }

 private:
  ClipAdaptivelyOptions options_;
};

/// Throws `std::invalid_argument` outside the ranges above.
inline ClipAdaptively clip_adaptively(const ClipAdaptivelyOptions& options = {}) {
  checked("clip_adaptively", "clipping", options.clipping, range::positive);
  checked("clip_adaptively", "epsilon", options.epsilon, range::positive);
  return ClipAdaptively(options);
}

}  // namespace descent::inline v0

#endif  // DESCENT_TRANSFORM_CLIP_ADAPTIVELY_HPP
