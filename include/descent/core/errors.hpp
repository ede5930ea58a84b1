// Errors that a program can avoid: `std::invalid_argument` with the argument's name, its value and its range.
//
// A range is stated once, as data; the check and the sentence come from it, so they cannot disagree. Comparisons are
// positive (`lower <= value`), so NaN is in no range.
#ifndef DESCENT_CORE_ERRORS_HPP
#define DESCENT_CORE_ERRORS_HPP

#include <charconv>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>

#include "descent/core/version.hpp"

namespace descent::inline v0 {

/// The shortest text that reads back as the same number, whatever the locale.
inline std::string to_text(double value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return std::string(buffer, end);
}
inline std::string to_text(std::int64_t value) {
  return std::to_string(value);
}

/// An interval of admissible values; an infinite end is always open.
struct Range {
  double lower = -std::numeric_limits<double>::infinity();
  double upper = std::numeric_limits<double>::infinity();
  bool lower_open = false;
  bool upper_open = false;

  constexpr bool contains(double value) const {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const bool above = lower_open ? lower < value : lower <= value;
    const bool below = upper_open ? value < upper : value <= upper;
    return above && below && -infinity < value && value < infinity;
  }
  std::string text() const {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    std::string text(1, lower_open || lower == -infinity ? '(' : '[');
    text.append(to_text(lower)).append(", ").append(to_text(upper));
    return text.append(1, upper_open || upper == infinity ? ')' : ']');
  }
};

/// The ranges that hyper-parameters have.
namespace range {
inline constexpr Range non_negative{.lower = 0};
inline constexpr Range positive{.lower = 0, .lower_open = true};
/// [0, 1): decay rates of averages, momentum.
inline constexpr Range decay_rate{.lower = 0, .upper = 1, .upper_open = true};
/// [0, 1].
inline constexpr Range fraction{.lower = 0, .upper = 1};
}  // namespace range

[[noreturn]] inline void throw_invalid(std::string_view who, std::string_view name,
                                       std::string_view value, std::string_view expected) {
  std::string message(who);
  message.append(": ")
      .append(name)
      .append(" must be ")
      .append(expected)
      .append(", got ")
      .append(value);
  throw std::invalid_argument(message);
}

/// `value` if the range contains it; otherwise throws `std::invalid_argument` "who: name must be in range, got value".
inline double checked(std::string_view who, std::string_view name, double value,
                      const Range& range) {
  if (!range.contains(value)) throw_invalid(who, name, to_text(value), "in " + range.text());
  return value;
}

/// Throws `std::invalid_argument` when a count is below `least`.
inline std::int64_t checked_count(std::string_view who, std::string_view name, std::int64_t value,
                                  std::int64_t least) {
  if (value < least) throw_invalid(who, name, to_text(value), "at least " + to_text(least));
  return value;
}

}  // namespace descent::inline v0

#endif  // DESCENT_CORE_ERRORS_HPP
