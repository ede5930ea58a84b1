// LARS: a plain loop, the rate inside of the momentum, and what the trust ratio is for.
#include <descent/optimizer/lars.hpp>

#include "support/bits.hpp"
#include "support/catch.hpp"

#include <Eigen/Core>

#include <cstdint>

using descent::LARS;
using descent::LARSOptions;
using descent_test::Numbers;
using descent_test::same_bits;
using Eigen::VectorXd;

// The norm of g + λx is known after one pass; the other makes the step.
static_assert(LARS<>::passes == 2);

TEST_CASE("LARS is a plain loop, with a rate that changes", "[lars]") {
  const auto rate = [](std::int64_t k) { return 2 / (1 + 0.25 * double(k)); };
  const auto check = [&](auto real, LARSOptions o, double tolerance) {
    using Real = decltype(real);
    using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
    o.learning_rate = rate;
    LARS<V> lars(o);
    V x = Numbers(1).vector<Real>(37);
    VectorXd y = x.template cast<double>(), b = VectorXd::Zero(37);
    Numbers numbers(2);
    for (int t = 0; t < 40; ++t) {
      const V noise = numbers.vector<Real>(37);
      const V g = x + noise;
      lars.step(x, g);
      const VectorXd u = y + noise.template cast<double>() + o.weight_decay * y;
      const double ratio = o.trust_coefficient * y.norm() / (u.norm() + o.epsilon);
      const VectorXd d = -rate(t) * ratio * u;
      b = o.momentum * b + d;
      y += o.nesterov ? VectorXd(o.momentum * b + d) : b;
    }
    CAPTURE(sizeof real, o.momentum, o.nesterov, o.weight_decay, o.epsilon);
    CHECK((x.template cast<double>() - y).cwiseAbs().maxCoeff() <= tolerance);
    CHECK((x.template cast<double>() - Numbers(1).vector<double>(37)).norm() > 0.01);
  };
  for (const LARSOptions& o :
       {LARSOptions{.momentum = 0, .trust_coefficient = 0.02}, LARSOptions{.momentum = 0.5},
        LARSOptions{.nesterov = true, .weight_decay = 0.1},
        LARSOptions{.trust_coefficient = 0.01, .epsilon = 1}}) {
    check(0.0, o, 1e-13);
    check(0.0f, o, 1e-5);
  }
}

TEST_CASE("LARS does not see the unit of the gradient", "[lars]") {
  const auto after = [](double unit) {
    LARS lars({.learning_rate = 1});
    VectorXd x = Numbers(3).vector<double>(11);
    Numbers numbers(4);
    for (int t = 0; t < 30; ++t) lars.step(x, VectorXd(unit * numbers.vector<double>(11)));
    return x;
  };
  const VectorXd plain = after(1);
  for (const double unit : {0x1p-900, 0x1p-3, 0x1p9, 0x1p900}) CHECK(same_bits(after(unit), plain));
}

TEST_CASE("the first step of LARS is a fraction of the parameters", "[lars]") {
  LARS lars({.learning_rate = 3, .trust_coefficient = 0.01});
  const VectorXd x0 = Numbers(5).vector<double>(23);
  VectorXd x = x0;
  lars.step(x, Numbers(6).vector<double>(23));
  CHECK((x - x0).norm() == Approx(3 * 0.01 * x0.norm()).epsilon(1e-12));
  CHECK(lars.momentum_buffer().isApprox(x - x0, 1e-12));
}

TEST_CASE("from zero parameters LARS steps as gradient descent, and a zero gradient rolls out",
          "[lars]") {
  LARS lars({.learning_rate = 0.5, .momentum = 0.5});
  VectorXd x = VectorXd::Zero(3);
  const VectorXd g{{1, -2, 4}}, zero = VectorXd::Zero(3);
  lars.step(x, g);
  CHECK(same_bits(x, VectorXd(-0.5 * g)));
  lars.step(x, zero);
  CHECK(same_bits(x, VectorXd(-0.75 * g)));
  CHECK(LARS({.momentum = 0}).momentum_buffer().size() == 0);
}

TEST_CASE("LARS with Nesterov needs a momentum", "[lars]") {
  CHECK_THROWS_WITH(LARS({.momentum = 0, .nesterov = true}),
                    "LARS: momentum must be in (0, 1) with nesterov, got 0");
}
