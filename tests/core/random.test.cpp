#include <descent/core/random.hpp>

#include "support/catch.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

using descent::Random;

TEST_CASE("the first numbers of a seed never change") {
  // From an implementation in Python that gives the vectors published for xoshiro256++ with the state 1, 2, 3, 4
  // (41943041, 58720359, ...) and for splitmix64 with the seed 0 (0xe220a8397b1dcdaf, ...).
  struct Row {
    std::uint64_t seed;
    std::array<std::uint64_t, 4> first;
  };
  const Row rows[] = {
      {0, {0x53175d61490b23df, 0x61da6f3dc380d507, 0x5c0fdf91ec9a7bfc, 0x02eebf8c3bbe5e1a}},
      {1, {0xcfc5d07f6f03c29b, 0xbf424132963fe08d, 0x19a37d5757aaf520, 0xbf08119f05cd56d6}},
      {7, {0x0e2c1a002aae913d, 0x2c0fc8ddfa4e9e14, 0xb7b311b3b0d45872, 0x6d5d9f6a6318013c}},
      {~std::uint64_t{0},
       {0x56ccf8ce948e27b2, 0xe68588432e5a5b90, 0xe3e9b5a48119ca8b, 0x460f19495532ae73}}};
  for (const Row& row : rows) {
    Random random(row.seed);
    for (const std::uint64_t expected : row.first) CHECK(random() == expected);
  }
  CHECK(Random()() == 0x53175d61490b23df);
  static_assert(Random(0)() == 0x53175d61490b23df);
}

TEST_CASE("a copy of a generator keeps its place") {
  Random a(3);
  for (int i = 0; i < 10; ++i) (void)a();
  Random b = a;
  CHECK(a == b);
  CHECK(a() == b());
  (void)b();
  CHECK_FALSE(a == b);
  static_assert(std::uniform_random_bit_generator<Random>);
}

TEST_CASE("a bounded draw is uniform") {
  // χ² with bound - 1 degrees of freedom; its mean + 5 standard deviations is never reached by a fair draw.
  for (const std::uint64_t bound : {2u, 3u, 5u, 6u, 7u, 10u, 100u, 1000u}) {
    Random random(bound);
    const auto draws = 200 * bound + 20'000;
    std::vector<double> seen(bound);
    for (std::uint64_t i = 0; i < draws; ++i) {
      const std::uint64_t draw = random.below(bound);
      REQUIRE(draw < bound);
      ++seen[draw];
    }
    const double expected = static_cast<double>(draws) / static_cast<double>(bound);
    double chi = 0;
    for (const double count : seen) chi += (count - expected) * (count - expected) / expected;
    const double freedom = static_cast<double>(bound - 1);
    CHECK(chi < freedom + 5 * std::sqrt(2 * freedom));
    CHECK(chi > freedom - 5 * std::sqrt(2 * freedom));
  }
  Random random(1);
  for (int i = 0; i < 10; ++i) CHECK(random.below(1) == 0);
}

TEST_CASE("a bound is respected whatever its size, and its whole range is reached") {
  for (const std::uint64_t bound :
       {std::uint64_t{0xfffffffe}, std::uint64_t{0xffffffff}, std::uint64_t{0x100000000},
        std::uint64_t{0x100000001}, std::uint64_t{3} << 40, std::uint64_t{1} << 63,
        (std::uint64_t{1} << 63) + 1, ~std::uint64_t{0}}) {
    CAPTURE(bound);
    Random random(9);
    std::array<int, 4> quarters{};
    for (int i = 0; i < 4000; ++i) {
      const std::uint64_t draw = random.below(bound);
      REQUIRE(draw < bound);
      ++quarters[static_cast<std::size_t>(
          std::min(3.0, 4 * (static_cast<double>(draw) / static_cast<double>(bound))))];
    }
    for (const int count : quarters) CHECK(std::abs(count - 1000) < 140);  // 5 standard deviations
  }
}

TEST_CASE("a bound that is a power of two needs one draw") {
  for (int bit = 33; bit < 64; ++bit) {
    const std::uint64_t bound = std::uint64_t{1} << bit;
    Random random(5), raw(5);
    for (int i = 0; i < 10; ++i) CHECK(random.below(bound) == (raw() & (bound - 1)));
  }
  Random random(5), raw(5);
  for (int i = 0; i < 10; ++i) CHECK(random.below(std::uint64_t{1} << 32) == (raw() & 0xffffffff));
}

TEST_CASE("a bounded draw just above half of 2^32 rejects, and stays exact") {
  // Without rejection the multiples would not share out evenly: a third of the values would come up twice as often.
  const std::uint64_t bound = 3ull << 30;
  Random random(4);
  std::array<int, 3> by_remainder{};
  for (int i = 0; i < 30'000; ++i) ++by_remainder[random.below(bound) % 3];
  for (const int count : by_remainder) CHECK(std::abs(count - 10'000) < 410);
}
