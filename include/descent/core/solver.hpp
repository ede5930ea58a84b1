// What `minimize` asks of a solver: a method that drives the objective itself, choosing the points where it is evaluated.
#ifndef DESCENT_CORE_SOLVER_HPP
#define DESCENT_CORE_SOLVER_HPP

#include <concepts>
#include <cstdint>
#include <limits>

#include "descent/core/objective.hpp"
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
/// once `open()` is false, as a limit is reached. `objective()` is what they ask.
///
/// A solver that declares `Gradients::sampled` is for finite sums. An iteration of it is a round: steps on mini-batches from
/// the point that it is given, `while (!(batch = evaluate.next(gradients)).empty())`, each of so many evaluations, and then
/// `evaluate.close(point)`, which evaluates the full sum where the round ends, limits or not.
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

  /// The next mini-batch of a round, drawn as the options say; empty where a limit leaves no room for its evaluations and
  /// the one that closes the round.
  Batch next(std::int64_t gradients);
  /// Whether limits leave room for as many.
  bool room(std::int64_t gradients);
  /// The gradient of a mini-batch, written into g; false where it is not finite.
  template <class V>
  bool sampled(const V& x, Batch batch, V& g);
  /// For gradients that are made here and not asked for: they count as evaluations.
  void count(std::int64_t gradients);
  /// For passes over the samples that are no mini-batches: they count for `Result::epochs`.
  void visit(std::int64_t samples);
  Eigen::Index batch_size() const;  ///< of the next mini-batch
  /// Loss and gradient of the full sum, limits or not; false where they are not finite.
  template <class V>
  bool close(Point<V>& point);
};

/// Its parameters' type; `begin`, which makes room for vectors like x and may move the start (into bounds); an iteration from
/// a point that has been evaluated to the next, in place; and its place. `regard(point)`, or with `evaluate`, replaces loss and
/// norm of the start, and of an x that an observer gives back, by those that the solver is about (with a penalty, within bounds).
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
