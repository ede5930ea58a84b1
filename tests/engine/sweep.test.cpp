#include <descent/engine/sweep.hpp>

#include "support/bits.hpp"
#include "support/catch.hpp"

#include <Eigen/Core>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

using descent::first_not_finite;
using descent::Lane;
using descent::lane_width;
using descent::largest_absolute;
using descent_test::Numbers;
using Eigen::Index;

namespace {

template <class Real>
using VectorX = Eigen::Matrix<Real, Eigen::Dynamic, 1>;

// One special value at each position of each size, and what must be said of it.
template <class Real>
int check_positions() {
  using Limits = std::numeric_limits<Real>;
  int positions = 0;
  for (Index n = 1; n <= 33; ++n) {
    const VectorX<Real> usual = Numbers(std::uint64_t(n)).vector<Real>(n);
    bool good = largest_absolute(usual.data(), n) == usual.cwiseAbs().maxCoeff() &&
                first_not_finite(usual.data(), n) == -1;
    for (Index i = 0; i < n; ++i, ++positions) {
      VectorX<Real> v = usual;
      for (const Real largest : {Real(5), Real(-5), Limits::max(), -Limits::max()}) {
        v[i] = largest;
        good = good && largest_absolute(v.data(), n) == std::abs(largest) &&
               first_not_finite(v.data(), n) == -1;
      }
      for (const Real infinity : {Limits::infinity(), -Limits::infinity()}) {
        v[i] = infinity;
        good = good && largest_absolute(v.data(), n) == Limits::infinity() &&
               first_not_finite(v.data(), n) == i;
      }
      v[i] = Limits::quiet_NaN();
      good =
          good && std::isnan(largest_absolute(v.data(), n)) && first_not_finite(v.data(), n) == i;
      v[(i + 1) % n] = n > 1 ? Limits::infinity() : Limits::quiet_NaN();
      good = good && std::isnan(largest_absolute(v.data(), n));
      v.setZero();
      v[i] = Limits::denorm_min();
      good = good && largest_absolute(v.data(), n) == Limits::denorm_min();
    }
    CAPTURE(n, sizeof(Real));
    CHECK(good);
  }
  return positions;
}

// A sum whose roundings are kept, twice as exact as a double. (Long doubles are doubles under valgrind.)
struct Exact {
  double high = 0, low = 0;
  void add(double x) {
    const double sum = high + x, part = sum - high;
    low += (high - (sum - part)) + (x - part);
    high = sum;
  }
  double distance(double x) const { return std::abs((x - high) - low); }
};

template <class Real>
void check_sums() {
  using L = Lane<Real, lane_width<Real>>;
  for (const Index n : {0,  1,  2,   3,   4,   5,    15,   16,   17,   31,   32,   33,    63,
                        64, 65, 255, 256, 257, 1023, 1024, 1025, 4095, 4096, 4097, 10'000}) {
    const VectorX<Real> v = Numbers(std::uint64_t(n)).vector<Real>(n).array() + Real(0.5);
    std::vector<int> visits(std::size_t(n) + 64, 0);
    descent::Sums<L, 2> sums;
    sums.sweep(n, [&](auto& to, Index i, auto... count) {
      const L lane = L::load(v.data() + i, count...);
      to[0] += lane;
      to[1] += lane * lane;
      const int part[] = {count..., L::width};
      for (int k = 0; k < part[0]; ++k) ++visits[std::size_t(i + k)];
    });
    bool once = true;
    for (Index i = 0; i < n + 64; ++i) once = once && visits[std::size_t(i)] == (i < n ? 1 : 0);
    CAPTURE(n, sizeof(Real));
    CHECK(once);
    Exact sum, square, absolute;
    for (const Real c : v) {
      const auto x = static_cast<double>(c);
      sum.add(x);
      square.add(x * x);
      square.add(std::fma(x, x, -(x * x)));
      absolute.add(std::abs(x));
    }
    // An accumulator takes 64 roundings, their sum a few, and each block of them one more in double.
    const double unit = static_cast<double>(std::numeric_limits<Real>::epsilon()) / 2,
                 tolerance = 70 * unit + static_cast<double>(n) / 256 * 0x1p-53;
    CHECK(sum.distance(sums.totals()[0]) <= tolerance * absolute.high);
    CHECK(square.distance(sums.totals()[1]) <= (tolerance + unit) * square.high);

    visits.assign(visits.size(), 0);
    descent::sweep<L>(n, [&](Index i, auto... count) {
      const int part[] = {count..., L::width};
      for (int k = 0; k < part[0]; ++k) ++visits[std::size_t(i + k)];
    });
    once = true;
    for (Index i = 0; i < n + 64; ++i) once = once && visits[std::size_t(i)] == (i < n ? 1 : 0);
    CHECK(once);
  }
}

}  // namespace

TEST_CASE("the largest absolute coefficient, with NaN wherever it stands", "[sweep]") {
  CHECK(check_positions<double>() == 561);
  CHECK(check_positions<float>() == 561);
  CHECK(largest_absolute(static_cast<const double*>(nullptr), 0) == 0);
  CHECK(first_not_finite(static_cast<const double*>(nullptr), 0) == -1);
}

TEST_CASE("the largest absolute coefficient of vectors of fixed size", "[sweep]") {
  using Limits = std::numeric_limits<double>;
  const auto check = [](auto vector) {
    using V = decltype(vector);
    constexpr int size = V::SizeAtCompileTime;
    for (int i = 0; i < size; ++i) {
      V v = V::Constant(-0.5);
      v[i] = -3;
      CHECK(largest_absolute<size>(v.data(), size) == 3);
      v[i] = Limits::quiet_NaN();
      CHECK(std::isnan(largest_absolute<size>(v.data(), size)));
      v[i] = -Limits::infinity();
      CHECK(largest_absolute<size>(v.data(), size) == Limits::infinity());
    }
  };
  check(Eigen::Matrix<double, 1, 1>());
  check(Eigen::Vector2d());
  check(Eigen::Vector3d());
  check(Eigen::Matrix<double, 13, 1>());
}

TEST_CASE("sums visit every coefficient once, and a long one is as right as a short one",
          "[sweep]") {
  check_sums<double>();
  check_sums<float>();
  // A float counter would stop at 2^24.
  using L = Lane<float, lane_width<float>>;
  descent::Sums<L, 1> sums;
  const L one(1);
  sums.sweep(Index(1) << 26, [&](auto& to, Index, auto...) { to[0] += one; });
  CHECK(sums.totals()[0] == 67108864.0);
}
