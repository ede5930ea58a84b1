// MADGRAD: its loop to the bit, and what dual averaging is.
#include <descent/optimizer/madgrad.hpp>

#include "support/bits.hpp"
#include "support/catch.hpp"

#include <Eigen/Core>

#include <cmath>

using descent::MADGRAD;
using descent::MADGRADOptions;
using descent_test::Numbers;
using descent_test::same_bits;
using Eigen::VectorXd;

static_assert(MADGRAD<>::passes == 1);

TEST_CASE("MADGRAD is a plain loop, to the bit but for the cube root", "[madgrad]") {
  const auto check = [](auto real, const MADGRADOptions& o, double tolerance) {
    using Real = decltype(real);
    using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
    MADGRAD<V> madgrad(o);
    V x = Numbers(1).vector<Real>(37), s = V::Zero(37), squares = s;
    const V x0 = x;
    Numbers numbers(2);
    const auto lambda = static_cast<Real>(o.weight_decay), epsilon = static_cast<Real>(o.epsilon),
               share = static_cast<Real>(1 - o.momentum);
    for (int t = 1; t <= 60; ++t) {
      const V g = x + numbers.vector<Real>(37);
      const V before = x;
      madgrad.step(x, g);
      const auto weight =
          static_cast<Real>((o.learning_rate(0) + o.epsilon) * std::sqrt(double(t)));
      for (Eigen::Index i = 0; i < 37; ++i) {
        const Real d = o.weight_decay == 0 ? g[i] : g[i] + lambda * before[i];
        s[i] += weight * d;
        squares[i] += weight * (d * d);
        const Real z = x0[i] - s[i] / (std::cbrt(squares[i]) + epsilon);
        const Real expected = before[i] + share * (z - before[i]);
        CHECK(std::abs(static_cast<double>(x[i] - expected)) <= tolerance);
      }
    }
    CAPTURE(sizeof real, o.momentum, o.epsilon, o.weight_decay);
    CHECK(same_bits(madgrad.sum_of_gradients(), s));
    CHECK(same_bits(madgrad.sum_of_squares(), squares));
  };
  for (const MADGRADOptions& o :
       {MADGRADOptions{}, MADGRADOptions{.momentum = 0}, MADGRADOptions{.epsilon = 0.5},
        MADGRADOptions{.learning_rate = 0.5, .momentum = 0.5, .weight_decay = 0.1}}) {
    check(0.0, o, 1e-15);
    check(0.0f, o, 1e-6);
  }
}

TEST_CASE("the first step of MADGRAD is the cube root of the gradient's size", "[madgrad]") {
  // z - x0 = -η g / ∛(η g²) = -∛(η² g), with one sign for each coefficient.
  MADGRAD madgrad({.learning_rate = 0.125, .momentum = 0, .epsilon = 0});
  VectorXd x = VectorXd::Zero(3);
  madgrad.step(x, VectorXd{{8, -1, 1e-9}});
  CHECK(x.isApprox(VectorXd{{-0.5, 0.25, -0.25e-3}}, 1e-14));
}

TEST_CASE("a zero gradient moves nothing, and MADGRAD remembers where it began", "[madgrad]") {
  MADGRAD madgrad({.momentum = 0});
  const VectorXd start{{1, -2, 3}};
  VectorXd x = start;
  for (int t = 0; t < 5; ++t) madgrad.step(x, VectorXd::Zero(3).eval());
  CHECK(same_bits(x, start));
  // Without momentum z alone says where x is: what was done to x in between is forgotten.
  madgrad.step(x, VectorXd{{1, 1, 1}});
  const VectorXd expected = x;
  x.setConstant(77);
  madgrad.step(x, VectorXd::Zero(3).eval());
  CHECK(x.isApprox(expected, 1e-14));
}

TEST_CASE("a rate of zero takes no gradient in, and x goes on to follow z", "[madgrad]") {
  MADGRAD madgrad({.learning_rate = 0.125, .momentum = 0.5, .epsilon = 0.25});
  VectorXd x = VectorXd::Zero(1);
  madgrad.step(x, VectorXd::Ones(1).eval());
  const VectorXd z = 2 * x;  // half of the way
  const VectorXd sum = madgrad.sum_of_gradients();
  madgrad.set_learning_rate(0.0);
  madgrad.step(x, VectorXd::Constant(1, -3).eval());
  CHECK(same_bits(madgrad.sum_of_gradients(), sum));
  CHECK(x.isApprox(0.75 * z, 1e-15));
}
