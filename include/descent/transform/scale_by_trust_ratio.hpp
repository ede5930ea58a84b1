// scale_by_trust_ratio: a direction as long as the parameters, u ← γ φ(‖x‖) / (‖u‖ + ε) · u.
//
// φ(r) = min(max(r, γ_l), γ_u); the ratio is 1 where φ(‖x‖) or ‖u‖ is 0. All parameters are one block.
//
// Y. You, I. Gitman and B. Ginsburg, "Large batch training of convolutional networks", 2017, equation 6 (γ the trust
// coefficient), and Y. You et al., "Large batch optimization for deep learning: Training BERT in 76 minutes", ICLR 2020,
// Algorithm 2 (φ). Where peers differ: optax has a smallest norm for both, none of them a largest one.
#ifndef DESCENT_TRANSFORM_SCALE_BY_TRUST_RATIO_HPP
#define DESCENT_TRANSFORM_SCALE_BY_TRUST_RATIO_HPP

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>

#include "descent/core/errors.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/transform.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of the trust ratio.
struct ScaleByTrustRatioOptions {
  double coefficient = 1;  ///< γ, in (0, ∞)
  double epsilon = 0;      ///< ε, in [0, ∞)
  double min_norm = 0;     ///< γ_l, the least that ‖x‖ counts for, in [0, ∞)
  double max_norm = (std::numeric_limits<double>::max)();  ///< γ_u, the most, in (0, ∞)
};

/// No state; reducing: a pass begins at it. Norms neither overflow nor vanish; NaN stays NaN.
class ScaleByTrustRatio {
 public:
  static constexpr std::array reduces{Reduce::norm, Reduce::norm};

  explicit ScaleByTrustRatio(const ScaleByTrustRatioOptions& options) : options_(options) {}

  template <class Real>
  auto statistic(const StepInfo&) const {
    return [](const auto& update, const auto& parameter) { return std::array{parameter, update}; };
  }

  template <class Real>
  auto kernel(const StepInfo& step) const {
    constexpr auto most = static_cast<double>((std::numeric_limits<Real>::max)());
    // A ratio that Real cannot hold is its largest number: infinity times the zeros of the update would be NaN.
    const double ratio = std::min(ratio_of(step.sums[0], step.sums[1]), most);
    const auto scale = static_cast<Real>(ratio);
    return [=](auto& update, const auto&) { update = scale * update; };
  }

 private:
  ScaleByTrustRatioOptions options_;

  double ratio_of(double x, double u) const {
    const double norm = std::min(std::max(x, options_.min_norm), options_.max_norm);
    if (norm == 0 || u == 0) return 1;
    return options_.coefficient * norm / (u + options_.epsilon);
  }
};

/// Throws `std::invalid_argument` outside the ranges above; `who` is the name that its message begins with.
inline ScaleByTrustRatio scale_by_trust_ratio(const ScaleByTrustRatioOptions& options = {},
                                              std::string_view who = "scale_by_trust_ratio") {
  checked(who, "coefficient", options.coefficient, range::positive);
  checked(who, "epsilon", options.epsilon, range::non_negative);
  checked(who, "min_norm", options.min_norm, range::non_negative);
  checked(who, "max_norm", options.max_norm, range::positive);
  return ScaleByTrustRatio(options);
}

}  // namespace descent::inline v0

#endif  // DESCENT_TRANSFORM_SCALE_BY_TRUST_RATIO_HPP
