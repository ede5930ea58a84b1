// The bookkeeping that the drivers share: evaluations, their checks, the limits, the tolerances, the end.
#ifndef DESCENT_ENGINE_RUN_HPP
#define DESCENT_ENGINE_RUN_HPP

#include <Eigen/Core>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "descent/core/errors.hpp"
#include "descent/core/minimize_options.hpp"
#include "descent/core/objective.hpp"
#include "descent/core/observers.hpp"
#include "descent/core/progress.hpp"
#include "descent/core/result.hpp"
#include "descent/engine/sweep.hpp"

namespace descent::inline v0 {

template <class F, class V, class Watchers>
class Run {
  using Clock = std::chrono::steady_clock;
  static constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

  const F& f_;
  Watchers& watchers_;
  Clock::time_point start_ = Clock::now();

 public:
  using Scalar = typename V::Scalar;

  Limits limits;
  double largest_gradient;  // what the optimizer's state can hold
  bool wants_loss;          // at every evaluation
  V g;
  Result<V> result;
  double loss = unknown, norm = unknown;  // of the last evaluation

  Run(const F& f, const V& x0, const MinimizeOptions& options, double gradient_limit,
      Watchers& watchers)
      : f_(f),
        watchers_(watchers),
        limits(options),
        largest_gradient(
            (std::min)(gradient_limit, static_cast<double>((std::numeric_limits<Scalar>::max)()))),
        wants_loss(HasLossAndGradient<F, V> || limits.loss >= 0 || Watchers::use_loss),
        g(x0) {
    // A gradient that leaves a coefficient unwritten must not pass for one that is 0.
    g.setConstant(std::numeric_limits<Scalar>::quiet_NaN());
    watchers_.begin(x0);
  }

  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  /// Loss (where wanted) and gradient of the full sum at x. false when either is not finite or too large.
  bool evaluate(const V& x) {
    loss = unknown;
    if constexpr (HasLossAndGradient<F, V>) {
      loss = static_cast<double>(f_.loss_and_gradient(x, g));
      ++result.loss_evaluations;
    } else {
      if (wants_loss) {
        loss = static_cast<double>(f_.loss(x));
        ++result.loss_evaluations;
      }
      f_.gradient(x, g);
    }
    ++result.gradient_evaluations;
    return accept(x, wants_loss);
  }

  /// The gradient of a mini-batch, and its loss where it comes with it.
  bool evaluate(const V& x, Batch batch) {
    loss = unknown;
    if constexpr (HasBatchLossAndGradient<F, V>) {
      loss = static_cast<double>(f_.loss_and_gradient(x, batch, g));
      ++result.loss_evaluations;
    } else {
      f_.gradient(x, batch, g);
    }
    ++result.gradient_evaluations;
    return accept(x, HasBatchLossAndGradient<F, V>);
  }

  /// Notes the coefficient of x that is not finite; true if there is none.
  bool finite(const V& x) {
    const Eigen::Index bad = first_not_finite(x.data(), x.size());
    if (bad >= 0) note(Trouble::Where::parameters, bad, static_cast<double>(x.data()[bad]));
    return bad < 0;
  }

  /// Whether a limit forbids another update, and which.
  bool exhausted() {
    if (result.iterations >= limits.iterations) return ends(Status::IterationLimit);
    if (result.epochs >= limits.epochs) return ends(Status::EpochLimit);
    if ((std::max)(result.loss_evaluations, result.gradient_evaluations) >= limits.evaluations) {
      return ends(Status::EvaluationLimit);
    }
    if (limits.seconds < std::numeric_limits<double>::infinity() && seconds() >= limits.seconds) {
      return ends(Status::TimeLimit);
    }
    return false;
  }

  bool gradient_converged() {
    return norm <= limits.gradient && ends(Status::GradientTolerance, limits.gradient);
  }
  bool loss_converged(double before) {
    return limits.loss >= 0 &&
           std::abs(loss - before) <= limits.loss * (std::max)(1.0, std::abs(loss)) &&
           ends(Status::LossTolerance, limits.loss);
  }
  bool step_converged(const V& x, const V& before) {
    if (limits.step < 0) return false;
    double change = 0, size = 1;
    for (Eigen::Index i = 0; i < x.size(); ++i) {
      const auto xi = static_cast<double>(x.data()[i]);
      change = (std::max)(change, std::abs(xi - static_cast<double>(before.data()[i])));
      size = (std::max)(size, std::abs(xi));
    }
    return change <= limits.step * size && ends(Status::StepTolerance, limits.step);
  }

  /// Tells the observers; true when one of them ends the run.
  bool stopped(const V& x, double learning_rate) {
    if constexpr (Watchers::any) {
      const auto known = [](std::int64_t limit) { return limit == Limits::none ? 0 : limit; };
      const Progress progress{.iterations = result.iterations,
                              .epochs = result.epochs,
                              .loss = loss,
                              .gradient_norm = norm,
                              .learning_rate = learning_rate,
                              .seconds = seconds(),
                              .max_iterations = known(limits.iterations),
                              .max_epochs = known(limits.epochs)};
      return !watchers_.notify(progress, x) && ends(Status::Stopped);
    }
    return false;
  }

  bool ends(Status status, double tolerance = 0) {
    result.status = status;
    result.tolerance = tolerance;
    return true;
  }

  /// Loss and gradient norm at x, evaluated where they are not known (NaN); success only when both are finite.
  void settle(const V& x, double known_loss, double known_norm) {
    if (std::isnan(known_loss) || std::isnan(known_norm)) {
      const bool wanted = wants_loss;
      wants_loss = wants_loss || std::isnan(known_loss);
      if constexpr (!HasLossAndGradient<F, V>) {
        if (!std::isnan(known_norm)) {
          loss = static_cast<double>(f_.loss(x));
          ++result.loss_evaluations;
          norm = known_norm;
        } else {
          (void)probe(x);
        }
      } else {
        (void)probe(x);
      }
      wants_loss = wanted;
    } else {
      loss = known_loss;
      norm = known_norm;
    }
    result.loss = loss;
    result.gradient_norm = norm;
  }

  /// The result, after the observers had their say.
  Result<V> finish() {
    if (watchers_.end(result.x)) settle(result.x, unknown, unknown);
    const bool bad = !std::isfinite(result.loss) || !std::isfinite(result.gradient_norm);
    if (bad && result.status != Status::Diverged && result.status != Status::NonFinite) {
      if (!std::isfinite(result.loss)) note(Trouble::Where::loss, -1, result.loss);
      ends(Status::NonFinite);
    }
    result.seconds = seconds();
    return std::move(result);
  }

 private:
  // Evaluates without recording trouble: the run has its status already.
  bool probe(const V& x) {
    const Trouble before = result.trouble;
    const Status status = result.status;
    const bool good = evaluate(x);
    if (before.where != Trouble::Where::nowhere || good) result.trouble = before;
    result.status = status;
    return good;
  }

  bool accept(const V& x, bool has_loss) {
    if (g.rows() != x.rows() || g.cols() != x.cols()) {
      throw_invalid(
          "minimize", "gradient", std::to_string(g.rows()) + " x " + std::to_string(g.cols()),
          "of the shape of x, " + std::to_string(x.rows()) + " x " + std::to_string(x.cols()));
    }
    norm = static_cast<double>(largest_absolute<V::SizeAtCompileTime>(g.data(), g.size()));
    if ((!has_loss || std::isfinite(loss)) && norm <= largest_gradient) return true;
    if (has_loss && !std::isfinite(loss)) {
      note(Trouble::Where::loss, -1, loss);
    } else {
      Eigen::Index bad = first_not_finite(g.data(), g.size());
      const auto where = bad >= 0 ? Trouble::Where::gradient : Trouble::Where::state;
      for (Eigen::Index i = 0; bad < 0 && i < g.size(); ++i) {
        if (static_cast<double>(std::abs(g.data()[i])) > largest_gradient) bad = i;
      }
      note(where, bad, static_cast<double>(g.data()[bad]));
    }
    return false;
  }

  void note(Trouble::Where where, Eigen::Index index, double value) {
    result.trouble = {.where = where,
                      .index = static_cast<std::int64_t>(index),
                      .value = value,
                      .first_evaluation = result.gradient_evaluations <= 1};
    result.status = Status::NonFinite;
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_RUN_HPP
