// Solvers on objectives that fail on the way, or are defined only in places: each run ends after a bounded number of
// evaluations, at a finite point that is no worse than the start. A new solver enrolls with one row. outcomes.test.cpp has
// those that are bad from the start.
#include "support/faults.hpp"

#include <descent/line_search/armijo.hpp>
#include <descent/line_search/hager_zhang.hpp>
#include <descent/minimize.hpp>
#include <descent/objective/linear_regression.hpp>
#include <descent/solver/barzilai_borwein.hpp>
#include <descent/solver/conjugate_gradient.hpp>
#include <descent/solver/coordinate_descent.hpp>
#include <descent/solver/lbfgs.hpp>
#include <descent/solver/lbfgsb.hpp>
#include <descent/solver/proximal_gradient.hpp>
#include <descent/solver/steepest_descent.hpp>
#include <descent/solver/truncated_newton.hpp>
#include <descent/transform/proximal.hpp>

#include "support/catch.hpp"
#include "support/problems.hpp"

#include <Eigen/Core>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

using namespace descent;
using namespace descent_test;
using Eigen::VectorXd;

namespace {

constexpr std::int64_t most_iterations = 60;

template <class Visit>
void visit_solvers(const Visit& visit) {
  visit("LBFGS", LBFGS());
  visit("LBFGS, Hager-Zhang", LBFGS({.history_size = 3}, hager_zhang()));
  visit("LBFGS (Armijo)", LBFGS({}, armijo()));
  visit("LBFGSB (Armijo)", LBFGSB());
  visit("SteepestDescent", SteepestDescent());
  visit("CoordinateDescent (no penalty)", CoordinateDescent());
  visit("TruncatedNewton (trust region)", TruncatedNewton());
  visit("ProximalGradient (no penalty)", ProximalGradient());
  visit("FISTA (no penalty)", FISTA(proximal_l1(0.0)));
  visit("BarzilaiBorwein (Armijo)", BarzilaiBorwein());
  visit("ConjugateGradient", ConjugateGradient());
  visit("ConjugateGradient, Hager-Zhang", ConjugateGradient({.formula = Conjugacy::hager_zhang}));
  visit("ConjugateGradient, search of Hager-Zhang", ConjugateGradient({}, hager_zhang()));
}

VectorXd start() {
  return VectorXd{{3.0, -2.0, 0.5, 4.0, -1.5}};
}

// Counts evaluations of any objective.
template <class F>
Result<VectorXd> run(const F& f, auto solver, const VectorXd& x0, std::int64_t evaluations,
                     MinimizeOptions options = {}) {
  options.max_iterations = most_iterations;
  const Faulty counting(f);
  const auto result = minimize(counting, x0, solver, options);
  CHECK(result.gradient_evaluations == counting.counts().gradients);
  CHECK(result.loss_evaluations == counting.counts().losses);
  CHECK(std::max(counting.counts().gradients, counting.counts().losses) <= evaluations);
  CHECK(result.x.allFinite());
  return result;
}

template <class L, class G>
struct Apart {
  L l;
  G g;
  double loss(const VectorXd& x) const { return l(x); }
  void gradient(const VectorXd& x, VectorXd& to) const { to = g(x); }
};
template <class L, class G>
Apart(L, G) -> Apart<L, G>;  // clang++ 14 does not deduce aggregates by itself

}  // namespace

TEST_CASE("no fault is taken for success by a solver, or ruins its result", "[solver][faults]") {
  int runs = 0, struck = 0, successes = 0, recovered = 0;
  const auto strike = [&](const auto& f, const auto& fresh, const FaultPlan& plan) {
    const Faulty faulty(f, plan);
    const VectorXd x0 = start();
    auto solver = fresh;
    VectorXd g(5);
    const auto true_loss = [&](const VectorXd& x) {
      if constexpr (requires { f.loss(x); }) {
        f.gradient(x, g);
        return f.loss(x);
      } else {
        return f.loss_and_gradient(x, g);
      }
    };
    ++runs;
    try {
      const auto result = minimize(faulty, x0, solver, {.max_iterations = most_iterations});
      CHECK(result.x.allFinite());
      CHECK(result.loss_evaluations == faulty.counts().losses);
      CHECK(result.gradient_evaluations == faulty.counts().gradients);
      CHECK(result.gradient_evaluations <= 100 + 4 * most_iterations);
      CHECK((plan.fault != Fault::exception || faulty.counts().faults == 0));
      const double loss = true_loss(result.x);
      if (result.converged()) {
        ++successes;
        CHECK(result.status == Status::GradientTolerance);
        CHECK(g.cwiseAbs().maxCoeff() <= 1e-6);
        if (faulty.counts().faults > 0) ++recovered;
      }
      // A loss that lies by 1e200 can lead anywhere that is not NaN.
      if (!(plan.part == Part::loss && plan.finite())) CHECK(loss <= true_loss(x0));
      if (faulty.counts().faults > 0) ++struck;
      const bool from_the_start = plan.from == 1 && !plan.finite();
      if (from_the_start) {
        CHECK(result.status == Status::NonFinite);
        CHECK(result.x == x0);
        CHECK(result.iterations == 0);
        CHECK(result.trouble.first_evaluation);
      }
      if (!plan.once && !plan.finite() && faulty.counts().faults > 0) {
        CHECK((result.status == Status::NonFinite || result.status == Status::Diverged));
      }
      if (result.status != Status::NonFinite && result.status != Status::Diverged) {
        CHECK(result.trouble.where == Trouble::Where::nowhere);
      }
    } catch (const InjectedError& error) {
      CHECK(error.evaluation == plan.from);
      CHECK(plan.fault == Fault::exception);
      ++struck;
    }
    const auto again = minimize(Faulty(f), x0, solver, {.max_iterations = most_iterations});
    auto other = fresh;
    CHECK(again.x == minimize(Faulty(f), x0, other, {.max_iterations = most_iterations}).x);
  };
  const RegressionData data(24, 5, 0.1, 3);
  const LinearRegression regression(data.X, data.y);
  visit_solvers([&](const std::string& name, const auto& solver) {
    for (const Fault fault : {Fault::nan, Fault::infinity, Fault::minus_infinity, Fault::huge,
                              Fault::minus_huge, Fault::exception}) {
      for (const Part part : {Part::loss, Part::coefficient, Part::gradient}) {
        for (const bool once : {true, false}) {
          for (int from = 1; from <= 12; ++from) {
            const FaultPlan plan{
                .fault = fault, .part = part, .from = from, .once = once, .index = from % 5};
            CAPTURE(name, plan);
            strike(Bowl{}, solver, plan);
            strike(SeparateBowl{}, solver, plan);
            strike(regression, solver, plan);
          }
        }
      }
    }
  });
  CHECK(struck > runs / 2);
  CHECK(successes > runs / 20);
  CHECK(recovered > runs / 40);  // a trial that was not finite was only too long
}

TEST_CASE("barriers are walked along, not through", "[solver][faults]") {
  // Σ x − log x, defined for positive x alone: least at 1.
  const auto barrier = Apart{[](const VectorXd& x) { return (x.array() - x.array().log()).sum(); },
                             [](const VectorXd& x) { return VectorXd(1 - x.array().inverse()); }};
  visit_solvers([&](const std::string& name, const auto& solver) {
    CAPTURE(name);
    for (const double at : {1e-3, 0.5, 50.0}) {
      const VectorXd x0 = VectorXd::LinSpaced(5, at, 2 * at);
      if (name.ends_with("(no penalty)"))
        continue;  // one step length for all x: thousands of steps
      const auto result = run(barrier, solver, x0, 200);
      CHECK(result.status == Status::GradientTolerance);
      CHECK((result.x.array() - 1).abs().maxCoeff() < 1e-5);
    }
    const auto outside = run(barrier, solver, start(), 1);
    CHECK(outside.status == Status::NonFinite);
    CHECK(outside.x == start());
  });
}

TEST_CASE("limits and tolerances hold for solvers as for optimizers", "[solver]") {
  visit_solvers([&](const std::string& name, const auto& solver) {
    if (name.starts_with("CoordinateDescent")) return;  // one step and it is there
    CAPTURE(name);
    const VectorXd x0 = start();
    for (const std::int64_t most : {1, 2, 3, 5}) {
      auto copy = solver;
      const Faulty counting((SeparateBowl()));
      const auto result =
          minimize(counting, x0, copy, {.max_evaluations = most, .gradient_tolerance = 0});
      CHECK(result.status == Status::EvaluationLimit);
      CHECK(std::max(counting.counts().losses, counting.counts().gradients) == most);
      VectorXd g = x0;
      CHECK(result.loss <= Bowl{}.loss_and_gradient(x0, g));
    }
    auto copy = solver;
    CHECK(minimize(Bowl{}, x0, copy, {.max_iterations = 0}).status == Status::IterationLimit);
    CHECK(minimize(Bowl{}, x0, copy, {.time_limit = 0}).status == Status::TimeLimit);
    CHECK(minimize(Bowl{}, x0, copy, {.gradient_tolerance = 0, .loss_tolerance = 1e-3}).status ==
          Status::LossTolerance);
    const auto by_step =
        minimize(Bowl{}, x0, copy, {.gradient_tolerance = 0, .step_tolerance = 1e-3});
    CHECK((by_step.status == Status::StepTolerance || by_step.gradient_norm == 0));
    const auto stopped =
        minimize(Bowl{}, x0, copy, {}, [](const Progress& p) { return p.iterations < 2; });
    CHECK(stopped.status == Status::Stopped);
    CHECK(stopped.iterations == 2);
    const RegressionData data(24, 5, 0.1, 3);
    const LinearRegression regression(data.X, data.y);
    CHECK_THROWS_WITH(minimize(regression, x0, copy, {.batch_size = 4}),
                      ContainsSubstring("batch_size must be unset"));
    const auto epochs = minimize(regression, x0, copy, {.max_epochs = 2, .gradient_tolerance = 0});
    CHECK(epochs.status == Status::EpochLimit);
    CHECK(epochs.epochs == 2);
  });
}
