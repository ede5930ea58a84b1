// Every operation of a lane against the same operation on one number, to the bit. (The lanes of instruction sets that
// this target is not built for go through tests/bits.)
#include <descent/engine/lane.hpp>

#include "support/bits.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

using descent::Lane;
using descent::lane_width;
using descent_test::same_bits;

namespace {

template <class Real>
std::vector<Real> values() {
  using Limits = std::numeric_limits<Real>;
  std::vector<Real> all;
  for (const Real v : {Real(0), Limits::denorm_min(), 3 * Limits::denorm_min(), Limits::min() / 2,
                       std::nextafter(Limits::min(), Real(0)), Limits::min(), Real(0.5), Real(1),
                       Real(2), Real(3), Limits::max() / 2, Limits::max(), Limits::infinity(),
                       Limits::quiet_NaN(), Limits::epsilon()}) {
    all.push_back(v);
    all.push_back(-v);
  }
  while (all.size() % 64 != 0) all.push_back(Real(all.size()) / 7);
  return all;
}

// NaN is NaN, whatever its bits.
template <class Real>
bool same(Real a, Real b) {
  return (std::isnan(a) && std::isnan(b)) || same_bits(a, b);
}

template <class L, class OfLane, class OfNumber>
void check_unary(const std::vector<typename L::Scalar>& in, const OfLane& of_lane,
                 const OfNumber& of_number) {
  using Real = typename L::Scalar;
  std::vector<Real> out(in.size());
  for (std::size_t i = 0; i + L::width <= in.size(); i += L::width)
    of_lane(L::load(&in[i])).store(&out[i]);
  std::size_t wrong = 0, at = 0;
  for (std::size_t i = 0; i + L::width <= in.size(); ++i) {
    if (!same(out[i], Real(of_number(in[i])))) {
      ++wrong;
      at = i;
    }
  }
  CAPTURE(L::width, sizeof(Real), at, in[at], out[at]);
  CHECK(wrong == 0);
}

template <class L, class OfLane, class OfNumber>
void check_binary(const OfLane& of_lane, const OfNumber& of_number) {
  using Real = typename L::Scalar;
  const std::vector<Real> all = values<Real>();
  for (const Real b : all)
    check_unary<L>(
        all, [&](L a) { return of_lane(a, L(b)); }, [&](Real a) { return of_number(a, b); });
}

template <class L>
void check_all() {
  using Real = typename L::Scalar;
  constexpr Real least = std::numeric_limits<Real>::min();
  check_binary<L>([](L a, L b) { return a + b; }, [](Real a, Real b) { return a + b; });
  check_binary<L>([](L a, L b) { return a - b; }, [](Real a, Real b) { return a - b; });
  check_binary<L>([](L a, L b) { return a * b; }, [](Real a, Real b) { return a * b; });
  check_binary<L>([](L a, L b) { return a / b; }, [](Real a, Real b) { return a / b; });
  // (a < b) ? b : a, and never anything else: a NaN in the first stays, one in the second is dropped.
  check_binary<L>([](L a, L b) { return max(a, b); }, [](Real a, Real b) { return a < b ? b : a; });
  check_binary<L>([](L a, L b) { return min(a, b); }, [](Real a, Real b) { return b < a ? b : a; });
  check_binary<L>([](L a, L b) { return select(a < b, a, L(7)); },
                  [](Real a, Real b) { return a < b ? a : Real(7); });
  check_binary<L>([](L a, L b) { return select(a <= b, a, L(7)); },
                  [](Real a, Real b) { return a <= b ? a : Real(7); });
  check_binary<L>([](L a, L b) { return select(a == b, a, L(7)); },
                  [](Real a, Real b) { return a == b ? a : Real(7); });
  check_binary<L>([](L a, L b) { return select(a > b, L(7), b); },
                  [](Real a, Real b) { return a > b ? Real(7) : b; });
  check_binary<L>([](L a, L b) { return select(a >= b, L(7), b); },
                  [](Real a, Real b) { return a >= b ? Real(7) : b; });
  check_binary<L>([](L a, L b) { return zero_where(a < b, a); },
                  [](Real a, Real b) { return a < b ? Real(0) : a; });
  const std::vector<Real> all = values<Real>();
  check_unary<L>(
      all, [](L a) { return -a; }, [](Real a) { return -a; });
  check_unary<L>(
      all, [](L a) { return abs(a); }, [](Real a) { return std::abs(a); });
  check_unary<L>(
      all, [](L a) { return sqrt(a); }, [](Real a) { return std::sqrt(a); });
  check_unary<L>(
      all, [](L a) { return sign(a); },
      [](Real a) { return a < 0   ? Real(-1)
                          : a > 0 ? Real(1)
                                  : a; });
  check_unary<L>(
      all, [](L a) { return flush_denormals(a); },
      [&](Real a) { return std::abs(a) < least ? Real(0) : a; });
  check_unary<L>(
      all, [](L a) { return a += a; }, [](Real a) { return a + a; });
  check_unary<L>(
      all, [](L a) { return a -= L(1); }, [](Real a) { return a - 1; });
  check_unary<L>(
      all, [](L a) { return a *= L(3); }, [](Real a) { return a * 3; });
  check_unary<L>(
      all, [](L a) { return a /= L(3); }, [](Real a) { return a / 3; });
  check_unary<L>(
      all, [](L) { return L(0.1); }, [](Real) { return Real(0.1); });

  // A part of a lane: what is behind it is neither read nor written, and the padding is zero.
  const std::vector<Real> memory(64, Real(5));
  for (int count = 1; count < L::width; ++count) {
    Real out[64];
    std::fill(out, out + 64, Real(9));
    const L part = L::load(memory.data(), count);
    part.store(out);
    for (int i = 0; i < L::width; ++i) CHECK(out[i] == (i < count ? 5 : 0));
    std::fill(out, out + 64, Real(9));
    (part + L(1)).store(out, count);
    for (int i = 0; i < 64; ++i) CHECK(out[i] == (i < count ? 6 : 9));
  }

  Real some[64];
  double total = 0;
  for (int i = 0; i < L::width; ++i) {
    some[i] = Real(i % 3) - Real(i) / 4;
    total += double(some[i]);
  }
  CHECK(sum(L::load(some)) == total);
  CHECK(largest(L::load(some)) == *std::max_element(some, some + L::width));
}

// The widths that Eigen has for a scalar here.
template <class Real, class Check>
void for_each_width(const Check& check) {
  check(Lane<Real, 1>(0));
  if constexpr (lane_width < Real, 2 >> 1) check(Lane<Real, lane_width<Real, 2>>(0));
  if constexpr (lane_width < Real, 4 >> lane_width<Real, 2>)
    check(Lane<Real, lane_width<Real, 4>>(0));
  if constexpr (lane_width < Real >> lane_width<Real, 4>) check(Lane<Real, lane_width<Real>>(0));
}

// Numbers of every exponent, and the bits of which are anything.
template <class Real, class Bits>
std::vector<Real> many() {
  std::vector<Real> all(1 << 19);
  std::mt19937_64 random(5);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto bits = static_cast<Bits>(random());
    std::memcpy(&all[i], &bits, sizeof bits);
  }
  return all;
}

}  // namespace

TEST_CASE("a lane computes what numbers compute, to the bit", "[lane]") {
  for_each_width<double>([](auto lane) { check_all<decltype(lane)>(); });
  for_each_width<float>([](auto lane) { check_all<decltype(lane)>(); });
}

TEST_CASE("the square root is the correctly rounded one", "[lane]") {
  // Eigen's own for float is wrong in the last bit for every third number, for infinity and for denormals.
  const std::vector<float> floats = many<float, std::uint32_t>();
  const std::vector<double> doubles = many<double, std::uint64_t>();
  for_each_width<float>([&](auto lane) {
    check_unary<decltype(lane)>(
        floats, [](auto a) { return sqrt(a); }, [](float a) { return std::sqrt(a); });
  });
  for_each_width<double>([&](auto lane) {
    check_unary<decltype(lane)>(
        doubles, [](auto a) { return sqrt(a); }, [](double a) { return std::sqrt(a); });
  });
}

TEST_CASE("a product is rounded before it is added", "[lane]") {
  // (1 + e)² - (1 + 2e) is e² in one rounding and 0 in two.
  const auto check = [](auto lane) {
    using L = decltype(lane);
    using Real = typename L::Scalar;
    const Real e = std::sqrt(std::numeric_limits<Real>::epsilon()) / 2;
    volatile Real a = 1 + e, c = -(1 + 2 * e);
    Real out[64];
    const L x(a), y(c);
    (x * x + y).store(out);
    for (int i = 0; i < L::width; ++i) CHECK(out[i] == 0);
    (x * x - -y).store(out);
    for (int i = 0; i < L::width; ++i) CHECK(out[i] == 0);
  };
  for_each_width<double>(check);
  for_each_width<float>(check);
}

TEST_CASE("a lane is no wider than the vector needs", "[lane]") {
  STATIC_REQUIRE(lane_width<double, 1> == 1);
  STATIC_REQUIRE(lane_width<float, 1> == 1);
  STATIC_REQUIRE(lane_width<double, 2> <= 2);
  STATIC_REQUIRE(lane_width<float, 4> <= 4);
  STATIC_REQUIRE(lane_width<double> >= lane_width<double, 3>);
  STATIC_REQUIRE(lane_width<long double> == 1);
}
