// Errors that a program can avoid: `std::invalid_argument` with the argument's name, its value and its range.
//
// A range is stated once, as data; the check and the sentence come from it, so they cannot disagree. Comparisons are
// positive (`lower <= value`), so NaN is in no range.
#ifndef DESCENT_CORE_ERRORS_HPP
#define DESCENT_CORE_ERRORS_HPP

#include <charconv>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>

#include "descent/core/version.hpp"

namespace descent::inline v0 {

// Texts are made in cold functions that are never inlined, so that checks cost little to compile and nothing to pass.

/// The shortest text that reads back as the same number, whatever the locale.
[[gnu::cold, gnu::noinline]] inline std::string to_text(double value) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}
[[gnu::cold, gnu::noinline]] inline std::string integer_text(std::int64_t value) {
  char buffer[24];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}
template <std::integral Integer>
std::string to_text(Integer value) {
  return integer_text(static_cast<std::int64_t>(value));
}

/// The parts, one after another.
[[gnu::cold, gnu::noinline]] inline std::string join(
    std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text.append(part);
  return text;
}

/// "3 x 4", for the shape of a matrix.
[[gnu::cold, gnu::noinline]] inline std::string shape_text(std::int64_t rows, std::int64_t cols) {
  return join({to_text(rows), " x ", to_text(cols)});
}

/// An interval of admissible values; an infinite end is always open.
struct Range {
  double lower = -std::numeric_limits<double>::infinity();  ///< the lower end
  double upper = std::numeric_limits<double>::infinity();   ///< the upper end
  bool lower_open = false;                                  ///< whether `lower` itself is outside
  bool upper_open = false;                                  ///< whether `upper` itself is outside

  /// Whether the value is a finite number inside; NaN is not.
  constexpr bool contains(double value) const {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const bool above = lower_open ? lower < value : lower <= value;
    const bool below = upper_open ? value < upper : value <= upper;
    return above && below && -infinity < value && value < infinity;
  }
  /// The interval as it is written: "[0, 1)".
  [[gnu::cold, gnu::noinline]] std::string text() const {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    return join({lower_open || lower == -infinity ? "(" : "[", to_text(lower), ", ", to_text(upper),
                 upper_open || upper == infinity ? ")" : "]"});
  }
};

/// The ranges that hyper-parameters have.
namespace range {
/// [0, ∞).
inline constexpr Range non_negative{.lower = 0};
/// (0, ∞).
inline constexpr Range positive{.lower = 0, .lower_open = true};
/// [0, 1): decay rates of averages, momentum.
inline constexpr Range decay_rate{.lower = 0, .upper = 1, .upper_open = true};
/// [0, 1].
inline constexpr Range fraction{.lower = 0, .upper = 1};
/// [1, ∞).
inline constexpr Range growth{.lower = 1};
}  // namespace range

/// Throws `std::invalid_argument` "who: name must be expected, got value".
[[noreturn, gnu::cold, gnu::noinline]] inline void throw_invalid(std::string_view who,
                                                                 std::string_view name,
                                                                 std::string_view value,
                                                                 std::string_view expected) {
  throw std::invalid_argument(join({who, ": ", name, " must be ", expected, ", got ", value}));
}

/// `value` if the range contains it; otherwise throws `std::invalid_argument` "who: name must be in range, got value".
[[gnu::noinline]] inline double checked(std::string_view who, std::string_view name, double value,
                                        const Range& range) {
  if (!range.contains(value)) {
    throw_invalid(who, name, to_text(value), join({"in ", range.text()}));
  }
  return value;
}

/// `value` if it is at least `least`; otherwise throws `std::invalid_argument`.
[[gnu::noinline]] inline std::int64_t checked_count(std::string_view who, std::string_view name,
                                                    std::int64_t value, std::int64_t least) {
  if (value < least) {
    throw_invalid(who, name, to_text(value), join({"at least ", to_text(least)}));
  }
  return value;
}

}  // namespace descent::inline v0

#endif  // DESCENT_CORE_ERRORS_HPP
