// Noise on gradients: its moments, its decay, its seed.
#include <descent/transform/add_noise.hpp>

#include "support/bits.hpp"
#include "support/catch.hpp"

#include <descent/core/random.hpp>
#include <descent/engine/stepper.hpp>
#include <descent/transform/scale_by_learning_rate.hpp>

#include <Eigen/Core>

#include <cmath>
#include <stdexcept>

using namespace descent;
using descent_test::same_bits;
using Eigen::VectorXd;

TEST_CASE("noise has the variance of its step, and is that of its seed", "[noise]") {
  const auto make = [](std::uint64_t seed) {
    return chain(add_noise({.eta = 0.25, .gamma = 1, .seed = seed}), scale_by_learning_rate(1));
  };
  auto optimizer = make(1), same = make(1), other = make(2);
  const Eigen::Index n = 40'000;
  const VectorXd g = VectorXd::Constant(n, 3);
  VectorXd x = VectorXd::Zero(n), y = x, z = x;
  for (int t = 1; t <= 4; ++t) {
    const VectorXd before = x;
    optimizer.step(x, g);
    same.step(y, g);
    other.step(z, g);
    const VectorXd noise = before - x - g;
    const double variance = 0.25 / t, scale = variance / std::sqrt(double(n));
    CHECK(std::abs(noise.mean()) <= 5 * std::sqrt(variance / double(n)));
    CHECK(std::abs(noise.squaredNorm() / double(n) - variance) <= 5 * std::sqrt(2.0) * scale);
    CHECK(same_bits(x, y));
    CHECK_FALSE(same_bits(x, z));
  }
  // What comes next is part of the state.
  auto resumed = make(7);
  resumed.restore(optimizer.state());
  y = x;
  optimizer.step(x, g);
  resumed.step(y, g);
  CHECK(same_bits(x, y));

  auto none = chain(add_noise({.eta = 0}), scale_by_learning_rate(1));
  VectorXd w = VectorXd::Zero(3);
  none.step(w, VectorXd::Ones(3).eval());
  CHECK(w == -VectorXd::Ones(3));
  CHECK_THROWS_AS(add_noise({.eta = -1}), std::invalid_argument);
  CHECK_THROWS_AS(add_noise({.gamma = -1}), std::invalid_argument);
}

TEST_CASE("noise is the normal numbers of its seed, one after the other", "[noise]") {
  auto optimizer =
      chain(add_noise({.eta = 0.25, .gamma = 0, .seed = 5}), scale_by_learning_rate(1));
  Random random(5);
  VectorXd x = VectorXd::Zero(3);
  for (int t = 0; t < 3; ++t) {
    VectorXd expected = x;
    for (double& e : expected) e -= 2 + 0.5 * random.normal();
    optimizer.step(x, VectorXd::Constant(3, 2).eval());
    CHECK(same_bits(x, expected));
  }
}
