// Prodigy: its loop with all options, and how d grows.
#include <descent/optimizer/prodigy.hpp>

#include "support/bits.hpp"
#include "support/catch.hpp"
#include "support/scalar_loops.hpp"

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

using descent::Prodigy;
using descent::ProdigyOptions;
using descent_test::Numbers;
using descent_test::one_minus_power;
using descent_test::same_bits;
using Eigen::VectorXd;

// The next d is needed for the step, so its sums are collected first.
static_assert(Prodigy<>::passes == 2);

TEST_CASE("Prodigy is the loop of its authors, with every option", "[prodigy]") {
  const auto rate = [](std::int64_t k) { return 2 / (1 + 0.125 * double(k)); };
  const auto check = [&](auto real, ProdigyOptions o, double tolerance) {
    using Real = decltype(real);
    using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
    o.learning_rate = rate;
    Prodigy<V> prodigy(o);
    CHECK(prodigy.d() == o.initial_d);
    V x = Numbers(1).vector<Real>(37);
    Eigen::ArrayXd y = x.template cast<double>(), m = Eigen::ArrayXd::Zero(37), v = m, s = m;
    const Eigen::ArrayXd y0 = y;
    const double d0 = o.initial_d, b3 = std::sqrt(o.beta2);
    double d = d0, largest = d0, r = 0;
    Numbers numbers(2);
    for (int t = 1; t <= 60; ++t) {
      const V noise = numbers.vector<Real>(37);
      const V g = x + noise;
      prodigy.step(x, g);
      const Eigen::ArrayXd h = y + noise.template cast<double>().array();
      double found = d * rate(t - 1);
      if (o.bias_correction)
        found *= std::sqrt(one_minus_power(o.beta2, t)) / one_minus_power(o.beta1, t);
      r = b3 * r + d / d0 * found * (h * (y0 - y)).sum();
      m = o.beta1 * m + (1 - o.beta1) * d * h;
      v = o.beta2 * v + (1 - o.beta2) * d * d * h.square();
      s = b3 * s + d / d0 * (o.safeguard_warmup ? d : found) * h;
      const double estimate = o.d_coefficient * r / s.abs().sum();
      if (d == d0) d = std::max(d, estimate);
      largest = std::max(largest, estimate);
      d = std::min(largest, d * o.growth_rate);
      y -= o.weight_decay * found * y + found * m / (v.sqrt() + d * o.epsilon);
      CHECK(prodigy.d() == Approx(d).epsilon(tolerance));
    }
    CAPTURE(sizeof real, o.weight_decay, o.growth_rate, o.bias_correction, o.safeguard_warmup);
    CHECK((x.template cast<double>().array() - y).abs().maxCoeff() <= tolerance);
    CHECK(d > 1.5 * d0);
  };
  for (const ProdigyOptions& o :
       {ProdigyOptions{.initial_d = 1e-4}, ProdigyOptions{.weight_decay = 0.1, .initial_d = 1e-3},
        ProdigyOptions{.initial_d = 1e-3, .d_coefficient = 2, .bias_correction = true},
        ProdigyOptions{.epsilon = 1e-2, .initial_d = 1e-3, .safeguard_warmup = true},
        ProdigyOptions{.initial_d = 1e-4, .growth_rate = 1.0625},
        ProdigyOptions{.beta1 = 0.5, .beta2 = 0.9, .initial_d = 1e-2}}) {
    check(0.0, o, 1e-11);
    check(0.0f, o, 2e-3);
  }
}

TEST_CASE("Prodigy's d never shrinks, grows to the size of the way, and the way is gone",
          "[prodigy]") {
  Prodigy prodigy;
  VectorXd x{{10, -20, 5}};
  const VectorXd target{{1, 2, 3}};
  double d = prodigy.d();
  CHECK(d == 1e-6);
  for (int t = 0; t < 1500; ++t) {
    prodigy.step(x, VectorXd(x - target));
    CHECK(prodigy.d() >= d);
    d = prodigy.d();
  }
  CHECK(d > 1);
  CHECK(d < 100);
  CHECK((x - target).norm() < 1e-3);
}

TEST_CASE("a growth rate bounds how fast Prodigy's d grows", "[prodigy]") {
  Prodigy prodigy({.growth_rate = 1.25});
  VectorXd x{{10, -20, 5}};
  double d = prodigy.d();
  int bounded = 0;
  for (int t = 0; t < 100; ++t) {
    const bool first = d == 1e-6;
    prodigy.step(x, VectorXd(x));
    if (!first) CHECK(prodigy.d() <= 1.25 * d * (1 + 1e-15));
    bounded += prodigy.d() == 1.25 * d;
    d = prodigy.d();
  }
  CHECK(bounded > 20);
}

TEST_CASE("zero gradients leave x and Prodigy's d alone, at the start and for ever after",
          "[prodigy]") {
  const auto check = [](auto real) {
    using V = Eigen::Matrix<decltype(real), Eigen::Dynamic, 1>;
    Prodigy<V> prodigy({.beta2 = 0.5});
    V x = V::Ones(5);
    const V start = x, zero = V::Zero(5);
    for (int t = 0; t < 3; ++t) prodigy.step(x, zero);
    CHECK(same_bits(x, start));
    CHECK(prodigy.d() == 1e-6);
    for (int t = 0; t < 3; ++t) prodigy.step(x, start);
    const double d = prodigy.d();
    for (int t = 0; t < 5000; ++t) prodigy.step(x, zero);  // s has vanished, and r nearly
    CHECK(prodigy.d() <= 2 * d);
    CHECK(x.allFinite());
  };
  check(0.0);
  check(0.0f);
}

TEST_CASE("a NaN does not make Prodigy's d", "[prodigy]") {
  Prodigy prodigy;
  VectorXd x = VectorXd::Ones(3);
  prodigy.step(x, x);
  const double d = prodigy.d();
  prodigy.step(x, VectorXd{{1, std::numeric_limits<double>::quiet_NaN(), 1}});
  CHECK(prodigy.d() == d);
  CHECK(std::isnan(x[1]));
  CHECK(std::isfinite(x[0]));
}

TEST_CASE("Prodigy goes on from a saved state, d and all", "[prodigy]") {
  Prodigy prodigy({.initial_d = 1e-3}), other({.initial_d = 1e-3});
  VectorXd x = Numbers(1).vector<double>(9), y;
  for (int t = 0; t < 20; ++t) prodigy.step(x, VectorXd(x));
  CHECK(prodigy.d() > 1e-3);
  CHECK(prodigy.first_moment().size() == 9);
  CHECK((prodigy.second_moment().array() > 0).all());
  other.restore(prodigy.state());
  y = x;
  for (int t = 0; t < 20; ++t) {
    prodigy.step(x, VectorXd(x));
    other.step(y, VectorXd(y));
  }
  CHECK(same_bits(x, y));
  CHECK(prodigy.d() == other.d());
  prodigy.reset();
  CHECK(prodigy.d() == 1e-3);
}

TEST_CASE("Prodigy's growth rate is in [1, inf)", "[prodigy]") {
  for (const double bad : {0.0, std::nextafter(1.0, 0.0), -2.0, std::nan(""), HUGE_VAL})
    CHECK_THROWS_WITH(Prodigy({.growth_rate = bad}),
                      "Prodigy: growth_rate must be in [1, inf), got " + descent::to_text(bad));
  (void)Prodigy({.growth_rate = 1});
}
