// trace: momentum, a decaying sum of the gradients.
//
//     b ← μ b + (1 − τ) g            b = g at the first step, without dampening
//     g ← b                          Polyak's heavy ball
//     g ← g + μ b                    Nesterov's form
#ifndef DESCENT_TRANSFORM_TRACE_HPP
#define DESCENT_TRANSFORM_TRACE_HPP

#include <cstddef>
#include <string_view>

#include "descent/core/errors.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of momentum.
struct TraceOptions {
  double momentum = 0.9;  ///< μ, in [0, 1); 0 is no momentum, and then there is no state either
  double dampening = 0;   ///< τ, in [0, 1]
  bool nesterov = false;  ///< needs momentum > 0 and dampening = 0
};

/// State: b, unless momentum is 0; one pass. B. T. Polyak, USSR Comput. Math. 4(5), 1964; Y. Nesterov, Soviet Math.
/// Doklady 27, 1983, in the form of I. Sutskever et al., ICML 2013, as PyTorch writes it: the learning rate stays
/// outside the sum (ensmallen and OptimLib put it inside, which differs once the rate changes).
class Trace {
 public:
  static constexpr Stage yields = Stage::direction;
  static constexpr std::size_t slots = 1;
  static constexpr std::size_t forms = 4;  // none, heavy ball, Nesterov, heavy ball with dampening
  static constexpr std::size_t slots_in(std::size_t form) { return form == 0 ? 0 : 1; }
  std::size_t form() const {
    if (options_.momentum == 0) return 0;
    if (options_.nesterov) return 2;
    return options_.dampening == 0 ? 1 : 3;
  }
  /// For numbers that vary: serves all of them.
  std::size_t varying_form() const { return options_.nesterov ? 2 : 3; }

  explicit Trace(const TraceOptions& options) : options_(options) {}

  template <class Real, std::size_t Form>
  auto kernel(const StepInfo& step) const {
    const auto mu = static_cast<Real>(options_.momentum);
    [[maybe_unused]] const auto gain = static_cast<Real>(step.t == 1 ? 1 : 1 - options_.dampening);
    if constexpr (Form == 0) {
      return [](auto&, const auto&) {};
    } else if constexpr (Form == 3) {
      return [=](auto& update, const auto&, auto& b) {
        b = flush_denormals(mu * b + gain * update);
        update = b;
      };
    } else {
      return [=](auto& update, const auto&, auto& b) {
        b = flush_denormals(mu * b + update);
        update = Form == 2 ? update + mu * b : b;
      };
    }
  }

 private:
  TraceOptions options_;
};

/// Throws `std::invalid_argument` outside the ranges above; `who` is the name that its message begins with.
inline Trace trace(const TraceOptions& options, std::string_view who = "trace") {
  checked(who, "momentum", options.momentum, range::decay_rate);
  checked(who, "dampening", options.dampening, range::fraction);
  if (options.nesterov && options.momentum == 0) {
    throw_invalid(who, "momentum", to_text(options.momentum), "in (0, 1) with nesterov");
  }
  if (options.nesterov && options.dampening != 0) {
    throw_invalid(who, "dampening", to_text(options.dampening), "0 with nesterov");
  }
  return Trace(options);
}

}  // namespace descent::inline v0

#endif  // DESCENT_TRANSFORM_TRACE_HPP
