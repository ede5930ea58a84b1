// LBFGSB: L-BFGS within bounds, l ≤ x ≤ u.
//
//     x ← P(x + t d),   P(z) = min(max(z, l), u)
//
// Coefficients that a gradient step of the length γ = sᵀy/yᵀy would take to a bound or beyond go straight to it; the rest, F,
// take the step −H g of L-BFGS on F alone, whose pairs are the parts of s and y on F. The search goes back along the projected
// path until f(x(t)) ≤ f(x) + c gᵀ(x(t) − x). D. P. Bertsekas, "Projected Newton methods for optimization problems with simple
// constraints", SIAM J. Control Optim. 20(2), 1982; M. Schmidt, D. Kim and S. Sra, "Projected Newton-type methods in machine
// learning", 2011, section 11.3. The code of R. H. Byrd, P. Lu, J. Nocedal and C. Zhu (L-BFGS-B, SIAM J. Sci. Comput. 16(5),
// 1995), which is SciPy's, follows a path to a generalized Cauchy point instead. benchmarks/bounded.cpp compares the two: on
// its 218 problems, to n = 10⁴, they make as many evaluations (L-BFGS-B 3.0 1.01 of LBFGSB's in the geometric mean, 0.97 on
// quadratics with many active and degenerate bounds); LBFGSB solves all of them, L-BFGS-B 210, and an iteration costs less.
//
// The gradient's norm, in tolerances and in the result, is that of the projected gradient, maxᵢ |P(x − g) − x|ᵢ, as in SciPy.
#ifndef DESCENT_SOLVER_LBFGSB_HPP
#define DESCENT_SOLVER_LBFGSB_HPP

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "descent/core/bound.hpp"
#include "descent/core/errors.hpp"
#include "descent/core/optimizer.hpp"
#include "descent/core/solver.hpp"
#include "descent/engine/line.hpp"
#include "descent/engine/vectors.hpp"

namespace descent::inline v0 {

/// The options of LBFGSB.
struct LBFGSBOptions {
  Bound lower = -std::numeric_limits<double>::infinity();  ///< l, a number or a vector
  Bound upper = std::numeric_limits<double>::infinity();   ///< u, a number or a vector, at least l
  std::int64_t history_size = 10;  ///< pairs, at least 1; with vectors of fixed size at most 20
};

/// For smooth objectives within bounds, full gradients: LBFGSB({.lower = 0}). The start is moved into the bounds, and every
/// evaluation is within them, to the bit. Memory: 2m + 8 vectors of the size of x. Throws `std::invalid_argument` for bounds
/// that cross, and when there are not as many as parameters.
template <class V = Eigen::VectorXd>
class LBFGSB {
 public:
  /// The type of the parameters.
  using Vector = V;
  /// float or double.
  using Scalar = typename Vector::Scalar;
  /// Those of the full loss.
  static constexpr Gradients gradients = Gradients::full;

  explicit LBFGSB(const LBFGSBOptions& options = {}) : options_(options) {
    check_bounds("LBFGSB", options.lower, options.upper);
    checked_count("LBFGSB", "history_size", options.history_size, 1);
    constexpr std::int64_t most = dynamic ? 1'000'000 : most_inline;
    if (options.history_size > most) {
      throw_invalid(
          "LBFGSB", "history_size", to_text(options.history_size),
          join({"at most ", to_text(most), dynamic ? "" : " with vectors of fixed size"}));
    }
  }

  /// Makes room, and moves the start into the bounds.
  void begin(Vector& x) {
    const Eigen::Index n = x.size();
    for (const Bound* bound : {&options_.lower, &options_.upper}) {
      if (!bound->is_number() && bound->size() != n) {
        throw_invalid("LBFGSB", bound == &options_.lower ? "lower" : "upper",
                      join({to_text(bound->size()), " bounds"}),
                      join({to_text(n), " bounds, one for each coefficient"}));
      }
    }
    lower_ = upper_ = x;
    for (Eigen::Index i = 0; i < n; ++i) {
      lower_.data()[i] = static_cast<Scalar>(options_.lower[i]);
      upper_.data()[i] = static_cast<Scalar>(options_.upper[i]);
      x.data()[i] = within(i, x.data()[i]);
    }
    if (n != s_.rows() || s_.cols() == 0) {
      s_.resize(n, options_.history_size + 1);
      y_.resize(n, options_.history_size + 1);
      numbers_.resize(2, options_.history_size + 1);
      count_ = 0;
    }
    next_ = {.x = x, .g = x};
    direction_ = free_ = x;
  }

  /// The norm of the projected gradient in place of the gradient's.
  void regard(Point<Vector>& point) const {
    double norm = 0;
    for (Eigen::Index i = 0; i < point.x.size(); ++i) {
      // Not by x − g, which is x where x is large.
      const Scalar x = point.x.data()[i], g = point.g.data()[i];
      const Scalar room = g > 0 ? x - lower_.data()[i] : upper_.data()[i] - x;
      norm = (std::max)(norm, static_cast<double>((std::min)(std::abs(g), room)));
    }
    point.norm = norm;
  }

  /// One step; `now` must have been evaluated.
  template <class E>
  Iteration<Vector> iterate(Point<Vector>& now, E& evaluate) {
    for (;;) {
      const bool afresh = count_ == 0;
      if (afresh) {
        const double squared_norm = dot(now.g, now.g);
        gamma_ = squared_norm > 0 ? first_step(now, squared_norm) : 1;
      }
      aim(now);
      const double step = search(now, evaluate);
      if (step > 0) {
        regard(next_);
        remember(now);
        std::swap(now, next_);
        ++steps_;
        step_ = step;
        return {Moved::moved, &next_.x};
      }
      if (!evaluate.open()) return {Moved::refused};
      if (afresh) return {Moved::stuck};
      count_ = 0;
    }
  }

  /// Back to before the first step.
  void reset() {
    count_ = 0;
    steps_ = 0;
    step_ = 0;
  }
  /// The number of steps taken.
  std::int64_t steps() const { return steps_; }
  /// The length t of the last step.
  double learning_rate() const { return step_; }
  /// The options in force.
  const LBFGSBOptions& options() const { return options_; }
  /// The same solver for parameters of another type, fresh.
  template <class Other>
  LBFGSB<Other> rebind() const {
    return LBFGSB<Other>(options_);
  }

 private:
  static constexpr int size = Vector::SizeAtCompileTime;
  static constexpr bool dynamic = size == Eigen::Dynamic;
  static constexpr int most_inline = 20;
  using Columns = Eigen::Matrix<Scalar, size, Eigen::Dynamic, Eigen::ColMajor, size,
                                dynamic ? Eigen::Dynamic : most_inline + 1>;
  using Numbers = Eigen::Matrix<double, 2, Eigen::Dynamic, Eigen::ColMajor, 2,
                                dynamic ? Eigen::Dynamic : most_inline + 1>;
  using L = LaneOf<Vector>;

  LBFGSBOptions options_;
  Vector lower_{}, upper_{};
  Vector direction_{}, free_{};  // free_: 1 where a coefficient is free, else 0
  Point<Vector> next_{};
  Columns s_, y_;  // a ring with one column more than pairs
  Numbers numbers_;
  Eigen::Index count_ = 0, newest_ = 0;
  double gamma_ = 1;
  std::int64_t steps_ = 0;
  double step_ = 0;

  Scalar within(Eigen::Index i, Scalar value) const {
    return (std::min)((std::max)(value, lower_.data()[i]), upper_.data()[i]);
  }
  double& alpha(Eigen::Index k) { return numbers_(0, k); }
  double& rho(Eigen::Index k) { return numbers_(1, k); }
  Eigen::Index column(Eigen::Index age) const { return (newest_ - age + s_.cols()) % s_.cols(); }

  // ‖s‖², sᵀy, ‖y‖² over the free coefficients.
  std::array<double, 3> products(Eigen::Index k) const {
    const Scalar *s = s_.col(k).data(), *y = y_.col(k).data(), *free = free_.data();
    Sums<L, 3> sums;
    sums.sweep(
        free_.size(), [&](auto& into, Eigen::Index i, auto... few) __attribute__((always_inline)) {
          const L si = L::load(free + i, few...) * L::load(s + i, few...),
                  yi = L::load(free + i, few...) * L::load(y + i, few...);
          into[0] = multiply_add(si, si, into[0]);
          into[1] = multiply_add(si, yi, into[1]);
          into[2] = multiply_add(yi, yi, into[2]);
        });
    return sums.totals();
  }
  static bool curved(const std::array<double, 3>& p) {
    constexpr double c = 64 * static_cast<double>(std::numeric_limits<Scalar>::epsilon());
    return p[1] > c * std::sqrt(p[0]) * std::sqrt(p[2]);
  }
  // d += factor times the free part of a column.
  void add(double factor, const Scalar* of) {
    const L f(factor);
    Scalar* d = direction_.data();
    const Scalar* free = free_.data();
    sweep<L>(
        free_.size(), [&](Eigen::Index i, auto... few) __attribute__((always_inline)) {
          const L part = L::load(free + i, few...) * L::load(of + i, few...);
          multiply_add(f, part, L::load(d + i, few...)).store(d + i, few...);
        });
  }

  // The direction: −H g on the free coefficients, straight to their bounds for the others.
  void aim(const Point<Vector>& now) {
    const auto reach = static_cast<Scalar>(gamma_);
    const Eigen::Index n = now.x.size();
    for (Eigen::Index i = 0; i < n; ++i) {
      const Scalar x = now.x.data()[i], g = now.g.data()[i], there = x - reach * g;
      const bool leaves =
          (g > 0 && !(there > lower_.data()[i])) || (g < 0 && !(there < upper_.data()[i]));
      free_.data()[i] = leaves ? Scalar(0) : Scalar(1);
      direction_.data()[i] = leaves ? Scalar(0) : -g;
    }
    two_loops();
    for (Eigen::Index i = 0; i < n; ++i) {
      if (free_.data()[i] != 0) continue;
      const Scalar g = now.g.data()[i];
      direction_.data()[i] = (g > 0 ? lower_ : upper_).data()[i] - now.x.data()[i];
    }
  }

  void two_loops() {
    const Eigen::Index n = free_.size();
    double gamma = gamma_;
    bool scaled = false;
    for (Eigen::Index age = 0; age < count_; ++age) {
      const Eigen::Index k = column(age);
      const auto p = products(k);
      alpha(k) = rho(k) = 0;
      if (!curved(p)) continue;
      rho(k) = 1 / p[1];
      alpha(k) = rho(k) * dot<L>(s_.col(k).data(), direction_.data(), n);
      add(-alpha(k), y_.col(k).data());
      if (!std::exchange(scaled, true)) gamma = p[1] / p[2];
    }
    direction_ *= static_cast<Scalar>(gamma);
    for (Eigen::Index age = count_ - 1; age >= 0; --age) {
      const Eigen::Index k = column(age);
      if (rho(k) == 0) continue;
      const double beta = rho(k) * dot<L>(y_.col(k).data(), direction_.data(), n);
      add(alpha(k) - beta, s_.col(k).data());
    }
  }
  // Back along the projected path; the step, or 0 when there is none.
  template <class E>
  double search(const Point<Vector>& now, E& evaluate) {
    const double rounding = rounding_of<Scalar>(now.loss);
    double t = 1;
    for (int trials = 0; trials < 40; ++trials) {
      const auto step = static_cast<Scalar>(t);
      double slope = 0;  // gᵀ(x(t) − x)
      bool moves = false;
      for (Eigen::Index i = 0; i < now.x.size(); ++i) {
        const Scalar x = now.x.data()[i];
        // At t = 1 the bound itself, not what rounding makes of it.
        const Scalar to = t == 1 && free_.data()[i] == 0
                              ? (now.g.data()[i] > 0 ? lower_ : upper_).data()[i]
                              : within(i, x + step * direction_.data()[i]);
        next_.x.data()[i] = to;
        moves |= to != x;
        slope += static_cast<double>(now.g.data()[i]) * static_cast<double>(to - x);
      }
      if (!(slope < 0) || !moves) return 0;
      if (evaluate(next_)) {
        const double change = next_.loss - now.loss;
        if (change < 0 && change <= 1e-4 * slope) return t;
        if (std::abs(change) <= rounding) {  // the slopes decide
          double after = 0;
          for (Eigen::Index i = 0; i < now.x.size(); ++i) {
            after += static_cast<double>(next_.g.data()[i]) *
                     static_cast<double>(next_.x.data()[i] - now.x.data()[i]);
          }
          if (after > slope && after <= -0.9998 * slope) return t;
        }
        t *= std::clamp(-slope / (2 * (change - slope)), 0.1, 0.5);
      } else {
        if (!evaluate.open()) return 0;
        t *= 0.2;
      }
    }
    return 0;
  }

  void remember(const Point<Vector>& before) {
    const Eigen::Index k = (newest_ + 1) % s_.cols(), n = before.x.size();
    for (Eigen::Index i = 0; i < n; ++i) {
      s_(i, k) = next_.x.data()[i] - before.x.data()[i];
      y_(i, k) = next_.g.data()[i] - before.g.data()[i];
    }
    free_.setConstant(1);
    const auto p = products(k);
    if (!curved(p)) return;
    newest_ = k;
    count_ = (std::min)(count_ + 1, s_.cols() - 1);
    gamma_ = p[1] / p[2];
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_SOLVER_LBFGSB_HPP
