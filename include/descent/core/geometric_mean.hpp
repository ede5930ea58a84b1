// Weighted geometric means, without the logarithm and the exponential function, whose last bits depend on the machine.
#ifndef DESCENT_CORE_GEOMETRIC_MEAN_HPP
#define DESCENT_CORE_GEOMETRIC_MEAN_HPP

#include <cmath>

#include "descent/core/version.hpp"

namespace descent::inline v0 {

/// a¹⁻ᵗ bᵗ of positive a and b, for t in [0, 1]: a at 0, b at 1, in between right to some units in the last place. Each binary
/// digit of t says which half, by the square root of the product, to go on with.
inline double geometric_mean(double a, double b, double t) {
  if (t >= 1) return b;
  for (int digit = 0; digit < 64 && t > 0; ++digit) {
    const double middle = std::sqrt(a) * std::sqrt(b);
    t *= 2;
    if (t >= 1) {
      a = middle;
      t -= 1;
    } else {
      b = middle;
    }
  }
  return a;
}

}  // namespace descent::inline v0

#endif  // DESCENT_CORE_GEOMETRIC_MEAN_HPP
