// weight_ema: an exponential moving average of the parameters, beside them.
//
//     a ← β a + (1 − β) x          averaged(x) = a / (1 − βᵗ)
//
// D. Ruppert, 1988, and B. T. Polyak and A. B. Juditsky, SIAM J. Control Optim. 30(4), 1992, with weights that decay
// (optax: ema, of the parameters). PyTorch's AveragedModel starts with a = x₁ instead of correcting.
#ifndef DESCENT_TRANSFORM_WEIGHT_EMA_HPP
#define DESCENT_TRANSFORM_WEIGHT_EMA_HPP

#include <cstddef>
#include <cstdint>

#include "descent/core/errors.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/power.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of an average of the parameters.
struct WeightEmaOptions {
  double decay = 0.999;  ///< β, in [0, 1)
  bool debias = true;    ///< `averaged(x)` divides by 1 − βᵗ
};

/// State: a, which `averaged(x)` reads out; one pass; the parameters themselves pass unchanged.
class WeightEma {
 public:
  static constexpr Stage accepts = Stage::point;
  static constexpr std::size_t slots = 1;

  explicit WeightEma(const WeightEmaOptions& options) : options_(options) {}

  template <class Real>
  auto kernel(const StepInfo&) const {
    const auto b = static_cast<Real>(options_.decay), c = static_cast<Real>(1 - options_.decay);
    return [=](auto& x, const auto&, auto& a) { a = flush_denormals(b * a + c * x); };
  }
  template <class Real>
  auto average(std::int64_t steps) const {
    const auto weight =
        static_cast<Real>(options_.debias ? OneMinusPower(options_.decay)(steps) : 1);
    return [=](const auto&, const auto& a) { return a / weight; };
  }

 private:
  WeightEmaOptions options_;
};

/// Throws `std::invalid_argument` outside the ranges above.
inline WeightEma weight_ema(const WeightEmaOptions& options = {}) {
  checked("weight_ema", "decay", options.decay, range::decay_rate);
  return WeightEma(options);
}

}  // namespace descent::inline v0

#endif  // DESCENT_TRANSFORM_WEIGHT_EMA_HPP
