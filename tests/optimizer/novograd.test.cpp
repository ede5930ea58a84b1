// NovoGrad: its paper's loop, and the one number that it keeps.
#include <descent/optimizer/novograd.hpp>

#include "support/bits.hpp"
#include "support/catch.hpp"

#include <Eigen/Core>

#include <cmath>

using descent::NovoGrad;
using descent::NovoGradOptions;
using descent_test::Numbers;
using descent_test::same_bits;
using Eigen::VectorXd;

// The norm of g, then the step.
static_assert(NovoGrad<>::passes == 2);

TEST_CASE("NovoGrad is its paper's Algorithm 1", "[novograd]") {
  const auto check = [](auto real, const NovoGradOptions& o, double tolerance) {
    using Real = decltype(real);
    using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
    NovoGrad<V> novograd(o);
    V x = Numbers(1).vector<Real>(37);
    VectorXd y = x.template cast<double>(), m = VectorXd::Zero(37);
    double v = 0;
    Numbers numbers(2);
    for (int t = 1; t <= 60; ++t) {
      const V noise = numbers.vector<Real>(37);
      const V g = x + noise;
      novograd.step(x, g);
      const VectorXd h = y + noise.template cast<double>();
      v = t == 1 ? h.squaredNorm() : o.beta2 * v + (1 - o.beta2) * h.squaredNorm();
      m = o.beta1 * m + h / (std::sqrt(v) + o.epsilon) + o.weight_decay * y;
      y -= o.learning_rate(0) * m;
      CHECK(novograd.second_moment() == Approx(v).epsilon(tolerance));
    }
    CAPTURE(sizeof real, o.beta1, o.beta2, o.epsilon, o.weight_decay);
    CHECK((x.template cast<double>() - y).cwiseAbs().maxCoeff() <= tolerance);
  };
  for (const NovoGradOptions& o : {NovoGradOptions{}, NovoGradOptions{.beta1 = 0, .beta2 = 0.5},
                                   NovoGradOptions{.beta1 = 0.5, .beta2 = 0, .epsilon = 1},
                                   NovoGradOptions{.weight_decay = 0.1}}) {
    check(0.0, o, 1e-12);
    check(0.0f, o, 1e-4);
  }
}

TEST_CASE("NovoGrad does not see the unit of the gradient, however large or small", "[novograd]") {
  const auto after = [](double unit) {
    NovoGrad novograd({.epsilon = 0});
    VectorXd x = Numbers(3).vector<double>(11);
    Numbers numbers(4);
    for (int t = 0; t < 30; ++t) novograd.step(x, VectorXd(unit * numbers.vector<double>(11)));
    return x;
  };
  const VectorXd plain = after(1);
  // The squares of the outer ones are no doubles; √v is.
  for (const double unit : {0x1p-900, 0x1p-3, 0x1p9, 0x1p900}) CHECK(same_bits(after(unit), plain));
}

TEST_CASE("the first step of NovoGrad is the rate, in the direction of the gradient",
          "[novograd]") {
  NovoGrad novograd({.learning_rate = 0.25, .epsilon = 0});
  VectorXd x = VectorXd::Zero(3);
  novograd.step(x, VectorXd{{3, 0, -4}});
  CHECK(x.isApprox(VectorXd{{-0.15, 0, 0.2}}, 1e-15));
  CHECK(novograd.second_moment() == Approx(25));
  CHECK(novograd.first_moment().isApprox(VectorXd{{0.6, 0, -0.8}}, 1e-15));
}

TEST_CASE("a zero gradient moves nothing, and v decays to zero", "[novograd]") {
  NovoGrad novograd({.beta2 = 0.25});
  const VectorXd zero = VectorXd::Zero(3), start = VectorXd::Ones(3);
  VectorXd x = start;
  novograd.step(x, zero);
  CHECK(same_bits(x, start));
  novograd.step(x, start);
  for (int t = 0; t < 2000; ++t) novograd.step(x, zero);
  CHECK(novograd.second_moment() == 0);
  CHECK(x.allFinite());
}

TEST_CASE("NovoGrad's number is saved with its state", "[novograd]") {
  NovoGrad novograd;
  VectorXd x = VectorXd::Ones(3), y;
  novograd.step(x, x);
  const auto state = novograd.state();
  NovoGrad other;
  other.restore(state);
  y = x;
  const VectorXd g{{1, 2, 3}};
  novograd.step(x, g);
  other.step(y, g);
  CHECK(same_bits(x, y));
  novograd.reset();
  CHECK(novograd.second_moment() == 0);
}
