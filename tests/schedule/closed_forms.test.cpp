// Each schedule against its formula, at its beginning, in the middle and beyond its end. Ranges are in
// tests/optimizer/arguments.test.cpp, with all others.
// covers: constant cosine_decay cosine_restarts cyclic exponential_decay inverse_sqrt joined linear multi_step
// covers: one_cycle polynomial_decay product step_decay warmup_cosine warmup_stable_decay
#include "support/catch.hpp"
#include "support/laws.hpp"

#include <descent/schedule/constant.hpp>
#include <descent/schedule/cosine_decay.hpp>
#include <descent/schedule/cosine_restarts.hpp>
#include <descent/schedule/cyclic.hpp>
#include <descent/schedule/exponential_decay.hpp>
#include <descent/schedule/inverse_sqrt.hpp>
#include <descent/schedule/joined.hpp>
#include <descent/schedule/linear.hpp>
#include <descent/schedule/multi_step.hpp>
#include <descent/schedule/one_cycle.hpp>
#include <descent/schedule/polynomial_decay.hpp>
#include <descent/schedule/product.hpp>
#include <descent/schedule/step_decay.hpp>
#include <descent/schedule/warmup_cosine.hpp>
#include <descent/schedule/warmup_stable_decay.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <utility>

using namespace descent;

namespace {

constexpr std::int64_t far = std::int64_t{1} << 53, most = std::numeric_limits<std::int64_t>::max();

// Whether it never goes up (or never down) from k = first to last.
template <class S>
bool falls(const S& schedule, std::int64_t first, std::int64_t last) {
  for (std::int64_t k = first; k < last; ++k)
    if (!(schedule(k + 1) <= schedule(k))) return false;
  return true;
}
template <class S>
bool rises(const S& schedule, std::int64_t first, std::int64_t last) {
  return falls([&](std::int64_t k) { return -schedule(k); }, first, last);
}

}  // namespace

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
  CHECK(descent_test::refusal([] {
          (void)warmup_cosine({.peak = 1, .warmup_steps = 5, .total_steps = 5});
        }) == "warmup_cosine: total_steps must be more than warmup_steps, 5, got 5");
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

TEST_CASE("linear goes up or down, and stays", "[schedule]") {
  const auto up = linear({.initial = 0.25, .final = 1, .total_steps = 3});
  CHECK(up(0) == 0.25);
  CHECK(up(1) == Approx(0.5).epsilon(1e-15));
  CHECK(up(2) == Approx(0.75).epsilon(1e-15));
  CHECK(up(3) == 1);
  CHECK(up(4) == 1);
  CHECK(up(far) == 1);
  const auto down = linear({.initial = 0.3, .final = 1e-20, .total_steps = 1000});
  CHECK(down(0) == 0.3);
  CHECK(down(999) == Approx(3e-4).epsilon(1e-12));  // what is small keeps its digits
  CHECK(down(1000) == 1e-20);
  CHECK(falls(down, 0, 1100));
  CHECK(rises(up, 0, 10));
  CHECK(linear({})(0) == 0.1);
  CHECK(linear({})(500) == Approx(0.05).epsilon(1e-15));
  CHECK(linear({})(1000) == 0);
}

TEST_CASE("polynomial_decay is a power of what is left", "[schedule]") {
  const auto cube = polynomial_decay({.initial = 2, .final = 0.5, .total_steps = 10, .power = 3});
  for (std::int64_t k = 0; k <= 10; ++k) {
    const double left = 1 - double(k) / 10;
    CHECK(cube(k) == Approx(0.5 + 1.5 * left * left * left).epsilon(1e-14));
  }
  CHECK(cube(0) == 2);
  CHECK(cube(10) == 0.5);
  CHECK(cube(11) == 0.5);
  CHECK(cube(far) == 0.5);
  CHECK(falls(cube, 0, 20));
  // The last update is as precise as the first: (1/n)^p to the last digit.
  CHECK(polynomial_decay({.initial = 1, .total_steps = 3'000'000, .power = 2})(2'999'999) ==
        Approx(1 / 9e12).epsilon(1e-15));
  for (const std::int64_t k : {0, 1, 400, 999, 1000, 1001})  // a line by default
    CHECK(polynomial_decay({})(k) == Approx(linear({})(k)).epsilon(1e-12));
}

TEST_CASE("multi_step drops at its milestones", "[schedule]") {
  const auto schedule = multi_step({.initial = 0.5, .rate = 0.5}, {0, 10, 10, 11, 100});
  const struct {
    std::int64_t k;
    int drops;
  } rows[] = {{0, 1},  {9, 1},   {10, 3},  {11, 4},  {12, 4},
              {99, 4}, {100, 5}, {101, 5}, {far, 5}, {most, 5}};
  for (const auto& row : rows) {
    CAPTURE(row.k);
    CHECK(schedule(row.k) == std::ldexp(0.5, -row.drops));
  }
  CHECK(falls(schedule, 0, 200));
  CHECK(multi_step({}, {3})(2) == 0.1);
  CHECK(multi_step({}, {3})(3) == Approx(0.01).epsilon(1e-15));
  using descent_test::refusal;
  CHECK(refusal([] { multi_step({}, {-1}); }) ==
        "multi_step: milestone must be at least 0, got -1");
  CHECK(refusal([] {
          multi_step({}, {3, 7, 6});
        }) == "multi_step: milestone must be at least 7, got 6");
}

TEST_CASE("cosine_restarts begins again", "[schedule]") {
  const auto half_cosine = [](double from, double to, double progress) {
    return to + (from - to) * (1 + std::cos(std::numbers::pi * progress)) / 2;
  };
  const auto equal = cosine_restarts({.initial = 0.5, .steps = 8, .final = 0.1, .rate = 0.5});
  for (std::int64_t k = 0; k < 80; ++k)
    CHECK(equal(k) ==
          Approx(half_cosine(std::ldexp(0.5, -int(k / 8)), 0.1, double(k % 8) / 8)).epsilon(1e-13));
  // Cycles of 3, 12, 48, 192 begin at 0, 3, 15, 63.
  const auto growing = cosine_restarts({.initial = 0.5, .steps = 3, .growth = 4});
  for (const auto& [begin, length] : {std::pair(0, 3), {3, 12}, {15, 48}, {63, 192}, {255, 768}}) {
    for (int j = 0; j < length; ++j) {
      CAPTURE(begin, j);
      CHECK(growing(begin + j) ==
            Approx(half_cosine(0.5, 0, double(j) / length)).epsilon(1e-12).margin(1e-16));
    }
    CHECK(growing(begin) == 0.5);
    CHECK(falls(growing, begin, begin + length - 1));
  }
  // Cycle c of 2^c updates begins at 2^c - 1; the last one ends where integers do.
  const auto doubling = cosine_restarts({.initial = 1, .steps = 1, .growth = 2});
  for (int c = 0; c < 63; ++c) {
    CHECK(doubling((std::int64_t{1} << c) - 1) == 1);
    if (c > 0)
      CHECK(doubling((std::int64_t{1} << c) - 1 + (std::int64_t{1} << (c - 1))) == Approx(0.5));
  }
  CHECK(doubling(most) == 1);
  // A cycle that is longer than an integer may be: 10 updates of the first, then 10^19.
  const auto endless = cosine_restarts(
      {.initial = 1, .steps = 10, .growth = std::int64_t{1'000'000'000'000'000'000}});
  CHECK(endless(9) < 0.03);
  CHECK(endless(10) == 1);
  CHECK(endless(5'000'000'000'000'000'010) == Approx(0.5));
  CHECK(cosine_restarts({})(0) == 0.1);
  CHECK(cosine_restarts({})(50) == Approx(0.05));
  CHECK(cosine_restarts({})(100) == 0.1);
}

TEST_CASE("cyclic rises and falls in lines", "[schedule]") {
  const auto even = cyclic({.initial = 1, .peak = 5, .steps_up = 4});
  const double once[] = {1, 2, 3, 4, 5, 4, 3, 2};
  for (std::int64_t k = 0; k < 40; ++k) CHECK(even(k) == once[k % 8]);
  const auto uneven =
      cyclic({.initial = 8, .peak = 0, .steps_up = 2, .steps_down = 4, .cycle_rate = 0.5});
  const double first[] = {8, 4, 0, 2, 4, 6}, second[] = {8, 6, 4, 5, 6, 7};
  for (std::int64_t k = 0; k < 6; ++k) {
    CHECK(uneven(k) == first[k]);
    CHECK(uneven(6 + k) == second[k]);
  }
  CHECK(uneven(600) == 8);
  CHECK(uneven(602) == 8 - std::ldexp(8.0, -100));
  const auto damped = cyclic({.initial = 1, .peak = 2, .steps_up = 1, .step_rate = 0.5});
  CHECK(damped(0) == 1);
  CHECK(damped(1) == 1.5);
  CHECK(damped(2) == 1);
  CHECK(damped(3) == 1.125);
  CHECK(damped(far) == 1);
  const auto slow = cyclic({.initial = 1, .peak = 2, .steps_up = most - 1, .steps_down = most - 1});
  CHECK(slow(1) == Approx(1));
  CHECK(slow(most) == Approx(2));
  CHECK(cyclic({})(0) == 1e-3);
  CHECK(cyclic({})(2000) == 0.1);
  CHECK(cyclic({})(4000) == 1e-3);
}

TEST_CASE("one_cycle is up once and down once", "[schedule]") {
  const auto two = one_cycle({.peak = 5,
                              .total_steps = 21,
                              .initial = 1,
                              .final = 0.25,
                              .rise = 0.25,
                              .shape = Anneal::linear});
  // Up by k = 0.25 * 21 - 1 = 4.25, down by k = 20.
  for (std::int64_t k = 0; k <= 20; ++k)
    CHECK(two(k) ==
          Approx(k <= 4 ? 1 + 4 * double(k) / 4.25 : 5 - 4.75 * (double(k) - 4.25) / 15.75)
              .epsilon(1e-14));
  CHECK(two(0) == 1);
  for (const std::int64_t k : {std::int64_t{20}, std::int64_t{21}, far}) CHECK(two(k) == 0.25);
  CHECK(rises(two, 0, 4));
  CHECK(falls(two, 5, 30));

  const auto three = one_cycle({.peak = 5,
                                .total_steps = 41,
                                .initial = 1,
                                .final = 0,
                                .rise = 10 / 41.0,
                                .three_phases = true});
  CHECK(three(0) == 1);
  CHECK(three(9) == Approx(5).epsilon(1e-14));  // half cosines: 0 to 9, to 18, to 40
  CHECK(three(18) == Approx(1).epsilon(1e-14));
  CHECK(three(29) == Approx(0.5).epsilon(1e-14));
  CHECK(three(40) == 0);
  CHECK(three(3) == Approx(2).epsilon(1e-14));
  CHECK(rises(three, 0, 9));
  CHECK(falls(three, 9, 50));

  const auto root =
      one_cycle({.peak = 1, .total_steps = 5, .final = 0, .rise = 0, .shape = Anneal::square_root});
  CHECK(root(0) == 1);  // no rise
  CHECK(root(1) == 0.5);
  CHECK(root(4) == 0);
  CHECK(one_cycle({.total_steps = 1})(0) == 4e-7);
  CHECK(one_cycle({.rise = 1})(998) < 0.1);
  CHECK(one_cycle({})(0) == 0.004);
  CHECK(one_cycle({})(299) == 0.1);
  CHECK(one_cycle({})(999) == 4e-7);
}

TEST_CASE("inverse_sqrt is the Transformer's", "[schedule]") {
  const double width = 512, w = 4000;
  const auto schedule = inverse_sqrt({.peak = 1 / std::sqrt(width * w), .warmup_steps = 4000});
  for (const std::int64_t k : {0, 1, 2, 3998, 3999, 4000, 4001, 100'000, 1 << 30}) {
    const double t = double(k) + 1;
    CHECK(schedule(k) ==
          Approx(std::min(1 / std::sqrt(t), t * std::pow(w, -1.5)) / std::sqrt(width))
              .epsilon(1e-14));
  }
  CHECK(rises(schedule, 0, 3999));
  CHECK(falls(schedule, 3999, 10'000));
  const auto power_of_two = inverse_sqrt({.peak = 1, .warmup_steps = 4});
  CHECK(power_of_two(0) == 0.25);
  CHECK(power_of_two(3) == 1);
  CHECK(power_of_two(15) == 0.5);
  CHECK(power_of_two(far) == std::ldexp(1.0, -25) * std::sqrt(0.5));
  CHECK(inverse_sqrt({.peak = 1, .warmup_steps = 1})(0) == 1);
  CHECK(inverse_sqrt({})(3999) == 1e-3);
}

TEST_CASE("warmup_stable_decay rises, stays and decays", "[schedule]") {
  const WarmupStableDecayOptions options{.peak = 2,
                                         .warmup_steps = 4,
                                         .total_steps = 20,
                                         .decay_steps = 8,
                                         .initial = 1,
                                         .final = 0.5};
  for (const Anneal shape : {Anneal::linear, Anneal::cosine, Anneal::square_root}) {
    auto with_shape = options;
    with_shape.shape = shape;
    const auto schedule = warmup_stable_decay(with_shape);
    for (std::int64_t k = 0; k < 4; ++k) CHECK(schedule(k) == 1 + 0.25 * double(k));
    for (std::int64_t k = 4; k <= 12; ++k) CHECK(schedule(k) == 2);
    for (std::int64_t k = 12; k < 20; ++k) {
      const double p = double(k - 12) / 8;
      const double left = shape == Anneal::linear   ? 1 - p
                          : shape == Anneal::cosine ? (1 + std::cos(std::numbers::pi * p)) / 2
                                                    : 1 - std::sqrt(p);
      CHECK(schedule(k) == Approx(0.5 + 1.5 * left).epsilon(1e-14));
    }
    for (const std::int64_t k : {std::int64_t{20}, std::int64_t{21}, far, most})
      CHECK(schedule(k) == 0.5);
    CHECK(rises(schedule, 0, 12));
    CHECK(falls(schedule, 4, 30));
  }
  const auto bare =
      warmup_stable_decay({.peak = 1, .warmup_steps = 0, .total_steps = 3, .decay_steps = 0});
  CHECK(bare(0) == 1);
  CHECK(bare(2) == 1);
  CHECK(bare(3) == 0);
  const auto no_plateau =
      warmup_stable_decay({.peak = 1, .warmup_steps = 2, .total_steps = 4, .decay_steps = 2});
  CHECK(no_plateau(1) == 0.5);
  CHECK(no_plateau(2) == 1);
  CHECK(no_plateau(3) == 0.5);
  CHECK_THROWS_WITH(warmup_stable_decay({.warmup_steps = 2, .total_steps = 4, .decay_steps = 3}),
                    "warmup_stable_decay: total_steps must be at least warmup_steps + "
                    "decay_steps, got 4");
  CHECK(warmup_stable_decay({})(50) == 5e-4);
  CHECK(warmup_stable_decay({})(8000) == 1e-3);
  CHECK(warmup_stable_decay({})(9000) == 5e-4);
  CHECK(warmup_stable_decay({})(10'000) == 0);
}

TEST_CASE("joined plays one schedule after another, each from its own 0", "[schedule]") {
  const auto count = [](std::int64_t k) { return double(k); };
  const auto list = joined(count, 3, count, 5, 0.25, 9, count);
  const double expected[] = {0, 1, 2, 0, 1, 0.25, 0.25, 0.25, 0.25, 0, 1, 2};
  for (std::int64_t k = 0; k < 12; ++k) CHECK(list(k) == expected[k]);
  CHECK(list(far) == double(far - 9));
  const auto nested = joined(count, 3, joined(count, 2, joined(0.25, 4, count)));  // the same
  for (std::int64_t k = 0; k < 12; ++k) CHECK(nested(k) == expected[k]);
  const auto constants = joined(1, 60, 0.5, 80, 0);
  CHECK(constants(59) == 1);
  CHECK(constants(60) == 0.5);
  CHECK(constants(79) == 0.5);
  CHECK(constants(80) == 0);
  using descent_test::refusal;
  CHECK(refusal([] { joined(1, 0, 2); }) == "joined: boundary must be at least 1, got 0");
  CHECK(refusal([] { joined(1, 5, 2, 5, 3); }) == "joined: boundary must be at least 6, got 5");
  CHECK(refusal([] { joined(1, 5, 2, 7, 3, 6, 4); }) ==
        "joined: boundary must be at least 8, got 6");
}

TEST_CASE("product multiplies", "[schedule]") {
  const auto count = [](std::int64_t k) { return double(k); };
  const auto schedule = product(2, count, joined(1, 10, 0.5));
  CHECK(schedule(0) == 0);
  CHECK(schedule(9) == 18);
  CHECK(schedule(10) == 10);
  CHECK(schedule(far) == double(far));
  CHECK(product(0.5)(7) == 0.5);
  // From the left: (a b) c.
  CHECK(product(0.1, 0.2, 0.3)(0) == (0.1 * 0.2) * 0.3);
}
