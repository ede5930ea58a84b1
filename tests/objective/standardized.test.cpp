// standardized: against a copy of the data that was standardized, and against optima found outside.
#include <descent/objective/standardized.hpp>

#include <descent/minimize.hpp>
#include <descent/objective/elastic_net.hpp>
#include <descent/objective/l2.hpp>
#include <descent/objective/linear_regression.hpp>
#include <descent/objective/logistic_regression.hpp>
#include <descent/objective/softmax_regression.hpp>
#include <descent/solver/lbfgs.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/problems.hpp"

#include <Eigen/Core>
#include <Eigen/SparseCore>

#include <cmath>
#include <cstddef>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace descent;
using namespace descent_test;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

using RowMajor = Eigen::Matrix<double, -1, -1, Eigen::RowMajor>;
using Sparse = Eigen::SparseMatrix<double, Eigen::RowMajor>;

// Features in units of their own, with zeros, and a constant one at the end.
MatrixXd features(Index n) {
  MatrixXd X = Uniform(5).matrix(n, 5);
  X = (X.array().abs() < 0.4).select(0, X);
  X.col(0) *= 1000;
  X.col(1).array() += 50;
  X.col(2) *= 1e-6;
  X.col(4).setConstant(0.1);
  return X;
}

// Mean and standard deviation as they are defined.
std::pair<VectorXd, VectorXd> moments(const MatrixXd& X, const VectorXd& weights) {
  VectorXd mean(X.cols()), scale(X.cols());
  for (Index j = 0; j < X.cols(); ++j) {
    long double all = 0, sum = 0, squares = 0;
    for (Index i = 0; i < X.rows(); ++i) {
      all += static_cast<long double>(weights[i]);
      sum += static_cast<long double>(weights[i]) * static_cast<long double>(X(i, j));
    }
    for (Index i = 0; i < X.rows(); ++i) {
      const auto d = static_cast<long double>(X(i, j)) - sum / all;
      squares += static_cast<long double>(weights[i]) * d * d;
    }
    mean[j] = static_cast<double>(sum / all);
    scale[j] = static_cast<double>(std::sqrt(squares / all));
  }
  return {mean, scale};
}

MatrixXd standardized_copy(const MatrixXd& X, const VectorXd& weights, bool center) {
  auto [mean, scale] = moments(X, weights);
  scale[4] = 1;
  MatrixXd Z = X;
  if (center) Z.rowwise() -= mean.transpose();
  return Z * scale.cwiseInverse().asDiagonal();
}

// Loss and gradient of f, whole and of a batch, are those of g; and its parameters are those of the model inside.
template <class V, class F, class G, class Model>
void same(const F& f, const G& explicitly, const Model& model, V v) {
  V a = v, b = v;
  const auto close = [](double x) { return Approx(x).epsilon(1e-11).margin(1e-12); };
  CHECK(f.loss_and_gradient(v, a) == close(explicitly.loss_and_gradient(v, b)));
  CHECK((a - b).cwiseAbs().maxCoeff() <= 1e-11 * (1 + b.cwiseAbs().maxCoeff()));
  CHECK(f.loss(v) == close(explicitly.loss(v)));
  V c = v;
  f.gradient(v, c);
  CHECK(c == a);
  const std::vector<Index> batch{3, 0, 3, 7};
  CHECK(f.loss_and_gradient(v, Batch(batch), a) ==
        close(explicitly.loss_and_gradient(v, Batch(batch), b)));
  CHECK((a - b).cwiseAbs().maxCoeff() <= 1e-11 * (1 + b.cwiseAbs().maxCoeff()));
  CHECK(f.loss(v, Batch(batch)) == close(explicitly.loss(v, Batch(batch))));
  f.gradient(v, Batch(batch), c);
  CHECK(c == a);

  const V w = f.coefficients(v);
  CHECK(model.loss(w) == f.loss(v));
  CHECK((f.standardize(w) - v).cwiseAbs().maxCoeff() <= 1e-12 * v.cwiseAbs().maxCoeff());
  CHECK(f.size() == model.size());
  CHECK(f.parameters() == v.size());
}

// A model with the Hessian that least squares has.
struct WithHessian : LinearRegression<Referred<MatrixXd>, Referred<VectorXd>> {
  using LinearRegression::LinearRegression;
  void hessian_product(const VectorXd&, const VectorXd& v, VectorXd& product) const {
    const VectorXd z = (data() * v.head(5)).array() + v[5];
    product << data().transpose() * z, z.sum();
    product /= static_cast<double>(size());
  }
};

}  // namespace

TEST_CASE("it is the model of a copy that was standardized, however the data is held",
          "[standardized]") {
  const MatrixXd X = features(40);
  const RowMajor rows = X;
  const Sparse sparse = X.sparseView();
  const VectorXd y = Uniform(6).vector(40), labels = (y.array() > 0).cast<double>();
  const VectorXd classes = (y.array() * 1.49 + 1.5).floor();
  const VectorXd weights = Uniform(7).vector(40).array() + 1, ones = VectorXd::Ones(40);
  const VectorXd v6 = Uniform(8).vector(6), v5 = v6.head(5);
  const MatrixXd V = Uniform(9).matrix(6, 3);

  const MatrixXd Z = standardized_copy(X, ones, true), S = standardized_copy(X, ones, false),
                 W = standardized_copy(X, weights, true);
  const auto check = [&](const auto& data) {
    const LinearRegression model(data, y, {.intercept = true});
    same(standardized(model), LinearRegression(Z, y, {.intercept = true}), model, v6);
    const LinearRegression through_zero(data, y);
    same(standardized(through_zero), LinearRegression(S, y), through_zero, v5);
    const LogisticRegression weighted(data, labels, {.intercept = true, .weights = weights});
    same(standardized(weighted),
         LogisticRegression(W, labels, {.intercept = true, .weights = weights}), weighted, v6);
    const SoftmaxRegression softmax(data, classes, {.classes = 3, .intercept = true});
    const SoftmaxRegression explicitly(Z, classes, {.classes = 3, .intercept = true});
    same(standardized(softmax), explicitly, softmax, V);
    same(standardized(softmax), explicitly, softmax, VectorXd(V.reshaped()));
    const auto ridge = l2(standardized(softmax), 0.3);
    same(standardized(softmax), explicitly, softmax, V);
    CHECK(ridge.loss(V) == Approx(l2(explicitly, 0.3).loss(V)).epsilon(1e-12));
  };
  check(X);
  check(rows);
  check(sparse);
  const Eigen::MatrixXf narrow = X.cast<float>();
  const LinearRegression single(narrow, y, {.intercept = true});
  Eigen::VectorXf g(6);
  VectorXd h(6);
  const double loss = LinearRegression(Z, y, {.intercept = true}).loss_and_gradient(v6, h);
  CHECK(standardized(single).loss_and_gradient(Eigen::VectorXf(v6.cast<float>()), g) ==
        Approx(loss).epsilon(1e-4));
  CHECK((g.cast<double>() - h).cwiseAbs().maxCoeff() < 1e-3);
}

TEST_CASE("mean and standard deviation", "[standardized]") {
  // Far from 0, where a sum of squares would leave nothing.
  MatrixXd X = Uniform(1).matrix(300, 4);
  X.col(1).array() += 1e9;
  X.col(2).array() += 1e5;
  X.col(3).setConstant(1e9);
  X(7, 3) = std::nextafter(1e9, 2e9);  // which is no variation to speak of
  const VectorXd y = Uniform(2).vector(300), weights = Uniform(3).vector(300).array() + 1,
                 ones = VectorXd::Ones(300);
  const Sparse sparse = X.sparseView();
  for (const bool weighted : {false, true}) {
    const auto [mean, scale] = moments(X, weighted ? weights : ones);
    const auto check = [&, &mean = mean, &scale = scale](const auto& data) {
      const LinearRegression model(data, y,
                                   {.intercept = true, .weights = weighted ? weights : VectorXd()});
      const auto f = standardized(model);
      for (Index j = 0; j < 4; ++j) {
        CHECK(f.mean()[j] == Approx(mean[j]).epsilon(1e-15).margin(1e-15));
        // What the data has lost itself, as numbers near 1e9 are 1e-7 apart, is in both.
        CHECK(f.scale()[j] == Approx(j == 3 ? 1 : scale[j]).epsilon(1e-13));
      }
    };
    check(X);
    check(sparse);
  }
  // As a column of three numbers shows: 1, 3 and 8 have mean 4 and variance 26/3, and a zero counts.
  MatrixXd three(4, 1);
  three << 1, 3, 8, 0;
  const LinearRegression model(three, VectorXd(VectorXd::Ones(4)));
  CHECK(standardized(model).mean()[0] == 3);
  CHECK(standardized(model).scale()[0] == std::sqrt(9.5));
  const Sparse few = three.sparseView();
  CHECK(standardized(LinearRegression(few, VectorXd(VectorXd::Ones(4)))).scale()[0] ==
        std::sqrt(9.5));
}

TEST_CASE("outside optima of data in its own units", "[standardized][reference]") {
  SECTION("logistic regression of breast cancer") {
    const MatrixXd table = read_csv("breast_cancer/breast_cancer.csv");
    const MatrixXd X = table.leftCols(30);
    const VectorXd y = table.col(30);
    const auto reference = read_reference("breast_cancer/reference.csv");
    const LogisticRegression model(X, y, {.intercept = true});
    const auto f = standardized(model);
    VectorXd g(31), v(31);
    for (const std::string fit : {"ridge_1", "ridge_2"}) {
      const auto& values = reference.at(fit);  // lambda, loss, errors, bias, coefficients
      v << Eigen::Map<const VectorXd>(values.data() + 4, 30), values[3];
      const auto ridge = l2(f, values[0]);
      CHECK(ridge.loss_and_gradient(v, g) == Approx(values[1]).epsilon(1e-13));
      CHECK(g.cwiseAbs().maxCoeff() <= 1e-13);
      const auto result =
          minimize(ridge, VectorXd::Zero(31), LBFGS(), {.gradient_tolerance = 1e-9});
      CHECK(result.converged());
      CHECK(result.loss == Approx(values[1]).epsilon(1e-13));
      CHECK((result.x - v).cwiseAbs().maxCoeff() <= 1e-6);
      const VectorXd w = f.coefficients(result.x);
      int errors = 0;
      for (Index i = 0; i < 569; ++i) errors += (model.score(w, i) > 0) != (y[i] == 1);
      CHECK(errors == int(values[2]));
    }
    const auto& lasso = reference.at("lasso");
    v << Eigen::Map<const VectorXd>(lasso.data() + 4, 30), lasso[3];
    CHECK(l1(f, lasso[0]).loss(v) == Approx(lasso[1]).epsilon(1e-13));
  }
  SECTION("least squares of diabetes, plain and ridge") {
    const MatrixXd table = read_csv("diabetes/diabetes.csv");
    const LinearRegression model(MatrixXd(table.leftCols(10)), VectorXd(table.col(10)),
                                 {.intercept = true});
    const auto reference = read_reference("diabetes/reference.csv");
    const auto f = standardized(model);
    for (Index j = 0; j < 10; ++j) {
      CHECK(f.mean()[j] == Approx(reference.at("mean")[std::size_t(j) + 1]).epsilon(1e-15));
      CHECK(f.scale()[j] ==
            Approx(reference.at("standard_deviation")[std::size_t(j)]).epsilon(1e-15));
    }
    const auto ols = minimize(f, VectorXd::Zero(11), LBFGS(), {.gradient_tolerance = 1e-9});
    CHECK(ols.converged());
    const VectorXd w = f.coefficients(ols.x);
    const auto& raw = reference.at("raw_ols");  // the intercept comes first
    CHECK(w[10] == Approx(raw[0]).epsilon(1e-8));
    for (Index j = 0; j < 10; ++j) CHECK(w[j] == Approx(raw[std::size_t(j) + 1]).epsilon(1e-7));

    const auto ridge =
        minimize(l2(f, 0.1), VectorXd::Zero(11), LBFGS(), {.gradient_tolerance = 1e-9});
    const auto& wanted = reference.at("z_ridge");
    for (Index j = 0; j < 10; ++j) {
      CHECK(ridge.x[j] == Approx(wanted[std::size_t(j)]).epsilon(1e-8).margin(1e-8));
    }
    CHECK(ridge.x[10] == Approx(reference.at("mean")[0]).epsilon(1e-12));
    CHECK(ridge.loss == Approx(wanted[10]).epsilon(1e-13));
  }
}

TEST_CASE("a product with the Hessian goes through", "[standardized]") {
  const MatrixXd X = features(20), Z = standardized_copy(X, VectorXd::Ones(20), true);
  const VectorXd y = Uniform(2).vector(20), v = Uniform(3).vector(6), u = Uniform(4).vector(6);
  const WithHessian model(X, y, {.intercept = true}), explicitly(Z, y, {.intercept = true});
  static_assert(HasHessianProduct<decltype(l2(standardized(model), 1)), VectorXd>);
  static_assert(!HasHessianProduct<decltype(standardized(LinearRegression(X, y))), VectorXd>);
  VectorXd a(6), b(6);
  l2(standardized(model), 0.5).hessian_product(v, u, a);
  explicitly.hessian_product(v, u, b);
  b.head(5) += 0.5 * u.head(5);
  CHECK((a - b).cwiseAbs().maxCoeff() <= 1e-12);
}

TEST_CASE("nothing allocates after the first evaluation, and calls may run at once",
          "[standardized][allocation]") {
  const MatrixXd X = features(200);
  const LinearRegression model(X, VectorXd(Uniform(2).vector(200)), {.intercept = true});
  const auto f = standardized(model);
  const VectorXd v = Uniform(3).vector(6);
  VectorXd g(6), expected(6);
  const double loss = f.loss_and_gradient(v, expected);
  CHECK(allocated_by([&] { (void)f.loss_and_gradient(v, g); }) == Allocations{});
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      VectorXd mine(6);
      for (int turn = 0; turn < 500; ++turn) {
        wrong[t] += f.loss_and_gradient(v, mine) != loss || mine != expected;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(4, 0));
}

TEST_CASE("data that cannot be standardized", "[standardized][arguments]") {
  MatrixXd X = MatrixXd::Ones(3, 2);
  X(0, 1) = 1e200;
  const VectorXd y = VectorXd::Ones(3);
  CHECK_THROWS_WITH(standardized(LinearRegression(X, y)),
                    "standardized: variance of X(:, 1) must be finite, got inf");
  X(0, 1) = std::numeric_limits<double>::quiet_NaN();
  const LinearRegression model(X, y);
  const auto f = standardized(model);
  VectorXd g(2);
  CHECK(std::isnan(f.loss_and_gradient(VectorXd(VectorXd::Ones(2)), g)));
  for (const auto& wrong : {VectorXd(1), VectorXd(3)}) {
    CHECK_THROWS_AS(f.loss(wrong), std::invalid_argument);
    CHECK_THROWS_AS(f.coefficients(wrong), std::invalid_argument);
    CHECK_THROWS_AS(f.standardize(wrong), std::invalid_argument);
  }
}
