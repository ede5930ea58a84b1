// The loss on held-out data, for observers that look at it.
#ifndef DESCENT_CORE_VALIDATION_HPP
#define DESCENT_CORE_VALIDATION_HPP

#include "descent/core/objective.hpp"

namespace descent::inline v0 {

/// f's loss at x, with or without its gradient.
template <class F, class V>
double validation_loss(const F& f, const V& x) {
  if constexpr (HasLoss<F, V>) {
    return static_cast<double>(f.loss(x));
  } else {
    static_assert(
        HasLossAndGradient<F, V>,
        "early_stopping and reduce_on_plateau need an objective with double loss(const V& "
        "x) const");
    V unused = x;
    return static_cast<double>(f.loss_and_gradient(x, unused));
  }
}

}  // namespace descent::inline v0

#endif  // DESCENT_CORE_VALIDATION_HPP
