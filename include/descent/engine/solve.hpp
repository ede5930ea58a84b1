// The driver of solvers: the same limits, tolerances, observers and statuses as for optimizers.
#ifndef DESCENT_ENGINE_SOLVE_HPP
#define DESCENT_ENGINE_SOLVE_HPP

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "descent/core/batches.hpp"
#include "descent/core/minimize_options.hpp"
#include "descent/core/objective.hpp"
#include "descent/core/optimizer.hpp"
#include "descent/core/result.hpp"
#include "descent/core/solver.hpp"
#include "descent/engine/run.hpp"

namespace descent::inline v0 {

/// How a solver evaluates in a run: counted, checked, and only as long as limits allow.
template <class F, class V, class Watchers>
class Evaluations {
  Run<F, V, Watchers>& run_;
  Batches* batches_;
  std::int64_t visited_ = 0;  // samples
  bool open_ = true, fine_ = true;

 public:
  static constexpr bool separate = !HasLossAndGradient<F, V>;

  Evaluations(Run<F, V, Watchers>& run, Batches* batches) : run_(run), batches_(batches) {}

  bool open() const { return open_; }
  const F& objective() const { return run_.objective(); }
  /// Whether the last trial was finite.
  bool fine() const { return fine_; }

  bool operator()(Point<V>& point) {
    if constexpr (separate) {
      return loss(point) && gradient(point);
    } else {
      return ask(point, [&] { return run_.evaluate(point.x); });
    }
  }
  bool loss(Point<V>& point) {
    if constexpr (separate) {
      return ask(point, [&] { return run_.evaluate_loss_only(point.x); });
    } else {
      return (*this)(point);
    }
  }
  bool gradient(Point<V>& point) {
    if constexpr (separate) {
      return open_ &&
             evaluate(point, [&] { return run_.evaluate_gradient_only(point.x, point.loss); });
    } else {
      return (*this)(point);
    }
  }
  bool gradient_alone(Point<V>& point) {
    const bool fine = fine_;  // which is about trials
    bool answered = false;
    if constexpr (separate) {
      point.loss = std::numeric_limits<double>::quiet_NaN();
      answered = ask(point, [&] { return run_.evaluate_gradient_only(point.x, point.loss); });
    } else {
      answered = (*this)(point);
    }
    if (answered) fine_ = fine;
    return answered;
  }
  static constexpr bool has_hessian_product = HasHessianProduct<F, V>;
  void hessian_product(const V& x, const V& v, V& product) const requires has_hessian_product {
    run_.objective().hessian_product(x, v, product);
  }

  Eigen::Index batch_size() const { return batches_->batch_size(); }
  Batch next(std::int64_t gradients) {
    if (!room(gradients)) return {};
    const Batch batch = batches_->next();
    visit(static_cast<std::int64_t>(batch.size()));
    return batch;
  }
  bool room(std::int64_t gradients) {
    const auto& result = run_.result;
    if ((std::max)(result.loss_evaluations, result.gradient_evaluations) + gradients >=
        run_.limits.evaluations) {
      run_.ends(Status::EvaluationLimit);
      return false;
    }
    return result.epochs < run_.limits.epochs && !run_.spent();
  }
  bool sampled(const V& x, Batch batch, V& g) {
    g.swap(run_.g);
    fine_ = run_.evaluate(x, batch);
    g.swap(run_.g);
    run_.loss = std::numeric_limits<double>::quiet_NaN();  // of a batch, which says little
    return fine_;
  }
  void count(std::int64_t gradients) { run_.result.gradient_evaluations += gradients; }
  void visit(std::int64_t samples) {
    visited_ += samples;
    run_.result.epochs = visited_ / static_cast<std::int64_t>(objective().size());
  }
  bool close(Point<V>& point) {
    if (evaluate(point, [&] { return run_.evaluate(point.x); })) return true;
    // That it is lower there is no sign that it has no bound, unless it is −∞.
    if (std::isfinite(run_.loss)) run_.loss = std::numeric_limits<double>::quiet_NaN();
    return false;
  }

 private:
  // A loss and its gradient are one evaluation; the first is always made.
  template <class Ask>
  bool ask(Point<V>& point, const Ask& what) {
    if (run_.result.loss_evaluations > 0 && run_.spent()) open_ = false;
    return open_ && evaluate(point, what);
  }
  template <class Ask>
  bool evaluate(Point<V>& point, const Ask& what) {
    point.g.swap(run_.g);
    fine_ = what();
    point.g.swap(run_.g);
    point.loss = run_.loss;
    point.norm = run_.norm;
    return fine_;
  }
};

template <class F, class V, class S, class Watchers>
Result<V> solve(const F& f, const V& x0, S& solver, Limits limits, Watchers watchers,
                Batches* batches = nullptr) {
  using Scalar = typename V::Scalar;
  if (limits.gradient == Limits::off) limits.gradient = sizeof(Scalar) == 4 ? 1e-3 : 1e-6;
  // Squares of gradients are summed, in double.
  Run<F, V, Watchers> run(f, x0, limits, 1e150, watchers);
  run.wants_loss = true;
  Evaluations<F, V, Watchers> evaluate(run, batches);

  Point<V> now{.x = x0, .g = run.g};
  solver.begin(now.x);
  const bool begun = run.finite(now.x) && evaluate(now);
  const auto regard = [&] {
    if constexpr (requires { solver.regard(now); }) solver.regard(now);
    if constexpr (requires { solver.regard(now, evaluate); }) solver.regard(now, evaluate);
  };
  const auto publish = [&] {
    run.loss = now.loss;
    run.norm = now.norm;
  };
  const auto falls_without_end = [&] {
    run.result.trouble = {.where = Trouble::Where::loss};
    run.ends(Status::Diverged);
  };
  if (begun) {
    regard();
    publish();
  }

  // The best point is the present one, and copied only when the run strays from it.
  V best = x0;
  bool strayed = false;
  double lowest = now.loss, best_loss = now.loss, best_norm = now.norm;
  while (begun && !run.gradient_converged() && !run.exhausted()) {
    const double last_loss = now.loss;
    const Iteration<V> iteration = solver.iterate(now, evaluate);
    if (iteration.outcome == Moved::refused) {
      (void)run.exhausted();
      break;
    }
    if (iteration.outcome == Moved::stuck) {
      if (evaluate.fine()) {
        run.ends(Status::LineSearchFailed);
      } else if (run.loss < now.loss && (run.norm == run.norm || !std::isfinite(run.loss))) {
        // Every step leads out of the range of numbers, downwards.
        falls_without_end();
      } else {
        run.result.trouble.first_evaluation = false;
      }
      break;
    }
    ++run.result.iterations;
    if constexpr (FiniteSumObjective<F, V> && gradients_of<S> != Gradients::sampled) {
      ++run.result.epochs;
    }
    publish();
    constexpr auto precision = static_cast<double>(std::numeric_limits<Scalar>::epsilon());
    const double rounding = 4 * precision * std::abs(lowest);
    if (now.loss < lowest - rounding || (now.loss <= lowest + rounding && now.norm < best_norm)) {
      strayed = false;
      best_loss = now.loss;
      best_norm = now.norm;
    } else if (!strayed) {
      strayed = true;
      best = *iteration.before;
    }
    lowest = (std::min)(lowest, now.loss);

    const bool stop = run.tell(now.x, solver);
    if (run.gradient_converged() || run.loss_converged(last_loss) ||
        run.step_converged(now.x, *iteration.before)) {
      break;
    }
    // No solver need go on to the end of the numbers.
    if (iteration.outcome == Moved::unbounded ||
        now.loss < (sizeof(Scalar) == 4 ? -1e30 : -1e140)) {
      falls_without_end();
      break;
    }
    if (stop) {
      run.ends(Status::Stopped);
      break;
    }
  }

  if (!run.failed()) run.result.trouble = {};  // trials that were too long
  const bool present = !strayed || run.result.status == Status::GradientTolerance;
  run.result.x = present ? std::move(now.x) : std::move(best);
  run.result.loss = present ? now.loss : best_loss;
  run.result.gradient_norm = present ? now.norm : best_norm;
  return run.finish([&] {
    now = {run.result.x, run.g, run.result.loss, run.result.gradient_norm};
    regard();
    run.result.loss = now.loss;
    run.result.gradient_norm = now.norm;
  });
}

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_SOLVE_HPP
