// LBFGS: steps along −H g, where H approximates the inverse Hessian from the last m changes of x and of g.
//
//     d = −Hₖ gₖ;   x ← x + t d,   t by a line search;   s = xₖ₊₁ − xₖ,  y = gₖ₊₁ − gₖ
//
// Hₖ is the BFGS update of γ I by the last m pairs, γ = sᵀy/yᵀy of the newest. D. C. Liu and J. Nocedal, "On the limited memory
// BFGS method for large scale optimization", Math. Program. 45, 1989, Algorithm 2.1 and scaling M3; how H g is reckoned is
// told in engine/curvature_pairs.hpp. A pair is used if sᵀy > c ‖s‖ ‖y‖, c = 64 machine epsilons: relative, so that scaling f
// or x changes nothing. (PyTorch asks for sᵀy > 1e-10, Ceres for sᵀy > 1e-14 yᵀy.) The first step is scaled by the loss and
// by x, where most peers take 1/‖g‖; every later one tries t = 1 first. A failed search is repeated once along −g, with the
// pairs forgotten, before the run ends with `Status::LineSearchFailed`.
#ifndef DESCENT_SOLVER_LBFGS_HPP
#define DESCENT_SOLVER_LBFGS_HPP

#include <Eigen/Core>
#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/line_search.hpp"
#include "descent/core/optimizer.hpp"
#include "descent/core/solver.hpp"
#include "descent/engine/curvature_pairs.hpp"
#include "descent/engine/line.hpp"
#include "descent/line_search/strong_wolfe.hpp"

namespace descent::inline v0 {

/// The options of LBFGS.
struct LBFGSOptions {
  std::int64_t history_size = 10;  ///< m, at least 1; with vectors of fixed size at most 20
};

/// For smooth objectives, full gradients. Memory: 2m + 6 vectors of the size of x, none of it on the heap where that size is
/// fixed. An iteration makes two passes over the pairs, a few over x, and one evaluation, seldom more. The line search is any
/// `LineSearch`: LBFGS({.history_size = 5}, hager_zhang()). Throws `std::invalid_argument` outside the ranges above.
template <class V = Eigen::VectorXd, LineSearch Search = StrongWolfe>
class LBFGS {
 public:
  /// The type of the parameters.
  using Vector = V;
  /// float or double.
  using Scalar = typename Vector::Scalar;
  /// Those of the full loss.
  static constexpr Gradients gradients = Gradients::full;

  explicit LBFGS(const LBFGSOptions& options = {}) : LBFGS(options, Search()) {}
  LBFGS(const LBFGSOptions& options, Search search)
      : options_(options), search_(std::move(search)) {
    checked_count("LBFGS", "history_size", options.history_size, 1);
    constexpr std::int64_t most = dynamic ? 1'000'000 : most_inline;
    if (options.history_size > most) {
      throw_invalid(
          "LBFGS", "history_size", to_text(options.history_size),
          join({"at most ", to_text(most), dynamic ? "" : " with vectors of fixed size"}));
    }
  }

  /// Makes room, and keeps the pairs of vectors of this size.
  void begin(const Vector& x) {
    pairs_.resize(x.size(), static_cast<int>(options_.history_size));
    next_ = {.x = x, .g = x};
    direction_ = x;
    fresh_ = true;
  }

  /// One step; `now` must have been evaluated.
  template <class E>
  Iteration<Vector> iterate(Point<Vector>& now, E& evaluate) {
    if (std::exchange(fresh_, false) && pairs_.count() > 0) pairs_.multiply(now.g.data());
    for (;;) {
      const bool along_gradient = pairs_.count() == 0;
      const double slope = pairs_.direction(now.g.data(), direction_.data());
      if (slope < 0) {
        Line<Vector, E> line(now, direction_, slope, next_, evaluate);
        const Searched searched = search_(line, along_gradient ? first(now, -slope) : 1);
        if (searched.found != Found::failed && line.settle(searched.t)) {
          pairs_.add(now.x.data(), now.g.data(), next_.x.data(), next_.g.data());
          std::swap(now, next_);
          ++steps_;
          step_ = searched.t;
          gradient_step_ = along_gradient ? step_ : 0;
          return {searched.found == Found::unbounded ? Moved::unbounded : Moved::moved, &next_.x};
        }
        if (!evaluate.open()) return {Moved::refused};
      }
      if (along_gradient) return {Moved::stuck};
      pairs_.clear();
    }
  }

  /// Back to before the first step.
  void reset() {
    pairs_.clear();
    steps_ = 0;
    step_ = gradient_step_ = 0;
  }
  /// The number of steps taken.
  std::int64_t steps() const { return steps_; }
  /// The length t of the last step.
  double learning_rate() const { return step_; }
  /// The options in force.
  const LBFGSOptions& options() const { return options_; }
  /// The same solver for parameters of another type, fresh.
  template <class Other>
  LBFGS<Other, Search> rebind() const {
    return LBFGS<Other, Search>(options_, search_);
  }

 private:
  static constexpr bool dynamic = Vector::SizeAtCompileTime == Eigen::Dynamic;
  static constexpr int most_inline = 20;

  LBFGSOptions options_;
  Search search_;
  CurvaturePairs<Scalar, Vector::SizeAtCompileTime, most_inline> pairs_;
  Point<Vector> next_{};
  Vector direction_{};
  std::int64_t steps_ = 0;
  double step_ = 0, gradient_step_ = 0;
  bool fresh_ = true;

  double first(const Point<Vector>& now, double squared_norm) const {
    if constexpr (requires { search_.first_step(now); }) {
      return search_.first_step(now);
    } else {
      // After a step along −g that taught nothing of the curvature, further.
      return (std::max)(first_step(now, squared_norm), 2 * gradient_step_);
    }
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_SOLVER_LBFGS_HPP
