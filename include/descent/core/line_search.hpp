// What solvers and line searches say to each other.
#ifndef DESCENT_CORE_LINE_SEARCH_HPP
#define DESCENT_CORE_LINE_SEARCH_HPP

#include <concepts>
#include <limits>

#include "descent/core/version.hpp"

namespace descent::inline v0 {

/// A step length t along a direction d, with φ(t) = f(x + t d) and φ′(t) = ∇f(x + t d)ᵀd where they are known.
struct Trial {
  double t = 0;                                             ///< the step length
  double loss = std::numeric_limits<double>::quiet_NaN();   ///< φ(t); NaN where it is not finite
  double slope = std::numeric_limits<double>::quiet_NaN();  ///< φ′(t); NaN where it is not known
  bool beyond = false;  ///< not finite because the loss is −∞ or the parameters overflowed

  /// Whether φ(t) is a number.
  bool finite() const { return loss == loss; }
};

/// How a line search ended. `unbounded`: at an acceptable step, beyond which the loss falls without end.
enum class Found { accepted, unbounded, failed };

/// The step length of a line search, and how it ended.
struct Searched {
  Found found;   ///< how it ended
  double t = 0;  ///< the accepted step length
};

/// A line as line searches see it: φ and what is known of it.
struct AnyLine {
  Trial operator()(double t);                     ///< φ(t) and φ′(t)
  double loss(double t);                          ///< φ(t) alone
  bool sufficient(const Trial&, double c) const;  ///< descends enough, within rounding
  bool descends(const Trial&) const;              ///< visibly: more than rounding
  double rounding() const;                        ///< by how much φ may differ from itself
  bool open() const;           ///< false: a limit is reached, nothing is evaluated any more
  const Trial& start() const;  ///< t = 0
  double longest() const;      ///< the largest t allowed
};

/// Finds a step length on a line, trying `first` first. A trial that is not finite is too long, never an error.
template <class S>
concept LineSearch = requires(const S& search, AnyLine& line, double first) {
  { search(line, first) } -> std::same_as<Searched>;
};

}  // namespace descent::inline v0

#endif  // DESCENT_CORE_LINE_SEARCH_HPP
