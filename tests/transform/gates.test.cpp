// Transforms that may end a step: accumulation, and what happens to a gradient that is not finite.
//
// covers: accumulate rollback_if_not_finite stop_if_not_finite
#include <descent/transform/accumulate.hpp>
#include <descent/transform/rollback_if_not_finite.hpp>
#include <descent/transform/stop_if_not_finite.hpp>

#include "support/allocations.hpp"
#include "support/bits.hpp"
#include "support/catch.hpp"

#include <descent/engine/stepper.hpp>
#include <descent/optimizer/gradient_descent.hpp>
#include <descent/transform/add_decayed_weights.hpp>
#include <descent/transform/clip_by_global_norm.hpp>
#include <descent/transform/clip_by_value.hpp>
#include <descent/transform/scale_by_adam.hpp>
#include <descent/transform/scale_by_learning_rate.hpp>
#include <descent/transform/skip_if_not_finite.hpp>
#include <descent/transform/trace.hpp>

#include <Eigen/Core>

#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <vector>

using namespace descent;
using descent_test::Numbers;
using descent_test::same_bits;
using Eigen::Index;
using Eigen::VectorXd;
using Eigen::VectorXf;

namespace {

const double bad_numbers[] = {std::numeric_limits<double>::quiet_NaN(),
                              std::numeric_limits<double>::infinity(),
                              -std::numeric_limits<double>::infinity()};

}  // namespace

TEST_CASE("accumulated gradients make the step of their mean, and nothing between",
          "[accumulate]") {
  const auto check = [](auto real) {
    using Real = decltype(real);
    using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
    for (const Index n : {1, 7, 16, 100}) {
      for (const int k : {1, 2, 5}) {
        const auto decay = [](std::int64_t t) { return 0.1 / (1.0 + double(t)); };
        auto small = chain<V>(accumulate(k), scale_by_adam(), add_decayed_weights(0.1),
                              scale_by_learning_rate(decay));
        auto large =
            chain<V>(scale_by_adam(), add_decayed_weights(0.1), scale_by_learning_rate(decay));
        V x = Numbers(1).vector<Real>(n), y = x;
        Numbers numbers(2);
        for (int t = 0; t < 6; ++t) {
          V sum = V::Zero(n);
          for (int i = 1; i <= k; ++i) {
            const V g = numbers.vector<Real>(n), before = x;
            const auto saved = small;
            small.step(x, g);
            sum += g;
            if (i < k) {
              REQUIRE(same_bits(x, before));
              REQUIRE(small.steps() == t);
              REQUIRE(small.learning_rate() == saved.learning_rate());
              REQUIRE_FALSE(small.state() == saved.state());
            }
          }
          large.step(y, V(sum / Real(k)));
          CAPTURE(n, k, t, sizeof(Real));
          REQUIRE(same_bits(x, y));
          REQUIRE(small.steps() == t + 1);
        }
      }
    }
  };
  check(0.0);
  check(0.0f);
  CHECK_THROWS_AS(accumulate(0), std::invalid_argument);

  // What is clipped behind it is the mean.
  auto clipped = chain(accumulate(2), clip_by_global_norm(1), scale_by_learning_rate(1));
  static_assert(decltype(clipped)::passes == 2);
  VectorXd x = VectorXd::Zero(2);
  clipped.step(x, (VectorXd(2) << 12, 0).finished());
  clipped.step(x, (VectorXd(2) << 0, 16).finished());
  CHECK(x.isApprox((VectorXd(2) << -0.6, -0.8).finished(), 1e-6));
}

TEST_CASE("accumulation goes on where it was saved, and begins anew after a reset",
          "[accumulate]") {
  const auto make = [] { return chain(accumulate(3), scale_by_learning_rate(1)); };
  auto optimizer = make();
  VectorXd x = VectorXd::Zero(5);
  optimizer.step(x, VectorXd::Constant(5, 1).eval());
  optimizer.step(x, VectorXd::Constant(5, 2).eval());
  auto resumed = make();
  resumed.restore(optimizer.state());
  resumed.step(x, VectorXd::Constant(5, 6).eval());
  CHECK(x == VectorXd::Constant(5, -3));
  optimizer.reset();
  x.setZero();
  for (int i = 0; i < 3; ++i) optimizer.step(x, VectorXd::Ones(5).eval());
  CHECK(x == VectorXd::Constant(5, -1));
}

TEST_CASE("what stands before the accumulation sees each gradient", "[accumulate]") {
  auto optimizer =
      chain(skip_if_not_finite(), clip_by_value(1), accumulate(2), scale_by_learning_rate(1));
  VectorXd x = VectorXd::Zero(3);
  optimizer.step(x, (VectorXd(3) << 5, 0.5, -7).finished());
  optimizer.step(x, (VectorXd(3) << 1, std::nan(""), 1).finished());  // does not count
  CHECK(x == VectorXd::Zero(3));
  optimizer.step(x, (VectorXd(3) << 0, 0.5, -3).finished());
  CHECK(x == (VectorXd(3) << -0.5, -0.5, 1).finished());
  VectorXd next(3);
  const StepOutcome outcome = optimizer.advance(x, VectorXd::Ones(3), next, 0);
  CHECK_FALSE(outcome.taken);
  CHECK(same_bits(next, x));
}

TEST_CASE("minimize counts gradients as iterations and steps as steps", "[accumulate]") {
  struct Bowl {
    double loss_and_gradient(const VectorXd& x, VectorXd& g) const {
      g = x;
      return 0.5 * x.squaredNorm();
    }
  };
  auto optimizer = chain(accumulate(4), scale_by_learning_rate(0.5));
  VectorXd x = VectorXd::Ones(2), g(2);
  const Bowl f;
  for (int i = 0; i < 40; ++i) {
    f.loss_and_gradient(x, g);
    optimizer.step(x, g);
  }
  CHECK(optimizer.steps() == 10);
  CHECK(x.isApproxToConstant(std::pow(0.5, 10)));
}

TEST_CASE("after the first gradient that is not finite, no step is taken", "[policy]") {
  for (const double bad : bad_numbers) {
    auto optimizer = chain(stop_if_not_finite(), scale_by_adam(), scale_by_learning_rate(0.1));
    VectorXd x = VectorXd::Ones(9);
    VectorXd g = VectorXd::Ones(9);
    for (int t = 0; t < 3; ++t) optimizer.step(x, g);
    const VectorXd good = x;
    g[4] = bad;
    optimizer.step(x, g);
    g[4] = 1;
    optimizer.step(x, g);
    CHECK(same_bits(x, good));
    CHECK(optimizer.steps() == 3);
    optimizer.reset();
    optimizer.step(x, g);
    CHECK(optimizer.steps() == 1);
    CHECK_FALSE(same_bits(x, good));
  }
}

TEST_CASE("a rollback undoes the step that went wrong and shortens the next", "[policy]") {
  const auto check = [](auto real) {
    using Real = decltype(real);
    using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
    for (const double bad : bad_numbers) {
      auto optimizer = chain<V>(rollback_if_not_finite(0.25), scale_by_learning_rate(1));
      V x = V::Zero(11), g = V::Ones(11);
      optimizer.step(x, g);  // -1
      optimizer.step(x, g);  // -2, from -1
      CHECK(x == V::Constant(11, -2));
      g[10] = Real(bad);
      optimizer.step(x, g);
      CHECK(x == V::Constant(11, -1));
      CHECK(optimizer.steps() == 2);
      CHECK(optimizer.learning_rate() == 0.25);
      optimizer.step(x, g);  // and again
      CHECK(x == V::Constant(11, -1));
      CHECK(optimizer.learning_rate() == 0.0625);
      optimizer.step(x, V::Ones(11).eval());
      CHECK(x == V::Constant(11, Real(-1.0625)));
      // Out of place, too.
      V next(11);
      CHECK_FALSE(optimizer.advance(x, g, next, 0).taken);
      CHECK(next == V::Constant(11, -1));
    }
  };
  check(0.0);
  check(0.0f);

  // At the first step there is nothing to go back to.
  auto fresh = chain(rollback_if_not_finite(), trace({}), scale_by_learning_rate(1));
  VectorXd x = VectorXd::Ones(3);
  fresh.step(x, VectorXd::Constant(3, std::nan("")).eval());
  CHECK(x == VectorXd::Ones(3));
  CHECK(fresh.learning_rate() == 0.5);
  CHECK(fresh.slot<1>(0).isZero());
  CHECK_THROWS_AS(rollback_if_not_finite(0), std::invalid_argument);
  CHECK_THROWS_AS(rollback_if_not_finite(1.5), std::invalid_argument);
}

TEST_CASE("a rollback saves a descent whose gradient leaves its domain", "[policy]") {
  // log x has no gradient left of 0: with a rate of 1, x - 2 ln x jumps there from 0.1 on.
  auto descent_ = chain(rollback_if_not_finite(), scale_by_learning_rate(0.9));
  VectorXd x = VectorXd::Constant(1, 0.6);
  for (int t = 0; t < 200; ++t) {
    const double v = x[0];
    const VectorXd g = VectorXd::Constant(1, v > 0 ? 8 * v * v * v - 2 / v : std::nan(""));
    descent_.step(x, g);
  }
  CHECK(x[0] == Approx(std::pow(0.25, 0.25)).epsilon(1e-6));
  CHECK(descent_.learning_rate() < 0.9);
}

TEST_CASE("gates do not allocate", "[allocation]") {
  auto optimizer =
      chain<VectorXf>(rollback_if_not_finite(), scale_by_adam(), scale_by_learning_rate(1e-3));
  auto sum = chain<VectorXf>(accumulate(2), scale_by_learning_rate(1e-3));
  VectorXf x = VectorXf::Ones(50);
  const VectorXf g = x, bad = VectorXf::Constant(50, std::nanf(""));
  optimizer.step(x, g);
  sum.step(x, g);
  CHECK(descent_test::allocated_by([&] {
          for (int t = 0; t < 4; ++t) {
            optimizer.step(x, bad);
            optimizer.step(x, g);
            sum.step(x, g);
          }
        }) == descent_test::Allocations{});
}
