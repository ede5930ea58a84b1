// CoordinateDescent: the lasso of the reference and of the diabetes data, with FISTA beside it; a logistic loss.
#include <descent/minimize.hpp>
#include <descent/objective/callable.hpp>
#include <descent/objective/elastic_net.hpp>
#include <descent/objective/l2.hpp>
#include <descent/objective/linear_regression.hpp>
#include <descent/objective/standardized.hpp>
#include <descent/solver/coordinate_descent.hpp>
#include <descent/solver/proximal_gradient.hpp>
#include <descent/transform/proximal.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/problems.hpp"
#include "support/reference.hpp"

#include <Eigen/Core>

#include <cmath>

using namespace descent;
using namespace descent_test;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

struct LeastSquares {
  MatrixXd A;
  VectorXd b;
  double loss(const VectorXd& x) const { return 0.5 * (A * x - b).squaredNorm(); }
  void gradient(const VectorXd& x, VectorXd& g) const { g = A.transpose() * (A * x - b); }
};
struct WithProducts : LeastSquares {
  mutable int products = 0;
  void hessian_product(const VectorXd&, const VectorXd& v, VectorXd& product) const {
    ++products;
    product = A.transpose() * (A * v);
  }
};

}  // namespace

TEST_CASE("the lasso's minimum by coordinate descent", "[coordinate_descent]") {
  const Record record = load_record("misc/prox_lasso");
  const LeastSquares f{record.matrix("A"), record.numbers("b")};
  const WithProducts given{f};
  for (const Record& one : record.blocks("case")) {
    const double lambda = one.number("lambda"), least = one.number("minimum");
    const VectorXd wanted = one.numbers("minimizer");
    const auto check = [&](const auto& result) {
      CAPTURE(lambda, result.message());
      CHECK(result.converged());
      CHECK(std::abs(result.loss - least) <= 1e-10);
      CHECK((result.x - wanted).cwiseAbs().maxCoeff() <= 1e-8);
      for (Eigen::Index i = 0; i < wanted.size(); ++i) {
        if (wanted[i] == 0) CHECK(result.x[i] == 0);
      }
      CHECK(result.iterations <= 4);
    };
    const MinimizeOptions options{.gradient_tolerance = 1e-9};
    check(minimize(f, VectorXd::Zero(6), CoordinateDescent({.l1 = lambda}), options));
    check(minimize(given, VectorXd::Ones(6), CoordinateDescent({.l1 = lambda}), options));
  }
  CHECK(given.products >= 12);
}

TEST_CASE("the lasso of the diabetes data, by coordinate descent and by FISTA",
          "[coordinate_descent]") {
  // examples/data/diabetes/reference.csv, z_lasso: columns centered and scaled to unit variance, y centered, alpha = 1.
  constexpr double least = 1533.7687169625892;
  MatrixXd data = read_csv("diabetes/diabetes.csv");
  data.rowwise() -= data.colwise().mean();
  MatrixXd X = data.leftCols(10);
  for (Eigen::Index j = 0; j < 10; ++j) X.col(j) /= std::sqrt(X.col(j).squaredNorm() / 442);
  const VectorXd y = data.col(10);
  const LinearRegression model(X, y);
  const auto check = [&](const auto& result) {
    CAPTURE(result.message());
    CHECK(result.converged());
    CHECK(std::abs(result.loss - least) <= 1e-10 * least);
    CHECK(result.x[2] == Approx(24.831503728185901).epsilon(1e-6));
    CHECK(result.x[0] == 0);  // age
    CHECK(result.x[5] == 0);
    CHECK(result.x[7] == 0);
  };
  const VectorXd x0 = VectorXd::Zero(10);
  check(minimize(model, x0, CoordinateDescent({.l1 = 1}), {.gradient_tolerance = 1e-8}));
  check(minimize(model, x0, FISTA(proximal_l1(1.0)),
                 {.max_iterations = 20'000, .gradient_tolerance = 1e-8}));
}

TEST_CASE("where f is no quadratic the model is made anew", "[coordinate_descent]") {
  Uniform uniform(4);
  const MatrixXd X = uniform.matrix(60, 5);
  const VectorXd y = (X.col(0).array() + 0.3 * X.col(1).array() > 0).cast<double>();
  const auto logistic = objective([&](const VectorXd& w, VectorXd& g) {
    const VectorXd z = X * w;
    const VectorXd p = 1 / (1 + (-z.array()).exp());
    g = X.transpose() * (p - y);
    return (z.array().max(0) + (-z.array().abs()).exp().log1p() - y.array() * z.array()).sum();
  });
  const double l1 = 2, l2 = 0.1;
  const auto result = minimize(logistic, VectorXd::Zero(5), CoordinateDescent({.l1 = l1, .l2 = l2}),
                               {.gradient_tolerance = 1e-9});
  CHECK(result.converged());
  CHECK(result.iterations > 2);
  VectorXd g(5);
  const double f = logistic.loss_and_gradient(result.x, g);
  CHECK(result.loss ==
        Approx(f + l1 * result.x.lpNorm<1>() + 0.5 * l2 * result.x.squaredNorm()).epsilon(1e-14));
  int zeros = 0;
  for (Eigen::Index i = 0; i < 5; ++i) {
    if (result.x[i] == 0) {
      ++zeros;
      CHECK(std::abs(g[i]) <= l1 + 1e-9);
    } else {
      CHECK(std::abs(g[i] + l2 * result.x[i] + std::copysign(l1, result.x[i])) <= 1e-9);
    }
  }
  CHECK(zeros > 0);
  CHECK(zeros < 5);
}

TEST_CASE("least squares by residuals is what the Hessian finds", "[coordinate_descent]") {
  const MatrixXd X = Uniform(1).matrix(40, 12);
  const Eigen::Matrix<double, -1, -1, Eigen::RowMajor> rows = X;
  const VectorXd y = X.col(2) - 2 * X.col(7) + 0.3 * Uniform(2).vector(40) + VectorXd::Ones(40);
  const VectorXd weights = Uniform(3).vector(40).array() + 1;
  const MinimizeOptions options{.gradient_tolerance = 1e-10};
  const auto check = [&](const auto& model) {
    const auto f = elastic_net(l2(l2(model, 0.01), 0.02), 0.16, 0.75);
    // The same, and what it is made of cannot be seen.
    const auto plain = l2(model, 0.03);
    const auto opaque =
        objective([&](const VectorXd& w, VectorXd& g) { return plain.loss_and_gradient(w, g); });
    const VectorXd x0 = Uniform(4).vector(model.parameters());
    const auto a = minimize(f, x0, CoordinateDescent(), options);
    const auto b = minimize(opaque, x0, CoordinateDescent().with(f.proximal_part()), options);
    CHECK(a.converged());
    CHECK(b.converged());
    CHECK(a.iterations <= 3);
    CHECK(a.gradient_evaluations <= 4);
    CHECK((a.x - b.x).cwiseAbs().maxCoeff() <= 1e-9);
    CHECK((a.x.array() == 0).count() == (b.x.array() == 0).count());
    CHECK((a.x.array() == 0).count() >= 4);
    CHECK(a.loss == Approx(f.loss(a.x)).epsilon(1e-14));
  };
  check(LinearRegression(X, y));
  check(LinearRegression(X, y, {.intercept = true}));
  check(LinearRegression(rows, y, {.intercept = true, .weights = weights}));
  check(LinearRegression(X, y, {.weights = weights}));
  check(standardized(LinearRegression(X, y, {.intercept = true, .weights = weights})));
  check(standardized(LinearRegression(X, y)));

  // One coefficient is at its minimum after one sweep, if its curvature is right.
  const LinearRegression one(MatrixXd(X.leftCols(1)), y, {.weights = 10 * weights.cwiseAbs2()});
  const auto once = minimize(l1(one, 0.01), VectorXd::Zero(1), CoordinateDescent({.max_sweeps = 1}),
                             {.max_iterations = 1, .gradient_tolerance = 1e-14});
  CHECK(once.gradient_norm <= 1e-14);
  CHECK(once.x[0] != 0);

  // One number a sample and a few for each coefficient, not n².
  const MatrixXd wide = Uniform(5).matrix(30, 500);
  const LinearRegression model(wide, VectorXd(wide.col(3)));
  Result<VectorXd> result;
  CHECK(allocated_by([&] {
          result = minimize(l1(model, 0.01), VectorXd::Zero(500), CoordinateDescent());
        }).bytes < 100'000);
  CHECK(result.converged());
  CHECK((result.x.array() != 0).count() <= 30);
  const Eigen::MatrixXf narrow = X.cast<float>();
  const LinearRegression single(narrow, Eigen::VectorXf(y.cast<float>()), {.intercept = true});
  CHECK(minimize(l1(single, 0.05), Eigen::VectorXf::Zero(13), CoordinateDescent()).converged());
}

TEST_CASE("CoordinateDescent: types, memory, arguments", "[coordinate_descent][allocation]") {
  CHECK(minimize(Bowl{}, Eigen::Vector3f::Zero(), CoordinateDescent({.l1 = 0.1})).converged());
  Result<Eigen::Vector4d> fixed;
  fixed.x.setZero();
  CHECK(allocated_by([&] {
          fixed = minimize(Bowl{}, Eigen::Vector4d(1, 2, 3, 4), CoordinateDescent({.l1 = 2.5}));
        }) == Allocations{});
  CHECK(fixed.converged());
  // (i + 1)(x − 1) + 2.5 sign x = 0, or x = 0 where i + 1 ≤ 2.5.
  CHECK((fixed.x - Eigen::Vector4d(0, 0, 1 - 2.5 / 3, 1 - 2.5 / 4)).norm() <= 1e-9);
  CHECK(minimize(l1(Bowl{}, 2.5), Eigen::Vector4d(1, 2, 3, 4), CoordinateDescent()).x == fixed.x);
  CHECK_THROWS_WITH(CoordinateDescent({.l1 = -1}),
                    "CoordinateDescent: l1 must be in [0, inf), got -1");
  CHECK_THROWS_WITH(CoordinateDescent({.l2 = -1}),
                    "CoordinateDescent: l2 must be in [0, inf), got -1");
  CHECK_THROWS_WITH(CoordinateDescent({.max_sweeps = 0}),
                    "CoordinateDescent: max_sweeps must be at least 1, got 0");
}
