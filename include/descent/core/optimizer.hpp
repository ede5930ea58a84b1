// What `minimize` asks of an optimizer.
#ifndef DESCENT_CORE_OPTIMIZER_HPP
#define DESCENT_CORE_OPTIMIZER_HPP

#include <concepts>
#include <cstdint>

#include "descent/core/version.hpp"

namespace descent::inline v0 {

/// Which gradients an optimizer is made for: of the full loss, of mini-batches, or either.
enum class Gradients { full, sampled, either };

/// Its parameters' type, a step, and its place. Named optimizers and `chain(...)` are optimizers.
template <class O>
concept Optimizer = requires(O& optimizer, const O& fixed, typename O::Vector& x,
                             const typename O::Vector& g) {
  optimizer.step(x, g);
  optimizer.reset();
  { fixed.steps() } -> std::convertible_to<std::int64_t>;
  { fixed.learning_rate() } -> std::convertible_to<double>;
};

/// The gradients that an optimizer declares itself for; `either` when it says nothing.
template <class O>
inline constexpr Gradients gradients_of = [] {
  if constexpr (requires { O::gradients; }) {
    return O::gradients;
  } else {
    return Gradients::either;
  }
}();

/// Whether its steps depend on the loss (`static constexpr bool needs_loss = true`): `minimize` then evaluates it even
/// where it does not come with the gradient.
template <class O>
inline constexpr bool needs_loss_of = [] {
  if constexpr (requires { O::needs_loss; }) {
    return bool(O::needs_loss);
  } else {
    return false;
  }
}();

}  // namespace descent::inline v0

#endif  // DESCENT_CORE_OPTIMIZER_HPP
