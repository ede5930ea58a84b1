// DAdaptAdam: its loop, and that d finds the distance.
#include <descent/optimizer/dadapt_adam.hpp>

#include "support/bits.hpp"
#include "support/catch.hpp"
#include "support/scalar_loops.hpp"

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

using descent::DAdaptAdam;
using descent::DAdaptAdamOptions;
using descent_test::Numbers;
using descent_test::one_minus_power;
using descent_test::same_bits;
using Eigen::VectorXd;

// The sums of a step could be collected by its own pass, as they act on the next one; the engine collects them in front.
static_assert(DAdaptAdam<>::passes == 2);

TEST_CASE("DAdaptAdam is a plain loop, with decay and a rate that changes", "[dadapt]") {
  const auto rate = [](std::int64_t k) { return 2 / (1 + 0.125 * double(k)); };
  const auto check = [&](auto real, DAdaptAdamOptions o, double tolerance) {
    using Real = decltype(real);
    using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
    o.learning_rate = rate;
    DAdaptAdam<V> optimizer(o);
    CHECK(optimizer.d() == o.initial_d);
    V x = Numbers(1).vector<Real>(37);
    Eigen::ArrayXd y = x.template cast<double>(), m = Eigen::ArrayXd::Zero(37), v = m, s = m;
    double d = o.initial_d, r = 0;
    const double b3 = std::sqrt(o.beta2);
    Numbers numbers(2);
    for (int t = 1; t <= 60; ++t) {
      const V noise = numbers.vector<Real>(37);
      const V g = x + noise;
      optimizer.step(x, g);
      const Eigen::ArrayXd h = y + noise.template cast<double>().array();
      const double found =
          d * rate(t - 1) * std::sqrt(one_minus_power(o.beta2, t)) / one_minus_power(o.beta1, t);
      r = b3 * r + (1 - b3) * found * (h * (s / (v.sqrt() + o.epsilon))).sum();
      m = o.beta1 * m + (1 - o.beta1) * found * h;
      v = o.beta2 * v + (1 - o.beta2) * h.square();
      s = b3 * s + (1 - b3) * found * h;
      d = std::max(d, r / ((1 - b3) * s.abs().sum()));
      y -= o.weight_decay * found * y + m / (v.sqrt() + o.epsilon);
      CHECK(optimizer.d() == Approx(d).epsilon(tolerance));
    }
    CAPTURE(sizeof real, o.weight_decay, o.beta2);
    CHECK((x.template cast<double>().array() - y).abs().maxCoeff() <= tolerance);
    CHECK(d > 10 * o.initial_d);
  };
  for (const DAdaptAdamOptions& o :
       {DAdaptAdamOptions{}, DAdaptAdamOptions{.weight_decay = 0.1, .initial_d = 1e-3},
        DAdaptAdamOptions{.beta1 = 0.5, .beta2 = 0.9, .epsilon = 1e-3, .initial_d = 1e-4}}) {
    check(0.0, o, 1e-11);
    check(0.0f, o, 1e-3);
  }
}

TEST_CASE("d never shrinks, grows to the size of the way, and the way is gone", "[dadapt]") {
  DAdaptAdam optimizer;
  VectorXd x{{10, -20, 5}};
  const VectorXd target{{1, 2, 3}};
  double d = optimizer.d();
  CHECK(d == 1e-6);
  for (int t = 0; t < 3000; ++t) {
    optimizer.step(x, VectorXd(x - target));
    CHECK(optimizer.d() >= d);
    d = optimizer.d();
  }
  CHECK(d > 1e-2);
  CHECK(d < 100);
  CHECK((x - target).norm() < 1);
}

TEST_CASE("zero gradients leave x and d alone, at the start and for ever after", "[dadapt]") {
  const auto check = [](auto real) {
    using V = Eigen::Matrix<decltype(real), Eigen::Dynamic, 1>;
    DAdaptAdam<V> optimizer({.beta2 = 0.5});
    V x = V::Ones(5);
    const V start = x, zero = V::Zero(5);
    for (int t = 0; t < 3; ++t) optimizer.step(x, zero);
    CHECK(same_bits(x, start));
    CHECK(optimizer.d() == 1e-6);
    for (int t = 0; t < 3; ++t) optimizer.step(x, start);
    const double d = optimizer.d();
    for (int t = 0; t < 5000; ++t) optimizer.step(x, zero);  // s has vanished, and r nearly
    CHECK(optimizer.d() == Approx(d));
    CHECK(x.allFinite());
  };
  check(0.0);
  check(0.0f);
}

TEST_CASE("a NaN does not make a d", "[dadapt]") {
  DAdaptAdam optimizer;
  VectorXd x = VectorXd::Ones(3);
  optimizer.step(x, x);
  const double d = optimizer.d();
  optimizer.step(x, VectorXd{{1, std::numeric_limits<double>::quiet_NaN(), 1}});
  CHECK(optimizer.d() == d);
  CHECK(std::isnan(x[1]));
  CHECK(std::isfinite(x[0]));
}

TEST_CASE("reset brings back the first d", "[dadapt]") {
  DAdaptAdam optimizer({.initial_d = 0.25});
  VectorXd x = VectorXd::Ones(3);
  for (int t = 0; t < 9; ++t) optimizer.step(x, VectorXd::Ones(3).eval());
  CHECK(optimizer.d() > 0.25);
  CHECK(optimizer.first_moment().size() == 3);
  CHECK(optimizer.second_moment().size() == 3);
  optimizer.reset();
  CHECK(optimizer.d() == 0.25);
}
