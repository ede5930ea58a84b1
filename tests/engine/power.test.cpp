// 1 - beta^t, right to one unit in the last place and a function of t alone.
#include <descent/engine/power.hpp>

#include "support/catch.hpp"
#include "support/reference.hpp"
#include "support/scalar_loops.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

using descent::OneMinusPower;
using descent_test::one_minus_power;

namespace {

const std::vector<double> betas{0.0,    0x1p-1074,   1e-200,      1e-8,        0.1,
                                0.5,    0.9,         0.95,        0.99,        0.999,
                                0.9999, 1 - 0x1p-20, 1 - 0x1p-40, 1 - 0x1p-52, 1 - 0x1p-53};

// By how many units in the last place a number is off.
double units(double value, double exact) {
  const double unit = std::nextafter(exact, HUGE_VAL) - exact;
  return std::abs(value - exact) / unit;
}

}  // namespace

TEST_CASE("1 - beta^t agrees with 60-digit arithmetic up to t = 2^53", "[reference]") {
  int cases = 0;
  const auto record = descent_test::load_record("misc/bias_correction");
  for (const auto& row : record.blocks("case")) {
    const double beta = row.number("beta"), exact = row.number("one_minus_beta_pow_t");
    const std::int64_t t = row.integer("t");
    const double ours = OneMinusPower(beta)(t);
    CAPTURE(beta, t, ours, exact);
    CHECK(std::abs(ours - exact) <= 1e-15 * exact);
    CHECK(units(ours, exact) <= 1);
    CHECK(units(one_minus_power(beta, t), exact) <= 1);  // the tests' own as well
    ++cases;
  }
  CHECK(cases == 104);
}

TEST_CASE("1 - beta^t is right to one unit from t = 1 to 2^53", "[power]") {
  for (const double beta : betas) {
    OneMinusPower sequential(beta);
    double worst = 0;
    for (std::int64_t t = 1; t <= 20'000; ++t)
      worst = std::max(worst, units(sequential(t), one_minus_power(beta, t)));
    OneMinusPower jumped(beta);
    for (double t = 1; t < 9007199254740992.0; t *= 1.01) {
      const auto step = static_cast<std::int64_t>(t);
      worst = std::max(worst, units(jumped(step), one_minus_power(beta, step)));
    }
    CAPTURE(beta, worst);
    CHECK(worst <= 1);
  }
}

TEST_CASE("1 - pow(beta, t) would not be", "[power]") {
  double worst = 0;
  for (std::int64_t t = 1; t <= 1000; ++t)
    worst = std::max(worst, units(1 - std::pow(0.9999, double(t)), one_minus_power(0.9999, t)));
  CHECK(worst > 100);
}

TEST_CASE("1 - beta^t does not depend on how t was reached", "[power]") {
  std::mt19937_64 random(3);
  for (const double beta : betas) {
    OneMinusPower sequential(beta), wanders(beta);
    std::vector<double> values{0};
    for (std::int64_t t = 1; t <= 3000; ++t) values.push_back(sequential(t));
    bool same = true;
    for (std::int64_t t = 1; t <= 3000; ++t)
      same = same && OneMinusPower(beta)(t) == values[std::size_t(t)];
    std::int64_t t = 0;
    for (int k = 0; k < 20'000; ++k) {
      t = random() % 4 == 0 ? std::int64_t(random() % 3001) : std::min<std::int64_t>(t + 1, 3000);
      same = same && wanders(t) == values[std::size_t(t)];
      same = same && wanders(t) == values[std::size_t(t)];  // and asked again
    }
    CAPTURE(beta);
    CHECK(same);
    // Far out too.
    for (const std::int64_t far :
         {std::int64_t{1} << 24, std::int64_t{1'000'000'000}, (std::int64_t{1} << 53) - 600}) {
      OneMinusPower goes(beta);
      bool equal = true;
      for (std::int64_t k = far; k < far + 600; ++k)
        equal = equal && goes(k) == OneMinusPower(beta)(k);
      CHECK(equal);
    }
  }
}

TEST_CASE("1 - beta^0 is 0, and beta = 0 gives 1 from the first step", "[power]") {
  for (const double beta : betas) {
    CHECK(OneMinusPower(beta)(0) == 0);
    CHECK(OneMinusPower(beta)(1) == 1 - beta);
    CHECK(OneMinusPower(beta).beta() == beta);
  }
  for (std::int64_t t = 1; t < 1000; ++t) CHECK(OneMinusPower(0)(t) == 1);
}
