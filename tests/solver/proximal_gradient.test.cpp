// ProximalGradient and FISTA: the iterates of Beck and Teboulle, the lasso, and projections.
#include <descent/minimize.hpp>
#include <descent/objective/callable.hpp>
#include <descent/solver/proximal_gradient.hpp>
#include <descent/transform/project_on_box.hpp>
#include <descent/transform/project_on_simplex.hpp>
#include <descent/transform/proximal.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/problems.hpp"
#include "support/reference.hpp"

#include <Eigen/Core>

#include <cmath>
#include <string>

using namespace descent;
using namespace descent_test;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

// 1/2 ‖Ax − b‖²
struct LeastSquares {
  MatrixXd A;
  VectorXd b;
  double loss(const VectorXd& x) const { return 0.5 * (A * x - b).squaredNorm(); }
  void gradient(const VectorXd& x, VectorXd& g) const { g = A.transpose() * (A * x - b); }
};

LeastSquares problem(const Record& record) {
  return {record.matrix("A"), record.numbers("b")};
}

template <class Solver>
void check_iterates(const char* name, const Solver& make) {
  const Record record = load_record("misc/prox_lasso");
  const LeastSquares f = problem(record);
  const VectorXd x0 = record.numbers("x0");
  int compared = 0;
  for (const Record& one : record.blocks("case")) {
    const double lambda = one.number("lambda");
    for (const Record& point : one.blocks(name)) {
      const VectorXd wanted = point.numbers("x");
      const auto t = static_cast<std::int64_t>(point.number("t"));
      VectorXd last;
      auto solver = make(lambda, record.number("step"));
      (void)minimize(f, x0, solver, {.max_iterations = t, .gradient_tolerance = 0},
                     [&](const Progress& p, const VectorXd& x) {
                       last = x;
                       CHECK(p.loss == Approx(f.loss(x) + lambda * x.lpNorm<1>()).epsilon(1e-14));
                     });
      // A step that changes nothing any more ends the run.
      CAPTURE(name, lambda, t);
      CHECK((last - wanted).cwiseAbs().maxCoeff() <= 1e-12);
      ++compared;
    }
  }
  CHECK(compared >= 16);
}

}  // namespace

TEST_CASE("ISTA and FISTA make the iterates of the reference", "[proximal_gradient]") {
  check_iterates("ISTA", [](double lambda, double step) {
    return ProximalGradient(proximal_l1(lambda), {.step = step});
  });
  check_iterates("FISTA", [](double lambda, double step) {
    return FISTA(proximal_l1(lambda), {.step = step, .restart = false});
  });
}

TEST_CASE("the lasso's minimum, with backtracking", "[proximal_gradient]") {
  const Record record = load_record("misc/prox_lasso");
  const LeastSquares f = problem(record);
  for (const Record& one : record.blocks("case")) {
    const double lambda = one.number("lambda"), least = one.number("minimum");
    const VectorXd wanted = one.numbers("minimizer");
    const auto check = [&](const auto& result, int most) {
      CAPTURE(lambda, result.message(), result.iterations);
      CHECK(result.status == Status::GradientTolerance);
      CHECK(result.loss - least <= 1e-10);
      CHECK(result.loss >= least - 1e-14);
      CHECK(result.iterations <= most);
      for (Eigen::Index i = 0; i < wanted.size(); ++i) {
        if (wanted[i] == 0) CHECK(result.x[i] == 0);
      }
      CHECK((result.x - wanted).cwiseAbs().maxCoeff() <= 1e-6);
    };
    const VectorXd x0 = VectorXd::Zero(6);
    const MinimizeOptions options{.max_iterations = 5000, .gradient_tolerance = 1e-9};
    check(minimize(f, x0, FISTA(proximal_l1(lambda)), options), 400);
    check(minimize(f, x0, ProximalGradient(proximal_l1(lambda)), options), 3000);
  }
}

TEST_CASE("projections: the start is projected, and the result is inside", "[proximal_gradient]") {
  const auto result = minimize(Bowl{}, VectorXd::Constant(3, 7), FISTA(project_on_simplex()),
                               {.gradient_tolerance = 1e-10});
  CHECK(result.converged());
  CHECK(result.x.sum() == Approx(1).epsilon(1e-14));
  // By Lagrange (i + 1)(x_i − 1) is the same for all that are not 0: the nearest point of the simplex to (1, 1, 1).
  const VectorXd force = (result.x.array() - 1) * VectorXd{{1.0, 2.0, 3.0}}.array();
  for (Eigen::Index i = 0; i < 3; ++i) {
    if (result.x[i] > 0) CHECK(force[i] == Approx(force[2]).epsilon(1e-8));
    if (result.x[i] == 0) CHECK(force[i] >= force[2] - 1e-8);
  }
  const auto box =
      minimize(Bowl{}, VectorXd::Constant(3, -7), ProximalGradient(project_on_box(-2.0, 0.5)));
  CHECK(box.converged());
  CHECK(box.x == VectorXd::Constant(3, 0.5));
  CHECK(box.loss == Approx(0.5 * 0.25 * 6));
  // An objective of one's own may bring its step.
  struct BowlInBox {
    Bowl smooth_part() const { return {}; }
    ProjectOnBox proximal_part() const { return project_on_box(-2.0, 0.5); }
  };
  CHECK(minimize(BowlInBox{}, VectorXd::Constant(3, -7), ProximalGradient()).x == box.x);
}

TEST_CASE("without a penalty the norm is the gradient's", "[proximal_gradient][allocation]") {
  const VectorXd x0{{3.0, -2.0, 0.5}};
  const auto none = minimize(Bowl{}, x0, FISTA(proximal_l1(0.0)), {.max_iterations = 0});
  CHECK(none.gradient_norm == Approx(6));
  CHECK(minimize(Bowl{}, Eigen::Vector3f(1, 2, 3), FISTA(proximal_l2(0.5))).converged());
  const auto allocations = [&](std::int64_t iterations) {
    FISTA solver(proximal_l1(0.1));
    return allocated_by([&] {
      (void)minimize(Bowl{}, x0, solver, {.max_iterations = iterations, .gradient_tolerance = 0});
    });
  };
  CHECK(allocations(2) == allocations(40));
  CHECK_THROWS_WITH(FISTA(proximal_l1(0.1), {.step = -1}),
                    "FISTA: step must be in [0, inf), got -1");
  CHECK_THROWS_WITH(ProximalGradient(proximal_l1(0.1), {.step = -1}),
                    "ProximalGradient: step must be in [0, inf), got -1");
}

TEST_CASE("an x that an observer puts in place is regarded with the penalty",
          "[proximal_gradient]") {
  struct Restore {
    VectorXd x;
    bool operator()(const Progress&) { return true; }
    bool end(VectorXd& present) const {
      present = x;
      return true;
    }
  };
  const VectorXd x{{1.0, -2.0}};
  Restore restore{x};
  const auto result = minimize(Bowl{}, VectorXd::Zero(2), FISTA(proximal_l1(0.5)),
                               {.gradient_tolerance = 1e-9}, restore);
  VectorXd g(2);
  CHECK(result.x == x);
  CHECK(result.loss == Approx(Bowl{}.loss_and_gradient(x, g) + 1.5).epsilon(1e-14));
  CHECK(result.status == Status::Stopped);
  // The way to the minimum along which the step would go is as steep as a subgradient at most.
  CHECK(result.gradient_norm <= 6.5 + 1e-12);
  CHECK(result.gradient_norm > 0.1);
}

TEST_CASE("FISTA beyond the domain goes back to where it was", "[proximal_gradient]") {
  const auto barrier = objective([](const VectorXd& x, VectorXd& g) {
    g = 1 - x.array().inverse();
    return (x.array() - x.array().log()).sum();
  });
  const auto result =
      minimize(barrier, VectorXd{{0.01, 30.0}}, FISTA(proximal_l1(0.5)), {.max_iterations = 2000});
  CHECK(result.converged());
  CHECK((result.x.array() - 1 / 1.5).abs().maxCoeff() < 1e-5);
}
