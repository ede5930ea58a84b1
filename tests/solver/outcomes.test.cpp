// How every solver ends on every kind of bad objective: a table of statuses, and of evaluations that must be enough. And what
// a result says of an x that an observer has put in place.
#include <descent/line_search/armijo.hpp>
#include <descent/line_search/fixed_step.hpp>
#include <descent/line_search/hager_zhang.hpp>
#include <descent/minimize.hpp>
#include <descent/observe/early_stopping.hpp>
#include <descent/solver/barzilai_borwein.hpp>
#include <descent/solver/conjugate_gradient.hpp>
#include <descent/solver/coordinate_descent.hpp>
#include <descent/solver/lbfgs.hpp>
#include <descent/solver/lbfgsb.hpp>
#include <descent/solver/proximal_gradient.hpp>
#include <descent/solver/steepest_descent.hpp>
#include <descent/solver/truncated_newton.hpp>
#include <descent/transform/project_on_box.hpp>
#include <descent/transform/proximal.hpp>

#include "support/catch.hpp"
#include "support/problems.hpp"

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <vector>

using namespace descent;
using namespace descent_test;
using Eigen::VectorXd;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

// adaptive: the solver finds its steps; model: by a quadratic bound on the loss, which a loss that does not move obeys;
// given: its steps are the user's.
enum Kind { adaptive, model, given };

template <class Visit>
void visit_solvers(const Visit& visit) {
  visit("LBFGS", adaptive, LBFGS());
  visit("LBFGS, Hager-Zhang", adaptive, LBFGS({.history_size = 3}, hager_zhang()));
  visit("LBFGS, Armijo", adaptive, LBFGS({}, armijo()));
  visit("LBFGS, fixed", given, LBFGS({}, fixed_step()));
  visit("LBFGSB", adaptive, LBFGSB());
  visit("SteepestDescent", adaptive, SteepestDescent());
  visit("SteepestDescent, Armijo", adaptive, SteepestDescent(armijo()));
  visit("BarzilaiBorwein", adaptive, BarzilaiBorwein());
  visit("ConjugateGradient", adaptive, ConjugateGradient());
  visit("ConjugateGradient, Hager-Zhang", adaptive,
        ConjugateGradient({.formula = Conjugacy::hager_zhang}, hager_zhang()));
  visit("TruncatedNewton", adaptive, TruncatedNewton());
  visit("CoordinateDescent", adaptive, CoordinateDescent());
  visit("ProximalGradient", model, ProximalGradient(proximal_l1(0.0)));
  visit("FISTA", model, FISTA(proximal_l1(0.0)));
  visit("ProximalGradient, fixed", given, ProximalGradient(proximal_l1(0.0), {.step = 0.1}));
}

// One type for all objectives, that counts.
struct Objective {
  std::function<double(const VectorXd&)> l;
  std::function<VectorXd(const VectorXd&)> g;
  mutable std::int64_t losses = 0, gradients = 0;

  double loss(const VectorXd& x) const {
    ++losses;
    return l(x);
  }
  void gradient(const VectorXd& x, VectorXd& to) const {
    ++gradients;
    to = g(x);
  }
};
struct Together {
  const Objective& f;
  double loss_and_gradient(const VectorXd& x, VectorXd& g) const {
    f.gradient(x, g);
    return f.loss(x);
  }
};

using Statuses = std::set<Status>;
struct Case {
  std::string name;
  Objective f;
  Statuses of_adaptive, of_model, of_given;
  std::int64_t once, each;  // evaluations: so many, and so many an iteration
  bool stays = false;       // x is the start, except that given steps may wander
};

const VectorXd x0{{3.0, -2.0, 0.5, 4.0, -1.5}};

std::vector<Case> cases() {
  using enum Status;
  const auto each = [](double value) {
    return [value](const VectorXd& x) { return VectorXd(VectorXd::Constant(x.size(), value)); };
  };
  const auto always = [](double value) { return [value](const VectorXd&) { return value; }; };
  const auto squares = [](const VectorXd& x) { return x.squaredNorm(); };
  const auto twice = [](const VectorXd& x) { return VectorXd(2 * x); };
  // Right where the first coefficient is at least 2, and something else on the other side.
  const auto walled = [=](double beyond) {
    return [=](const VectorXd& x) { return x[0] >= 2 ? squares(x) : beyond; };
  };
  const Statuses diverges{Diverged}, not_finite{NonFinite}, converges{GradientTolerance};
  const Statuses fails{LineSearchFailed}, creeps{LineSearchFailed, IterationLimit},
      wanders{IterationLimit, NonFinite}, walks{IterationLimit, Diverged};
  const Statuses at_a_wall{LineSearchFailed, NonFinite, IterationLimit},
      at_an_abyss{LineSearchFailed, NonFinite, IterationLimit, Diverged};
  return {
      // No lower bound.
      {"linear",
       {[](const VectorXd& x) { return x.sum(); }, each(1)},
       diverges,
       diverges,
       walks,
       600,
       2},
      {"concave",
       {[](const VectorXd& x) { return -x.squaredNorm(); },
        [](const VectorXd& x) { return VectorXd(-2 * x); }},
       diverges,
       diverges,
       walks,
       300,
       6},
      {"cubic",
       {[](const VectorXd& x) { return x.array().cube().sum(); },
        [](const VectorXd& x) { return VectorXd(3 * x.array().square()); }},
       diverges,
       diverges,
       diverges,
       150,
       6},
      {"-exp",
       {[](const VectorXd& x) { return -x.array().exp().sum(); },
        [](const VectorXd& x) { return VectorXd(-x.array().exp()); }},
       diverges,
       diverges,
       diverges,
       150,
       6},
      // Gradients of the wrong sign.
      {"½ x², the sign is wrong",
       {[](const VectorXd& x) { return 0.5 * x.squaredNorm(); },
        [](const VectorXd& x) { return VectorXd(-x); }},
       fails,
       creeps,
       wanders,
       100,
       40,
       true},
      {"Rosenbrock, the sign is wrong",
       {[](const VectorXd& x) {
          VectorXd g(2);
          return Rosenbrock{}.loss_and_gradient(VectorXd(x.head(2)), g) + x.tail(3).squaredNorm();
        },
        [](const VectorXd& x) {
          VectorXd g = -2 * x, two(2);
          (void)Rosenbrock{}.loss_and_gradient(VectorXd(x.head(2)), two);
          g.head(2) = -two;
          return g;
        }},
       fails,
       creeps,
       wanders,
       100,
       45,
       true},
      // Nothing to find.
      {"flat", {always(2), each(0)}, converges, converges, converges, 1, 0, true},
      {"flat, with a slope", {always(2), each(1)}, fails, creeps, creeps, 100, 3},
      {"a minimum without a slope",
       {squares, each(0)},
       converges,
       converges,
       converges,
       1,
       0,
       true},
      // Not finite at the start.
      {"NaN", {always(not_a_number), twice}, not_finite, not_finite, not_finite, 1, 0, true},
      {"+infinity", {always(infinity), twice}, not_finite, not_finite, not_finite, 1, 0, true},
      {"-infinity", {always(-infinity), twice}, not_finite, not_finite, not_finite, 1, 0, true},
      {"NaN in the gradient",
       {squares, each(not_a_number)},
       not_finite,
       not_finite,
       not_finite,
       1,
       0,
       true},
      {"infinity in the gradient",
       {squares, each(infinity)},
       not_finite,
       not_finite,
       not_finite,
       1,
       0,
       true},
      // Not finite anywhere else, or beyond a wall at which the loss still falls.
      {"NaN everywhere else",
       {[=](const VectorXd& x) { return x == x0 ? squares(x) : not_a_number; }, twice},
       at_a_wall,
       at_a_wall,
       not_finite,
       100,
       3,
       true},
      {"NaN behind a wall",
       {walled(not_a_number), twice},
       at_a_wall,
       at_a_wall,
       at_a_wall,
       200,
       50},
      {"+infinity behind a wall",
       {walled(infinity), twice},
       at_a_wall,
       at_a_wall,
       at_a_wall,
       200,
       50},
      {"-infinity behind a wall",
       {walled(-infinity), twice},
       at_an_abyss,
       at_an_abyss,
       at_an_abyss,
       200,
       50},
      {"NaN in the gradient behind a wall",
       {squares,
        [=](const VectorXd& x) { return VectorXd(x[0] >= 2 ? twice(x) : each(not_a_number)(x)); }},
       at_a_wall,
       at_a_wall,
       at_a_wall,
       200,
       50},
  };
}

}  // namespace

TEST_CASE("every solver ends as it should on every bad objective, in bounded time", "[solver]") {
  for (const Case& c : cases()) {
    const double before = c.f.l(x0);
    visit_solvers([&](const std::string& name, Kind kind, const auto& solver) {
      for (const bool together : {false, true}) {
        CAPTURE(c.name, name, together);
        c.f.losses = c.f.gradients = 0;
        auto copy = solver;
        const MinimizeOptions options{.max_iterations = 600};
        const auto result = together ? minimize(Together{c.f}, x0, copy, options)
                                     : minimize(c.f, x0, copy, options);
        CAPTURE(result.message(), result.loss, result.iterations, c.f.losses, c.f.gradients);
        const Statuses& right = kind == adaptive ? c.of_adaptive
                                : kind == model  ? c.of_model
                                                 : c.of_given;
        CHECK(right.contains(result.status));
        CHECK(std::max(c.f.losses, c.f.gradients) <= c.once + c.each * result.iterations);
        CHECK(result.x.allFinite());
        if (std::isfinite(before)) CHECK(result.loss <= before);
        // Momentum alone may climb within rounding.
        if (name == "ProximalGradient" && c.of_adaptive == Statuses{Status::LineSearchFailed} &&
            c.stays) {
          CHECK(result.status == Status::LineSearchFailed);
        }
        if (c.stays) CHECK((result.x - x0).norm() <= (kind == model ? 1e-4 : 0));
        if (result.status == Status::Diverged) {
          CHECK_THAT(result.message(), ContainsSubstring("no lower bound"));
        }
        if (!std::isfinite(before)) CHECK(result.trouble.first_evaluation);
      }
    });
  }
}

TEST_CASE("bounds that cross are refused before anything is evaluated", "[solver]") {
  CHECK_THROWS_WITH(LBFGSB({.lower = 1.0, .upper = 0.0}),
                    ContainsSubstring("LBFGSB: lower must be"));
  CHECK_THROWS_WITH(FISTA(project_on_box(1.0, 0.0)),
                    ContainsSubstring("project_on_box: lower must be"));
  CHECK_THROWS_WITH(LBFGSB({.lower = not_a_number, .upper = 1.0}), ContainsSubstring("got nan"));
}

namespace {

// The best is seen after two iterations.
struct BestAfterTwo {
  mutable int looks = 0;
  double loss(const VectorXd&) const { return ++looks == 2 ? 0 : 1; }
};

// The bowl, and Σ x⁴: several steps for every solver.
struct Quartic {
  double loss_and_gradient(const VectorXd& x, VectorXd& g) const {
    const double loss = Bowl{}.loss_and_gradient(x, g);
    g += 4 * x.array().cube().matrix();
    return loss + x.array().square().square().sum();
  }
};

template <class Solver>
void check_restores(const Solver& solver, bool same_norm) {
  const MinimizeOptions options{.max_iterations = 6, .gradient_tolerance = 0};
  auto a = solver, b = solver;
  MinimizeOptions two = options;
  two.max_iterations = 2;
  const auto wanted = minimize(Quartic{}, x0, a, two);
  const auto result =
      minimize(Quartic{}, x0, b, options,
               early_stopping(BestAfterTwo{}, {.patience = 3, .restore_best = true}));
  CHECK(result.status == Status::Stopped);
  CHECK(result.x == wanted.x);
  CHECK(result.loss == wanted.loss);
  if (same_norm) CHECK(result.gradient_norm == wanted.gradient_norm);
}

}  // namespace

TEST_CASE("loss and norm of an x that is restored are those that the solver is about", "[solver]") {
  check_restores(LBFGSB({.lower = 1.5}), true);
  check_restores(CoordinateDescent({.l1 = 0.25, .max_sweeps = 1}), true);
  check_restores(LBFGS(), true);
  // With a penalty that is in no gradient: the loss is the sum, the norm that of the step at x.
  check_restores(ProximalGradient(proximal_l1(0.25)), false);
  check_restores(FISTA(proximal_l1(0.25)), false);
  auto solver = ProximalGradient(proximal_l1(0.25), {.step = 0.1});
  const auto result =
      minimize(Quartic{}, x0, solver, {.max_iterations = 6},
               early_stopping(BestAfterTwo{}, {.patience = 3, .restore_best = true}));
  VectorXd g = x0;
  const double loss = Quartic{}.loss_and_gradient(result.x, g);
  CHECK(result.loss == loss + 0.25 * result.x.lpNorm<1>());
  const VectorXd moved = result.x - 0.1 * g;
  const VectorXd next = moved.array().sign() * (moved.array().abs() - 0.025).max(0.0);
  CHECK(result.gradient_norm == Approx((result.x - next).cwiseAbs().maxCoeff() / 0.1));
}
