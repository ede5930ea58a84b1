// NIST's nonlinear regressions, from both starts, in parameters scaled by the start.
#include "support/nist.hpp"

#include <descent/line_search/hager_zhang.hpp>
#include <descent/minimize.hpp>
#include <descent/solver/barzilai_borwein.hpp>
#include <descent/solver/conjugate_gradient.hpp>
#include <descent/solver/lbfgs.hpp>
#include <descent/solver/lbfgsb.hpp>
#include <descent/solver/steepest_descent.hpp>
#include <descent/solver/truncated_newton.hpp>

#include "support/catch.hpp"
#include "support/mgh.hpp"

#include <Eigen/Core>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <set>
#include <string>
#include <utility>

using namespace descent;
using namespace descent_test;
using Eigen::VectorXd;

TEST_CASE("the certified parameters are stationary points", "[nist]") {
  REQUIRE(nist_problems().size() == 22);
  for (const NistProblem& problem : nist_problems()) {
    const ScaledNist f{problem, problem.certified};
    const VectorXd ones = VectorXd::Ones(problem.certified.size());
    VectorXd g = ones, away = ones;
    (void)f.loss_and_gradient(ones, g);
    (void)f.loss_and_gradient(1.01 * ones, away);
    CAPTURE(problem.id);
    CHECK(g.norm() <= 1e-5 * away.norm());
    CHECK(f.digits(ones) >= 10);
    CHECK(f.digits(1.001 * ones) == Approx(3).margin(0.01));
  }
}

TEST_CASE("L-BFGS finds four digits of every parameter, but for the runs on the list", "[nist]") {
  // Another stationary point that is nearer: two exponentials that are one; another local minimum; a plateau where the
  // exponential has vanished.
  const std::set<std::pair<std::string, int>> elsewhere{
      {"Lanczos1", 1}, {"Lanczos2", 1}, {"Lanczos3", 1}, {"ENSO", 1}, {"Eckerle4", 1}};
  int solved = 0, runs = 0;
  for (const NistProblem& problem : nist_problems()) {
    for (int start = 1; start <= 2; ++start) {
      const ScaledNist f{problem, problem.starts[static_cast<std::size_t>(start - 1)]};
      const VectorXd z = VectorXd::Ones(problem.certified.size());
      const auto result =
          minimize(f, z, LBFGS(), {.max_iterations = 20'000, .gradient_tolerance = 1e-9});
      const double digits = f.digits(result.x);
      CAPTURE(problem.id, start, digits, result.message(), result.gradient_evaluations);
      CHECK((digits >= 4) == !elsewhere.contains({problem.id, start}));
      VectorXd g = z;
      CHECK(f.loss_and_gradient(result.x, g) == result.loss);
      if (result.converged()) CHECK(g.cwiseAbs().maxCoeff() <= 1e-9);  // no success is false
      ++runs;
      solved += digits >= 4;
    }
  }
  CHECK(solved >= 0.8 * runs);
}

// test_solver "[table]"
TEST_CASE("rates of all solvers", "[.][table]") {
  std::printf("%-28s %28s %28s\n", "", "More, Garbow, Hillstrom", "NIST, both starts");
  std::printf("%-28s %9s %18s %9s %18s\n", "", "solved", "mean evaluations", "solved",
              "mean evaluations");
  const auto row = [](const char* name, const auto& solver) {
    const MinimizeOptions options{.max_iterations = 10'000, .gradient_tolerance = 1e-9};
    int solved[2] = {}, runs[2] = {};
    double logs[2] = {};
    const auto note = [&](int set, bool right, std::int64_t evaluations) {
      ++runs[set];
      solved[set] += right;
      logs[set] += std::log(static_cast<double>(evaluations));
    };
    for (const MghProblem& problem : mgh_problems()) {
      auto copy = solver;
      const auto result = minimize(problem, problem.x0, copy, options);
      note(0, problem.solved_by(result.loss), result.gradient_evaluations);
    }
    for (const NistProblem& problem : nist_problems()) {
      for (const VectorXd& start : problem.starts) {
        auto copy = solver;
        const ScaledNist f{problem, start};
        const auto result = minimize(f, VectorXd::Ones(start.size()), copy, options);
        note(1, f.digits(result.x) >= 4, result.gradient_evaluations);
      }
    }
    std::printf("%-28s", name);
    for (int set = 0; set < 2; ++set) {
      std::printf("%7d/%d %18.0f", solved[set], runs[set], std::exp(logs[set] / runs[set]));
    }
    std::printf("\n");
  };
  row("LBFGS", LBFGS());
  row("LBFGS, hager_zhang", LBFGS({}, hager_zhang()));
  row("LBFGSB, no bounds", LBFGSB());
  row("ConjugateGradient", ConjugateGradient());
  row("  hager_zhang", ConjugateGradient({.formula = Conjugacy::hager_zhang}));
  row("BarzilaiBorwein", BarzilaiBorwein());
  row("TruncatedNewton", TruncatedNewton());
  row("SteepestDescent", SteepestDescent());
}
