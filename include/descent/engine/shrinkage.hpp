// What L2 and L1 penalties amount to over many steps of SGD, for coefficients that are not looked at meanwhile.
#ifndef DESCENT_ENGINE_SHRINKAGE_HPP
#define DESCENT_ENGINE_SHRINKAGE_HPP

#include <limits>
#include <string_view>

#include "descent/core/errors.hpp"

namespace descent::inline v0 {

/// sign(x) max(|x| − τ, 0) for τ ≥ 0; NaN stays.
inline double soft(double x, double tau) {
  return x > tau ? x - tau : x < -tau ? x + tau : x - x;
}

/// A coefficient that was x becomes scale · soft(x, threshold): P and S of optimizer/sparse_sgd.hpp.
struct Shrinkage {
  double l2 = 0;         ///< λ₂
  double l1 = 0;         ///< λ₁
  double scale = 1;      ///< Π (1 − ηλ₂)
  double threshold = 0;  ///< Σ ηλ₁/scale

  /// The rate, if it is at least 0, and ηλ₂ < 1.
  double checked_rate(std::string_view who, double rate) const {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    return checked(who, "learning_rate", rate,
                   {.lower = 0, .upper = l2 > 0 ? 1 / l2 : infinity, .upper_open = true});
  }
  /// One step; returns its 1 − ηλ₂.
  double step(double rate) {
    const double kept = 1 - rate * l2;
    scale *= kept;
    if (l1 > 0) threshold += rate * l1 / scale;
    return kept;
  }
  /// Whether all coefficients had better be looked at before a step at that rate, and the scale be 1 and the threshold 0
  /// again, lest digits be lost.
  bool spent(double rate = 0) const {
    const double more = rate * l1 / scale;
    return scale <= 0x1p-20 || (more > 0 && more < 0x1p-16 * threshold);
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_SHRINKAGE_HPP
