// Gradient descent: on quadratics it converges as the theory says, with and without momentum.
#include <descent/optimizer/gradient_descent.hpp>

#include "support/bits.hpp"
#include "support/catch.hpp"
#include "support/scalar_loops.hpp"

#include <Eigen/Core>

#include <cmath>
#include <cstdint>
#include <vector>

using descent::GradientDescent;
using descent::GradientDescentOptions;
using descent_test::Numbers;
using descent_test::same_bits;
using Eigen::VectorXd;

namespace {

// f = 1/2 sum of lambda_i x_i²: the errors of the coefficients are independent, so the theory is about each.
const VectorXd& eigenvalues() {
  static const VectorXd values{{1, 2, 5, 10, 30, 60, 99, 100}};
  return values;
}
constexpr double mu = 1, L = 100, kappa = L / mu;

std::vector<VectorXd> errors(const GradientDescentOptions& options, int steps) {
  GradientDescent descent(options);
  VectorXd x = VectorXd::Ones(eigenvalues().size());
  std::vector<VectorXd> all{x};
  for (int t = 0; t < steps; ++t) {
    descent.step(x, eigenvalues().cwiseProduct(x).eval());
    all.push_back(x);
  }
  return all;
}

}  // namespace

TEST_CASE("gradient descent contracts by (kappa - 1)/(kappa + 1)", "[gradient_descent]") {
  const double rate = 2 / (L + mu), factor = (kappa - 1) / (kappa + 1);
  const auto e = errors({.learning_rate = rate}, 300);
  for (std::size_t k = 0; k < e.size(); ++k) {
    const double bound = std::pow(factor, double(k));
    CAPTURE(k);
    CHECK(e[k].cwiseAbs().maxCoeff() == Approx(bound).epsilon(1e-11));
    CHECK(e[k][0] == Approx(bound).epsilon(1e-11));
    CHECK(e[k][7] == Approx(k % 2 == 0 ? bound : -bound).epsilon(1e-11));
  }
  // Each coefficient by 1 - rate·lambda, for other rates too; beyond 2/L it diverges.
  for (const double other : {1 / L, 0.5 / L, 1.9 / L, 2.1 / L}) {
    const auto all = errors({.learning_rate = other}, 100);
    for (Eigen::Index i = 0; i < 8; ++i) {
      const double expected = std::pow(1 - other * eigenvalues()[i], 100);
      CHECK(std::abs(all[100][i] - expected) <= 1e-12 * std::max(1.0, std::abs(expected)));
    }
    CHECK((all[100].cwiseAbs().maxCoeff() > 1) == (other > 2 / L));
  }
}

TEST_CASE("the heavy ball contracts by (sqrt(kappa) - 1)/(sqrt(kappa) + 1)", "[gradient_descent]") {
  // Polyak's parameters make the roots of z² - (1 + beta - rate·lambda) z + beta one at both ends of the spectrum, so
  // there e_k = (1 + c k) r^k; between, both have the modulus r.
  const double root = std::sqrt(kappa), r = (root - 1) / (root + 1), momentum = r * r;
  const double rate = 4 / std::pow(std::sqrt(L) + std::sqrt(mu), 2);
  const auto e = errors({.learning_rate = rate, .momentum = momentum}, 400);
  const double low = (1 - rate * mu) / r - 1, high = (1 - rate * L) / -r - 1;
  for (std::size_t k = 0; k < 100; ++k) {
    const double power = std::pow(r, double(k)), steps = double(k);
    CAPTURE(k);
    CHECK(e[k][0] == Approx((1 + low * steps) * power).epsilon(1e-9));
    CHECK(e[k][7] == Approx((1 + high * steps) * (k % 2 == 0 ? power : -power)).epsilon(1e-9));
    CHECK(e[k].cwiseAbs().maxCoeff() <= (1 + std::max(low, high) * steps + 10) * power);
  }
  // So from 200 to 400 steps the error falls by r^200 and what is left of (1 + c k).
  const double measured = std::pow(e[400].norm() / e[200].norm(), 1.0 / 200);
  CHECK(measured == Approx(r).epsilon(0.01));
  CHECK(r < (kappa - 1) / (kappa + 1));
}

TEST_CASE("Nesterov's momentum contracts by 1 - 1/sqrt(kappa)", "[gradient_descent]") {
  // With rate 1/L and beta = (sqrt(kappa) - 1)/(sqrt(kappa) + 1) the roots of
  // z² - (1 + beta)(1 - rate·lambda) z + beta (1 - rate·lambda) are one at lambda = mu: r = 1 - 1/sqrt(kappa).
  const double root = std::sqrt(kappa), r = 1 - 1 / root, momentum = (root - 1) / (root + 1);
  const auto e = errors({.learning_rate = 1 / L, .momentum = momentum, .nesterov = true}, 400);
  const double c = (1 - (1 + momentum) * mu / L) / r - 1;
  for (std::size_t k = 0; k < 150; ++k) {
    CAPTURE(k);
    CHECK(e[k][0] == Approx((1 + c * double(k)) * std::pow(r, double(k))).epsilon(1e-9));
  }
  CHECK(e[1][7] == Approx(-momentum).epsilon(1e-12));
  CHECK(std::abs(e[2][7]) <= 1e-15);  // both roots are 0 at lambda = L
  CHECK(std::pow(e[400].norm() / e[200].norm(), 1.0 / 200) == Approx(r).epsilon(0.01));
}

TEST_CASE("gradient descent is a plain loop, to the bit", "[gradient_descent]") {
  const std::vector<GradientDescentOptions> all{
      {},
      {.learning_rate = 0.1, .momentum = 0.9},
      {.learning_rate = 0.1, .momentum = 0.9, .nesterov = true}};
  for (const GradientDescentOptions& o : all) {
    const auto check = [&](auto real) {
      using Real = decltype(real);
      using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
      GradientDescent<V> descent(o);
      descent_test::ScalarSgd<Real> loop{
          .rate = o.learning_rate(0), .momentum = o.momentum, .nesterov = o.nesterov};
      V x = Numbers(1).vector<Real>(37), y = x;
      Numbers numbers(2);
      bool same = true;
      for (int t = 0; t < 300; ++t) {
        const V noise = numbers.vector<Real>(37);
        descent.step(x, (x + noise).eval());
        loop.step(y, (y + noise).eval());
        same = same && same_bits(x, y);
      }
      CAPTURE(o.momentum, o.nesterov, sizeof real);
      CHECK(same);
      CHECK(descent.momentum_buffer().size() == (o.momentum == 0 ? 0 : 37));
      CHECK(descent.slot_bytes() == (o.momentum == 0 ? 0 : 37 * sizeof(Real)));
    };
    check(0.0);
    check(0.0f);
  }
  CHECK(all[0].learning_rate(0) == 0.01);
}

TEST_CASE("gradient descent's defaults", "[gradient_descent]") {
  const GradientDescentOptions o;
  CHECK(o.learning_rate(0) == 1e-2);
  CHECK(o.momentum == 0);
  CHECK_FALSE(o.nesterov);
  CHECK(GradientDescent<>::gradients == descent::Gradients::full);
}
