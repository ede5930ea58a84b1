// SteepestDescent: every step is along the gradient, as long as the search says, and the rate is Cauchy's.
#include <descent/line_search/armijo.hpp>
#include <descent/line_search/fixed_step.hpp>
#include <descent/line_search/strong_wolfe.hpp>
#include <descent/minimize.hpp>
#include <descent/solver/conjugate_gradient.hpp>
#include <descent/solver/steepest_descent.hpp>

#include "support/catch.hpp"
#include "support/problems.hpp"

#include <Eigen/Core>

#include <cmath>
#include <cstddef>
#include <vector>

using namespace descent;
using namespace descent_test;
using Eigen::VectorXd;

TEST_CASE("a step is the gradient times the length that the search found", "[steepest_descent]") {
  VectorXd before{{-1.2, 1.0}}, g(2);
  double last = Rosenbrock{}.loss_and_gradient(before, g);
  const auto result = minimize(Rosenbrock{}, before, SteepestDescent(armijo()),
                               {.max_iterations = 50}, [&](const Progress& p, const VectorXd& x) {
                                 (void)Rosenbrock{}.loss_and_gradient(before, g);
                                 CHECK(x == before - p.learning_rate * g);
                                 CHECK(p.loss < last);
                                 last = p.loss;
                                 before = x;
                               });
  CHECK(result.iterations == 50);
}

TEST_CASE("with exact searches the errors shrink as Cauchy's do", "[steepest_descent]") {
  // f = 1/2 (x² + κ y²) from (κ, 1): the worst case, where the loss shrinks by ((κ − 1)/(κ + 1))² in every step.
  constexpr double kappa = 9;
  struct Valley {
    double loss_and_gradient(const VectorXd& x, VectorXd& g) const {
      g = VectorXd{{x[0], kappa * x[1]}};
      return 0.5 * x.dot(g);
    }
  };
  double last = 0.5 * (kappa * kappa + kappa);
  const auto result =
      minimize(Valley{}, VectorXd{{kappa, 1.0}},
               SteepestDescent(strong_wolfe({.decrease = 1e-10, .curvature = 1e-9})),
               {.max_iterations = 20, .gradient_tolerance = 0}, [&](const Progress& p) {
                 CHECK(p.loss / last == Approx(0.64).epsilon(1e-6));
                 CHECK(p.learning_rate == Approx(2 / (1 + kappa)).epsilon(1e-6));
                 last = p.loss;
               });
  CHECK(result.iterations == 20);
}

TEST_CASE("SteepestDescent adapts to vectors, and starts afresh", "[steepest_descent]") {
  CHECK(minimize(Bowl{}, Eigen::Vector3f::Zero(), SteepestDescent()).converged());
  SteepestDescent solver;
  CHECK(solver.steps() == 0);
  const auto first = minimize(Bowl{}, VectorXd::Zero(4), solver);
  CHECK(first.converged());
  CHECK(solver.steps() == first.iterations);
  CHECK(minimize(Bowl{}, VectorXd::Zero(4), solver).x == first.x);
}

TEST_CASE("a given step is that step at every iteration, and halved only where it must be",
          "[steepest_descent][conjugate_gradient]") {
  const VectorXd x0{{3.0, -2.0, 0.5}};
  const auto check = [&](const auto& solver) {
    auto copy = solver;
    std::vector<double> steps;
    (void)minimize(Bowl{}, x0, copy, {.max_iterations = 6, .gradient_tolerance = 0},
                   [&](const Progress& p) { steps.push_back(p.learning_rate); });
    REQUIRE(steps.size() == 6);
    // g = (2, -6, -1.5): the first is 1/4 of 1/‖g‖₁.
    CHECK(steps[0] == Approx(0.25 / 9.5).epsilon(1e-15));
    for (std::size_t k = 1; k < steps.size(); ++k) CHECK(steps[k] == 0.25);
  };
  check(SteepestDescent(fixed_step({.step = 0.25})));
  check(ConjugateGradient({}, fixed_step({.step = 0.25})));
}
