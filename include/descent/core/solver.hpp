// What `minimize` asks of a solver: a method that drives the objective itself, choosing the points where it is evaluated.
#ifndef DESCENT_CORE_SOLVER_HPP
#define DESCENT_CORE_SOLVER_HPP

#include <concepts>
#include <cstdint>
#include <limits>

#include "descent/core/version.hpp"

namespace descent::inline v0 {

/// A point and what is known there.
template <class V>
struct Point {
  V x;                                                     ///< the parameters
  V g;                                                     ///< the gradient at x
  double loss = std::numeric_limits<double>::quiet_NaN();  ///< at x
  double norm = std::numeric_limits<
      double>::quiet_NaN();  ///< the largest |coefficient| of g, or what stands for it
};

/// What an iteration came to. `moved`: there is a new point. `unbounded`: there is one, and beyond it the loss falls without
/// end. `stuck`: no step is acceptable. `refused`: a limit on evaluations or time was reached half-way.
enum class Moved { moved, unbounded, stuck, refused };

/// What a solver returns from an iteration.
template <class V>
struct Iteration {
  Moved outcome;      ///< whether there is a new point
  const V* before{};  ///< where it moved: the parameters before
};

/// How a solver evaluates; the driver supplies it. `evaluate(point)` fills in g, loss and norm at point.x, and is false when
/// one of them is not finite. Where loss and gradient are `separate`, the loss alone is cheaper: `evaluate.loss(point)`, and
/// `evaluate.gradient(point)` once it is known; `evaluate.gradient_alone(point)` where it does not matter. With
/// `has_hessian_product` there is `evaluate.hessian_product(x, v, product)`. All of them evaluate nothing and return false
/// once `open()` is false, as a limit is reached.
struct AnyEvaluations {
  static constexpr bool separate = true;  ///< whether the loss alone is cheaper
  template <class V>
  bool operator()(Point<V>& point);
  template <class V>
  bool loss(Point<V>& point);
  template <class V>
  bool gradient(Point<V>& point);
  /// The gradient at point.x, whatever the loss.
  template <class V>
  bool gradient_alone(Point<V>& point);
  /// Whether the objective multiplies by its Hessian.
  static constexpr bool has_hessian_product = false;
  bool open() const;  ///< whether more may be evaluated
};

/// Its parameters' type; `begin`, which makes room for vectors like x and may move the start (into bounds); an iteration from
/// a point that has been evaluated to the next, in place; and its place. `regard(point)`, where present, replaces loss and
/// norm of the start by those that the solver is about (with a penalty, within bounds).
template <class S>
concept Solver = requires(S& solver, const S& fixed, Point<typename S::Vector>& point,
                          AnyEvaluations& evaluate) {
  solver.begin(point.x);
  { solver.iterate(point, evaluate) } -> std::same_as<Iteration<typename S::Vector>>;
  solver.reset();
  { fixed.steps() } -> std::convertible_to<std::int64_t>;
  { fixed.learning_rate() } -> std::convertible_to<double>;
};

}  // namespace descent::inline v0

#endif  // DESCENT_CORE_SOLVER_HPP
