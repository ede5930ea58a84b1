// LAMB: its paper's loop, and what the trust ratio is for.
#include <descent/optimizer/lamb.hpp>

#include "support/bits.hpp"
#include "support/catch.hpp"
#include "support/scalar_loops.hpp"

#include <Eigen/Core>

#include <cmath>

using descent::LAMB;
using descent::LAMBOptions;
using descent_test::Numbers;
using descent_test::one_minus_power;
using descent_test::same_bits;
using Eigen::VectorXd;

// The norms are sums over the whole update: one pass makes it and sums, one scales it.
static_assert(LAMB<>::passes == 2);

TEST_CASE("LAMB is its paper's Algorithm 2, with the bounds on the norm", "[lamb]") {
  const auto check = [](auto real, const LAMBOptions& o, double tolerance) {
    using Real = decltype(real);
    using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
    LAMB<V> lamb(o);
    V x = Numbers(1).vector<Real>(37);
    VectorXd y = x.template cast<double>(), m = VectorXd::Zero(37), v = m;
    Numbers numbers(2);
    for (int t = 1; t <= 50; ++t) {
      const V noise = numbers.vector<Real>(37);
      const V g = x + noise;
      const VectorXd h = y + noise.template cast<double>();
      lamb.step(x, g);
      m = o.beta1 * m + (1 - o.beta1) * h;
      v = o.beta2 * v + (1 - o.beta2) * h.cwiseAbs2();
      const VectorXd m_hat = m / one_minus_power(o.beta1, t),
                     v_hat = v / one_minus_power(o.beta2, t);
      const VectorXd u =
          VectorXd(m_hat.array() / (v_hat.array().sqrt() + o.epsilon)) + o.weight_decay * y;
      const double phi = std::fmin(std::fmax(y.norm(), o.min_norm), o.max_norm);
      y -= o.learning_rate(0) * phi / u.norm() * u;
    }
    CAPTURE(sizeof real, o.weight_decay, o.min_norm, o.max_norm);
    CHECK((x.template cast<double>() - y).cwiseAbs().maxCoeff() <= tolerance);
  };
  for (const LAMBOptions& o :
       {LAMBOptions{.learning_rate = 0.01}, LAMBOptions{.learning_rate = 0.01, .weight_decay = 0.1},
        LAMBOptions{.learning_rate = 0.01, .beta1 = 0, .beta2 = 0.5},
        LAMBOptions{.learning_rate = 0.01, .min_norm = 50},
        LAMBOptions{.learning_rate = 0.01, .max_norm = 0.5}}) {
    check(0.0, o, 1e-13);
    check(0.0f, o, 2e-5);
  }
}

TEST_CASE("LAMB does not see the unit of the gradient or of the parameters", "[lamb]") {
  const auto after = [](double of_g, double of_x) {
    LAMB lamb({.learning_rate = 0.01, .epsilon = 0});
    VectorXd x = of_x * Numbers(3).vector<double>(11);
    Numbers numbers(4);
    for (int t = 0; t < 30; ++t) lamb.step(x, VectorXd(of_g * numbers.vector<double>(11)));
    return VectorXd(x / of_x);
  };
  const VectorXd plain = after(1, 1);
  for (const double unit : {0x1p-100, 0x1p-3, 0x1p9, 0x1p200}) {
    CHECK(same_bits(after(unit, 1), plain));
    CHECK(same_bits(after(1, unit), plain));
  }
}

TEST_CASE("a step of LAMB is as long as the rate times the parameters", "[lamb]") {
  LAMB lamb({.learning_rate = 0.01, .weight_decay = 0.3});
  VectorXd x = Numbers(5).vector<double>(23);
  Numbers numbers(6);
  for (int t = 0; t < 20; ++t) {
    const VectorXd before = x;
    lamb.step(x, numbers.vector<double>(23));
    CHECK((x - before).norm() == Approx(0.01 * before.norm()).epsilon(1e-12));
  }
}

TEST_CASE("LAMB leaves zero parameters by Adam's steps, and x alone at a zero gradient", "[lamb]") {
  LAMB lamb({.learning_rate = 0.5});
  VectorXd x = VectorXd::Zero(4);
  const VectorXd g{{1, -1, 2, -2}};
  lamb.step(x, g);
  CHECK(x.isApprox(VectorXd{{-0.5, 0.5, -0.5, 0.5}}, 1e-5));
  LAMB fresh;
  VectorXd y = g;
  for (int t = 0; t < 3; ++t) fresh.step(y, VectorXd::Zero(4).eval());
  CHECK(same_bits(y, g));
}

TEST_CASE("LAMB's moments are Adam's", "[lamb]") {
  LAMB lamb;
  CHECK(lamb.first_moment().size() == 0);
  VectorXd x = VectorXd::Ones(3);
  lamb.step(x, VectorXd::Constant(3, 2).eval());
  CHECK(lamb.first_moment().isApproxToConstant(0.2, 1e-15));
  CHECK(lamb.second_moment().isApproxToConstant(0.004, 1e-12));
}
