#include <descent/transform/add_decayed_weights.hpp>

#include "support/bits.hpp"
#include "support/catch.hpp"

#include <descent/engine/stepper.hpp>
#include <descent/transform/scale_by_learning_rate.hpp>
#include <descent/transform/trace.hpp>

#include <Eigen/Core>

#include <limits>

using descent_test::Numbers;
using descent_test::same_bits;

namespace {

template <class Real>
void check_loop(double lambda) {
  using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
  auto chain =
      descent::chain<V>(descent::add_decayed_weights(lambda), descent::scale_by_learning_rate(0.5));
  V x = Numbers(1).vector<Real>(37), y = x;
  const V g = Numbers(2).vector<Real>(37);
  for (int t = 0; t < 20; ++t) {
    chain.step(x, g);
    for (Eigen::Index i = 0; i < 37; ++i) {
      const Real decayed = lambda == 0 ? g[i] : g[i] + static_cast<Real>(lambda) * y[i];
      y[i] = y[i] + Real(-0.5) * decayed;
    }
  }
  CAPTURE(lambda, sizeof(Real));
  CHECK(same_bits(x, y));
  CHECK(chain.slot_bytes() == 0);
  CHECK(chain.passes == 1);
}

}  // namespace

TEST_CASE("add_decayed_weights adds lambda x", "[transform]") {
  for (const double lambda : {0.0, 0.1, 0.01, 3.0, 1e-300}) {
    check_loop<double>(lambda);
    check_loop<float>(lambda);
  }
}

TEST_CASE("a decay of zero does not look at x", "[transform]") {
  // Otherwise 0·infinity would be NaN.
  auto chain = descent::chain(descent::add_decayed_weights(0), descent::scale_by_learning_rate(1));
  Eigen::VectorXd x = Eigen::VectorXd::Constant(3, std::numeric_limits<double>::infinity());
  chain.step(x, Eigen::VectorXd::Ones(3).eval());
  CHECK((x.array() == std::numeric_limits<double>::infinity()).all());
}

TEST_CASE("the place in the chain decides between L2 and decoupled decay", "[transform]") {
  const double mu = 0.5, lambda = 0.25, rate = 0.5;
  auto coupled =
      descent::chain(descent::add_decayed_weights(lambda), descent::trace({.momentum = mu}),
                     descent::scale_by_learning_rate(rate));
  auto decoupled =
      descent::chain(descent::trace({.momentum = mu}), descent::add_decayed_weights(lambda),
                     descent::scale_by_learning_rate(rate));
  using V1 = Eigen::VectorXd;
  V1 x = V1::Ones(1), y = x;
  const V1 zero = V1::Zero(1);
  double a = 1, b = 1, buffer = 0;
  for (int t = 0; t < 10; ++t) {
    coupled.step(x, zero);
    decoupled.step(y, zero);
    buffer = mu * buffer + lambda * a;
    a -= rate * buffer;
    b -= rate * lambda * b;
  }
  CHECK(x[0] == Approx(a).epsilon(1e-15));
  CHECK(y[0] == Approx(b).epsilon(1e-15));
  CHECK(x[0] < 0.5 * y[0]);
}
