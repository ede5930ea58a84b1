// grid_search and random_search: hyper-parameters by trial, on all cores.
//
//     const auto score = [&](double rate, double decay) { ... return validation loss; };
//     grid_search(score, {log_space(1e-4, 1e-1, 4), values({0, 0.9})}, {.threads = 0}).best().values[0]
//     random_search(score, {log_uniform(1e-4, 1e-1), uniform(0, 1)}, {.trials = 50, .seed = 1})
//
// A random search finds as good a point in fewer trials where only some of the parameters matter: J. Bergstra and Y. Bengio,
// "Random search for hyper-parameter optimization", J. Mach. Learn. Res. 13, 2012. Which points are tried, in which order
// they stand, and which is the best depends neither on the number of threads nor on the machine.
#ifndef DESCENT_TUNE_SEARCH_HPP
#define DESCENT_TUNE_SEARCH_HPP

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "descent/core/errors.hpp"
#include "descent/core/geometric_mean.hpp"
#include "descent/core/random.hpp"
#include "descent/core/rounded.hpp"
#include "descent/engine/team.hpp"

namespace descent::inline v0 {

/// The values of one parameter in a grid.
struct Axis {
  std::vector<double> points;  ///< in the order of the trials
};

/// These values. `std::invalid_argument` where there is none.
inline Axis values(std::vector<double> points) {
  checked_count("values", "number of points", static_cast<std::int64_t>(points.size()), 1);
  return {std::move(points)};
}

/// What values of one parameter are drawn from: an interval, or the points of an axis.
struct Distribution {
  double lower = 0;  ///< the lower end
  double upper = 0;  ///< the upper end
  bool logarithmic =
      false;  ///< whether each factor is as likely as the others, instead of each difference
  std::vector<double> points{};  ///< where there are any: each as likely as the others

  /// An interval.
  Distribution(double from, double to, bool by_factors)
      : lower(from), upper(to), logarithmic(by_factors) {}
  /// One of the values of an axis: `random_search(f, {log_uniform(1e-4, 1e-1), values({16, 32, 64})})`.
  Distribution(Axis axis) : points(std::move(axis.points)) {
    checked_count("random_search", "number of values", static_cast<std::int64_t>(points.size()), 1);
  }

  /// The value that divides it as t divides [0, 1].
  double at(double t) const {
    if (!points.empty()) {
      const auto n = points.size();
      return points[(std::min)(static_cast<std::size_t>(t * static_cast<double>(n)), n - 1)];
    }
    if (logarithmic) return geometric_mean(lower, upper, t);
    return t >= 1 ? upper : lower + rounded(t * (upper - lower));
  }
};

/// Each value of [lower, upper) is as likely as the others. `std::invalid_argument` unless lower <= upper, both finite.
inline Distribution uniform(double lower, double upper) {
  checked("uniform", "lower", lower, {});
  return {lower, checked("uniform", "upper", upper, {.lower = lower}), false};
}
/// Each order of magnitude is as likely as the others: for learning rates. `std::invalid_argument` unless 0 < lower <= upper.
inline Distribution log_uniform(double lower, double upper) {
  checked("log_uniform", "lower", lower, range::positive);
  return {lower, checked("log_uniform", "upper", upper, {.lower = lower}), true};
}

namespace tuning {
inline Axis spaced(std::string_view who, const Distribution& interval, std::int64_t n) {
  checked_count(who, "n", n, 1);
  Axis axis;
  for (std::int64_t k = 0; k < n; ++k) {
    axis.points.push_back(
        interval.at(n == 1 ? 0 : static_cast<double>(k) / static_cast<double>(n - 1)));
  }
  return axis;
}
}  // namespace tuning

/// n values from lower to upper, both included, at equal distances. `std::invalid_argument` as by `uniform`, and for n < 1.
inline Axis linear_space(double lower, double upper, std::int64_t n) {
  return tuning::spaced("linear_space", uniform(lower, upper), n);
}
/// n values from lower to upper, both included, at equal ratios. `std::invalid_argument` as by `log_uniform`, and for n < 1.
inline Axis log_space(double lower, double upper, std::int64_t n) {
  return tuning::spaced("log_space", log_uniform(lower, upper), n);
}

/// One point that was tried.
template <std::size_t N>
struct SearchTrial {
  std::array<double, N> values{};                           ///< of the parameters
  double score = std::numeric_limits<double>::quiet_NaN();  ///< lower is better
};

/// What a search returns.
template <std::size_t N>
struct Search {
  std::vector<SearchTrial<N>> trials;  ///< all of them, in their order
  std::size_t best_index = 0;          ///< which of them is the best

  /// The trial with the lowest finite score, the first of those that have it; where no score is finite, the first of all.
  const SearchTrial<N>& best() const { return trials[best_index]; }
};

/// How a grid search runs.
struct GridSearchOptions {
  int threads = 1;  ///< trials at a time, at least 1; 0: one for each processor
};

/// How a random search runs.
struct RandomSearchOptions {
  std::int64_t trials = 20;  ///< at least 1
  std::uint64_t seed = 0;    ///< of the draws: the same seed tries the same points
  int threads = 1;           ///< trials at a time, at least 1; 0: one for each processor
};

namespace tuning {
template <class F, std::size_t N>
Search<N> run(const F& f, std::vector<SearchTrial<N>> trials, int threads) {
  const auto score = [&f](const auto&... values) {
    static_assert(std::is_invocable_r_v<double, const F&, decltype(values)...>,
                  "grid_search, random_search: f takes one double for each axis or range, returns "
                  "a score, lower being better, and can be called as const");
    return static_cast<double>(f(values...));
  };
  Team team(threads);
  team.run(static_cast<Eigen::Index>(trials.size()), [&](Eigen::Index k, int) {
    auto& trial = trials[static_cast<std::size_t>(k)];
    trial.score = std::apply(score, trial.values);
  });
  std::size_t best = 0;
  double lowest = std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < trials.size(); ++k) {
    if (std::isfinite(trials[k].score) && trials[k].score < lowest) {
      lowest = trials[best = k].score;
    }
  }
  return {std::move(trials), best};
}
}  // namespace tuning

/// Scores every combination of the axes' values; the last axis changes first. f(double...) gets one value an axis and
/// returns a score, lower being better; one that is not finite, as that of a run that failed, is never the best. With
/// several threads it is called in several at once, so what it writes must be its own. An exception from it ends the
/// search and passes through: that of the first trial that threw, whatever the threads.
template <class F, std::size_t N>
Search<N> grid_search(const F& f, const Axis (&axes)[N], const GridSearchOptions& options = {}) {
  checked_count("grid_search", "threads", options.threads, 0);
  std::size_t count = 1;
  for (const Axis& axis : axes) count *= axis.points.size();
  checked_count("grid_search", "number of trials", static_cast<std::int64_t>(count), 1);
  std::vector<SearchTrial<N>> trials(count);
  for (std::size_t k = 0; k < count; ++k) {
    std::size_t rest = k;
    for (std::size_t a = N; a-- > 0; rest /= axes[a].points.size()) {
      trials[k].values[a] = axes[a].points[rest % axes[a].points.size()];
    }
  }
  return tuning::run(f, std::move(trials), options.threads);
}

/// The same for points that are drawn, one value a range (`uniform`, `log_uniform`, or an axis), each on its own.
template <class F, std::size_t N>
Search<N> random_search(const F& f, const Distribution (&ranges)[N],
                        const RandomSearchOptions& options = {}) {
  checked_count("random_search", "trials", options.trials, 1);
  checked_count("random_search", "threads", options.threads, 0);
  std::vector<SearchTrial<N>> trials(static_cast<std::size_t>(options.trials));
  Random random(options.seed);
  for (auto& trial : trials) {
    for (std::size_t a = 0; a < N; ++a) trial.values[a] = ranges[a].at(random.uniform());
  }
  return tuning::run(f, std::move(trials), options.threads);
}

}  // namespace descent::inline v0

#endif  // DESCENT_TUNE_SEARCH_HPP
