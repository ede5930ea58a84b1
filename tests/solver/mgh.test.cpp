// The problems of Moré, Garbow and Hillstrom: first that loss and gradient are right, then that solvers solve them.
#include "support/mgh.hpp"

#include <descent/line_search/hager_zhang.hpp>
#include <descent/minimize.hpp>
#include <descent/solver/lbfgs.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <cstdio>
#include <set>
#include <string>

using namespace descent;
using namespace descent_test;
using Eigen::VectorXd;

TEST_CASE("losses and gradients of the problems are those of the reference", "[mgh]") {
  REQUIRE(mgh_problems().size() == 29);
  for (const MghProblem& problem : mgh_problems()) {
    CHECK(problem.points.size() == 2);
    for (const auto& point : problem.points) {
      VectorXd g(point.x.size());
      const double f = problem.loss_and_gradient(point.x, g);
      CAPTURE(problem.id);
      CHECK(std::abs(f - point.f) <= 1e-12 * std::abs(point.f));
      CHECK((g - point.g).cwiseAbs().maxCoeff() <= 1e-12 * point.g.cwiseAbs().maxCoeff());
    }
  }
}

TEST_CASE("from ten and a hundred times the start, no success is false", "[mgh]") {
  int converged = 0, runs = 0;
  const auto check = [&](const MghProblem& problem, const VectorXd& x0, const auto& result) {
    VectorXd g = x0;
    const double start = problem.loss_and_gradient(x0, g);
    ++runs;
    CHECK(result.x.allFinite());
    const double loss = problem.loss_and_gradient(result.x, g);
    if (std::isfinite(start)) CHECK(loss <= start);
    if (!result.converged()) return;
    ++converged;
    CHECK(result.status == Status::GradientTolerance);
    CHECK(g.cwiseAbs().maxCoeff() <= 1e-6);
    CHECK(loss == result.loss);
  };
  for (const MghProblem& problem : mgh_problems()) {
    for (const double factor : {1.0, 10.0, 100.0}) {
      CAPTURE(problem.id, factor);
      const VectorXd x0 = factor * problem.x0;
      const MinimizeOptions options{.max_iterations = 3000, .gradient_tolerance = 1e-6};
      check(problem, x0, minimize(problem, x0, LBFGS(), options));
      check(problem, x0, minimize(problem, x0, LBFGS({}, hager_zhang()), options));
    }
  }
  CHECK(runs == 2 * 3 * 29);
  CHECK(converged > runs / 2);
}

TEST_CASE("L-BFGS solves them from the standard start, but those on the list", "[mgh]") {
  const std::set<std::string> unsolved{};
  int solved = 0;
  for (const MghProblem& problem : mgh_problems()) {
    const auto result = minimize(problem, problem.x0, LBFGS(),
                                 {.max_iterations = 5000, .gradient_tolerance = 1e-9});
    const bool right = problem.solved_by(result.loss);
    if (right != !unsolved.contains(problem.id))
      std::printf("%s %g %s ev %d\n", problem.id.c_str(), result.loss, result.message().c_str(),
                  int(result.gradient_evaluations));
    CAPTURE(problem.id, result.loss, result.message());
    CHECK(right == !unsolved.contains(problem.id));
    solved += right;
  }
  CHECK(solved >= 27);
}
