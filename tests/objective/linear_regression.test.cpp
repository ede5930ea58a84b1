#include <descent/objective/linear_regression.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/problems.hpp"

#include <descent/objective/check_gradient.hpp>

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <vector>

using namespace descent;
using namespace descent_test;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

/// As the formula is written, in long double.
struct Naive {
  long double loss = 0;
  std::vector<long double> gradient;
};
template <class X, class Y, class W>
Naive naive(const X& x, const Y& y, const W& w, const std::vector<Index>& samples) {
  Naive result;
  result.gradient.resize(static_cast<std::size_t>(x.cols()));
  const auto n = static_cast<long double>(samples.size());
  for (const Index i : samples) {
    long double residual = -static_cast<long double>(y(i));
    for (Index j = 0; j < x.cols(); ++j) {
      residual += static_cast<long double>(x(i, j)) * static_cast<long double>(w(j));
    }
    result.loss += residual * residual / (2 * n);
    for (Index j = 0; j < x.cols(); ++j) {
      result.gradient[static_cast<std::size_t>(j)] +=
          residual * static_cast<long double>(x(i, j)) / n;
    }
  }
  return result;
}

std::vector<Index> everyone(Index n) {
  std::vector<Index> all(static_cast<std::size_t>(n));
  std::iota(all.begin(), all.end(), Index{0});
  return all;
}

template <class Model, class X, class Y, class V>
void check_against_formula(const Model& model, const X& x, const Y& y, const V& w,
                           const std::vector<Index>& batch) {
  using Scalar = typename V::Scalar;
  const double tolerance = 64 * static_cast<double>(std::numeric_limits<Scalar>::epsilon()) *
                           (1 + static_cast<double>(w.template lpNorm<1>())) *
                           std::sqrt(static_cast<double>(x.rows()));
  const auto check = [&](double loss, const V& g, const Naive& expected) {
    CHECK(std::abs(loss - static_cast<double>(expected.loss)) <=
          tolerance * (1 + static_cast<double>(expected.loss)));
    REQUIRE(g.size() == x.cols());
    for (Index j = 0; j < g.size(); ++j) {
      const auto exact = static_cast<double>(expected.gradient[static_cast<std::size_t>(j)]);
      CHECK(std::abs(static_cast<double>(g(j)) - exact) <= tolerance * (1 + std::abs(exact)));
    }
  };
  V g = w, h = w;
  const double loss = model.loss_and_gradient(w, g);
  check(loss, g, naive(x, y, w, everyone(x.rows())));
  CHECK(model.loss(w) == loss);
  model.gradient(w, h);
  CHECK(h == g);

  const double batch_loss = model.loss_and_gradient(w, Batch(batch), g);
  check(batch_loss, g, naive(x, y, w, batch));
  CHECK(model.loss(w, Batch(batch)) == batch_loss);
  model.gradient(w, Batch(batch), h);
  CHECK(h == g);
}

}  // namespace

TEST_CASE("loss and gradient are those of the formula, whatever holds the data") {
  Uniform uniform(1);
  for (const Index n : {1, 2, 7, 63, 64, 255, 256, 257, 600}) {
    for (const Index d : {1, 3, 17, 40}) {
      CAPTURE(n, d);
      const MatrixXd X = uniform.matrix(n, d);
      const VectorXd y = uniform.vector(n), w = uniform.vector(d);
      const std::vector<Index> batch{n - 1, 0, n / 2, 0};
      check_against_formula(LinearRegression(X, y), X, y, w, batch);
      using RowMajor = Eigen::Matrix<double, -1, -1, Eigen::RowMajor>;
      const RowMajor rows = X;
      check_against_formula(LinearRegression(rows, y), X, y, w, batch);
      const Eigen::MatrixXf Xf = X.cast<float>();
      const Eigen::VectorXf yf = y.cast<float>(), wf = w.cast<float>();
      check_against_formula(LinearRegression(Xf, yf), Xf, yf, wf, batch);
    }
  }
  const Eigen::Matrix<double, 20, 3> X = uniform.matrix(20, 3);
  const Eigen::Matrix<double, 20, 1> y = uniform.vector(20);
  const Eigen::Vector3d w = uniform.vector(3);
  const std::vector<Index> batch{3, 19};
  check_against_formula(LinearRegression(X, y), X, y, w, batch);
  const VectorXd dynamic = w;
  check_against_formula(LinearRegression(X, y), X, y, dynamic, batch);

  std::vector<double> memory(X.data(), X.data() + X.size());
  const Eigen::Map<const MatrixXd> mapped(memory.data(), 20, 3);
  const Eigen::Map<const VectorXd, 0, Eigen::InnerStride<2>> spread(memory.data(), 20);
  check_against_formula(LinearRegression(mapped, spread), MatrixXd(mapped), VectorXd(spread), w,
                        batch);
}

TEST_CASE("the gradient is that of the loss") {
  const RegressionData data(30, 6, 0.5, 4);
  const LinearRegression model(data.X, data.y);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CHECK(check_gradient(model, Uniform(seed).vector(6)).ok());
  }
}

TEST_CASE("the mean over all batches of an epoch is the full gradient") {
  const RegressionData data(12, 3, 0.5, 4);
  const LinearRegression model(data.X, data.y);
  const VectorXd w = VectorXd::Ones(3);
  VectorXd full(3), sum = VectorXd::Zero(3), g(3);
  model.gradient(w, full);
  for (Index i = 0; i < 12; ++i) {
    const std::vector<Index> one{i};
    model.gradient(w, Batch(one), g);
    sum += g;
  }
  CHECK((sum / 12 - full).cwiseAbs().maxCoeff() < 1e-15);
  CHECK(model.size() == 12);
}

TEST_CASE("data given by name is referred to, the rest is owned") {
  const RegressionData data(9, 2, 0.1, 1);
  MatrixXd X = data.X;
  VectorXd y = data.y;
  const VectorXd w = VectorXd::Ones(2);
  const LinearRegression refers(X, y);
  const LinearRegression owns{MatrixXd(X), VectorXd(y)};
  const LinearRegression views(X.topRows(5), y.head(5));
  const double loss = owns.loss(w), part = views.loss(w);
  X *= 2;
  y.setZero();
  CHECK(owns.loss(w) == loss);
  CHECK(views.loss(w) == part);
  CHECK(refers.loss(w) == LinearRegression(X, y).loss(w));
  CHECK(refers.loss(w) != loss);
  const auto copy = owns;
  CHECK(copy.loss(w) == loss);
}

TEST_CASE("empty data and sizes that differ are refused") {
  const MatrixXd X = MatrixXd::Ones(4, 2);
  const VectorXd y = VectorXd::Ones(4);
  CHECK_THROWS_WITH(LinearRegression(MatrixXd(0, 2), VectorXd(0)),
                    "LinearRegression: X must be at least 1 x 1, got 0 x 2");
  CHECK_THROWS_WITH(LinearRegression(MatrixXd(4, 0), y),
                    "LinearRegression: X must be at least 1 x 1, got 4 x 0");
  CHECK_THROWS_WITH(
      LinearRegression(X, VectorXd(VectorXd::Ones(5))),
      "LinearRegression: y must be one coefficient a row of X, 4, got 5 coefficients");
  const LinearRegression model(X, y);
  VectorXd g(3);
  CHECK_THROWS_WITH(
      model.loss(VectorXd(VectorXd::Ones(3))),
      "LinearRegression: w must be one coefficient a column of X, 2, got 3 coefficients");
  CHECK_THROWS_AS(model.loss_and_gradient(VectorXd(VectorXd::Ones(3)), g), std::invalid_argument);
}

TEMPLATE_TEST_CASE("nothing of the size of the data is allocated", "", MatrixXd,
                   (Eigen::Matrix<double, -1, -1, Eigen::RowMajor>)) {
  for (const Index n : {10, 10'000}) {
    const TestType X = MatrixXd::Ones(n, 5);
    const VectorXd y = VectorXd::Ones(n), w = VectorXd::Ones(5);
    const LinearRegression model(X, y);
    VectorXd g(5);
    const auto batch = everyone(n);
    double sum = 0;
    const auto evaluate = [&] {
      sum += model.loss(w);
      sum += model.loss_and_gradient(w, g);
      model.gradient(w, g);
      sum += model.loss_and_gradient(w, Batch(batch), g);
    };
    // A vector like w, for the sums of chunks, which Eigen may have to align by itself.
    CHECK(allocated_by(evaluate).bytes <= 100 + EIGEN_DEFAULT_ALIGN_BYTES);
    CHECK(allocated_by(evaluate) == Allocations{});
    CHECK(sum == Approx(2 * 3 * 8.0));
  }
}
