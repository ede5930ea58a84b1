// strong_wolfe: a step where the loss has descended enough and the slope is nearly gone,
//
//     φ(t) ≤ φ(0) + c₁ t φ′(0),        |φ′(t)| ≤ c₂ |φ′(0)|.
//
// J. Nocedal and S. J. Wright, "Numerical Optimization", 2nd ed., Algorithms 3.5 and 3.6: first the step grows until an
// interval holds such a t, then the interval shrinks by cubic interpolation (eq. 3.59). Where its end is not finite, or it
// does not shrink by a third in two trials, it is divided instead; where the losses differ by rounding alone, the secant of
// the slopes takes the cubic's place. Moré and Thuente's method asks for the same.
#ifndef DESCENT_LINE_SEARCH_STRONG_WOLFE_HPP
#define DESCENT_LINE_SEARCH_STRONG_WOLFE_HPP

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/line_search.hpp"

namespace descent::inline v0 {

/// The options of `strong_wolfe`.
struct StrongWolfeOptions {
  double decrease = 1e-4;        ///< c₁, in (0, 0.5)
  double curvature = 0.9;        ///< c₂, in (c₁, 1); 0.1 to 0.4 suit conjugate gradients
  std::int64_t max_trials = 40;  ///< evaluations in one search, at least 1
};

/// Loss and gradient are evaluated at every trial; mostly one trial is enough with a direction that has its length right.
class StrongWolfe {
  StrongWolfeOptions options_;

  // Where the cubic through two trials and their slopes is least; NaN if nowhere.
  static double least_of_cubic(const Trial& a, const Trial& b) {
    const double d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t);
    // √(d₁² − φ′(a) φ′(b)), scaled so that squares neither overflow nor vanish.
    const double scale = (std::max)({std::abs(d1), std::abs(a.slope), std::abs(b.slope)});
    const double square = (d1 / scale) * (d1 / scale) - (a.slope / scale) * (b.slope / scale);
    const double d2 = std::copysign(scale * std::sqrt(square), b.t - a.t);
    return b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2));
  }

  static double zero_of_slope(const Trial& a, const Trial& b) {
    return a.t - a.slope * ((b.t - a.t) / (b.slope - a.slope));
  }

 public:
  explicit StrongWolfe(const StrongWolfeOptions& options = {}) : options_(options) {
    checked("strong_wolfe", "decrease", options.decrease,
            {.lower = 0, .upper = 0.5, .lower_open = true, .upper_open = true});
    checked("strong_wolfe", "curvature", options.curvature,
            {.lower = options.decrease, .upper = 1, .lower_open = true, .upper_open = true});
    checked_count("strong_wolfe", "max_trials", options.max_trials, 1);
  }

  template <class L>
  Searched operator()(L& line, double first) const {
    const double steep = options_.curvature * std::abs(line.start().slope);
    const auto alike = [rounding = line.rounding()](const Trial& a, const Trial& b) {
      return std::abs(a.loss - b.loss) <= rounding;
    };
    // `low` is the best that descends enough; with `closed`, a step as wanted lies between it and `high`.
    Trial low = line.start(), high;
    bool closed = false;
    double t = (std::min)(first, line.longest()), width = 0, last_width = 0;
    for (std::int64_t k = 0; k < options_.max_trials && line.open(); ++k) {
      const Trial trial = line(t);
      if (!closed && low.t > 0 && trial.beyond) return {.found = Found::unbounded, .t = low.t};
      // Where losses differ by rounding alone, the slopes say on which side of the minimum a step is.
      const bool blind = alike(trial, line.start()) && alike(trial, low);
      const bool better = blind ? trial.slope <= 0 || std::abs(trial.slope) <= steep
                                : line.sufficient(trial, options_.decrease) &&
                                      (low.t == 0 || trial.loss < low.loss || alike(trial, low));
      if (!better) {
        high = trial;
        closed = true;
      } else if (std::abs(trial.slope) <= steep || (t == line.longest() && trial.slope < 0)) {
        return {.found = Found::accepted, .t = t};
      } else {
        if (closed ? trial.slope * (high.t - low.t) >= 0 : trial.slope >= 0) {
          high = low;
          closed = true;
        }
        const Trial before = low;
        low = trial;
        if (!closed) {
          // Where the cubic has no minimum ahead, the slope does not flatten: far.
          const double far = least_of_cubic(before, low);
          const double factor = far > t ? std::clamp(far / t, 2.0, 10.0) : 4;
          t = (std::min)(factor * t, line.longest());
          continue;
        }
      }

      const double interval = high.t - low.t;
      last_width = std::exchange(width, std::abs(interval));
      if (width <= 1e-15 * (std::max)(low.t, high.t)) break;
      const bool stalls = last_width > 0 && width > 0.66 * last_width;
      const double inside =
          high.finite() && !stalls
              ? alike(low, high) ? zero_of_slope(low, high) : least_of_cubic(low, high)
              : low.t + (high.finite() ? 0.5 : 0.2) * interval;
      const double nearest = low.t + 0.1 * interval, farthest = high.t - 0.1 * interval;
      t = inside >= (std::min)(nearest, farthest) && inside <= (std::max)(nearest, farthest)
              ? inside
          : std::abs(inside - low.t) < std::abs(inside - high.t) ? nearest
                                                                 : farthest;
      if (!std::isfinite(inside)) t = low.t + 0.5 * interval;
    }
    return {.found = line.open() && line.descends(low) ? Found::accepted : Found::failed,
            .t = low.t};
  }
};

/// Throws `std::invalid_argument` outside the ranges above.
inline StrongWolfe strong_wolfe(const StrongWolfeOptions& options = {}) {
  return StrongWolfe(options);
}

}  // namespace descent::inline v0

#endif  // DESCENT_LINE_SEARCH_STRONG_WOLFE_HPP
