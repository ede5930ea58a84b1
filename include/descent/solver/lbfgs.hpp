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
#include <cstdint>
#include <string_view>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/line_search.hpp"
#include "descent/core/solver.hpp"
#include "descent/engine/curvature_pairs.hpp"
#include "descent/engine/line_solver.hpp"
#include "descent/line_search/strong_wolfe.hpp"

namespace descent::inline v0 {

/// The options of LBFGS.
struct LBFGSOptions {
  std::int64_t history_size = 10;  ///< m, at least 1; with vectors of fixed size at most 20
};

/// For smooth objectives, full gradients. Memory: 2m + 6 vectors of the size of x, none of it on the heap where that size is
/// fixed. An iteration makes two passes over the pairs, a few over x, and one evaluation, seldom more. The line search is any
/// `LineSearch`: LBFGS({.history_size = 5}, hager_zhang()). Throws `std::invalid_argument` outside the ranges above.
template <class V = Eigen::VectorXd, class Search = StrongWolfe>
class LBFGS : public LineSolver<V, Search> {
  using Base = LineSolver<V, Search>;

 public:
  using typename Base::Vector;

  explicit LBFGS(const LBFGSOptions& options = {}) : LBFGS(options, Search()) {}
  LBFGS(const LBFGSOptions& options, Search search) : Base(std::move(search)), options_(options) {
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
    this->make_room(x);
    fresh_ = true;
  }

  /// One step; `now` must have been evaluated.
  template <class E>
  Iteration<Vector> iterate(Point<Vector>& now, E& evaluate) {
    if (std::exchange(fresh_, false) && pairs_.count() > 0) pairs_.multiply(now.g.data());
    for (;;) {
      const bool along_gradient = pairs_.count() == 0;
      const double slope = pairs_.direction(now.g.data(), this->direction_.data());
      const double first = along_gradient ? this->first_along_gradient(now, -slope) : 1;
      if (this->search(now, slope, first, evaluate)) {
        const Point<Vector>& next = this->next_;
        pairs_.add(now.x.data(), now.g.data(), next.x.data(), next.g.data());
        return this->move(now, along_gradient);
      }
      if (along_gradient || !evaluate.open()) return this->give_up(evaluate);
      pairs_.clear();
    }
  }

  /// Back to before the first step.
  void reset() {
    pairs_.clear();
    this->forget();
  }
  /// The options in force.
  const LBFGSOptions& options() const { return options_; }
  /// The same solver for parameters of another type, fresh.
  template <class Other>
  LBFGS<Other, Search> rebind() const {
    return LBFGS<Other, Search>(options_, this->search_);
  }

 private:
  static constexpr bool dynamic = Vector::SizeAtCompileTime == Eigen::Dynamic;
  static constexpr int most_inline = 20;

  LBFGSOptions options_;
  CurvaturePairs<typename Vector::Scalar, Vector::SizeAtCompileTime, most_inline> pairs_;
  bool fresh_ = true;
};

}  // namespace descent::inline v0

#endif  // DESCENT_SOLVER_LBFGS_HPP
