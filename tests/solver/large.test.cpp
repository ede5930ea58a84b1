// Problems of many parameters, whose minima are known, and regressions on real data against optima that were found outside:
// solved within a bounded number of evaluations. The losses and gradients are held against differences first.
#include <descent/line_search/hager_zhang.hpp>
#include <descent/minimize.hpp>
#include <descent/objective/check_gradient.hpp>
#include <descent/objective/l2.hpp>
#include <descent/objective/logistic_regression.hpp>
#include <descent/objective/softmax_regression.hpp>
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

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

using namespace descent;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

// Of n parameters, as many as one likes, after J. J. Moré, B. S. Garbow and K. E. Hillstrom, ACM TOMS 7(1), 1981, by their
// numbers.
struct Large {
  std::string name;
  std::function<double(const VectorXd& x, VectorXd& g)> f;
  std::function<double(Index i, Index n)> start;  // from i = 0
  std::function<double(Index n)> least;

  double loss_and_gradient(const VectorXd& x, VectorXd& g) const { return f(x, g); }
  VectorXd x0(Index n) const {
    return VectorXd::NullaryExpr(n, [&](Index i) { return start(i, n); });
  }
};

double extended_rosenbrock(const VectorXd& x, VectorXd& g) {  // (21)
  double loss = 0;
  for (Index i = 0; i < x.size(); i += 2) {
    const double a = 1 - x[i], b = x[i + 1] - x[i] * x[i];
    g[i] = -2 * a - 400 * x[i] * b;
    g[i + 1] = 200 * b;
    loss += a * a + 100 * b * b;
  }
  return loss;
}
// (22) Its Hessian is singular at the minimum.
double extended_powell(const VectorXd& x, VectorXd& g) {
  double loss = 0;
  for (Index i = 0; i < x.size(); i += 4) {
    const double a = x[i] + 10 * x[i + 1], b = x[i + 2] - x[i + 3], c = x[i + 1] - 2 * x[i + 2],
                 d = x[i] - x[i + 3];
    loss += a * a + 5 * b * b + c * c * c * c + 10 * d * d * d * d;
    g[i] = 2 * a + 40 * d * d * d;
    g[i + 1] = 20 * a + 4 * c * c * c;
    g[i + 2] = 10 * b - 8 * c * c * c;
    g[i + 3] = -10 * b - 40 * d * d * d;
  }
  return loss;
}
// (23) 10⁻⁵ Σ (xᵢ − 1)² + (Σ xᵢ² − ¼)².
double penalty_1(const VectorXd& x, VectorXd& g) {
  const double outside = x.squaredNorm() - 0.25;
  g = 2e-5 * (x.array() - 1).matrix() + 4 * outside * x;
  return 1e-5 * (x.array() - 1).square().sum() + outside * outside;
}
// All coefficients are equal there: 10⁻⁵ (t − 1) + 2 t (n t² − ¼) = 0.
double least_penalty_1(Index n) {
  double t = 0.5 / std::sqrt(static_cast<double>(n));
  const auto m = static_cast<double>(n);
  for (int k = 0; k < 50; ++k) {
    t -= (1e-5 * (t - 1) + 2 * t * (m * t * t - 0.25)) / (1e-5 + 6 * m * t * t - 0.5);
  }
  return 1e-5 * m * (t - 1) * (t - 1) + (m * t * t - 0.25) * (m * t * t - 0.25);
}
// (25) Σ (xᵢ − 1)² + s² + s⁴, s = Σ i (xᵢ − 1).
double variably_dimensioned(const VectorXd& x, VectorXd& g) {
  double s = 0;
  for (Index i = 0; i < x.size(); ++i) s += static_cast<double>(i + 1) * (x[i] - 1);
  for (Index i = 0; i < x.size(); ++i) {
    g[i] = 2 * (x[i] - 1) + static_cast<double>(i + 1) * (2 * s + 4 * s * s * s);
  }
  return (x.array() - 1).square().sum() + s * s + s * s * s * s;
}
// (26) Σᵢ (n − Σⱼ cos xⱼ + i (1 − cos xᵢ) − sin xᵢ)².
double trigonometric(const VectorXd& x, VectorXd& g) {
  const Index n = x.size();
  const Eigen::ArrayXd c = x.array().cos(), s = x.array().sin();
  const Eigen::ArrayXd i = Eigen::ArrayXd::LinSpaced(n, 1, static_cast<double>(n));
  const Eigen::ArrayXd r = (1 - c).sum() + i * (1 - c) - s;
  g = (2 * r.sum() * s + 2 * r * (i * s - c)).matrix();
  return r.square().sum();
}
// (30) Σ ((3 − 2xᵢ) xᵢ − xᵢ₋₁ − 2xᵢ₊₁ + 1)².
double broyden_tridiagonal(const VectorXd& x, VectorXd& g) {
  const Index n = x.size();
  double loss = 0;
  g.setZero();
  for (Index i = 0; i < n; ++i) {
    const double r =
        (3 - 2 * x[i]) * x[i] - (i > 0 ? x[i - 1] : 0) - 2 * (i + 1 < n ? x[i + 1] : 0) + 1;
    loss += r * r;
    g[i] += 2 * r * (3 - 4 * x[i]);
    if (i > 0) g[i - 1] -= 2 * r;
    if (i + 1 < n) g[i + 1] -= 4 * r;
  }
  return loss;
}

std::vector<Large> problems() {
  const auto zero = [](Index) { return 0.0; };
  return {
      {"extended Rosenbrock", extended_rosenbrock,
       [](Index i, Index) { return i % 2 == 0 ? -1.2 : 1.0; }, zero},
      {"extended Powell", extended_powell,
       [](Index i, Index) {
         return std::vector<double>{3, -1, 0, 1}[std::size_t(i % 4)];
       },
       zero},
      {"penalty I", penalty_1, [](Index i, Index) { return static_cast<double>(i + 1); },
       least_penalty_1},
      {"variably dimensioned", variably_dimensioned,
       [](Index i, Index n) { return 1 - static_cast<double>(i + 1) / static_cast<double>(n); },
       zero},
      {"trigonometric", trigonometric, [](Index, Index n) { return 1 / static_cast<double>(n); },
       zero},
      {"Broyden tridiagonal", broyden_tridiagonal, [](Index, Index) { return -1.0; }, zero},
  };
}

}  // namespace

TEST_CASE("the gradients of the large problems are right", "[solver][large]") {
  for (const Large& problem : problems()) {
    for (const Index n : {4, 12, 40}) {
      CAPTURE(problem.name, n);
      const VectorXd x0 = problem.x0(n);
      for (const double factor : {1.0, 0.7}) {
        const auto check = check_gradient(problem, factor * x0);
        CAPTURE(check.message());
        CHECK(check.ok());
      }
    }
  }
  // As published: for n = 4 and n = 10.
  CHECK(least_penalty_1(4) == Approx(2.24997e-5).epsilon(1e-5));
  CHECK(least_penalty_1(10) == Approx(7.08765e-5).epsilon(1e-5));
}

TEST_CASE("large problems are solved within bounded evaluations", "[solver][large]") {
  struct Row {
    std::string name;
    Index n;
    // 0: from so far away, the solver ends in another minimum, or the problem is small enough already.
    std::int64_t lbfgs, lbfgsb, conjugate_gradient, truncated_newton, barzilai_borwein;
  };
  const std::vector<Row> rows{
      {"extended Rosenbrock", 100'000, 48, 70, 110, 120, 150},
      {"extended Powell", 10'000, 60, 60, 400, 140, 600},
      {"extended Powell", 100'000, 60, 60, 0, 140, 0},
      {"penalty I", 10'000, 110, 120, 160, 250, 180},
      {"penalty I", 100'000, 120, 120, 110, 350, 0},
      {"variably dimensioned", 1000, 80, 80, 60, 120, 80},
      {"trigonometric", 1000, 90, 100, 160, 240, 140},
      {"Broyden tridiagonal", 1000, 50, 50, 110, 65, 60},
      {"Broyden tridiagonal", 100'000, 0, 0, 120, 90, 0},
  };
  const auto all = problems();
  for (const Row& row : rows) {
    const auto problem =
        std::find_if(all.begin(), all.end(), [&](const Large& p) { return p.name == row.name; });
    const auto check = [&](std::int64_t most, const char* solver_name, const auto& solver) {
      if (most == 0) return;
      auto copy = solver;
      const auto result = minimize(*problem, problem->x0(row.n), copy, {.max_evaluations = 2000});
      CAPTURE(row.name, row.n, solver_name, result.message(), result.loss);
      CHECK(result.status == Status::GradientTolerance);
      CHECK(std::abs(result.loss - problem->least(row.n)) <= 2e-5);
      CHECK(result.gradient_evaluations <= most);
    };
    check(row.lbfgs, "LBFGS", LBFGS());
    check(row.lbfgsb, "LBFGSB", LBFGSB());
    check(row.conjugate_gradient, "ConjugateGradient", ConjugateGradient());
    check(row.truncated_newton, "TruncatedNewton", TruncatedNewton());
    check(row.barzilai_borwein, "BarzilaiBorwein", BarzilaiBorwein());
  }
}

namespace {

MatrixXd read_csv(const std::string& name) {
  std::ifstream file(std::string(DESCENT_TEST_DATA_DIR) + "/../../examples/data/" + name);
  REQUIRE(file);
  std::string line;
  std::getline(file, line);
  std::vector<double> numbers;
  Index rows = 0;
  for (; std::getline(file, line); ++rows) {
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, ',');) numbers.push_back(std::stod(cell));
  }
  using RowMajor = Eigen::Matrix<double, -1, -1, Eigen::RowMajor>;
  return Eigen::Map<RowMajor>(numbers.data(), rows, Index(numbers.size()) / rows);
}
// What was found outside, by fit, in the order of the file.
std::map<std::string, std::vector<double>> read_reference(const std::string& name) {
  std::ifstream file(std::string(DESCENT_TEST_DATA_DIR) + "/../../examples/data/" + name);
  REQUIRE(file);
  std::map<std::string, std::vector<double>> values;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    const auto first = line.find(','), second = line.find(',', first + 1);
    values[line.substr(0, first)].push_back(std::stod(line.substr(second + 1)));
  }
  return values;
}

template <class Visit>
void visit_smooth_solvers(const Visit& visit) {
  visit("LBFGS", LBFGS());
  visit("LBFGS, Hager-Zhang", LBFGS({}, hager_zhang()));
  visit("LBFGSB", LBFGSB());
  visit("ConjugateGradient", ConjugateGradient());
  visit("ConjugateGradient, Hager-Zhang",
        ConjugateGradient({.formula = Conjugacy::hager_zhang}, hager_zhang()));
  visit("BarzilaiBorwein", BarzilaiBorwein());
  visit("TruncatedNewton", TruncatedNewton());
  visit("FISTA", FISTA(proximal_l1(0.0)));
}

}  // namespace

TEST_CASE("outside optima of a logistic regression are found by every smooth solver",
          "[solver][data]") {
  const MatrixXd table = read_csv("breast_cancer/breast_cancer.csv");
  MatrixXd Z = table.leftCols(30).rowwise() - table.leftCols(30).colwise().mean();
  for (Index j = 0; j < 30; ++j) Z.col(j) /= Z.col(j).norm() / std::sqrt(569.0);
  const LogisticRegression model(Z, VectorXd(table.col(30)), {.intercept = true});
  const auto reference = read_reference("breast_cancer/reference.csv");
  for (const std::string fit : {"ridge_1", "ridge_2"}) {
    // λ, loss, errors, bias, coefficients
    const std::vector<double>& values = reference.at(fit);
    VectorXd w(31);
    w << Eigen::Map<const VectorXd>(values.data() + 4, 30), values[3];
    const auto ridge = l2(model, values[0]);
    const auto check = [&](const char* name, const auto& solver) {
      auto copy = solver;
      const auto result = minimize(ridge, VectorXd::Zero(31), copy,
                                   {.max_evaluations = 5000, .gradient_tolerance = 1e-9});
      CAPTURE(fit, name, result.message(), result.gradient_evaluations);
      CHECK(result.converged());
      CHECK(result.loss == Approx(values[1]).epsilon(1e-13));
      CHECK((result.x - w).cwiseAbs().maxCoeff() <= 1e-6);
    };
    visit_smooth_solvers(check);
    check("SteepestDescent", SteepestDescent());
  }
}

// The digits: 650 coefficients of a softmax regression.
TEST_CASE("outside optima of a softmax regression are found", "[solver][data]") {
  const MatrixXd table = read_csv("digits/digits.csv");
  const MatrixXd X = table.topLeftCorner(1437, 64) / 16;
  const SoftmaxRegression model(X, VectorXd(table.col(64).head(1437)), {.intercept = true});
  const auto reference = read_reference("digits/reference.csv");
  const std::vector<double>& values = reference.at("softmax");
  const auto ridge = l2(model, values[0]);
  const auto check = [&](const char* name, const auto& solver) {
    auto copy = solver;
    const auto result = minimize(ridge, VectorXd::Zero(650), copy,
                                 {.max_evaluations = 5000, .gradient_tolerance = 1e-7});
    CAPTURE(name, result.message(), result.gradient_evaluations);
    CHECK(result.converged());
    CHECK(result.loss == Approx(values[1]).epsilon(1e-9));
  };
  visit_smooth_solvers(check);
}
