// swa: stochastic weight averaging, the plain mean of the parameters, beside them.
//
//     after step t₀ + c, t₀ + 2c, ...:   n ← n + 1,   a ← a + (x − a)/n
//
// P. Izmailov et al., "Averaging weights leads to wider optima and better generalization", UAI 2018, Algorithm 1; with t₀ = 0
// and c = 1 the average of Polyak and Juditsky (1992). PyTorch: torch.optim.swa_utils.AveragedModel.
#ifndef DESCENT_TRANSFORM_SWA_HPP
#define DESCENT_TRANSFORM_SWA_HPP

#include <cstddef>
#include <cstdint>

#include "descent/core/errors.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of stochastic weight averaging.
struct SwaOptions {
  std::int64_t start = 0;  ///< t₀, steps before the average begins, at least 0
  std::int64_t every = 1;  ///< c, at least 1
};

/// State: a, which `averaged(x)` reads out (x itself where no average has begun); one pass; the parameters themselves
/// pass unchanged.
class Swa {
 public:
  static constexpr Stage accepts = Stage::point;
  static constexpr std::size_t slots = 1;

  explicit Swa(const SwaOptions& options) : options_(options) {}

  template <class Real>
  auto kernel(const StepInfo& step) const {
    const std::int64_t n = averaged_after(step.t);
    const bool takes = n > averaged_after(step.t - 1);
    const auto count = static_cast<Real>(n);
    return [=](auto& x, const auto&, auto& a) {
      if (takes) a += (x - a) / count;
    };
  }
  template <class Real>
  auto average(std::int64_t steps) const {
    const bool begun = averaged_after(steps) > 0;
    return [=](const auto& x, const auto& a) { return begun ? a : x; };
  }

 private:
  SwaOptions options_;

  std::int64_t averaged_after(std::int64_t t) const {
    return t <= options_.start ? 0 : (t - options_.start) / options_.every;
  }
};

/// Throws `std::invalid_argument` outside the ranges above.
inline Swa swa(const SwaOptions& options = {}) {
  checked_count("swa", "start", options.start, 0);
  checked_count("swa", "every", options.every, 1);
  return Swa(options);
}

}  // namespace descent::inline v0

#endif  // DESCENT_TRANSFORM_SWA_HPP
