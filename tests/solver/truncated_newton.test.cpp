// TruncatedNewton: Newton's step where the region allows it, its boundary where not, and quadratic convergence.
#include <descent/minimize.hpp>
#include <descent/solver/truncated_newton.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/mgh.hpp"
#include "support/problems.hpp"

#include <Eigen/Core>
#include <Eigen/LU>

#include <cmath>
#include <set>
#include <string>
#include <vector>

using namespace descent;
using namespace descent_test;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

// Rosenbrock's function with its Hessian.
struct WithHessian {
  mutable int products = 0;
  double loss_and_gradient(const VectorXd& x, VectorXd& g) const {
    return Rosenbrock{}.loss_and_gradient(x, g);
  }
  static MatrixXd hessian(const VectorXd& x) {
    MatrixXd h(2, 2);
    h << 2 + 1200 * x[0] * x[0] - 400 * x[1], -400 * x[0], -400 * x[0], 200;
    return h;
  }
  void hessian_product(const VectorXd& x, const VectorXd& v, VectorXd& product) const {
    ++products;
    product = hessian(x) * v;
  }
};

struct Saddle {  // x² − y² + y⁴/4: minima at (0, ±√2)
  double loss_and_gradient(const VectorXd& x, VectorXd& g) const {
    const double y = x[1];
    g = VectorXd{{2 * x[0], -2 * y + y * y * y}};
    return x[0] * x[0] - y * y + y * y * y * y / 4;
  }
};

}  // namespace

TEST_CASE("a quadratic is solved by Newton's step, unless the region is smaller",
          "[truncated_newton]") {
  const VectorXd x0{{3.0, -2.0, 0.5, 4.0, -1.5}};
  const auto free =
      minimize(Bowl{}, x0, TruncatedNewton({.radius = 100}), {.gradient_tolerance = 1e-5});
  CHECK(free.converged());
  CHECK(free.iterations <= 6);
  // The first step ends at the boundary, where the model's minimum is at an angle: ‖p‖ = Δ.
  double length = 0;
  VectorXd x1;
  (void)minimize(Bowl{}, x0, TruncatedNewton({.radius = 0.25}), {.max_iterations = 1},
                 [&](const Progress& p, const VectorXd& x) {
                   length = p.learning_rate;
                   x1 = x;
                 });
  CHECK(length == Approx(0.25));
  CHECK((x1 - x0).norm() == Approx(0.25));
  VectorXd g(5);
  (void)Bowl{}.loss_and_gradient(x0, g);
  CHECK((x1 - x0 + 0.25 * g.normalized()).norm() <= 1e-12);  // the first direction is −g
}

TEST_CASE("with Hessian products as with differences of gradients", "[truncated_newton]") {
  const VectorXd x0{{-1.2, 1.0}};
  const WithHessian f;
  std::vector<double> norms;
  const auto given = minimize(f, x0, TruncatedNewton(), {.gradient_tolerance = 1e-10},
                              [&](const Progress& p) { norms.push_back(p.gradient_norm); });
  CHECK(given.converged());
  CHECK(given.iterations < 60);
  CHECK(f.products > 10);
  CHECK(given.gradient_evaluations <= 2 * given.iterations);  // none for the products
  // Faster than linear: the last step gains more digits than the one before.
  const auto last = norms.size() - 1;
  CHECK(norms[last] / norms[last - 1] <
        0.1 * std::min(1.0, norms[last - 1] / norms[last - 2] * 10));
  const auto differences =
      minimize(Rosenbrock{}, x0, TruncatedNewton(), {.gradient_tolerance = 1e-8});
  CHECK(differences.converged());
  CHECK((differences.x - given.x).norm() <= 1e-7);
  CHECK(differences.gradient_evaluations > differences.iterations);
}

TEST_CASE("negative curvature is followed away from a saddle", "[truncated_newton]") {
  const auto result =
      minimize(Saddle{}, VectorXd{{1.0, 1e-3}}, TruncatedNewton(), {.gradient_tolerance = 1e-8});
  CHECK(result.converged());
  CHECK(std::abs(result.x[1]) == Approx(std::sqrt(2.0)));
  CHECK(result.loss == Approx(-1));
}

TEST_CASE("TruncatedNewton on the problems of Moré, Garbow and Hillstrom",
          "[truncated_newton][mgh]") {
  int solved = 0;
  for (const MghProblem& problem : mgh_problems()) {
    const auto result = minimize(problem, problem.x0, TruncatedNewton(),
                                 {.max_iterations = 2000, .gradient_tolerance = 1e-9});
    CAPTURE(problem.id, result.message(), result.loss);
    if (!problem.solved_by(result.loss))
      UNSCOPED_INFO(problem.id << ": " << result.message() << ", " << result.loss);
    solved += problem.solved_by(result.loss);
  }
  CHECK(solved >= 28);
}

TEST_CASE("TruncatedNewton: types, memory, arguments", "[truncated_newton][allocation]") {
  CHECK(minimize(Bowl{}, Eigen::Vector3f::Zero(), TruncatedNewton()).converged());
  Result<Eigen::Vector4d> fixed;
  CHECK(allocated_by([&] {
          fixed = minimize(Bowl{}, Eigen::Vector4d(1, 2, 3, 4), TruncatedNewton());
        }) == Allocations{});
  CHECK(fixed.converged());
  CHECK_THROWS_WITH(TruncatedNewton({.radius = -1}),
                    "TruncatedNewton: radius must be in [0, inf), got -1");
  CHECK_THROWS_WITH(TruncatedNewton({.inner_iterations = -1}),
                    "TruncatedNewton: inner_iterations must be at least 0, got -1");
}
