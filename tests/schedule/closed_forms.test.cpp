// Each schedule against its formula, at its beginning, in the middle and beyond its end. Ranges are in
// tests/optimizer/arguments.test.cpp, with all others.
// covers: constant cosine_decay exponential_decay step_decay warmup_cosine
#include "support/catch.hpp"

#include <descent/schedule/constant.hpp>
#include <descent/schedule/cosine_decay.hpp>
#include <descent/schedule/exponential_decay.hpp>
#include <descent/schedule/step_decay.hpp>
#include <descent/schedule/warmup_cosine.hpp>

#include <cmath>
#include <cstdint>
#include <numbers>

using namespace descent;

TEST_CASE("constant is constant", "[schedule]") {
  for (const std::int64_t k : {std::int64_t{0}, std::int64_t{1}, std::int64_t{1} << 60})
    CHECK(constant(0.25)(k) == 0.25);
  CHECK(constant(0)(3) == 0);
}

TEST_CASE("step_decay drops at multiples of its steps", "[schedule]") {
  const auto schedule = step_decay({.initial = 0.5, .rate = 0.5, .steps = 10});
  for (std::int64_t k = 0; k < 100; ++k) CHECK(schedule(k) == std::ldexp(0.5, -int(k / 10)));
  CHECK(schedule(9) == 0.5);
  CHECK(schedule(10) == 0.25);
  CHECK(step_decay({})(29) == 0.1);
  CHECK(step_decay({})(30) == Approx(0.01).epsilon(1e-15));
  CHECK(step_decay({.initial = 1, .rate = 2, .steps = 1})(10) == 1024);  // it may grow
}

TEST_CASE("exponential_decay is continuous in the step", "[schedule]") {
  const auto schedule = exponential_decay({.initial = 0.5, .rate = 0.25, .steps = 2});
  for (std::int64_t k = 0; k < 60; ++k)
    CHECK(schedule(k) == Approx(std::ldexp(0.5, -int(k))).epsilon(1e-15));
  CHECK(schedule(0) == 0.5);
  CHECK(schedule(2) == 0.125);
  CHECK(exponential_decay({})(0) == 0.1);
  CHECK(exponential_decay({})(1) == Approx(0.096).epsilon(1e-15));
}

TEST_CASE("cosine_decay is half a cosine", "[schedule]") {
  const auto decay = cosine_decay({.initial = 0.3, .total_steps = 40, .final = 0.1});
  const auto wave =
      cosine_decay({.initial = 0.3, .total_steps = 40, .final = 0.1, .periodic = true});
  for (std::int64_t k = 0; k <= 200; ++k) {
    const double expected = 0.1 + 0.2 * (1 + std::cos(std::numbers::pi * double(k) / 40)) / 2;
    CAPTURE(k);
    CHECK(wave(k) == Approx(expected).epsilon(1e-14));
    CHECK(decay(k) == (k < 40 ? Approx(expected).epsilon(1e-14) : Approx(0.1).margin(0)));
  }
  CHECK(decay(0) == 0.3);
  CHECK(decay(40) == 0.1);  // exactly
  CHECK(wave(40) == Approx(0.1).epsilon(1e-15));
  CHECK(wave(80) == Approx(0.3).epsilon(1e-15));
  // Near the end the rate falls as the square of what is left, to the last digit.
  const auto to_zero = cosine_decay({.initial = 1, .total_steps = 1'000'000});
  CHECK(to_zero(999'999) == Approx(std::pow(std::sin(std::numbers::pi / 2e6), 2)).epsilon(1e-9));
}

TEST_CASE("warmup_cosine rises linearly and falls as a cosine", "[schedule]") {
  const auto schedule = warmup_cosine(
      {.peak = 0.5, .warmup_steps = 8, .total_steps = 40, .initial = 0.1, .final = 0.05});
  for (std::int64_t k = 0; k < 100; ++k) {
    const double up = 0.1 + 0.4 * double(k) / 8,
                 down = 0.05 + 0.45 * (1 + std::cos(std::numbers::pi * double(k - 8) / 32)) / 2;
    CAPTURE(k);
    CHECK(schedule(k) == Approx(k < 8 ? up : k < 40 ? down : 0.05).epsilon(1e-14));
  }
  CHECK(schedule(0) == 0.1);
  CHECK(schedule(8) == 0.5);
  CHECK(schedule(40) == 0.05);
  const auto no_rise = warmup_cosine({.peak = 0.5, .warmup_steps = 0, .total_steps = 10});
  CHECK(no_rise(0) == 0.5);
  CHECK(no_rise(10) == 0);
  const auto down_first =
      warmup_cosine({.peak = 0.1, .warmup_steps = 4, .total_steps = 10, .initial = 0.5});
  CHECK(down_first(2) == Approx(0.3).epsilon(1e-15));
}

TEST_CASE("schedules hold what their options say, and have defaults", "[schedule]") {
  CHECK(step_decay({}).initial == 0.1);
  CHECK(exponential_decay({}).rate == 0.96);
  CHECK(cosine_decay({}).total_steps == 1000);
  CHECK(cosine_decay({})(1000) == 0);
  CHECK(cosine_decay({})(0) == 0.1);
  CHECK(warmup_cosine({})(0) == 0);
  CHECK(warmup_cosine({})(100) == 1e-3);
  CHECK(warmup_cosine({})(10'000) == 0);
}
