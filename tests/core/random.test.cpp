#include <descent/core/random.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <bit>
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

TEST_CASE("a draw that is the bound itself is not taken") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const std::uint64_t bound = Random(seed)();
    REQUIRE(bound > 0xffffffff);
    Random random(seed), raw(seed);
    CHECK(random.below(bound) < bound);
    (void)raw();
    CHECK_FALSE(random == raw);
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

TEST_CASE("a uniform number has 53 bits and is smaller than 1") {
  Random random(7), raw(7);
  std::uint64_t ones = 0, zeros = 0;
  for (int i = 0; i < 1000; ++i) {
    const double u = random.uniform();
    REQUIRE(u >= 0);
    REQUIRE(u < 1);
    const auto digits = static_cast<std::uint64_t>(std::ldexp(u, 53));
    CHECK(digits == raw() >> 11);
    ones |= digits;
    zeros |= ~digits;
  }
  CHECK(ones == (std::uint64_t{1} << 53) - 1);
  CHECK(zeros == ~std::uint64_t{0});
  static_assert(Random(0).uniform() == 0x1.4c5d7585242c8p-2);
  CHECK(Random(7).uniform() == 0x1.c583400555d20p-5);
}

TEST_CASE("normal numbers of a seed never change") {
  // From an implementation in Python, in fractions.
  struct Row {
    std::uint64_t seed;
    std::array<double, 6> first;
  };
  const Row rows[] = {{0,
                       {0x1.703f7e47b269ep-2, 0x1.804139f10fae0p-4, 0x1.633e0b621080cp+0,
                        -0x1.4f095950c3968p-3, -0x1.30125d31b06d0p-2, 0x1.118a93aa9680cp+1}},
                      {1,
                       {0x1.0b74a29f6aa54p+1, 0x1.793e264663b78p-3, 0x1.bd9d5ef5ba81cp-1,
                        -0x1.3a010d32e56cep+0, -0x1.36333ca268807p-1, 0x1.4a707ae1d176ap-2}},
                      {7,
                       {0x1.6f66236761a8bp-1, 0x1.51c16d6b70078p-2, 0x1.6030d520cb4d4p-3,
                        -0x1.8e718927f54e0p-4, 0x1.5442e144b8d20p-4, -0x1.40c43f939208cp+0}},
                      {~std::uint64_t{0},
                       {-0x1.c7d36b4902339p-1, -0x1.f24ff6ad31ecep-2, -0x1.11d9b5918d4d5p+0,
                        0x1.a0ab1f63db1f0p-5, -0x1.1ab2a39f132bap-2, -0x1.05512fb23641ap+0}}};
  for (const Row& row : rows) {
    Random random(row.seed);
    for (const double expected : row.first) CHECK(random.normal() == expected);
  }
  static_assert(Random(0).normal() == 0x1.703f7e47b269ep-2);
  std::uint64_t hash = 0;
  Random random(3);
  for (int i = 0; i < 3000; ++i) hash = 31 * hash + std::bit_cast<std::uint64_t>(random.normal());
  CHECK(hash == 0x65f6bdbbf480e273);
}

TEST_CASE("normal numbers have the moments and the distribution of the normal one") {
  constexpr int n = 2'000'000;
  constexpr int bins = 64;  // of width 1/8 from -4 to 4, and what lies beyond
  Random random(11);
  double sums[9] = {};
  std::vector<double> seen(bins + 2);
  for (int i = 0; i < n; ++i) {
    const double x = random.normal();
    double power = 1;
    for (double& sum : sums) {
      sum += power;
      power *= x;
    }
    ++seen[static_cast<std::size_t>(std::clamp(std::floor(x * 8) + bins / 2 + 1, 0.0, bins + 1.0))];
  }
  // E xᵏ is 0 for odd k, and (k - 1)!! for even ones; the variance of xᵏ is E x²ᵏ - (E xᵏ)². Five standard deviations.
  const double moments[] = {1, 0, 1, 0, 3, 0, 15, 0, 105, 0, 945, 0, 10395, 0, 135135, 0, 2027025};
  for (int k = 1; k <= 8; ++k) {
    CAPTURE(k);
    const double deviation = std::sqrt((moments[2 * k] - moments[k] * moments[k]) / n);
    CHECK(std::abs(sums[k] / n - moments[k]) < 5 * deviation);
  }
  const auto below = [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); };
  double chi = 0;
  for (int i = 0; i < bins + 2; ++i) {
    const double from = i == 0 ? -40 : (i - 1 - bins / 2) / 8.0,
                 to = i == bins + 1 ? 40 : (i - bins / 2) / 8.0;
    const double expected = n * (below(to) - below(from));
    const double difference = seen[static_cast<std::size_t>(i)] - expected;
    chi += difference * difference / expected;
  }
  CHECK(chi < (bins + 1) + 5 * std::sqrt(2.0 * (bins + 1)));
  CHECK(chi > (bins + 1) - 5 * std::sqrt(2.0 * (bins + 1)));
}

TEST_CASE("neighbors among normal numbers are independent") {
  // The signs of pairs fall evenly into the quarters of the plane, and the products have mean 0 and variance 1.
  constexpr int n = 200'000;
  Random random(2);
  std::array<int, 4> quarters{};
  double products = 0, squares = 0, last = random.normal();
  for (int i = 0; i < n; ++i) {
    const double next = random.normal();
    ++quarters[static_cast<std::size_t>((last < 0 ? 1 : 0) + (next < 0 ? 2 : 0))];
    products += last * next;
    squares += last * last * next * next;
    last = next;
  }
  for (const int count : quarters) CHECK(std::abs(count - n / 4) < 5 * std::sqrt(n * 3.0 / 16));
  CHECK(std::abs(products / n) < 5 / std::sqrt(double(n)));
  CHECK(std::abs(squares / n - 1) < 5 * std::sqrt(8.0 / n) * 1.5);
}
