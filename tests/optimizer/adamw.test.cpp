// AdamW: a plain loop, and what "decoupled" means.
#include <descent/optimizer/adamw.hpp>

#include "support/bits.hpp"
#include "support/catch.hpp"
#include "support/scalar_loops.hpp"

#include <descent/optimizer/adam.hpp>

#include <Eigen/Core>

#include <cmath>
#include <cstdint>
#include <vector>

using descent::Adam;
using descent::AdamW;
using descent::AdamWOptions;
using descent_test::Numbers;
using descent_test::same_bits;
using descent_test::ScalarAdam;
using Eigen::VectorXd;

TEST_CASE("AdamW is a plain loop, to the bit", "[adamw]") {
  const std::vector<AdamWOptions> all{
      {.learning_rate = 0.01},
      {.learning_rate = 0.01, .weight_decay = 0},
      {.learning_rate = 0.01, .beta2 = 0.9, .weight_decay = 0.5, .amsgrad = true},
      {.learning_rate = 0.01, .weight_decay = 0.1, .folded = true}};
  for (const AdamWOptions& o : all) {
    const auto check = [&](auto real) {
      using Real = decltype(real);
      using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
      AdamW<V> adamw(o);
      ScalarAdam<Real> loop{.rate = 0.01,
                            .beta1 = o.beta1,
                            .beta2 = o.beta2,
                            .epsilon = o.epsilon,
                            .decay = o.weight_decay,
                            .amsgrad = o.amsgrad,
                            .folded = o.folded,
                            .decoupled = true};
      V x = Numbers(1).vector<Real>(37), y = x;
      Numbers numbers(2);
      bool same = true;
      for (int t = 0; t < 300; ++t) {
        const V noise = numbers.vector<Real>(37);
        adamw.step(x, (x + noise).eval());
        loop.step(y, (y + noise).eval());
        same = same && same_bits(x, y);
      }
      CAPTURE(o.weight_decay, o.amsgrad, o.folded, sizeof real);
      CHECK(same);
      CHECK(same_bits(adamw.first_moment(), Eigen::Map<V>(loop.m.data(), 37)));
      CHECK(same_bits(adamw.second_moment(), Eigen::Map<V>(loop.v.data(), 37)));
      CHECK(adamw.largest_second_moment().size() == (o.amsgrad ? 37 : 0));
    };
    check(0.0);
    check(0.0f);
  }
}

TEST_CASE("decoupled weight decay shrinks x by 1 - rate·lambda, whatever the gradients",
          "[adamw]") {
  // With zero gradients alone, and by a schedule's rate.
  AdamW adamw(
      {.learning_rate = [](std::int64_t k) { return k < 5 ? 0.5 : 0.25; }, .weight_decay = 0.125});
  VectorXd x = VectorXd::Ones(5);
  const VectorXd zero = VectorXd::Zero(5);
  for (int t = 0; t < 10; ++t) adamw.step(x, zero);
  CHECK(x[0] ==
        Approx(std::pow(1 - 0.5 * 0.125, 5) * std::pow(1 - 0.25 * 0.125, 5)).epsilon(1e-14));
  CHECK((adamw.first_moment().array() == 0).all());
  CHECK((adamw.second_moment().array() == 0).all());

  // Large gradients do not weaken it: AdamW's x differs from Adam's by just the decay, while L2 in Adam drowns.
  AdamW decoupled({.learning_rate = 0.01, .weight_decay = 0.5});
  Adam none({.learning_rate = 0.01}), coupled({.learning_rate = 0.01, .weight_decay = 0.5});
  VectorXd a = VectorXd::Ones(1), b = a, c = a;
  const VectorXd g = VectorXd::Constant(1, 1e6);
  decoupled.step(a, g);
  none.step(b, g);
  coupled.step(c, g);
  CHECK(b[0] - a[0] == Approx(0.005).epsilon(1e-12));
  CHECK(std::abs(c[0] - b[0]) < 1e-12);
}

TEST_CASE("AdamW without decay is Adam, to the bit", "[adamw]") {
  AdamW adamw({.learning_rate = 0.01, .weight_decay = 0});
  Adam adam({.learning_rate = 0.01});
  VectorXd x = Numbers(1).vector<double>(37), y = x;
  for (int t = 0; t < 100; ++t) {
    adamw.step(x, x.eval());
    adam.step(y, y.eval());
  }
  CHECK(same_bits(x, y));
  CHECK(adamw.slot_bytes() == adam.slot_bytes());
}

TEST_CASE("AdamW's defaults are PyTorch's", "[adamw]") {
  const AdamWOptions o;
  CHECK(o.learning_rate(0) == 1e-3);
  CHECK(o.beta1 == 0.9);
  CHECK(o.beta2 == 0.999);
  CHECK(o.epsilon == 1e-8);
  CHECK(o.weight_decay == 1e-2);
  CHECK_FALSE(o.amsgrad);
  CHECK_FALSE(o.folded);
}
