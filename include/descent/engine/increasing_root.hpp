// The root of an increasing function, by Newton's steps within an interval that shrinks around it.
#ifndef DESCENT_ENGINE_INCREASING_ROOT_HPP
#define DESCENT_ENGINE_INCREASING_ROOT_HPP

#include <cmath>
#include <utility>

#include "descent/core/version.hpp"

namespace descent::inline v0 {

/// z with f(z) = 0 in [lower, upper], of an f that increases and returns its value and its derivative; from a guess at z. A step
/// that leaves the interval is replaced by its middle. Ends with a step of less than 2⁻³⁰ of z, behind which Newton's error
/// is that of rounding.
template <class F>
double increasing_root(double lower, double upper, double z, const F& f) {
  for (int k = 0; k < 100; ++k) {
    const std::pair<double, double> at = f(z);
    (at.first > 0 ? upper : lower) = z;
    double next = z - at.first / at.second;
    if (!(lower <= next && next <= upper)) next = lower + 0.5 * (upper - lower);
    const double step = std::abs(next - z);
    z = next;
    if (!(step > 0x1p-30 * std::abs(z))) break;
  }
  return z;
}

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_INCREASING_ROOT_HPP
