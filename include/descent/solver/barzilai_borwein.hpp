// BarzilaiBorwein: gradient descent with the step of a quasi-Newton method that knows one number of the Hessian,
//
//     x ← x − t g,    t = sᵀs/sᵀy  or  sᵀy/yᵀy,    s = xₖ − xₖ₋₁,  y = gₖ − gₖ₋₁.
//
// J. Barzilai and J. M. Borwein, IMA J. Numer. Anal. 8, 1988, eqs. (5) and (6). The short step is taken where it is below κ of
// the long one (B. Zhou, L. Gao and Y.-H. Dai, "Gradient methods with adaptive step-sizes", Comput. Optim. Appl. 35, 2006).
// The loss does not fall at every step, and need not: a step is accepted if it descends from the highest of the last M losses
// (L. Grippo, F. Lampariello and S. Lucidi, SIAM J. Numer. Anal. 23, 1986; M. Raydan, SIAM J. Optim. 7, 1997).
#ifndef DESCENT_SOLVER_BARZILAI_BORWEIN_HPP
#define DESCENT_SOLVER_BARZILAI_BORWEIN_HPP

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/solver.hpp"
#include "descent/engine/line_solver.hpp"
#include "descent/engine/vectors.hpp"
#include "descent/line_search/armijo.hpp"

namespace descent::inline v0 {

/// The options of BarzilaiBorwein.
struct BarzilaiBorweinOptions {
  std::int64_t memory =
      10;  ///< M, losses that a step is compared with, 1 to 100; 1: every step descends
  double threshold = 0.5;  ///< κ, in [0, 1]: 0 takes the long step always, 1 the short one
};

/// For smooth objectives, full gradients; cheap steps, no matrix, one evaluation a step. Memory: 3 vectors of the size of x.
/// Throws `std::invalid_argument` outside the ranges above.
template <class V = Eigen::VectorXd>
class BarzilaiBorwein : public LineSolver<V, Armijo> {
  using Base = LineSolver<V, Armijo>;

 public:
  using typename Base::Vector;

  explicit BarzilaiBorwein(const BarzilaiBorweinOptions& options = {})
      : Base(Armijo()), options_(options) {
    checked_count("BarzilaiBorwein", "memory", options.memory, 1);
    if (options.memory > most) {
      throw_invalid("BarzilaiBorwein", "memory", to_text(options.memory), "at most 100");
    }
    checked("BarzilaiBorwein", "threshold", options.threshold, range::fraction);
  }

  /// Makes room.
  void begin(const Vector& x) {
    this->make_room(x);
    next_step_ = 0;
    count_ = 0;
  }

  /// One step; `now` must have been evaluated.
  template <class E>
  Iteration<Vector> iterate(Point<Vector>& now, E& evaluate) {
    losses_[count_++ % static_cast<std::size_t>(options_.memory)] = now.loss;
    const auto known = (std::min)(count_, static_cast<std::size_t>(options_.memory));
    const double reference = *std::max_element(losses_.data(), losses_.data() + known);
    this->direction_ = -now.g;
    const double squared_norm = dot(now.g, now.g);
    const double gradient_step = this->first_along_gradient(now, squared_norm);
    const double first = next_step_ > 0 ? next_step_ : gradient_step;
    // The best that is known, and once more as if nothing were.
    if (!this->search(now, -squared_norm, first, evaluate, reference) &&
        !(next_step_ > 0 && evaluate.open() &&
          this->search(now, -squared_norm, gradient_step, evaluate))) {
      return this->give_up(evaluate);
    }
    learn(now, this->next_);
    return this->move(now, true);
  }

  /// Back to before the first step.
  void reset() { this->forget(); }
  /// The options in force.
  const BarzilaiBorweinOptions& options() const { return options_; }
  /// The same solver for parameters of another type, fresh.
  template <class Other>
  BarzilaiBorwein<Other> rebind() const {
    return BarzilaiBorwein<Other>(options_);
  }

 private:
  static constexpr std::int64_t most = 100;

  BarzilaiBorweinOptions options_;
  std::array<double, most> losses_{};
  std::size_t count_ = 0;
  double next_step_ = 0;  // 0: nothing is known

  void learn(const Point<Vector>& before, const Point<Vector>& after) {
    const auto& [ss, sy, yy] = products_of_differences(before, after);
    const double short_step = sy / yy, long_step = ss / sy;
    if (!(sy > 0) || !std::isfinite(long_step) || !(short_step > 0)) {
      next_step_ = 0;  // not curved
    } else {
      next_step_ = short_step < options_.threshold * long_step ? short_step : long_step;
    }
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_SOLVER_BARZILAI_BORWEIN_HPP
