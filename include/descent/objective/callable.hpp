// objective(f): a callable (x, g) -> loss that writes the gradient, as an objective.
#ifndef DESCENT_OBJECTIVE_CALLABLE_HPP
#define DESCENT_OBJECTIVE_CALLABLE_HPP

#include <concepts>
#include <type_traits>
#include <utility>

#include "descent/core/stored.hpp"

namespace descent::inline v0 {

/// What `objective(f)` returns.
template <class Held>
class Callable {
  Held f_;

 public:
  explicit Callable(Held f) : f_(std::move(f)) {}

  template <class V>
  requires std::is_invocable_r_v<double, decltype(std::declval<const Held&>().get()), const V&, V&>
  double loss_and_gradient(const V& x, V& g) const { return static_cast<double>(f_.get()(x, g)); }
};

/// Wraps `f(x, g)`, which returns the loss at x and writes the gradient into g, already of the size of x. Refers to an
/// lvalue, which must outlive the objective, and owns an rvalue. The callable is called as const.
template <class F>
auto objective(F&& f) {
  return Callable<Stored<F&&>>(Stored<F&&>(std::forward<F>(f)));
}

}  // namespace descent::inline v0

#endif  // DESCENT_OBJECTIVE_CALLABLE_HPP
