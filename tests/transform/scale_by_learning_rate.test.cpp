#include <descent/transform/scale_by_learning_rate.hpp>

#include "support/bits.hpp"
#include "support/catch.hpp"

#include <descent/engine/stepper.hpp>

#include <Eigen/Core>

#include <cstdint>

using descent_test::Numbers;
using descent_test::same_bits;

namespace {

template <class Real>
void check_loop(double rate) {
  using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
  auto chain = descent::chain<V>(descent::scale_by_learning_rate(rate));
  V x = Numbers(1).vector<Real>(37), y = x;
  const V g = Numbers(2).vector<Real>(37);
  for (int t = 0; t < 20; ++t) {
    chain.step(x, g);
    for (Eigen::Index i = 0; i < 37; ++i) y[i] = y[i] + static_cast<Real>(-rate) * g[i];
  }
  CAPTURE(rate, sizeof(Real));
  CHECK(same_bits(x, y));
}

}  // namespace

TEST_CASE("scale_by_learning_rate steps against the gradient", "[transform]") {
  for (const double rate : {0.0, 0.1, 0.001, 7.0}) {
    check_loop<double>(rate);
    check_loop<float>(rate);
  }
}

TEST_CASE("the schedule is asked for the number of updates made, once a step", "[transform]") {
  std::int64_t asked = 0, expected = 0;
  auto* const count = &asked;
  auto chain = descent::chain(descent::scale_by_learning_rate([count](std::int64_t k) {
    ++*count;
    return double(k + 1);
  }));
  Eigen::VectorXd x = Eigen::VectorXd::Zero(3);
  const Eigen::VectorXd g = Eigen::VectorXd::Ones(3);
  double sum = 0;
  for (int k = 0; k < 10; ++k) {
    chain.step(x, g);
    sum += k + 1;
    CHECK(x[0] == -sum);
    CHECK(asked == ++expected);
  }
  chain.set_learning_rate(0.5);
  chain.step(x, g);
  CHECK(x[0] == -sum - 0.5);
  CHECK(chain.learning_rate() == 0.5);
}

TEST_CASE("the rate is rounded to the scalar once, after the scale", "[transform]") {
  auto chain = descent::chain<Eigen::VectorXf>(descent::scale_by_learning_rate(0.1));
  chain.scale_learning_rate(0.3);
  Eigen::VectorXf x = Eigen::VectorXf::Zero(1);
  chain.step(x, Eigen::VectorXf::Ones(1).eval());
  CHECK(x[0] == -static_cast<float>(0.1 * 0.3));
  CHECK(static_cast<float>(0.1) * 0.3f != static_cast<float>(0.1 * 0.3));
}
