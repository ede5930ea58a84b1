#include <descent/core/errors.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>

using namespace descent;

namespace {
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double tiny = std::numeric_limits<double>::denorm_min();

std::string refusal(double value, const Range& range) {
  try {
    return checked("Adam", "beta1", value, range) == value ? "accepted" : "changed";
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}
}  // namespace

TEST_CASE("a range contains what its text says") {
  struct Row {
    Range range;
    const char* text;
    std::initializer_list<double> in, out;
  };
  const double below_one = std::nextafter(1.0, 0.0);
  const Row rows[] = {
      {range::non_negative, "[0, inf)", {0.0, -0.0, tiny, 1.0, 1e308}, {-tiny, -1.0, -1e308}},
      {range::positive, "(0, inf)", {tiny, 1.0, 1e308}, {0.0, -0.0, -tiny, -1.0}},
      {range::decay_rate, "[0, 1)", {0.0, 0.5, below_one}, {-tiny, 1.0, 2.0}},
      {range::fraction, "[0, 1]", {0.0, 0.5, 1.0}, {-tiny, std::nextafter(1.0, 2.0)}},
      {Range{}, "(-inf, inf)", {0.0, -1e308, 1e308}, {}},
      {Range{.upper = 3}, "(-inf, 3]", {3.0, -1e308}, {3.5}},
      {Range{.lower = 1, .upper = 2, .lower_open = true}, "(1, 2]", {1.5, 2.0}, {1.0, 2.5}}};
  for (const Row& row : rows) {
    INFO(row.text);
    CHECK(row.range.text() == row.text);
    for (const double value : row.in) CHECK(refusal(value, row.range) == "accepted");
    for (const double value : row.out) {
      CHECK(refusal(value, row.range) ==
            "Adam: beta1 must be in " + std::string(row.text) + ", got " + to_text(value));
    }
    for (const double value : {std::nan(""), -std::nan(""), infinity, -infinity}) {
      CHECK_FALSE(row.range.contains(value));
      CHECK_THROWS_AS(checked("", "", value, row.range), std::invalid_argument);
    }
  }
  static_assert(range::fraction.contains(1) && !range::decay_rate.contains(1));
}

TEST_CASE("a count below its least is refused") {
  CHECK(checked_count("minimize", "batch_size", 1, 1) == 1);
  CHECK(checked_count("minimize", "batch_size", std::int64_t{1} << 62, 1) == std::int64_t{1} << 62);
  CHECK_THROWS_WITH(checked_count("minimize", "batch_size", 0, 1),
                    "minimize: batch_size must be at least 1, got 0");
  CHECK_THROWS_WITH(checked_count("a", "b", std::numeric_limits<std::int64_t>::min(), -3),
                    "a: b must be at least -3, got -9223372036854775808");
}

TEST_CASE("numbers are written so that they read back") {
  for (const double value :
       {0.1, 1.0 / 3, 1e-310, tiny, 1e308, -2.5, 123456789.0, 5e-324, 0.1 + 0.2}) {
    CHECK(std::strtod(to_text(value).c_str(), nullptr) == value);
  }
  CHECK(to_text(0.1) == "0.1");
  CHECK(to_text(1e-3) == "0.001");
  CHECK(to_text(std::numeric_limits<double>::quiet_NaN()) == "nan");
  CHECK(to_text(-infinity) == "-inf");
  CHECK(to_text(-1.7976931348623157e308) == "-1.7976931348623157e+308");
  CHECK(to_text(std::int64_t{42}) == "42");
}
