// Half a cosine from one value to another: what the cosine schedules share.
#ifndef DESCENT_CORE_COSINE_HPP
#define DESCENT_CORE_COSINE_HPP

#include <cmath>
#include <numbers>

#include "descent/core/rounded.hpp"

namespace descent::inline v0 {

/// to + (from − to)·(1 + cos(π·progress))/2: `from` at progress 0, `to` at 1 (I. Loshchilov and F. Hutter, "SGDR",
/// ICLR 2017, equation 5). Written as cos²(π·progress/2), which nears the end without cancellation.
inline double cosine_between(double from, double to, double progress) {
  const double c = std::cos(0.5 * std::numbers::pi * progress), weight = rounded(c * c);
  return rounded(from * weight) + rounded(to * (1 - weight));
}

}  // namespace descent::inline v0

#endif  // DESCENT_CORE_COSINE_HPP
