// finite_difference: as many digits as the formula promises, and never outside of the bounds.
#include <descent/core/objective.hpp>
#include <descent/minimize.hpp>
#include <descent/objective/finite_difference.hpp>
#include <descent/solver/lbfgs.hpp>
#include <descent/solver/lbfgsb.hpp>

#include "support/catch.hpp"
#include "support/mgh.hpp"

#include <Eigen/Core>

#include <cmath>
#include <limits>

using namespace descent;
using Eigen::VectorXd;

namespace {

struct Waves {
  template <class V>
  double loss(const V& x) const {
    double sum = 0;
    for (Eigen::Index i = 0; i < x.size(); ++i)
      sum += std::exp(0.3 * static_cast<double>(x(i))) +
             std::sin(static_cast<double>(x(i)) * static_cast<double>(i + 1));
    return sum;
  }
  static double derivative(double x, Eigen::Index i) {
    return 0.3 * std::exp(0.3 * x) +
           static_cast<double>(i + 1) * std::cos(x * static_cast<double>(i + 1));
  }
};

}  // namespace

TEST_CASE("central differences have the digits that they promise", "[finite_difference]") {
  const auto f = finite_difference(Waves{});
  static_assert(Objective<decltype(f), VectorXd>);
  for (const double scale : {1e-8, 0.1, 1.0, 5.0}) {
    const VectorXd x = scale * VectorXd{{1.0, -0.7, 0.4}};
    VectorXd g(3);
    f.gradient(x, g);
    for (Eigen::Index i = 0; i < 3; ++i) {
      CAPTURE(scale, i);
      CHECK(std::abs(g[i] - Waves::derivative(x[i], i)) <= 3e-9 * std::max(1.0, scale * scale));
    }
    CHECK(f.loss(x) == Waves{}.loss(x));
  }
  // In float the points are what floats can hold; a loss in double keeps the digits.
  const Eigen::Vector2f x(0.3F, -1.1F);
  Eigen::Vector2f g;
  f.gradient(x, g);
  for (int i = 0; i < 2; ++i)
    CHECK(std::abs(static_cast<double>(g[i]) - Waves::derivative(static_cast<double>(x[i]), i)) <=
          1e-4);
  const auto callable = finite_difference([](const VectorXd& v) { return 3 * v[0] - 2 * v[1]; });
  VectorXd of_line(2);
  callable.gradient(VectorXd{{1e3, 1e-3}}, of_line);
  CHECK(of_line[0] == Approx(3).epsilon(1e-10));
  CHECK(of_line[1] == Approx(-2).epsilon(1e-7));  // the loss is 3000, of which 1e-13 is rounding
}

TEST_CASE("bounds are respected, and cost no digits that matter", "[finite_difference]") {
  const double lower = -1, upper = 2;
  for (const double x : {-1.0, -1 + 1e-9, -1 + 1e-6, 0.5, 2 - 1e-7, 2.0}) {
    double least = 10, most = -10;
    const auto f = finite_difference(
        [&](const VectorXd& at) {
          least = std::min(least, at[0]);
          most = std::max(most, at[0]);
          return Waves{}.loss(at);
        },
        {.lower = lower, .upper = upper});
    VectorXd g(1);
    f.gradient(VectorXd{{x}}, g);
    CAPTURE(x);
    CHECK(least >= lower);
    CHECK(most <= upper);
    CHECK(std::abs(g[0] - Waves::derivative(x, 0)) <= 1e-8);
  }
  // A box that leaves next to no room, and one that leaves none.
  const auto narrow =
      finite_difference(Waves{}, {.lower = VectorXd{{0.0, 0.5}}, .upper = VectorXd{{1e-5, 0.5}}});
  VectorXd g(2);
  narrow.gradient(VectorXd{{4e-6, 0.5}}, g);
  CHECK(std::abs(g[0] - Waves::derivative(4e-6, 0)) <= 1e-6);
  CHECK(g[1] == 0);
  // Where f is undefined below the bound, as a logarithm is.
  const auto log =
      finite_difference([](const VectorXd& x) { return x[0] - std::log(x[0]); }, {.lower = 1e-12});
  VectorXd slope(1);
  log.gradient(VectorXd{{2.0}}, slope);
  CHECK(slope[0] == Approx(0.5).epsilon(1e-8));
}

TEST_CASE("solvers work with differences", "[finite_difference]") {
  const auto rosenbrock = finite_difference([](const VectorXd& x) {
    return std::pow(1 - x[0], 2) + 100 * std::pow(x[1] - x[0] * x[0], 2);
  });
  const auto result =
      minimize(rosenbrock, VectorXd{{-1.2, 1.0}}, LBFGS(), {.gradient_tolerance = 1e-5});
  CHECK(result.converged());
  CHECK((result.x.array() - 1).abs().maxCoeff() <= 1e-4);
  const auto inside = finite_difference([](const VectorXd& x) { return x[0] - std::log(x[0]); },
                                        {.lower = 0.2, .upper = 0.8});
  const auto bounded =
      minimize(inside, VectorXd::Constant(1, 0.3), LBFGSB({.lower = 0.2, .upper = 0.8}));
  CHECK(bounded.converged());
  CHECK(bounded.x[0] == 0.8);
}

TEST_CASE("arguments of finite_difference outside of their ranges are refused",
          "[finite_difference]") {
  CHECK_THROWS_WITH(finite_difference(Waves{}, {.relative_step = 1}),
                    "finite_difference: relative_step must be in [0, 1), got 1");
  CHECK_THROWS_WITH(finite_difference(Waves{}, {.lower = 1.0, .upper = 0.0}),
                    "finite_difference: lower must be a number of at most upper, 0, got 1");
  VectorXd g(3);
  CHECK_THROWS_WITH(
      finite_difference(Waves{}, {.upper = VectorXd::Ones(2)})
          .gradient(VectorXd::Zero(3).eval(), g),
      "finite_difference: upper must be 3 bounds, one for each coefficient, got 2 bounds");
}
