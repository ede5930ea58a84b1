// ConjugateGradient: the direction keeps a part of the one before,
//
//     d = −gₖ + β dₖ₋₁;   x ← x + t d.
//
// With y = gₖ − gₖ₋₁ and d = dₖ₋₁,
//
//     polak_ribiere:  β = max(0, gₖᵀy / gₖ₋₁ᵀgₖ₋₁)                    E. Polak and G. Ribière, 1969; the maximum: J. C. Gilbert
//                                                                   and J. Nocedal, SIAM J. Optim. 2(1), 1992
//     hager_zhang:    β = max((y − 2d ‖y‖²/dᵀy)ᵀ gₖ / dᵀy,  η dᵀgₖ₋₁/‖d‖²)
//
// the latter from W. W. Hager and H. Zhang, SIAM J. Optim. 16(1), 2005, eq. (1.3), with the bound of their SIAM J. Optim. 23(4),
// 2013, eq. (2.14) (η = 0.4), which scales with f and x where the first one, −1/(‖d‖ min(η, ‖g‖)), does not. A direction that
// does not descend, or a failed search, starts again along −g.
#ifndef DESCENT_SOLVER_CONJUGATE_GRADIENT_HPP
#define DESCENT_SOLVER_CONJUGATE_GRADIENT_HPP

#include <Eigen/Core>
#include <algorithm>
#include <utility>

#include "descent/core/line_search.hpp"
#include "descent/core/solver.hpp"
#include "descent/engine/line_solver.hpp"
#include "descent/engine/vectors.hpp"
#include "descent/line_search/strong_wolfe.hpp"

namespace descent::inline v0 {

/// How much of the direction before is kept.
enum class Conjugacy { polak_ribiere, hager_zhang };

/// The options of ConjugateGradient.
struct ConjugateGradientOptions {
  Conjugacy formula = Conjugacy::polak_ribiere;  ///< of β
};

/// For smooth objectives, full gradients. Memory: 4 vectors of the size of x, whence it is for when LBFGS needs too much. The
/// line search is any `LineSearch`; the one by default is more exact than that of LBFGS: strong_wolfe({.curvature = 0.1}).
template <class V = Eigen::VectorXd, class Search = StrongWolfe>
class ConjugateGradient : public LineSolver<V, Search> {
  using Base = LineSolver<V, Search>;

 public:
  using typename Base::Vector;

  explicit ConjugateGradient(const ConjugateGradientOptions& options = {})
      : ConjugateGradient(options, exact()) {}
  ConjugateGradient(const ConjugateGradientOptions& options, Search search)
      : Base(std::move(search)), options_(options) {}

  /// Makes room.
  void begin(const Vector& x) {
    this->make_room(x);
    slope_ = 0;
  }

  /// One step; `now` must have been evaluated.
  template <class E>
  Iteration<Vector> iterate(Point<Vector>& now, E& evaluate) {
    Vector& d = this->direction_;
    if (slope_ < 0) {
      // next_ is the point before.
      const double before = slope_, beta = conjugate(this->next_, now);
      d = static_cast<typename Vector::Scalar>(beta) * d - now.g;
      slope_ = dot(now.g, d);
      // As much descent as the step before, to first order.
      if (this->search(now, slope_, this->first_by_step_before(before / slope_), evaluate)) {
        return this->move(now, false);
      }
      if (!evaluate.open()) return this->give_up(evaluate);
    }
    d = -now.g;
    slope_ = -dot(now.g, now.g);
    if (!this->search(now, slope_, this->first_along_gradient(now, -slope_), evaluate)) {
      return this->give_up(evaluate);
    }
    return this->move(now, true);
  }

  /// Back to before the first step.
  void reset() {
    slope_ = 0;
    this->forget();
  }
  /// The options in force.
  const ConjugateGradientOptions& options() const { return options_; }
  /// The same solver for parameters of another type, fresh.
  template <class Other>
  ConjugateGradient<Other, Search> rebind() const {
    return ConjugateGradient<Other, Search>(options_, this->search_);
  }

 private:
  ConjugateGradientOptions options_;
  double slope_ = 0;  // along direction_ at the point before; 0: there is none

  static Search exact() {
    if constexpr (requires { Search(StrongWolfeOptions{.curvature = 0.1}); }) {
      return Search(StrongWolfeOptions{.curvature = 0.1});
    } else {
      return Search();
    }
  }

  double conjugate(const Point<Vector>& before, const Point<Vector>& now) const {
    const Vector& d = this->direction_;
    const double gg = dot(now.g, now.g), g_before = dot(now.g, before.g),
                 before_before = dot(before.g, before.g);
    if (options_.formula == Conjugacy::polak_ribiere) {
      return (std::max)(0.0, (gg - g_before) / before_before);
    }
    const double dg = dot(d, now.g), dy = dg - slope_, yg = gg - g_before,
                 yy = gg - 2 * g_before + before_before;
    return (std::max)((yg - 2 * (yy / dy) * dg) / dy, 0.4 * (slope_ / dot(d, d)));
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_SOLVER_CONJUGATE_GRADIENT_HPP
