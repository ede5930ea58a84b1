// schedule_free: the loop of its paper, to the bit, what the average is, and the weights.
#include <descent/transform/schedule_free.hpp>

#include "support/bits.hpp"
#include "support/catch.hpp"

#include <descent/engine/stepper.hpp>
#include <descent/transform/scale_by_adam.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstdint>

using namespace descent;
using descent_test::Numbers;
using descent_test::same_bits;
using Eigen::VectorXd;

namespace {

// Up and down again: the weights go by the largest rate so far.
double warmup(std::int64_t k) {
  return k < 40 ? 0.25 * std::min(1.0, double(k + 1) / 8) : 0.0625;
}

}  // namespace

TEST_CASE("Schedule-Free steps are a plain loop, to the bit", "[schedule_free]") {
  const auto check = [](auto real, double beta, double r, double p) {
    using Real = decltype(real);
    using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
    auto optimizer = chain<V>(
        schedule_free({.learning_rate = warmup, .beta = beta, .step_power = r, .rate_power = p}));
    static_assert(decltype(optimizer)::passes == 1);
    V y = Numbers(1).vector<Real>(37), ours = y, z = y;
    Numbers numbers(2);
    double sum = 0, largest = 0;
    bool same = true;
    for (int k = 1; k <= 60; ++k) {
      const V noise = numbers.vector<Real>(37);
      optimizer.step(ours, (ours + noise).eval());
      const double rate = warmup(k - 1);
      largest = std::max(largest, rate);
      const double weight = (r == 0   ? 1
                             : r == 1 ? k
                                      : std::pow(double(k), r)) *
                            (p == 0   ? 1
                             : p == 2 ? largest * largest
                                      : largest);
      sum += weight;
      const double share = weight / sum;
      const auto c = static_cast<Real>(share), eta = static_cast<Real>(rate),
                 pull = static_cast<Real>(rate * (beta * (1 - share) - 1));
      for (Eigen::Index i = 0; i < 37; ++i) {
        const Real u = y[i] + noise[i];
        y[i] += c * (z[i] - y[i]) + pull * u;
        z[i] -= eta * u;
      }
      same = same && same_bits(ours, y);
    }
    CAPTURE(sizeof real, beta, r, p);
    CHECK(same);
    CHECK(same_bits(optimizer.template slot<0>(0), z));
    const auto b = static_cast<Real>(beta), a = static_cast<Real>(1 - beta);
    CHECK(same_bits(optimizer.averaged(ours), V((y - a * z) / b)));
  };
  for (const double beta : {0.9, 0.5, 1.0}) {
    for (const double p : {0.0, 1.0, 2.0}) {
      check(0.0, beta, 0, p);
      check(0.0f, beta, 1, p);
      check(0.0, beta, 2.5, p);
    }
  }
}

TEST_CASE("the average is the weighted mean of the base points", "[schedule_free]") {
  auto optimizer = chain<VectorXd>(schedule_free({.learning_rate = warmup, .step_power = 1}));
  VectorXd y = Numbers(3).vector<double>(5), sum = VectorXd::Zero(5);
  CHECK(same_bits(optimizer.averaged(y), y));
  Numbers numbers(4);
  double weights = 0, largest = 0;
  for (int k = 1; k <= 100; ++k) {
    optimizer.step(y, (y + numbers.vector<double>(5)).eval());
    largest = std::max(largest, warmup(k - 1));
    const double weight = k * largest * largest;
    weights += weight;
    sum += weight * optimizer.slot<0>(0);
    CHECK(optimizer.averaged(y).isApprox(sum / weights, 1e-12));
    // y lies between the average and z.
    CHECK(y.isApprox(0.9 * optimizer.averaged(y) + 0.1 * VectorXd(optimizer.slot<0>(0)), 1e-12));
  }
}

TEST_CASE("a rate of zero moves nothing and weighs nothing", "[schedule_free]") {
  auto optimizer = chain<VectorXd>(
      schedule_free({.learning_rate = [](std::int64_t k) { return k < 3 ? 0.0 : 0.5; }}));
  VectorXd y{{1, 2}};
  const VectorXd start = y, g{{1, -1}};
  for (int t = 0; t < 3; ++t) optimizer.step(y, g);
  CHECK(same_bits(y, start));
  CHECK(same_bits(optimizer.averaged(y), start));
  optimizer.step(y, g);
  CHECK(optimizer.averaged(y).isApprox(start - 0.5 * g, 1e-15));
}

TEST_CASE("any direction may be averaged without a schedule", "[schedule_free]") {
  auto optimizer = chain<VectorXd>(scale_by_adam(), schedule_free({.learning_rate = 0.125}));
  VectorXd x{{4, -3}};
  for (int t = 0; t < 400; ++t) optimizer.step(x, VectorXd(x.cwiseProduct(VectorXd{{1, 30}})));
  CHECK(optimizer.averaged(x).norm() < 0.1);
  optimizer.set_learning_rate(0.0);
  CHECK(optimizer.learning_rate() == 0);
}

TEST_CASE("beta is in (0, 1]", "[schedule_free]") {
  CHECK_THROWS_WITH(schedule_free({.beta = 0}), "schedule_free: beta must be in (0, 1], got 0");
  CHECK_THROWS_WITH(schedule_free({.beta = 1.5}), "schedule_free: beta must be in (0, 1], got 1.5");
}
