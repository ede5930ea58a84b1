// fixed_step: no search. t = η at every iteration, and at the first, where nothing is known of the curvature,
//
//     t = η min(1, 1 / ‖g‖₁)
//
// as PyTorch's LBFGS does without `line_search_fn`. A step that leads to NaN or infinity is halved.
#ifndef DESCENT_LINE_SEARCH_FIXED_STEP_HPP
#define DESCENT_LINE_SEARCH_FIXED_STEP_HPP

#include "descent/core/errors.hpp"
#include "descent/core/line_search.hpp"
#include "descent/core/solver.hpp"

namespace descent::inline v0 {

/// The options of `fixed_step`.
struct FixedStepOptions {
  double step = 1;  ///< η, in (0, ∞)
};

/// One evaluation an iteration.
class FixedStep {
  double step_;

 public:
  explicit FixedStep(const FixedStepOptions& options = {})
      : step_(checked("fixed_step", "step", options.step, range::positive)) {}

  /// What to try first, with nothing known of the curvature: 1 at most.
  template <class V>
  double first_step(const Point<V>& point) const {
    const auto norm = static_cast<double>(point.g.template lpNorm<1>());
    return norm > 1 ? 1 / norm : 1;
  }

  template <class L>
  Searched operator()(L& line, double first) const {
    double t = first * step_;
    for (int k = 0; k < 40 && line.open(); ++k, t /= 2) {
      if (line(t).finite()) return {.found = Found::accepted, .t = t};
    }
    return {.found = Found::failed};
  }
};

/// Throws `std::invalid_argument` outside the range above.
inline FixedStep fixed_step(const FixedStepOptions& options = {}) {
  return FixedStep(options);
}

}  // namespace descent::inline v0

#endif  // DESCENT_LINE_SEARCH_FIXED_STEP_HPP
