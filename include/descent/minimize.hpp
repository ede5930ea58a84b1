// minimize: the driver that ties objective, optimizer and observers together.
//
// It knows concepts, never a concrete optimizer. Full gradients or mini-batches, the loop is the same: evaluate, check
// that everything is finite, tell the observers, test tolerances and limits, step. A step writes into a spare vector,
// so the last good point survives whatever the next evaluation brings, and nothing is copied to keep it.
#ifndef DESCENT_MINIMIZE_HPP
#define DESCENT_MINIMIZE_HPP

#include <Eigen/Core>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "descent/core/batches.hpp"
#include "descent/core/errors.hpp"
#include "descent/core/minimize_options.hpp"
#include "descent/core/objective.hpp"
#include "descent/core/observers.hpp"
#include "descent/core/optimizer.hpp"
#include "descent/core/result.hpp"
#include "descent/core/solver.hpp"
#include "descent/engine/chain.hpp"
#include "descent/engine/run.hpp"
#include "descent/engine/solve.hpp"

namespace descent::inline v0 {

namespace drivers {

inline constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

/// A temporary optimizer made over for the type of x0.
template <class Base, class Given>
struct Rebound : Base {
  static constexpr Gradients gradients = gradients_of<Given>;
  static constexpr bool needs_loss = needs_loss_of<Given>;
};

/// next = x + update, for optimizers that can write elsewhere and for those that cannot.
template <class O, class V>
StepOutcome advance(O& optimizer, const V& x, const V& g, V& next, double loss) {
  if constexpr (requires { optimizer.advance(x, g, next, loss); }) {
    return optimizer.advance(x, g, next, loss);
  } else {
    next = x;
    optimizer.step(next, g);
    return {.taken = true, .finite = first_not_finite(next.data(), next.size()) < 0};
  }
}

template <class O>
double gradient_limit(const O& optimizer) {
  if constexpr (requires { optimizer.gradient_limit(); }) {
    return static_cast<double>(optimizer.gradient_limit());
  } else {
    return std::numeric_limits<double>::infinity();
  }
}

/// Full gradients.
template <class F, class V, class O, class Watchers>
Result<V> full(const F& f, const V& x0, O& optimizer, Limits limits, Watchers watchers) {
  if (limits.gradient == Limits::off) {
    limits.gradient = sizeof(typename V::Scalar) == 4 ? 1e-3 : 1e-6;
  }
  Run<F, V, Watchers> run(f, x0, limits, gradient_limit(optimizer), watchers);
  run.wants_loss = run.wants_loss || needs_loss_of<O>;

  // Three places, so that neither the present point nor the best one is ever copied. Where the loss is not known, the
  // present point counts as the best.
  std::array<V, 3> place{x0, x0, run.wants_loss ? x0 : V()};
  std::size_t now = 0, best = 0;
  double lowest = unknown, best_loss = unknown, best_norm = unknown;
  const auto accept = [&](std::size_t candidate) {
    now = candidate;
    // Losses that differ by rounding are equal: of their points, that with the smallest gradient is the best. A loss alone
    // tells only half of the digits of x.
    constexpr auto precision =
        static_cast<double>(std::numeric_limits<typename V::Scalar>::epsilon());
    const double rounding = 4 * precision * std::abs(lowest);
    const bool lower = run.loss < lowest - rounding || std::isnan(lowest);
    if (!run.wants_loss || lower || (run.loss <= lowest + rounding && run.norm < best_norm)) {
      best = now;
      run.result.unmoved = run.wants_loss && run.result.iterations == 0;
      best_loss = run.loss;
      best_norm = run.norm;
    }
    if (!(run.loss >= lowest)) lowest = run.loss;
  };

  const bool begun = run.finite(x0) && run.evaluate(x0);
  if (begun) accept(0);
  while (begun && !run.gradient_converged() && !run.exhausted()) {
    const std::size_t last = now, next = now != 0 && best != 0 ? 0 : now != 1 && best != 1 ? 1 : 2;
    const double last_loss = run.loss;
    const StepOutcome outcome = advance(optimizer, place[now], run.g, place[next], last_loss);
    ++run.result.iterations;
    if constexpr (FiniteSumObjective<F, V>) ++run.result.epochs;
    if (!outcome.finite) {
      (void)run.finite(place[next]);
      run.ends(Status::Diverged);
      break;
    }
    if (!run.evaluate(place[next])) break;
    accept(next);
    const bool stop = run.tell(place[now], optimizer);
    // A step that a gate skipped changes nothing, which is no convergence.
    if (run.gradient_converged() ||
        (outcome.taken &&
         (run.loss_converged(last_loss) || run.step_converged(place[now], place[last])))) {
      break;
    }
    if (stop) {
      run.ends(Status::Stopped);
      break;
    }
  }

  // A point where the gradient vanishes is the answer even if rounding made another one's loss a little lower.
  const bool present = run.result.status == Status::GradientTolerance;
  run.result.x = std::move(place[present ? now : best]);
  if (begun) {
    run.settle(run.result.x, present ? run.loss : best_loss, present ? run.norm : best_norm);
    if (!run.wants_loss) run.look_back(place[1 - now], x0);
  } else {
    run.result.loss = run.loss;
    run.result.gradient_norm = run.norm;
  }
  return run.finish();
}

/// Mini-batches of a finite sum.
template <class F, class V, class O, class Watchers>
Result<V> sampled(const F& f, const V& x0, O& optimizer, const Limits& limits, Batches& batches,
                  Watchers watchers) {
  Run<F, V, Watchers> run(f, x0, limits, gradient_limit(optimizer), watchers);
  run.wants_loss = true;  // where the full sum is looked at, at an epoch's end
  const bool tests_loss = limits.loss >= 0, tests_step = limits.step >= 0;
  const bool looks = limits.gradient >= 0 || tests_loss || run.observers_want_loss;

  std::array<V, 2> place{x0, x0};
  V epoch_start = tests_step ? x0 : V();
  std::size_t now = 0;
  double last_loss = unknown;                         // of the full sum, at the last epoch's end
  double known_loss = unknown, known_norm = unknown;  // of the full sum at place[now]

  bool moved = false;  // in this epoch

  bool begun = run.finite(x0);
  if (begun && tests_loss) begun = run.evaluate(x0);
  last_loss = known_loss = run.loss;
  known_norm = run.norm;
  while (begun && !run.exhausted()) {
    if (!run.evaluate(place[now], batches.next())) break;
    const StepOutcome outcome = advance(optimizer, place[now], run.g, place[1 - now], run.loss);
    ++run.result.iterations;
    if (!outcome.finite) {
      (void)run.finite(place[1 - now]);
      run.ends(Status::Diverged);
      break;
    }
    now = 1 - now;
    moved |= outcome.taken;
    known_loss = known_norm = run.loss = run.norm = unknown;
    if (!batches.epoch_ended()) continue;

    ++run.result.epochs;
    if (looks && !run.evaluate(place[now])) break;
    known_loss = run.loss;
    known_norm = run.norm;
    const bool stop = run.tell(place[now], optimizer);
    if (run.gradient_converged() ||
        (moved && (run.loss_converged(last_loss) || run.step_converged(place[now], epoch_start)))) {
      break;
    }
    if (stop) {
      run.ends(Status::Stopped);
      break;
    }
    moved = false;
    last_loss = known_loss;
    if (tests_step) epoch_start = place[now];
  }

  run.result.x = place[now];
  if (!begun) {
    run.result.loss = run.loss;
    run.result.gradient_norm = run.norm;
    return run.finish();
  }
  run.settle(run.result.x, known_loss, known_norm);
  run.look_back(place[1 - now], x0);

  if (run.result.iterations > 0 && !batches.epoch_ended() && !run.failed()) {
    run.loss = run.result.loss;
    run.norm = run.result.gradient_norm;
    (void)run.tell(run.result.x, optimizer);
  }
  return run.finish();
}

/// Throws unless the samples can be drawn as options and objective want it.
[[gnu::cold, gnu::noinline]] inline void check_sampling(const MinimizeOptions& options,
                                                        std::int64_t samples,
                                                        std::span<const double> probabilities) {
  constexpr std::string_view who = "minimize";
  if (const Batches* const batches = options.batches) {
    const MinimizeOptions none;
    if (options.batch_size || options.sampling != none.sampling || options.seed != none.seed ||
        options.drop_last || options.batch_growth != none.batch_growth) {
      throw_invalid(who, "batches", "it beside others",
                    "the only option of the sampling: batch_size, sampling, seed, drop_last and "
                    "batch_growth are those that it was made with");
    }
    if (batches->samples() != samples) {
      throw_invalid(who, "batches", join({"one of ", to_text(batches->samples()), " samples"}),
                    join({"of the objective's ", to_text(samples), " samples"}));
    }
    if (!batches->draws_by(probabilities)) {
      throw_invalid(who, "batches", "one with others",
                    "made with the objective's sampling_probabilities()");
    }
  } else if (!probabilities.empty() && options.sampling != Sampling::with_replacement) {
    throw_invalid(who, "sampling", options.sampling == Sampling::shuffled ? "shuffled" : "in_order",
                  "with_replacement for an objective by importance, whose samples are drawn with "
                  "probabilities: a shuffled epoch visits each once");
  }
}

/// Mini-batches as the options want them.
template <class F, class V, class O, class Watchers>
Result<V> by_batches(const F& f, const V& x0, O& optimizer, const MinimizeOptions& options,
                     const Limits& limits, Watchers watchers) {
  const auto draw = [&](Batches& batches) {
    if constexpr (Solver<O>) {
      return solve(f, x0, optimizer, limits, watchers, &batches);
    } else {
      return sampled(f, x0, optimizer, limits, batches, watchers);
    }
  };
  if (options.batches != nullptr) return draw(*options.batches);
  Batches batches(static_cast<Eigen::Index>(f.size()),
                  static_cast<Eigen::Index>(options.batch_size.value_or(1)), options.sampling,
                  options.seed,
                  {.drop_last = options.drop_last,
                   .growth = options.batch_growth,
                   .probabilities = sampling_probabilities(f)});
  return draw(batches);
}

/// Checks the options and picks the driver.
template <class F, class X, class O, class Watchers>
Result<typename X::PlainObject> run(const F& f, const Eigen::MatrixBase<X>& x0, O& optimizer,
                                    const MinimizeOptions& options, Watchers watchers) {
  using V = typename X::PlainObject;
  constexpr bool finite_sum =
      HasSize<F> && (HasBatchGradient<F, V> || HasBatchLossAndGradient<F, V>);
  constexpr Gradients gradients = gradients_of<O>;
  const Limits limits(options);  // what throws comes first, and leaves the optimizer as it was
  if constexpr (finite_sum) {
    checked_count("minimize", "size() of the objective", static_cast<std::int64_t>(f.size()), 1);
    if (gradients == Gradients::full && (options.batch_size || options.batches)) {
      throw_invalid("minimize", options.batches ? "batches" : "batch_size",
                    options.batches ? "one" : to_text(*options.batch_size),
                    "unset with GradientDescent, which uses the full gradient (SGD samples)");
    }
    if (gradients == Gradients::sampled || options.batch_size || options.batches) {
      check_sampling(options, static_cast<std::int64_t>(f.size()), sampling_probabilities(f));
    }
  } else {
    const std::string_view name = options.batches      ? "batches"
                                  : options.batch_size ? "batch_size"
                                  : options.max_epochs ? "max_epochs"
                                                       : "";
    if (!name.empty()) {
      throw_invalid("minimize", name,
                    options.batches
                        ? "one"
                        : to_text(options.batch_size.value_or(options.max_epochs.value_or(0))),
                    "unset for an objective that is not a finite sum: that needs size() and "
                    "gradient(x, batch, g)");
    }
  }
  const V start = x0;
  if (!options.warm_start) optimizer.reset();

  if constexpr (gradients == Gradients::sampled && Solver<O> && !finite_sum) {
    static_assert(finite_sum,
                  "minimize: this solver is for finite sums, and this objective is none, which "
                  "needs Eigen::Index size() const and void gradient(const V& x, descent::Batch "
                  "batch, V& g) const: use descent::LBFGS");
    return {};
  } else if constexpr (gradients == Gradients::sampled && !finite_sum) {
    static_assert(finite_sum,
                  "minimize: SGD samples mini-batches, and this objective is not a finite sum, "
                  "which needs Eigen::Index size() const and void gradient(const V& x, "
                  "descent::Batch batch, V& g) const: use descent::GradientDescent, or call "
                  "step(x, g) in a loop of your own");
    return {};
  } else {
    if constexpr (gradients == Gradients::sampled) {
      return by_batches(f, start, optimizer, options, limits, watchers);
    } else if constexpr (finite_sum && gradients == Gradients::either) {
      if (options.batch_size || options.batches)
        return by_batches(f, start, optimizer, options, limits, watchers);
      return full(f, start, optimizer, limits, watchers);
    } else if constexpr (Solver<O>) {
      return solve(f, start, optimizer, limits, watchers);
    } else {
      return full(f, start, optimizer, limits, watchers);
    }
  }
}

}  // namespace drivers

/// Runs `optimizer` on `f` from `x0` until a tolerance is met, a limit is reached or an observer returns false:
///
///     auto result = minimize(f, x0, Adam({.learning_rate = 0.01}), {.max_iterations = 20'000}, progress_bar());
///
/// `f` is an `Objective` for the type of x0 (which may be an expression). A temporary optimizer adapts to that type; a
/// named one must match it, starts afresh unless `warm_start`, and keeps its state for inspection. With `batch_size`
/// (SGD: always) the gradients are those of mini-batches, and f must be a `FiniteSumObjective`. Of an f that has a
/// `proximal_part()`, the solvers that take one minimize its `smooth_part()` with it; losses are those of f.
///
/// To go on where a run on mini-batches ended, be it within an epoch, give each the same `Batches`, and the second
/// `warm_start`: both together make the updates of one run. `warm_start` alone keeps the optimizer's state, not the place
/// in the epoch, as a new `DataLoader` does in PyTorch.
///
/// x in the result: with full gradients whose loss is known, the best point seen; otherwise the last finite iterate, or
/// the start where that has run away. A loss or gradient that is not finite ends the run with `Status::NonFinite` and
/// never overwrites that point. The loss is evaluated at x: where the run did not, once at the end, limits or not. Throws
/// `std::invalid_argument` for options outside their ranges and sizes that do not match; an exception from `f`, an
/// observer or a schedule passes through and leaves the optimizer usable.
template <class F, class X, class O, class... Os>
[[nodiscard]] Result<typename X::PlainObject> minimize(const F& f, const Eigen::MatrixBase<X>& x0,
                                                       O&& optimizer,
                                                       const MinimizeOptions& options = {},
                                                       Os&&... observers) {
  using V = typename X::PlainObject;
  using Given = std::remove_cvref_t<O>;
  constexpr bool named = std::is_lvalue_reference_v<O>;

  // One complaint at a time: what would only follow from it is not compiled.
  if constexpr (requires { optimizer.with(f.proximal_part()); }) {
    static_assert(!named,
                  "minimize: this objective brings its proximal step (l1, elastic_net), with which "
                  "the solver is made anew: pass a temporary, or minimize f.smooth_part() by a "
                  "solver made for f.proximal_part()");
    if constexpr (!named) {
      return minimize(f.smooth_part(), x0, optimizer.with(f.proximal_part()), options,
                      observers...);
    } else {
      return {};
    }
  } else if constexpr (!Optimizer<Given> && !Solver<Given>) {
    static_assert(Optimizer<Given>,
                  "minimize: the third argument is an optimizer, such as descent::Adam({...})");
    return {};
  } else if constexpr (std::is_const_v<std::remove_reference_t<O>>) {
    static_assert(!std::is_const_v<std::remove_reference_t<O>>,
                  "minimize: the optimizer must not be const");
    return {};
  } else if constexpr (!Objective<F, V>) {
    require_objective<F, V>();
    return {};
  } else if constexpr (std::is_same_v<typename Given::Vector, V>) {
    return drivers::run(f, x0, optimizer, options,
                        Observers<std::remove_reference_t<Os>...>(observers...));
  } else if constexpr (named) {
    static_assert(!named,
                  "minimize: a named optimizer must be made for the type of x0, as in "
                  "descent::Adam<Eigen::Vector2d>; a temporary one adapts by itself");
    return {};
  } else if constexpr (requires { optimizer.template rebind<V>(); }) {
    auto adapted = optimizer.template rebind<V>();
    drivers::Rebound<decltype(adapted), Given> rebound{std::move(adapted)};
    return drivers::run(f, x0, rebound, options,
                        Observers<std::remove_reference_t<Os>...>(observers...));
  } else {
    static_assert(named,
                  "minimize: this optimizer is made for another type of parameters than x0, and "
                  "has no rebind<V>() to adapt itself");
    return {};
  }
}

}  // namespace descent::inline v0

#endif  // DESCENT_MINIMIZE_HPP
