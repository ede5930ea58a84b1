// The cube root of lanes: against the true one, at every exponent, and the same bits for every width.
#include <descent/engine/cube_root.hpp>

#include "support/bits.hpp"
#include "support/catch.hpp"

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

using descent::Lane;
using descent_test::Numbers;
using descent_test::same_bits;

namespace {

template <class Real, int W = 1>
Real root(Real a, int place = 0) {
  using L = Lane<Real, W>;
  Real values[W];
  for (int i = 0; i < W; ++i) values[i] = i == place ? a : Real(3 + i);
  cube_root(L::load(values)).store(values);
  return values[place];
}

// |ours - true| in units in the last place of the true root, which is r + c for the r of the library and one Newton step
// c from the exact r³. (Long doubles are doubles under valgrind.)
template <class Real>
double error(Real a) {
  int exponent = 0;
  (void)std::frexp(a, &exponent);
  const int third = exponent / 3;
  const double x = std::ldexp(static_cast<double>(a), -3 * third), r = std::cbrt(x);
  const double r2 = r * r, r3 = r2 * r;
  const double r3_error = std::fma(r2, r, -r3) + r * std::fma(r, r, -r2);
  const double c = ((x - r3) - r3_error) / (3 * r2);
  const Real rounded = static_cast<Real>(std::abs(r));
  const Real unit = std::nextafter(rounded, std::numeric_limits<Real>::infinity()) - rounded;
  const double ours = std::ldexp(static_cast<double>(root(a)), -third);
  return std::abs((ours - r) - c) / static_cast<double>(unit);
}

template <class Real>
double worst_error() {
  using Limits = std::numeric_limits<Real>;
  Numbers numbers(1);
  double worst = 0;
  for (int e = Limits::min_exponent - Limits::digits; e < Limits::max_exponent; ++e) {
    std::vector<double> mantissas{1, 1 + static_cast<double>(Limits::epsilon()), 1.5,
                                  2 - static_cast<double>(Limits::epsilon())};
    for (int k = 0; k < 60; ++k) mantissas.push_back(1.5 + 0.5 * numbers());
    for (const double mantissa : mantissas) {
      const Real a = std::ldexp(static_cast<Real>(mantissa), e);
      if (a == 0 || std::isinf(a)) continue;
      worst = std::max(worst, error(a));
    }
  }
  return worst;
}

template <class Real, int W>
void check_width() {
  Numbers numbers(2);
  bool same = true;
  for (int k = 0; k < 2000; ++k) {
    const Real a = std::ldexp(static_cast<Real>(numbers()), int(200 * numbers()) % 120);
    same = same && same_bits(root<Real, W>(a, k % W), root<Real>(a));
  }
  CAPTURE(sizeof(Real), W);
  CHECK(same);
}

}  // namespace

TEST_CASE("the cube root is within a unit in the last place, at every exponent", "[cube_root]") {
  const double in_float = worst_error<float>(), in_double = worst_error<double>();
  CAPTURE(in_float, in_double);
  CHECK(in_float < 1);
  CHECK(in_double < 1);
  CHECK(in_float >= 0.5);  // the measure measures
}

TEST_CASE("every mantissa of three binades has its cube root in float", "[cube_root]") {
  double worst = 0;
  for (float a = 1; a < 8; a = std::nextafter(a, 9.0f)) {
    const double exact = std::cbrt(static_cast<double>(a));
    worst = std::max(worst, std::abs(static_cast<double>(root(a)) - exact));
  }
  CHECK(worst < 0x1p-23);
}

TEST_CASE("cubes have their roots exactly, or next to them", "[cube_root]") {
  for (int n = 1; n <= 1000; ++n) {
    const double a = double(n) * n * n;
    CAPTURE(n);
    CHECK(std::abs(root(a) - n) <= n * std::numeric_limits<double>::epsilon());
    CHECK(root(-a) == -root(a));
  }
  for (int k = -340; k <= 340; ++k) CHECK(root(std::ldexp(1.0, 3 * k)) == std::ldexp(1.0, k));
}

TEST_CASE("zero, infinity and NaN are their own cube roots", "[cube_root]") {
  const auto check = [](auto real) {
    using Real = decltype(real);
    using Limits = std::numeric_limits<Real>;
    for (const Real a : {Real(0), Real(-0.0), Limits::infinity(), -Limits::infinity()})
      CHECK(same_bits(root(a), a));
    CHECK(std::isnan(root(Limits::quiet_NaN())));
    CHECK(root(Limits::denorm_min()) > 0);
    CHECK(std::isfinite(root(Limits::max())));
  };
  check(0.0);
  check(0.0f);
}

TEST_CASE("the cube root does not depend on the width of the lane", "[cube_root]") {
  check_width<float, descent::lane_width<float>>();
  check_width<double, descent::lane_width<double>>();
  check_width<float, descent::lane_width<float, 4>>();
  check_width<double, descent::lane_width<double, 2>>();
}
