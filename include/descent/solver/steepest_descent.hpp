// SteepestDescent: gradient descent whose step is found by a line search,
//
//     x ← x − t g.
//
// A. Cauchy, C. R. Acad. Sci. Paris 25, 1847. The first trial of a step promises the descent of the step before to first
// order, t = tₖ₋₁ ‖gₖ₋₁‖²/‖gₖ‖² (J. Nocedal and S. J. Wright, "Numerical Optimization", 2nd ed., section 3.5), and four times
// that where the slope at its end, gₖᵀgₖ₋₁, was still nine tenths of what it began with: armijo never asks. Converges linearly,
// with the condition number of the Hessian in the rate: BarzilaiBorwein, ConjugateGradient and LBFGS need far fewer
// steps. `GradientDescent` is the same with a rate that is given.
#ifndef DESCENT_SOLVER_STEEPEST_DESCENT_HPP
#define DESCENT_SOLVER_STEEPEST_DESCENT_HPP

#include <Eigen/Core>
#include <utility>

#include "descent/core/line_search.hpp"
#include "descent/core/solver.hpp"
#include "descent/engine/line_solver.hpp"
#include "descent/engine/vectors.hpp"
#include "descent/line_search/strong_wolfe.hpp"

namespace descent::inline v0 {

/// For smooth objectives, full gradients. Memory: 3 vectors of the size of x. The line search is any `LineSearch`:
/// SteepestDescent(armijo()).
template <class V = Eigen::VectorXd, class Search = StrongWolfe>
class SteepestDescent : public LineSolver<V, Search> {
  using Base = LineSolver<V, Search>;

 public:
  using typename Base::Vector;

  explicit SteepestDescent(Search search = Search()) : Base(std::move(search)) {}

  /// Makes room.
  void begin(const Vector& x) {
    this->make_room(x);
    last_slope_ = 0;
  }

  /// One step; `now` must have been evaluated.
  template <class E>
  Iteration<Vector> iterate(Point<Vector>& now, E& evaluate) {
    this->direction_ = -now.g;
    const double slope = -dot(now.g, now.g);
    // next_ is the point before.
    const bool short_step = last_slope_ < 0 && -dot(now.g, this->next_.g) < 0.9 * last_slope_;
    // What the step before promises, and once more as if there had been none.
    const bool found =
        (last_slope_ < 0 &&
         this->search(now, slope,
                      this->first_by_step_before((short_step ? 4 : 1) * (last_slope_ / slope)),
                      evaluate)) ||
        (evaluate.open() &&
         this->search(now, slope, this->first_along_gradient(now, -slope), evaluate));
    if (!found) return this->give_up(evaluate);
    last_slope_ = slope;
    return this->move(now, true);
  }

  /// Back to before the first step.
  void reset() { this->forget(); }
  /// The same solver for parameters of another type, fresh.
  template <class Other>
  SteepestDescent<Other, Search> rebind() const {
    return SteepestDescent<Other, Search>(this->search_);
  }

 private:
  double last_slope_ = 0;  // 0: there is none
};

// The search alone says what it is.
template <class Search>
explicit SteepestDescent(Search) -> SteepestDescent<Eigen::VectorXd, Search>;

}  // namespace descent::inline v0

#endif  // DESCENT_SOLVER_STEEPEST_DESCENT_HPP
