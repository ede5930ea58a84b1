// constant(v): the same value for every update. A plain number does the same; this one is for composing.
#ifndef DESCENT_SCHEDULE_CONSTANT_HPP
#define DESCENT_SCHEDULE_CONSTANT_HPP

#include <cstdint>

#include "descent/core/errors.hpp"

namespace descent::inline v0 {

/// What `constant` returns.
struct Constant {
  double value;  ///< η, in [0, ∞)
  double operator()(std::int64_t) const { return value; }
};

/// η(k) = value. Throws `std::invalid_argument` unless 0 <= value < ∞.
inline Constant constant(double value) {
  return {checked("constant", "value", value, range::non_negative)};
}

}  // namespace descent::inline v0

#endif  // DESCENT_SCHEDULE_CONSTANT_HPP
