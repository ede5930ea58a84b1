// ema: an exponential moving average of the updates, corrected for its start at 0.
//
//     m ← β m + (1 − β) g
//     g ← m / (1 − βᵗ)
//
// The first moment of Adam (D. P. Kingma and J. Ba, ICLR 2015, Algorithm 1) by itself (optax: ema). `trace` is the sum
// without the factor 1 − β.
#ifndef DESCENT_TRANSFORM_EMA_HPP
#define DESCENT_TRANSFORM_EMA_HPP

#include <cstddef>

#include "descent/core/errors.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/power.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of an exponential moving average.
struct EmaOptions {
  double decay = 0.9;  ///< β, in [0, 1)
  bool debias = true;  ///< divide by 1 − βᵗ
};

/// State: m; one pass.
class Ema {
 public:
  static constexpr Stage yields = Stage::direction;
  static constexpr std::size_t slots = 1;

  explicit Ema(const EmaOptions& options) : options_(options), one_minus_power_(options.decay) {}

  template <class Real>
  auto kernel(const StepInfo& step) {
    const auto b = static_cast<Real>(options_.decay), a = static_cast<Real>(1 - options_.decay);
    const auto k = static_cast<Real>(options_.debias ? 1 / one_minus_power_(step.t) : 1);
    return [=](auto& update, const auto&, auto& m) {
      m = flush_denormals(b * m + a * update);
      update = k * m;
    };
  }

 private:
  EmaOptions options_;
  OneMinusPower one_minus_power_;
};

/// Throws `std::invalid_argument` outside the ranges above.
inline Ema ema(const EmaOptions& options = {}) {
  checked("ema", "decay", options.decay, range::decay_rate);
  return Ema(options);
}

}  // namespace descent::inline v0

#endif  // DESCENT_TRANSFORM_EMA_HPP
