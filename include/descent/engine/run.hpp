// The bookkeeping that the drivers share: evaluations, their checks, the limits, the tolerances, the end.
#ifndef DESCENT_ENGINE_RUN_HPP
#define DESCENT_ENGINE_RUN_HPP

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "descent/core/clock.hpp"
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
  static constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

  const F& f_;
  Watchers& watchers_;
  double start_ = now_in_seconds();
  double largest_gradient_;  // what the optimizer's state can hold

 public:
  using Scalar = typename V::Scalar;

  Limits limits;
  bool observers_want_loss = false;
  bool wants_loss = false;  // at every evaluation
  V g;
  Result<V> result;
  double loss = unknown, norm = unknown;  // of the last evaluation

  Run(const F& f, const V& x0, const Limits& the_limits, double gradient_limit, Watchers& watchers)
      : f_(f),
        watchers_(watchers),
        largest_gradient_(
            (std::min)(gradient_limit, static_cast<double>((std::numeric_limits<Scalar>::max)()))),
        limits(the_limits),
        g(x0) {
    // A gradient that leaves a coefficient unwritten must not pass for one that is 0.
    std::fill_n(g.data(), g.size(), std::numeric_limits<Scalar>::quiet_NaN());
    watchers_.begin(x0);
    observers_want_loss = watchers_.uses_loss();
    wants_loss = HasLossAndGradient<F, V> || limits.loss >= 0 || observers_want_loss;
  }

  const F& objective() const { return f_; }
  double seconds() const { return now_in_seconds() - start_; }

  /// Loss (where wanted) and gradient of the full sum at x. false when either is not finite or too large.
  bool evaluate(const V& x) {
    loss = unknown;
    if constexpr (HasLossAndGradient<F, V>) {
      evaluate_both(x);
    } else {
      if (wants_loss) evaluate_loss(x);
      evaluate_gradient(x);
    }
    return accept(wants_loss);
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
    measure_gradient(x);
    return accept(HasBatchLossAndGradient<F, V>);
  }

  /// The loss of the full sum at x alone, and the gradient where the loss is known already.
  bool evaluate_loss_only(const V& x) {
    norm = unknown;
    evaluate_loss(x);
    if (std::isfinite(loss)) return true;
    note(Trouble::Where::loss, -1, loss);
    return false;
  }
  bool evaluate_gradient_only(const V& x, double known_loss) {
    loss = known_loss;
    evaluate_gradient(x);
    return accept(false);
  }

  /// Notes the coefficient of x that is not finite; true if there is none.
  [[gnu::cold, gnu::noinline]] bool finite(const V& x) {
    const Eigen::Index bad = first_not_finite(x.data(), x.size());
    if (bad >= 0) note(Trouble::Where::parameters, bad, static_cast<double>(x.data()[bad]));
    return bad < 0;
  }

  /// Whether a limit forbids another update, and which.
  bool exhausted() {
    if (result.iterations >= limits.iterations) return ends(Status::IterationLimit);
    if (result.epochs >= limits.epochs) return ends(Status::EpochLimit);
    return spent();
  }
  /// Whether a limit forbids another evaluation, and which.
  bool spent() {
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
  [[gnu::noinline]] bool step_converged(const V& x, const V& before) {
    if (limits.step < 0) return false;
    double change = 0, size = 1;
    for (Eigen::Index i = 0; i < x.size(); ++i) {
      const auto xi = static_cast<double>(x.data()[i]);
      change = (std::max)(change, std::abs(xi - static_cast<double>(before.data()[i])));
      size = (std::max)(size, std::abs(xi));
    }
    return change <= limits.step * size && ends(Status::StepTolerance, limits.step);
  }

  /// Tells the observers; true when one of them asks to stop.
  template <class O>
  bool tell(const V& x, O& optimizer) {
    if constexpr (Watchers::any) {
      static_assert(
          !Watchers::scale_learning_rate || can_scale<O>,
          "minimize: an observer (reduce_on_plateau, for one) scales the learning rate: the "
          "optimizer must have void scale_learning_rate(double factor)");
      const auto known = [](std::int64_t limit) { return limit == Limits::none ? 0 : limit; };
      Progress progress{.iterations = result.iterations,
                        .epochs = result.epochs,
                        .loss = loss,
                        .gradient_norm = norm,
                        .learning_rate = optimizer.learning_rate(),
                        .seconds = seconds(),
                        .max_iterations = known(limits.iterations),
                        .max_epochs = known(limits.epochs)};
      return !watchers_.notify(progress, x, [&](Progress& p) { rescale(p, optimizer); });
    }
    return false;
  }

  bool ends(Status status, double tolerance = 0) {
    result.status = status;
    result.tolerance = tolerance;
    return true;
  }

  bool failed() const {
    return result.status == Status::NonFinite || result.status == Status::Diverged;
  }

  /// Loss and gradient norm of the full sum at x, the result's: evaluated where they are not known (NaN).
  [[gnu::cold, gnu::noinline]] void settle(const V& x, double known_loss, double known_norm) {
    loss = known_loss;
    norm = known_norm;
    if constexpr (HasLossAndGradient<F, V>) {
      if (std::isnan(loss) || std::isnan(norm)) evaluate_both(x);
    } else {
      if (std::isnan(loss)) evaluate_loss(x);
      if (std::isnan(norm)) evaluate_gradient(x);
    }
    result.loss = loss;
    result.gradient_norm = norm;
  }

  /// For a run that did not follow its loss, so that result.x is the last iterate and not the best. Where the loss there
  /// is not finite, `beside` is taken if its loss is lower; where it still is not, or the parameters grew a thousand
  /// times, the start.
  [[gnu::cold, gnu::noinline]] void look_back(const V& beside, const V& x0) {
    const auto retreat = [this](const V& x) {
      const double old_loss = result.loss, old_norm = result.gradient_norm;
      settle(x, unknown, unknown);
      const bool better = std::isfinite(result.loss) && !(old_loss <= result.loss);
      if (better) {
        result.x = x;
      } else {
        result.loss = old_loss;
        result.gradient_norm = old_norm;
      }
      return better;
    };
    judge();
    if (!std::isfinite(result.loss) && first_not_finite(beside.data(), beside.size()) < 0) {
      (void)retreat(beside);
    }
    const bool grew = size_of(result.x) > 1e3 * (std::max)(1.0, size_of(x0));
    if ((!std::isfinite(result.loss) || grew) && retreat(x0) && !failed()) ends(Status::Diverged);
  }

  /// The result, after the observers had their say. `regard()` is called where they put another x in place, and has been
  /// settled: it replaces loss and norm in the result by those that a solver is about.
  template <class Regard>
  [[gnu::cold, gnu::noinline]] Result<V> finish(const Regard& regard) {
    if (watchers_.end(result.x)) {
      settle(result.x, unknown, unknown);
      regard();
      // An x that is not the run's has not met its tolerance, unless it does.
      if (result.status == Status::GradientTolerance &&
          !(result.gradient_norm <= result.tolerance)) {
        ends(Status::Stopped);
      }
    }
    judge();
    result.seconds = seconds();
    return std::move(result);
  }
  Result<V> finish() {
    return finish([] {});
  }

 private:
  template <class O>
  static constexpr bool can_scale = requires(O& optimizer) {
    optimizer.scale_learning_rate(1.0);
  };

  template <class O>
  [[gnu::cold, gnu::noinline]] static void rescale(Progress& progress, O& optimizer) {
    if constexpr (can_scale<O>) {
      optimizer.scale_learning_rate(std::exchange(progress.rate_factor, 1));
      progress.learning_rate = optimizer.learning_rate();
    } else {
      throw_invalid("minimize", "optimizer", "one whose learning rate cannot be scaled",
                    "one with void scale_learning_rate(double factor), which an observer asks for");
    }
  }

  // The largest |coefficient|; NaN if one is NaN.
  static double size_of(const V& v) {
    return static_cast<double>(largest_absolute<V::SizeAtCompileTime>(v.data(), v.size()));
  }

  /// No success, and no limit either, where the result's loss or gradient turns out not to be finite.
  [[gnu::cold, gnu::noinline]] void judge() {
    if (failed()) return;
    if (!std::isfinite(result.loss)) {
      note(Trouble::Where::loss, -1, result.loss);
    } else if (!std::isfinite(result.gradient_norm)) {
      note_gradient();
    }
  }

  void evaluate_both(const V& x) {
    loss = static_cast<double>(f_.loss_and_gradient(x, g));
    ++result.loss_evaluations;
    measure_gradient(x);
  }
  void evaluate_loss(const V& x) {
    loss = static_cast<double>(f_.loss(x));
    ++result.loss_evaluations;
  }
  void evaluate_gradient(const V& x) {
    f_.gradient(x, g);
    measure_gradient(x);
  }

  void measure_gradient(const V& x) {
    ++result.gradient_evaluations;
    if (g.rows() != x.rows() || g.cols() != x.cols()) {
      throw_invalid("minimize", "gradient", shape_text(g.rows(), g.cols()),
                    join({"of the shape of x, ", shape_text(x.rows(), x.cols())}));
    }
    norm = size_of(g);
  }

  bool accept(bool has_loss) {
    if (has_loss && !std::isfinite(loss)) {
      note(Trouble::Where::loss, -1, loss);
      return false;
    }
    if (norm <= largest_gradient_) return true;
    note_gradient();
    return false;
  }

  [[gnu::cold, gnu::noinline]] void note_gradient() {
    Eigen::Index bad = first_not_finite(g.data(), g.size());
    const auto where = bad >= 0 ? Trouble::Where::gradient : Trouble::Where::state;
    for (Eigen::Index i = 0; bad < 0 && i < g.size(); ++i) {
      if (static_cast<double>(std::abs(g.data()[i])) > largest_gradient_) bad = i;
    }
    note(where, bad, bad >= 0 ? static_cast<double>(g.data()[bad]) : norm);
  }

  [[gnu::cold, gnu::noinline]] void note(Trouble::Where where, Eigen::Index index, double value) {
    result.trouble = {.where = where,
                      .index = static_cast<std::int64_t>(index),
                      .value = value,
                      .first_evaluation = result.gradient_evaluations <= 1};
    result.status = Status::NonFinite;
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_RUN_HPP
