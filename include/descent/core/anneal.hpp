// The ways from one value to another that schedules with several phases share.
#ifndef DESCENT_CORE_ANNEAL_HPP
#define DESCENT_CORE_ANNEAL_HPP

#include <cmath>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "descent/core/cosine.hpp"
#include "descent/core/errors.hpp"
#include "descent/core/rounded.hpp"

namespace descent::inline v0 {

/// The shape of a phase: half a cosine, a line, or 1 − √progress (A. Hägele et al., NeurIPS 2024).
enum class Anneal { cosine, linear, square_root };

/// A line: `from` at progress 0, `to` at 1, both exactly. The two weights keep the relative precision of a small end.
inline double linear_between(double from, double to, double progress) {
  return rounded(from * (1 - progress)) + rounded(to * progress);
}

/// Between `from` and `to` in that shape, at a progress in [0, 1].
inline double anneal_between(Anneal shape, double from, double to, double progress) {
  if (shape == Anneal::cosine) return cosine_between(from, to, progress);
  return linear_between(from, to, shape == Anneal::linear ? progress : std::sqrt(progress));
}

/// The value of a part of a composed schedule: a number, or a function of the number of updates already made.
template <class Part>
double value_at(const Part& part, std::int64_t k) {
  if constexpr (std::is_arithmetic_v<Part>) {
    return static_cast<double>(part);
  } else {
    return static_cast<double>(part(k));
  }
}

/// Refuses a number that is no value of a schedule; functions are checked as they are called.
template <class Part>
void check_part(std::string_view who, const Part& part) {
  if constexpr (std::is_arithmetic_v<Part>) {
    checked(who, "value", static_cast<double>(part), range::non_negative);
  } else {
    static_assert(std::is_invocable_r_v<double, const Part&, std::int64_t>,
                  "descent: a part of a schedule is a number or a callable double(std::int64_t k)");
  }
}

}  // namespace descent::inline v0

#endif  // DESCENT_CORE_ANNEAL_HPP
