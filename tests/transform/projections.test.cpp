// Proximal steps and projections behind the rate: against their closed forms, optimality, and an outside minimizer.
//
// covers: project_on_ball project_on_box project_on_simplex proximal
#include <descent/transform/project_on_ball.hpp>
#include <descent/transform/project_on_box.hpp>
#include <descent/transform/project_on_simplex.hpp>
#include <descent/transform/proximal.hpp>

#include "support/allocations.hpp"
#include "support/bits.hpp"
#include "support/catch.hpp"
#include "support/reference.hpp"

#include <descent/engine/stepper.hpp>
#include <descent/transform/scale_by_adam.hpp>
#include <descent/transform/scale_by_learning_rate.hpp>
#include <descent/transform/trace.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>

using namespace descent;
using descent_test::Numbers;
using descent_test::same_bits;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// Where a transform of the point brings x.
template <class V, class T>
V moved(const T& transform, const V& x) {
  auto optimizer = chain<V>(scale_by_learning_rate(1), transform);
  V y = x;
  optimizer.step(y, V::Zero(x.size()).eval());
  return y;
}

}  // namespace

TEST_CASE("proximal gradient descent follows the outside iterates of ISTA to the lasso",
          "[reference]") {
  const auto record = descent_test::load_record("misc/prox_lasso");
  const VectorXd b = record.numbers("b"), x0 = record.numbers("x0");
  const MatrixXd A = record.matrix("A");
  const double step = record.number("step");
  int cases = 0, compared = 0;
  for (const auto& row : record.blocks("case")) {
    const double lambda = row.number("lambda");
    auto ista = chain(scale_by_learning_rate(step), proximal_l1(lambda));
    VectorXd x = x0;
    const auto advance = [&] {
      const VectorXd g = A.transpose() * (A * x - b);
      ista.step(x, g);
    };
    for (const auto& point : row.blocks("ISTA")) {
      while (ista.steps() < point.integer("t")) advance();
      CHECK((x - point.numbers("x")).cwiseAbs().maxCoeff() <= 1e-11);
      ++compared;
    }
    while (ista.steps() < 100'000) advance();
    const VectorXd minimizer = row.numbers("minimizer");
    CHECK((x - minimizer).cwiseAbs().maxCoeff() <= 1e-9);
    CHECK(((x.array() == 0) == (minimizer.array() == 0)).all());  // exactly zero
    ++cases;
  }
  CHECK(cases >= 2);
  CHECK(compared >= 10);
}

TEST_CASE("a proximal step is its formula, to the bit", "[proximal]") {
  const auto check = [](auto real) {
    using Real = decltype(real);
    using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
    const double rate = 0.25, l1 = 0.5, l2 = 3;
    auto both = chain<V>(scale_by_learning_rate(rate), proximal_elastic_net(l1, l2)),
         lasso = chain<V>(scale_by_learning_rate(rate), proximal_l1(l1)),
         ridge = chain<V>(scale_by_learning_rate(rate), proximal_l2(l2));
    V x = Numbers(1).vector<Real>(41), y = x, z = x;
    Numbers numbers(2);
    for (int t = 0; t < 30; ++t) {
      const V g = numbers.vector<Real>(41), x0 = x, y0 = y, z0 = z;
      both.step(x, g);
      lasso.step(y, g);
      ridge.step(z, g);
      const auto tau = Real(rate * l1), shrink = Real(1 / (1 + rate * l2));
      for (Index i = 0; i < 41; ++i) {
        const auto soft = [&](Real v) { return v > tau ? v - tau : v < -tau ? v + tau : v - v; };
        const auto point = [&](Real from) { return from + Real(-rate) * g[i]; };
        CHECK(x[i] == shrink * soft(point(x0[i])));
        CHECK(y[i] == soft(point(y0[i])));
        CHECK(z[i] == shrink * point(z0[i]));
      }
    }
    CHECK((y.array() == 0).any());
  };
  check(0.0);
  check(0.0f);
  CHECK(std::isnan(moved(proximal_l1(1), VectorXd::Constant(3, std::nan("")).eval())[1]));
}

TEST_CASE("the penalty of a proximal step", "[proximal]") {
  const VectorXd x{{3.0, -4.0, 0.0}};
  CHECK(proximal_l1(0.5).penalty(x) == 3.5);
  CHECK(proximal_elastic_net(0.5, 2).penalty(x) == 3.5 + 25);
}

TEST_CASE("a box holds its points to the bit", "[projection]") {
  VectorXd lower(6), upper(6);
  lower << -1, 0.1, -infinity, -0.3, 0, 2;
  upper << 1, 0.7, 0.9, infinity, 0, 2;
  auto boxed = chain(scale_by_adam(), scale_by_learning_rate(0.3), project_on_box(lower, upper));
  auto numbers_only = chain(scale_by_learning_rate(10), project_on_box(-0.1, 0.3));
  VectorXd x = VectorXd::Zero(6), y = x;
  Numbers numbers(7);
  bool touched = false;
  for (int t = 0; t < 200; ++t) {
    const VectorXd g = numbers.vector<double>(6), before = y;
    boxed.step(x, g);
    numbers_only.step(y, g);
    REQUIRE((x.array() >= lower.array()).all());
    REQUIRE((x.array() <= upper.array()).all());
    touched = touched || (x.array() == lower.array()).head(2).any();
    for (Index i = 0; i < 6; ++i) {
      const double free = before[i] + -10.0 * g[i];
      CHECK(y[i] == std::min(std::max(free, -0.1), 0.3));
    }
  }
  CHECK(touched);
  CHECK(boxed.transform<2>().form() == 1);
  CHECK(numbers_only.slot_bytes() == 0);
  CHECK(std::isnan(moved(project_on_box(0, 1), VectorXd::Constant(2, std::nan("")).eval())[0]));
  CHECK(moved(project_on_non_negative(), VectorXd::Constant(2, -1).eval()) == VectorXd::Zero(2));
}

TEST_CASE("bounds that cross or do not fit are refused", "[projection][arguments]") {
  CHECK_THROWS_WITH(project_on_box(1, 0.5),
                    "project_on_box: lower must be at most upper, 0.5, got 1");
  CHECK_THROWS_AS(project_on_box(std::nan(""), 1), std::invalid_argument);
  CHECK_THROWS_WITH(project_on_box(VectorXd::Constant(3, 2), (VectorXd(3) << 3, 1, 3).finished()),
                    "project_on_box: lower[1] must be at most upper[1], 1, got 2");
  CHECK_THROWS_WITH(project_on_box(VectorXd::Zero(3), VectorXd::Ones(2)),
                    "project_on_box: upper must be as many as lower has, 3, got 2 bounds");
  auto optimizer =
      chain(scale_by_learning_rate(1), project_on_box(VectorXd::Zero(3), VectorXd::Ones(3)));
  VectorXd x = VectorXd::Ones(4);
  CHECK_THROWS_WITH(
      optimizer.step(x, x),
      "project_on_box: lower must be 4 bounds, one for each coefficient, got 3 bounds");
  CHECK(optimizer.steps() == 0);
  CHECK(x == VectorXd::Ones(4));
}

TEST_CASE("the ball: nothing inside, the nearest point outside", "[projection]") {
  for (const Index n : {1, 3, 8, 19, 300}) {
    const VectorXd x = Numbers(std::uint64_t(n)).vector<double>(n);
    const double norm = x.norm();
    CHECK(same_bits(moved(project_on_ball(norm * 1.001), x), x));
    const VectorXd ours = moved(project_on_ball(0.5 * norm), x);
    CHECK(ours.isApprox(0.5 * x, 1e-15));
    CHECK(moved(project_on_ball(1), VectorXd(x * 1e200)).norm() == Approx(1));
  }
  auto chained = chain(trace({.momentum = 0.5}), scale_by_learning_rate(1), project_on_ball(1));
  static_assert(decltype(chained)::passes == 2);
  VectorXd x = VectorXd::Zero(9);
  for (int t = 0; t < 20; ++t) {
    chained.step(x, Numbers(3).vector<double>(9));
    CHECK(x.norm() <= 1 + 1e-15);
  }
}

TEST_CASE("simplex and l1-ball: feasible, and no feasible point is nearer", "[projection]") {
  Numbers numbers(11);
  for (const Index n : {1, 2, 3, 10, 101}) {
    for (int trial = 0; trial < 20; ++trial) {
      const double radius = trial % 2 == 0 ? 1 : 2.5;
      const VectorXd x = numbers.vector<double>(n) * (trial % 3 == 0 ? 0.1 : 5);
      const VectorXd on = moved(project_on_simplex(radius), x),
                     in = moved(project_on_l1_ball(radius), x);
      CAPTURE(n, radius, x.transpose());
      CHECK((on.array() >= 0).all());
      CHECK(on.sum() == Approx(radius).epsilon(1e-13));
      CHECK(in.lpNorm<1>() <= radius * (1 + 1e-13));
      if (x.lpNorm<1>() <= radius) CHECK(same_bits(in, x));
      // The variational inequality (x - p)'(z - p) <= 0 at all vertices z is what makes p the projection.
      for (Index k = 0; k < n; ++k) {
        const VectorXd vertex = radius * VectorXd::Unit(n, k);
        CHECK((x - on).dot(vertex - on) <= 1e-12);
        CHECK((x - in).dot(vertex - in) <= 1e-12);
        CHECK((x - in).dot(-vertex - in) <= 1e-12);
      }
    }
  }
  CHECK(moved(project_on_simplex(), (VectorXd(3) << 0.5, 0.5, 0.5).finished())
            .isApproxToConstant(1.0 / 3));
  CHECK(std::isnan(moved(project_on_simplex(), (VectorXd(2) << infinity, 0).finished())[0]));
}

TEST_CASE("projections of matrices, in any place behind the rate, without allocations",
          "[projection][allocation]") {
  MatrixXd W = MatrixXd::Ones(3, 4);
  auto optimizer =
      chain<MatrixXd>(scale_by_learning_rate(0.1), proximal_l1(0.01), project_on_simplex(2),
                      project_on_box(0, 0.5), project_on_ball(0.9));
  MatrixXd G(3, 4);
  Numbers(5).fill(G);
  optimizer.step(W, G);
  CHECK(descent_test::allocated_by([&] {
          for (int t = 0; t < 5; ++t) optimizer.step(W, G);
        }) == descent_test::Allocations{});
  CHECK((W.array() >= 0).all());
  CHECK((W.array() <= 0.5).all());
  CHECK(W.norm() <= 0.9 + 1e-15);

  // The same, one after the other by hand.
  MatrixXd by_hand = MatrixXd::Ones(3, 4);
  for (int t = 0; t < 6; ++t) {
    VectorXd p = (by_hand - 0.1 * G).reshaped();
    p = p.unaryExpr([](double v) { return v > 1e-3 ? v - 1e-3 : v < -1e-3 ? v + 1e-3 : 0.0; });
    p = moved(project_on_simplex(2), p).cwiseMax(0.0).cwiseMin(0.5);
    p *= std::min(1.0, 0.9 / p.norm());
    by_hand = p.reshaped(3, 4);
  }
  CHECK(W.isApprox(by_hand, 1e-12));
}
