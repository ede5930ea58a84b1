// What solvers that search along lines have in common: a direction, a search along it, the point that it finds.
#ifndef DESCENT_ENGINE_LINE_SOLVER_HPP
#define DESCENT_ENGINE_LINE_SOLVER_HPP

#include <Eigen/Core>
#include <algorithm>
#include <cstdint>
#include <utility>

#include "descent/core/line_search.hpp"
#include "descent/core/optimizer.hpp"
#include "descent/core/solver.hpp"
#include "descent/engine/line.hpp"

namespace descent::inline v0 {

template <class V, class Search>
class LineSolver {
  static_assert(LineSearch<Search>,
                "a line search is descent::strong_wolfe(), hager_zhang(), armijo(), fixed_step(), "
                "or has template <class L> descent::Searched operator()(L& line, double first) "
                "const");

 public:
  /// The type of the parameters.
  using Vector = V;
  /// float or double.
  using Scalar = typename Vector::Scalar;
  /// Those of the full loss.
  static constexpr Gradients gradients = Gradients::full;

  /// The number of steps taken.
  std::int64_t steps() const { return steps_; }
  /// The length t of the last step.
  double learning_rate() const { return step_; }

 protected:
  explicit LineSolver(Search search) : search_(std::move(search)) {}

  Search search_;
  Point<Vector> next_{};  // the trial; after a step the point before
  Vector direction_{};

  void make_room(const Vector& x) {
    next_ = {.x = x, .g = x};
    direction_ = x;
  }
  void forget() {
    steps_ = 0;
    step_ = gradient_step_ = 0;
  }

  /// Searches along `direction_`, whose slope is gᵀd; false where that is no descent or nothing is found. `next_` is the point
  /// found, and `unbounded()` says whether the loss falls without end behind it. `reference` stands for the loss that a step
  /// is compared with.
  template <class E>
  bool search(const Point<Vector>& now, double slope, double first, E& evaluate, double reference) {
    if (!(slope < 0)) return false;
    Line<Vector, E> line(now, direction_, slope, next_, evaluate, reference);
    const Searched searched = search_(line, first);
    unbounded_ = searched.found == Found::unbounded;
    step_found_ = searched.t;
    return searched.found != Found::failed && line.settle(searched.t);
  }
  template <class E>
  bool search(const Point<Vector>& now, double slope, double first, E& evaluate) {
    return search(now, slope, first, evaluate, now.loss);
  }

  /// Moves to the point found.
  Iteration<Vector> move(Point<Vector>& now, bool along_gradient) {
    std::swap(now, next_);
    ++steps_;
    step_ = step_found_;
    gradient_step_ = along_gradient ? step_ : 0;
    return {unbounded_ ? Moved::unbounded : Moved::moved, &next_.x};
  }
  /// Nothing was found along the last direction that there is.
  template <class E>
  Iteration<Vector> give_up(const E& evaluate) const {
    return {evaluate.open() ? Moved::stuck : Moved::refused};
  }

  /// What to try first along −g, with nothing known of the curvature; after a step along −g that taught nothing, further.
  double first_along_gradient(const Point<Vector>& now, double squared_norm) const {
    if constexpr (requires { search_.first_step(now); }) {
      return search_.first_step(now);
    } else {
      return (std::max)(first_step(now, squared_norm), 2 * gradient_step_);
    }
  }
  /// What to try first where the step before, times a factor, is a good guess; a search that knows its step takes that.
  double first_by_step_before(double factor) const {
    if constexpr (requires(const Point<Vector>& now) { search_.first_step(now); }) {
      return 1;
    } else {
      return factor * step_;
    }
  }

 private:
  std::int64_t steps_ = 0;
  double step_ = 0, gradient_step_ = 0, step_found_ = 0;
  bool unbounded_ = false;
};

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_LINE_SOLVER_HPP
