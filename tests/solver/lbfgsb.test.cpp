// L-BFGS within bounds: problems of Hock and Schittkowski, quadratics with their optimality conditions, and bounds that hold
// to the bit.
#include <descent/minimize.hpp>
#include <descent/objective/callable.hpp>
#include <descent/solver/lbfgsb.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/mgh.hpp"
#include "support/problems.hpp"

#include <Eigen/Core>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

using namespace descent;
using namespace descent_test;
using Eigen::VectorXd;

namespace {

constexpr double none = std::numeric_limits<double>::infinity();

struct Bounded {
  std::string name;
  VectorXd x0, lower, upper;
  double least;
  std::function<double(const VectorXd&, VectorXd&)> f;
};

// W. Hock and K. Schittkowski, "Test examples for nonlinear programming codes", 1981, by their numbers.
std::vector<Bounded> hock_schittkowski() {
  std::vector<Bounded> all;
  const auto rosenbrock = [](const VectorXd& x, VectorXd& g) {
    return Rosenbrock{}.loss_and_gradient(x, g);
  };
  all.push_back(
      {"1", VectorXd{{-2.0, 1.0}}, VectorXd{{-none, -1.5}}, VectorXd{{none, none}}, 0, rosenbrock});
  // From (−2, 1) a local minimum is nearer.
  all.push_back({"2", VectorXd{{2.0, 1.0}}, VectorXd{{-none, 1.5}}, VectorXd{{none, none}},
                 0.0504261879, rosenbrock});
  all.push_back({"3", VectorXd{{10.0, 1.0}}, VectorXd{{-none, 0.0}}, VectorXd{{none, none}}, 0,
                 [](const VectorXd& x, VectorXd& g) {
                   const double d = x[1] - x[0];
                   g = VectorXd{{-2e-5 * d, 1 + 2e-5 * d}};
                   return x[1] + 1e-5 * d * d;
                 }});
  all.push_back({"4", VectorXd{{1.125, 0.125}}, VectorXd{{1.0, 0.0}}, VectorXd{{none, none}},
                 8.0 / 3, [](const VectorXd& x, VectorXd& g) {
                   g = VectorXd{{(x[0] + 1) * (x[0] + 1), 1.0}};
                   return std::pow(x[0] + 1, 3) / 3 + x[1];
                 }});
  all.push_back({"5", VectorXd{{0.0, 0.0}}, VectorXd{{-1.5, -3.0}}, VectorXd{{4.0, 3.0}},
                 -std::sqrt(3.0) / 2 - std::acos(-1.0) / 3, [](const VectorXd& x, VectorXd& g) {
                   const double c = std::cos(x[0] + x[1]), d = x[0] - x[1];
                   g = VectorXd{{c + 2 * d - 1.5, c - 2 * d + 2.5}};
                   return std::sin(x[0] + x[1]) + d * d - 1.5 * x[0] + 2.5 * x[1] + 1;
                 }});
  all.push_back({"45", VectorXd::Constant(5, 2), VectorXd::Zero(5),
                 VectorXd{{1.0, 2.0, 3.0, 4.0, 5.0}}, 1, [](const VectorXd& x, VectorXd& g) {
                   for (Eigen::Index i = 0; i < 5; ++i) {
                     g[i] = -1.0 / 120;
                     for (Eigen::Index j = 0; j < 5; ++j) g[i] *= j == i ? 1 : x[j];
                   }
                   return 2 - x.prod() / 120;
                 }});
  all.push_back({"110", VectorXd::Constant(10, 9), VectorXd::Constant(10, 2.001),
                 VectorXd::Constant(10, 9.999), -45.77846971, [](const VectorXd& x, VectorXd& g) {
                   double sum = 0;
                   const double product = std::pow(x.prod(), 0.2);
                   for (Eigen::Index i = 0; i < 10; ++i) {
                     const double a = std::log(x[i] - 2), b = std::log(10 - x[i]);
                     sum += a * a + b * b;
                     g[i] = 2 * a / (x[i] - 2) - 2 * b / (10 - x[i]) - 0.2 * product / x[i];
                   }
                   return sum - product;
                 }});
  return all;
}

// The norm of the projected gradient, by the definition.
double projected(const VectorXd& x, const VectorXd& g, const VectorXd& lower,
                 const VectorXd& upper) {
  return ((x - g).cwiseMax(lower).cwiseMin(upper) - x).cwiseAbs().maxCoeff();
}

}  // namespace

TEST_CASE("problems of Hock and Schittkowski", "[lbfgsb]") {
  for (const Bounded& problem : hock_schittkowski()) {
    CAPTURE(problem.name);
    int outside = 0;
    const auto f = objective([&](const VectorXd& x, VectorXd& g) {
      outside +=
          (x.array() < problem.lower.array()).any() || (x.array() > problem.upper.array()).any();
      return problem.f(x, g);
    });
    const auto result =
        minimize(f, problem.x0, LBFGSB({.lower = problem.lower, .upper = problem.upper}),
                 {.max_iterations = 200, .gradient_tolerance = 1e-8});
    CAPTURE(result.message(), result.x.transpose());
    CHECK(result.converged());
    CHECK(std::abs(result.loss - problem.least) <= 1e-8 * std::max(1.0, std::abs(problem.least)));
    CHECK(outside == 0);
    VectorXd g = result.x;
    (void)problem.f(result.x, g);
    CHECK(result.gradient_norm ==
          Approx(projected(result.x, g, problem.lower, problem.upper)).margin(1e-15));
  }
}

TEST_CASE("convex quadratics in boxes end where the optimality conditions hold", "[lbfgsb]") {
  int active = 0, total = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Uniform uniform(seed);
    const Eigen::Index n = 3 + static_cast<Eigen::Index>(seed);
    const Eigen::MatrixXd B = uniform.matrix(n, n);
    const Eigen::MatrixXd A = B * B.transpose() + 1e-2 * Eigen::MatrixXd::Identity(n, n);
    const VectorXd b = 3 * uniform.vector(n);
    const VectorXd lower = -0.5 - uniform.vector(n).array().abs(), upper = lower.array() + 1;
    const auto f = objective([&](const VectorXd& x, VectorXd& g) {
      g = A * x - b;
      return 0.5 * x.dot(g - b);
    });
    const auto result =
        minimize(f, VectorXd::Constant(n, 10), LBFGSB({.lower = lower, .upper = upper}),
                 {.max_iterations = 500, .gradient_tolerance = 1e-9});
    CAPTURE(seed, result.message());
    CHECK(result.converged());
    const VectorXd g = A * result.x - b;
    for (Eigen::Index i = 0; i < n; ++i) {
      ++total;
      if (result.x[i] == lower[i]) {
        CHECK(g[i] >= -1e-8);
        ++active;
      } else if (result.x[i] == upper[i]) {
        CHECK(g[i] <= 1e-8);
        ++active;
      } else {
        CHECK(std::abs(g[i]) <= 1e-8);
      }
    }
  }
  CHECK(active > total / 4);
  CHECK(active < total);
}

TEST_CASE("without bounds it solves what L-BFGS solves", "[lbfgsb][mgh]") {
  int solved = 0;
  for (const MghProblem& problem : mgh_problems()) {
    const auto result = minimize(problem, problem.x0, LBFGSB(),
                                 {.max_iterations = 3000, .gradient_tolerance = 1e-9});
    solved += problem.solved_by(result.loss);
  }
  CHECK(solved >= 27);
}

TEST_CASE("bounds hold to the bit, for every type", "[lbfgsb][allocation]") {
  // The bowl's minimum is at 1; a bound of 0.1 is not exact.
  const auto floats = minimize(Bowl{}, Eigen::VectorXf::Constant(4, 5), LBFGSB({.upper = 0.1}));
  CHECK(floats.converged());
  CHECK(floats.x == Eigen::VectorXf::Constant(4, 0.1F));
  CHECK(floats.gradient_norm == 0);
  Result<Eigen::Vector3d> fixed;
  const LBFGSBOptions options{.lower = 0.1, .upper = 0.9};
  CHECK(allocated_by([&] {
          fixed = minimize(Bowl{}, Eigen::Vector3d(-1, 0.5, 7), LBFGSB<Eigen::Vector3d>(options));
        }) == Allocations{});
  CHECK(fixed.x == Eigen::Vector3d::Constant(0.9));
  // Bounds that leave no room.
  const VectorXd at{{0.25, -3.0}};
  const auto fixed_at = minimize(Bowl{}, VectorXd::Zero(2), LBFGSB({.lower = at, .upper = at}));
  CHECK(fixed_at.status == Status::GradientTolerance);
  CHECK(fixed_at.x == at);
  CHECK(fixed_at.gradient_evaluations == 1);

  const auto allocations = [&](std::int64_t iterations) {
    LBFGSB solver({.lower = -10.0});
    return allocated_by([&] {
      (void)minimize(Rosenbrock{}, VectorXd{{-1.2, 1.0}}, solver,
                     {.max_iterations = iterations, .gradient_tolerance = 0});
    });
  };
  CHECK(allocations(2) == allocations(25));
}

TEST_CASE("bounds that cross, or are too few, are refused", "[lbfgsb]") {
  CHECK_THROWS_WITH(LBFGSB({.lower = 1.0, .upper = 0.0}),
                    "LBFGSB: lower must be a number of at most upper, 0, got 1");
  CHECK_THROWS_WITH(LBFGSB({.lower = VectorXd{{0.0, 2.0}}, .upper = 1.0}),
                    "LBFGSB: lower[1] must be a number of at most upper[1], 1, got 2");
  CHECK_THROWS_WITH(LBFGSB({.lower = VectorXd::Zero(2), .upper = VectorXd::Ones(3)}),
                    "LBFGSB: upper must be as many as lower has, 2, got 3 bounds");
  CHECK_THROWS(LBFGSB({.lower = std::nan("")}));
  CHECK_THROWS(LBFGSB({.lower = none}));
  CHECK_THROWS_WITH(minimize(Bowl{}, VectorXd::Zero(3), LBFGSB({.lower = VectorXd::Zero(2)})),
                    "LBFGSB: lower must be 3 bounds, one for each coefficient, got 2 bounds");
}
