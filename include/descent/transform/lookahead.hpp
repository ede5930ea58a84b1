// lookahead: k steps of the chain ahead of it, then back to a point on the way.
//
//     every k steps:   s ← s + α (x − s),   x ← s          s = x₀ at the start
//
// M. R. Zhang, J. Lucas, G. Hinton and J. Ba, "Lookahead optimizer: k steps forward, 1 step back", NeurIPS 2019,
// Algorithm 1. The state of the chain ahead goes on over the jump, as in the authors' code and optax by default.
#ifndef DESCENT_TRANSFORM_LOOKAHEAD_HPP
#define DESCENT_TRANSFORM_LOOKAHEAD_HPP

#include <cstddef>
#include <cstdint>

#include "descent/core/errors.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of look-ahead, with the paper's defaults.
struct LookaheadOptions {
  std::int64_t sync_period = 5;  ///< k, at least 1
  double slow_step_size = 0.5;   ///< α, in [0, 1]
  bool reset_state = false;      ///< the chain ahead begins afresh at s
};

/// State: s, the slow parameters, which `averaged(x)` reads out; one pass.
class Lookahead {
 public:
  static constexpr Stage accepts = Stage::point;
  static constexpr std::size_t slots = 1;

  explicit Lookahead(const LookaheadOptions& options) : options_(options) {}

  template <class Real>
  auto kernel(const StepInfo& step) const {
    const bool first = step.t == 1, together = synchronizes(step);
    const auto alpha = static_cast<Real>(options_.slow_step_size);
    return [=](auto& x, const auto& before, auto& s) {
      if (first) s = before;
      if (together) {
        s = s + alpha * (x - s);
        x = s;
      }
    };
  }
  bool restarts(const StepInfo& step) const { return options_.reset_state && synchronizes(step); }
  template <class Real>
  auto average(std::int64_t) const {
    return [](const auto&, const auto& s) { return s; };
  }

 private:
  LookaheadOptions options_;

  bool synchronizes(const StepInfo& step) const { return step.t % options_.sync_period == 0; }
};

/// Throws `std::invalid_argument` outside the ranges above.
inline Lookahead lookahead(const LookaheadOptions& options = {}) {
  checked_count("lookahead", "sync_period", options.sync_period, 1);
  checked("lookahead", "slow_step_size", options.slow_step_size, range::fraction);
  return Lookahead(options);
}

}  // namespace descent::inline v0

#endif  // DESCENT_TRANSFORM_LOOKAHEAD_HPP
