// armijo: backtracking until the loss descends enough,
//
//     φ(t) ≤ φ(0) + c t φ′(0).
//
// L. Armijo, Pacific J. Math. 16(1), 1966. The next t is where the parabola through φ(0), φ′(0) and φ(t) is least, within
// [0.1 t, 0.5 t]: J. Nocedal and S. J. Wright, "Numerical Optimization", 2nd ed., section 3.5. The loss alone is evaluated
// until a step is accepted. Nothing is said of the slope there, so L-BFGS may have to skip pairs.
#ifndef DESCENT_LINE_SEARCH_ARMIJO_HPP
#define DESCENT_LINE_SEARCH_ARMIJO_HPP

#include <algorithm>
#include <cstdint>

#include "descent/core/errors.hpp"
#include "descent/core/line_search.hpp"

namespace descent::inline v0 {

/// The options of `armijo`.
struct ArmijoOptions {
  double decrease = 1e-4;        ///< c, in (0, 0.5)
  std::int64_t max_trials = 40;  ///< evaluations in one search, at least 1
};

/// Backtracking from the step that is tried first, which is never lengthened.
class Armijo {
  ArmijoOptions options_;

 public:
  explicit Armijo(const ArmijoOptions& options = {}) : options_(options) {
    constexpr Range below_half{.lower = 0, .upper = 0.5, .lower_open = true, .upper_open = true};
    checked("armijo", "decrease", options.decrease, below_half);
    checked_count("armijo", "max_trials", options.max_trials, 1);
  }

  template <class L>
  Searched operator()(L& line, double first) const {
    const Trial& start = line.start();
    double t = (std::min)(first, line.longest());
    for (std::int64_t k = 0; k < options_.max_trials && line.open(); ++k) {
      Trial trial{.t = t, .loss = line.loss(t)};
      // Within rounding the slope decides, and so the gradient is needed.
      if (trial.loss <= start.loss + line.rounding()) trial = line(t);
      if (line.sufficient(trial, options_.decrease)) return {.found = Found::accepted, .t = t};
      const double curvature = trial.loss - start.loss - t * start.slope;  // t² φ″/2
      const double least = -start.slope * t * t / (2 * curvature);
      t = trial.finite() ? std::clamp(least, 0.1 * t, 0.5 * t) : 0.2 * t;
    }
    return {.found = Found::failed};
  }
};

/// Throws `std::invalid_argument` outside the ranges above.
inline Armijo armijo(const ArmijoOptions& options = {}) {
  return Armijo(options);
}

}  // namespace descent::inline v0

#endif  // DESCENT_LINE_SEARCH_ARMIJO_HPP
