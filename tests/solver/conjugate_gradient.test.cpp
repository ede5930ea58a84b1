// ConjugateGradient: both formulas written out, and n steps for a quadratic of n variables.
#include <descent/line_search/hager_zhang.hpp>
#include <descent/line_search/strong_wolfe.hpp>
#include <descent/minimize.hpp>
#include <descent/solver/conjugate_gradient.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/problems.hpp"

#include <Eigen/Core>

#include <algorithm>
#include <cmath>

using namespace descent;
using namespace descent_test;
using Eigen::VectorXd;

TEST_CASE("directions are those of the papers", "[conjugate_gradient]") {
  for (const Conjugacy formula : {Conjugacy::polak_ribiere, Conjugacy::hager_zhang}) {
    VectorXd before{{-1.2, 1.0}}, g(2), last_g, d;
    int truncated = 0, compared = 0;
    (void)minimize(Rosenbrock{}, before,
                   ConjugateGradient({.formula = formula}, strong_wolfe({.curvature = 0.3})),
                   {.max_iterations = 20}, [&](const Progress& p, const VectorXd& x) {
                     (void)Rosenbrock{}.loss_and_gradient(before, g);
                     if (last_g.size() == 0) {
                       d = -g;
                     } else {
                       const VectorXd y = g - last_g;
                       double beta = g.dot(y) / last_g.dot(last_g), least = 0;
                       if (formula == Conjugacy::hager_zhang) {
                         beta = (y - 2 * d * y.squaredNorm() / d.dot(y)).dot(g) / d.dot(y);
                         least = 0.4 * d.dot(last_g) / d.squaredNorm();
                       }
                       truncated += beta < least;
                       d = (std::max(beta, least) * d - g).eval();
                     }
                     if (g.dot(d) >= 0) d = -g;
                     CAPTURE(formula, p.iterations, p.learning_rate);
                     CHECK((x - (before + p.learning_rate * d)).norm() <= 1e-9);
                     d = (x - before) / p.learning_rate;  // rounding does not add up
                     ++compared;
                     last_g = g;
                     before = x;
                   });
    CHECK(compared >= 15);
    CHECK(truncated < compared);
  }
}

TEST_CASE("a quadratic of n variables takes n steps of exact searches", "[conjugate_gradient]") {
  const VectorXd x0{{3.0, -2.0, 0.5, 4.0, -1.5, 2.5}};
  for (const Conjugacy formula : {Conjugacy::polak_ribiere, Conjugacy::hager_zhang}) {
    const auto result =
        minimize(Bowl{}, x0,
                 ConjugateGradient({.formula = formula},
                                   strong_wolfe({.decrease = 1e-10, .curvature = 1e-9})));
    CHECK(result.converged());
    CHECK(result.iterations <= 7);
    CHECK(result.iterations >= 5);
  }
}

TEST_CASE("ConjugateGradient: types, memory, scaling", "[conjugate_gradient][allocation]") {
  CHECK(minimize(Bowl{}, Eigen::Vector3f::Zero(), ConjugateGradient()).converged());
  CHECK(minimize(Bowl{}, VectorXd::Zero(3), ConjugateGradient({}, hager_zhang())).converged());
  Result<Eigen::Vector4d> fixed;
  CHECK(allocated_by([&] {
          fixed = minimize(Bowl{}, Eigen::Vector4d(1, 2, 3, 4), ConjugateGradient());
        }) == Allocations{});
  CHECK(fixed.converged());
  ConjugateGradient solver({.formula = Conjugacy::hager_zhang});
  const auto first = minimize(Rosenbrock{}, VectorXd{{-1.2, 1.0}}, solver);
  CHECK(first.converged());
  CHECK(minimize(Rosenbrock{}, VectorXd{{-1.2, 1.0}}, solver).x == first.x);
}
