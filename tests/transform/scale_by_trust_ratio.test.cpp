#include <descent/transform/scale_by_trust_ratio.hpp>

#include "support/bits.hpp"
#include "support/catch.hpp"

#include <descent/engine/stepper.hpp>
#include <descent/transform/scale_by_learning_rate.hpp>

#include <Eigen/Core>

#include <cmath>
#include <limits>

using namespace descent;
using descent_test::Numbers;
using descent_test::same_bits;

namespace {

// What becomes of the direction u at x: a step of -1, undone.
template <class Real>
Eigen::Matrix<Real, Eigen::Dynamic, 1> scaled(const Eigen::Matrix<Real, Eigen::Dynamic, 1>& x,
                                              const Eigen::Matrix<Real, Eigen::Dynamic, 1>& u,
                                              const ScaleByTrustRatioOptions& options = {}) {
  using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
  auto optimizer = chain<V>(scale_by_trust_ratio(options), scale_by_learning_rate(1));
  static_assert(decltype(optimizer)::passes == 2);
  V next = x;
  (void)optimizer.advance(x, u, next, 0);
  return x - next;
}
Eigen::VectorXd scaled(const Eigen::VectorXd& x, const Eigen::VectorXd& u,
                       const ScaleByTrustRatioOptions& options = {}) {
  return scaled<double>(x, u, options);
}

}  // namespace

TEST_CASE("the trust ratio makes the direction as long as the parameters", "[transform]") {
  for (const Eigen::Index n : {1, 3, 8, 37, 1000}) {
    const Eigen::VectorXd x = Numbers(1).vector<double>(n), u = Numbers(2).vector<double>(n);
    CAPTURE(n);
    CHECK(scaled(x, u).isApprox(u * (x.norm() / u.norm()), 1e-12));
    CHECK(scaled(x, u, {.coefficient = 0.25}).isApprox(u * (0.25 * x.norm() / u.norm()), 1e-12));
    CHECK(scaled(x, u, {.epsilon = 2}).isApprox(u * (x.norm() / (u.norm() + 2)), 1e-12));
    CHECK(scaled(x, u, {.min_norm = 100}).isApprox(u * (100 / u.norm()), 1e-12));
    CHECK(scaled(x, u, {.max_norm = 0.125}).isApprox(u * (0.125 / u.norm()), 1e-12));
  }
}

TEST_CASE("the trust ratio is 1 where a norm is zero", "[transform]") {
  const Eigen::VectorXd zero = Eigen::VectorXd::Zero(5), u = Numbers(3).vector<double>(5);
  CHECK(same_bits(scaled(zero, u), u));
  CHECK(same_bits(scaled(zero, u, {.coefficient = 0.001, .epsilon = 1}), u));
  CHECK(scaled(zero, u, {.min_norm = 2}).isApprox(2 * u / u.norm(), 1e-12));
  CHECK((scaled(u, zero).array() == 0).all());
  CHECK(scaled(Eigen::VectorXd(0), Eigen::VectorXd(0)).size() == 0);
}

TEST_CASE("the trust ratio forgets how long the direction is, and keeps how long x is",
          "[transform]") {
  const auto check = [](auto real, int least, int most) {
    using Real = decltype(real);
    using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
    const V zero = V::Zero(19), u = Numbers(4).vector<Real>(19);
    auto of = [&](const V& x, const V& direction) {
      auto optimizer = chain<V>(scale_by_trust_ratio(), scale_by_learning_rate(0x1p-4));
      V next = x;
      (void)optimizer.advance(x, direction, next, 0);
      return next;
    };
    const V x = Numbers(5).vector<Real>(19), once = of(x, u);
    CHECK_FALSE(same_bits(once, x));
    for (int k = least; k <= most; k += 8) {
      CAPTURE(sizeof real, k);
      const Real unit = std::ldexp(Real(1), k);
      CHECK(same_bits(of(x, unit * u), once));
      CHECK(same_bits(of(unit * x, u), V(unit * once)));
    }
  };
  check(0.0, -960, 960);
  check(0.0f, -96, 96);
}

TEST_CASE("a trust ratio beyond the largest number leaves the update finite", "[transform]") {
  using V = Eigen::VectorXf;
  V x = V::Constant(9, 1e20f), u = V::Zero(9);
  u[3] = std::numeric_limits<float>::denorm_min();
  const V step = scaled<float>(x, u);
  CHECK(step.allFinite());
}

TEST_CASE("the trust ratio keeps NaN and infinity visible", "[transform]") {
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    for (Eigen::Index n = 1; n <= 9; ++n) {
      for (Eigen::Index i = 0; i < n; ++i) {
        Eigen::VectorXd u = Eigen::VectorXd::Ones(n);
        u[i] = bad;
        CAPTURE(bad, n, i);
        CHECK_FALSE(scaled(Eigen::VectorXd::Ones(n), u).allFinite());
      }
    }
  }
}
