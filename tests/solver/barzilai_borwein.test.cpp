// BarzilaiBorwein: the steps of the paper, written out, and the losses that it compares with.
#include <descent/minimize.hpp>
#include <descent/solver/barzilai_borwein.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/problems.hpp"

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace descent;
using namespace descent_test;
using Eigen::VectorXd;

TEST_CASE("the steps are those of the paper", "[barzilai_borwein]") {
  for (const double threshold : {0.0, 0.5, 1.0}) {
    VectorXd before{{3.0, -2.0, 0.5, 4.0, -1.5}}, g(5), last_x, last_g;
    int shorter = 0, checked = 0;
    const auto result =
        minimize(Bowl{}, before, BarzilaiBorwein({.threshold = threshold}),
                 {.max_iterations = 25, .gradient_tolerance = 1e-10},
                 [&](const Progress& p, const VectorXd& x) {
                   (void)Bowl{}.loss_and_gradient(before, g);
                   CHECK((x - (before - p.learning_rate * g)).norm() <= 1e-15 * before.norm());
                   if (last_x.size() > 0) {
                     const VectorXd s = before - last_x, y = g - last_g;
                     const double longer = s.dot(s) / s.dot(y), small = s.dot(y) / y.dot(y);
                     const bool takes_small = small < threshold * longer;
                     shorter += takes_small;
                     ++checked;
                     CHECK(p.learning_rate == Approx(takes_small ? small : longer).epsilon(1e-9));
                   }
                   last_x = before;
                   last_g = g;
                   before = x;
                 });
    CHECK(checked > 10);
    if (threshold == 0) CHECK(shorter == 0);
    if (threshold == 1) CHECK(shorter == checked);
    CHECK(result.gradient_evaluations == result.iterations + 1);
  }
}

TEST_CASE("losses may rise, but not above the highest of the last few", "[barzilai_borwein]") {
  for (const int memory : {1, 3, 10}) {
    std::vector<double> losses;
    VectorXd g(2);
    const VectorXd x0{{-1.2, 1.0}};
    losses.push_back(Rosenbrock{}.loss_and_gradient(x0, g));
    const auto result =
        minimize(Rosenbrock{}, x0, BarzilaiBorwein({.memory = memory}), {.max_iterations = 1000},
                 [&](const Progress& p) { losses.push_back(p.loss); });
    CHECK(result.converged());
    CHECK(result.iterations < 300);
    int rises = 0;
    for (std::size_t k = 1; k < losses.size(); ++k) {
      const auto first =
          losses.begin() + (k < std::size_t(memory) ? 0 : std::ptrdiff_t(k) - memory);
      CHECK(losses[k] <= *std::max_element(first, losses.begin() + std::ptrdiff_t(k)));
      rises += losses[k] > losses[k - 1];
    }
    CHECK((rises > 0) == (memory > 1));
    CHECK(result.loss == *std::min_element(losses.begin(), losses.end()));
  }
}

TEST_CASE("BarzilaiBorwein: types, memory, arguments", "[barzilai_borwein][allocation]") {
  CHECK(minimize(Bowl{}, Eigen::Vector3f::Zero(), BarzilaiBorwein()).converged());
  Result<Eigen::Vector4d> fixed;
  CHECK(allocated_by([&] {
          fixed = minimize(Bowl{}, Eigen::Vector4d(1, 2, 3, 4), BarzilaiBorwein());
        }) == Allocations{});
  CHECK(fixed.converged());
  CHECK_THROWS_WITH(BarzilaiBorwein({.memory = 0}),
                    "BarzilaiBorwein: memory must be at least 1, got 0");
  CHECK_THROWS_WITH(BarzilaiBorwein({.memory = 101}),
                    "BarzilaiBorwein: memory must be at most 100, got 101");
  CHECK_THROWS_WITH(BarzilaiBorwein({.threshold = 1.5}),
                    "BarzilaiBorwein: threshold must be in [0, 1], got 1.5");
}
