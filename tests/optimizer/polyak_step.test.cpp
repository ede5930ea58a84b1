// PolyakStep: the rate that the loss gives, and a loss that nobody knows.
#include <descent/optimizer/polyak_step.hpp>

#include "support/bits.hpp"
#include "support/catch.hpp"
#include "support/problems.hpp"

#include <descent/minimize.hpp>

#include <Eigen/Core>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

using descent::PolyakStep;
using descent_test::same_bits;
using Eigen::VectorXd;

// The norm of g, then the step.
static_assert(PolyakStep<>::passes == 2);

TEST_CASE("Polyak's rate is the gap over the square of the norm, and at most the rate",
          "[polyak]") {
  const VectorXd g{{3, -4}};
  const auto rate = [&](double loss, const descent::PolyakStepOptions& options) {
    PolyakStep polyak(options);
    VectorXd x = VectorXd::Zero(2);
    polyak.step(x, g, loss);
    CHECK(x[0] * g[1] == x[1] * g[0]);
    return -x[0] / g[0];
  };
  CHECK(rate(5, {}) == Approx(0.2).epsilon(1e-15));
  CHECK(rate(5, {.lowest_loss = 4}) == Approx(0.04).epsilon(1e-15));
  CHECK(rate(5, {.lowest_loss = -5}) == Approx(0.4).epsilon(1e-15));
  CHECK(rate(5, {.epsilon = 25}) == Approx(0.1).epsilon(1e-15));
  CHECK(rate(500, {}) == 1);
  CHECK(rate(5, {.learning_rate = 0.125}) == 0.125);
  CHECK(rate(5, {.lowest_loss = 5}) == 0);
  CHECK(rate(5, {.lowest_loss = 6}) == 0);  // never uphill
}

TEST_CASE("on a parabola whose least loss is known Polyak's step halves the distance", "[polyak]") {
  PolyakStep polyak;
  VectorXd x{{1, -2, 0.5}};
  for (int t = 0; t < 40; ++t) {
    const VectorXd before = x;
    polyak.step(x, before, 0.5 * before.squaredNorm());
    CHECK(x.isApprox(0.5 * before, 1e-12));
  }
}

TEST_CASE("small gradients count as much as large ones, and a zero one moves nothing", "[polyak]") {
  // f = u/2 |x|², in any unit u.
  for (const double unit : {0x1p-400, 0x1p-60, 1.0, 0x1p60, 0x1p400}) {
    PolyakStep polyak({.learning_rate = std::numeric_limits<double>::max()});
    VectorXd x{{1, -2}};
    polyak.step(x, VectorXd(unit * x), unit * 2.5);
    CAPTURE(unit);
    CHECK(x.isApprox(VectorXd{{0.5, -1}}, 1e-12));
  }
  PolyakStep polyak;
  VectorXd x{{1, -2}};
  for (const double loss : {0.0, 1.0}) polyak.step(x, VectorXd::Zero(2).eval(), loss);
  CHECK(same_bits(x, VectorXd{{1, -2}}));
}

TEST_CASE("without a loss Polyak's step is refused, and nothing changes", "[polyak]") {
  PolyakStep polyak;
  VectorXd x{{1, -2}};
  const VectorXd start = x;
  const auto message =
      "PolyakStep: loss must be known: step(x, g, loss); of a mini-batch by an objective with "
      "loss_and_gradient, got nan";
  CHECK_THROWS_WITH(polyak.step(x, start), message);
  CHECK_THROWS_WITH(polyak.step(x, start, std::nan("")), message);
  CHECK_THROWS_AS(polyak.step(x, start), std::invalid_argument);
  CHECK(same_bits(x, start));
  CHECK(polyak.steps() == 0);
  polyak.step(x, start, 2.5);
  CHECK(polyak.steps() == 1);
}

TEST_CASE("minimize evaluates the loss for Polyak's step, with the gradient or apart", "[polyak]") {
  const auto check = [](const auto& f, auto&& optimizer, auto x0) {
    const auto result = descent::minimize(f, x0, std::forward<decltype(optimizer)>(optimizer),
                                          {.max_iterations = 1000, .gradient_tolerance = 1e-6});
    CAPTURE(result.message());
    CHECK(result.converged());
    CHECK((result.x.array() - 1).abs().maxCoeff() < 1e-5);
    CHECK(result.loss_evaluations >= result.iterations);
  };
  PolyakStep<> named;
  for (int twice = 0; twice < 2; ++twice) {
    check(descent_test::Bowl(), named, VectorXd::Zero(4).eval());
    check(descent_test::SeparateBowl(), named, VectorXd::Zero(4).eval());
  }
  check(descent_test::SeparateBowl(), PolyakStep(), Eigen::Vector3d::Zero().eval());
}

TEST_CASE("where a mini-batch has no loss Polyak's step says so", "[polyak]") {
  const descent_test::Line line{Eigen::ArrayXd{{1.0, 2.0}}, Eigen::ArrayXd{{1.0, 0.0}}};
  CHECK_THROWS_WITH(descent::minimize(line, VectorXd::Zero(2).eval(), PolyakStep(),
                                      {.max_epochs = 2, .batch_size = 1}),
                    "PolyakStep: loss must be known: step(x, g, loss); of a mini-batch by an "
                    "objective with loss_and_gradient, got nan");
}

TEST_CASE("the lowest loss may be any number", "[polyak]") {
  for (const double bad : {std::nan(""), HUGE_VAL, -HUGE_VAL})
    CHECK_THROWS_WITH(
        PolyakStep({.lowest_loss = bad}),
        "PolyakStep: lowest_loss must be in (-inf, inf), got " + descent::to_text(bad));
  (void)PolyakStep({.lowest_loss = -1e300});
}
