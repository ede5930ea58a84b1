// The problems of Moré, Garbow and Hillstrom: first that loss and gradient are right, then that solvers solve them.
#include "support/mgh.hpp"

#include <descent/line_search/hager_zhang.hpp>
#include <descent/minimize.hpp>
#include <descent/solver/barzilai_borwein.hpp>
#include <descent/solver/conjugate_gradient.hpp>
#include <descent/solver/lbfgs.hpp>
#include <descent/solver/steepest_descent.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <cstdint>
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
      check(problem, x0, minimize(problem, x0, SteepestDescent(), options));
      check(problem, x0, minimize(problem, x0, BarzilaiBorwein(), options));
      check(problem, x0, minimize(problem, x0, ConjugateGradient(), options));
    }
  }
  CHECK(runs == 5 * 3 * 29);
  CHECK(converged > runs / 2);
}

namespace {

// Solves all from the standard start; those that are not solved must be the ones on the list.
void check_solves(const auto& solver, std::int64_t iterations,
                  const std::set<std::string>& unsolved) {
  for (const MghProblem& problem : mgh_problems()) {
    auto copy = solver;
    const auto result = minimize(problem, problem.x0, copy,
                                 {.max_iterations = iterations, .gradient_tolerance = 1e-9});
    CAPTURE(problem.id, result.loss, result.message(), result.gradient_evaluations);
    CHECK(problem.solved_by(result.loss) == !unsolved.contains(problem.id));
  }
}

}  // namespace

TEST_CASE("solvers solve the problems from the standard start, but for those on their lists",
          "[mgh]") {
  SECTION("LBFGS") {
    check_solves(LBFGS(), 1000, {});
  }
  SECTION("LBFGS, Hager-Zhang") {
    check_solves(LBFGS({}, hager_zhang()), 3000, {});
  }
  SECTION("BarzilaiBorwein") {
    check_solves(BarzilaiBorwein(), 10'000, {"powell_badly_scaled", "meyer"});
  }
  SECTION("ConjugateGradient") {
    check_solves(ConjugateGradient(), 10'000, {"meyer"});
  }
}
