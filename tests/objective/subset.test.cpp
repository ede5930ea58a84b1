#include <descent/objective/subset.hpp>

#include <descent/core/validation.hpp>
#include <descent/minimize.hpp>
#include <descent/objective/l2.hpp>
#include <descent/objective/linear_regression.hpp>
#include <descent/optimizer/sgd.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/problems.hpp"
#include "support/refusal.hpp"

#include <Eigen/Core>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using namespace descent;
using namespace descent_test;
using Eigen::Index, Eigen::VectorXd;

namespace {

/// The rows that the indices name, in a model of their own.
auto copied(const RegressionData& data, const std::vector<Index>& rows) {
  Eigen::MatrixXd X(Index(rows.size()), data.X.cols());
  VectorXd y(Index(rows.size()));
  for (Index k = 0; k < y.size(); ++k) {
    X.row(k) = data.X.row(rows[std::size_t(k)]);
    y[k] = data.y[rows[std::size_t(k)]];
  }
  return LinearRegression(std::move(X), std::move(y));
}

/// Its batches tell their loss with the gradient alone.
struct Together {
  LinearRegression<Owned<Eigen::MatrixXd>, Owned<VectorXd>> model;
  Index size() const { return model.size(); }
  double loss_and_gradient(const VectorXd& w, VectorXd& g) const {
    return model.loss_and_gradient(w, g);
  }
  double loss_and_gradient(const VectorXd& w, Batch batch, VectorXd& g) const {
    return model.loss_and_gradient(w, batch, g);
  }
};

const std::vector<Index> some = {7, 2, 3, 11, 2};

}  // namespace

TEST_CASE("a subset is the model of its samples") {
  const RegressionData data(12, 3, 0.3, 1);
  const LinearRegression model(data.X, data.y);
  const auto f = subset(model, some);
  const auto expected = copied(data, some);
  const VectorXd w = VectorXd::LinSpaced(3, -1, 2);
  const auto close = [](double a, double b) { return std::abs(a - b) <= 1e-14 * std::abs(b); };
  VectorXd g = w, h = w;
  CHECK(f.size() == 5);
  CHECK(f.parameters() == 3);
  CHECK(std::vector<Index>(f.indices().begin(), f.indices().end()) == some);
  CHECK(close(f.loss(w), expected.loss(w)));
  CHECK(close(f.loss_and_gradient(w, g), expected.loss_and_gradient(w, h)));
  CHECK((g - h).norm() <= 1e-14 * h.norm());
  f.gradient(w, g);
  CHECK((g - h).norm() <= 1e-14 * h.norm());

  const std::vector<Index> batch = {4, 0, 3};
  CHECK(close(f.loss(w, batch), expected.loss(w, batch)));
  CHECK(close(f.loss_and_gradient(w, batch, g), expected.loss_and_gradient(w, batch, h)));
  CHECK((g - h).norm() <= 1e-14 * h.norm());
  g.setZero();
  f.gradient(w, batch, g);
  CHECK((g - h).norm() <= 1e-14 * h.norm());

  // What is asked inside are the samples' own numbers.
  const std::vector<Index> inside = {2, 7, 11};
  model.gradient(w, inside, h);
  CHECK(g == h);
}

TEST_CASE("a loss that comes with the gradient alone serves as well") {
  const RegressionData data(12, 3, 0.3, 1);
  const Together inner{copied(data, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11})};
  const auto f = subset(inner, some);
  const VectorXd w = VectorXd::LinSpaced(3, -1, 2);
  const std::vector<Index> batch = {4, 0, 3};
  VectorXd g = w;
  CHECK(f.loss(w) == f.loss_and_gradient(w, g));
  CHECK(f.loss(w, batch) == f.loss_and_gradient(w, batch, g));
  CHECK(std::abs(validation_loss(f, w) - copied(data, some).loss(w)) <= 1e-14 * f.loss(w));
  static_assert(!HasGradient<std::remove_cvref_t<decltype(f)>, VectorXd>);
  static_assert(FiniteSumObjective<std::remove_cvref_t<decltype(f)>, VectorXd>);
}

TEST_CASE("all samples in order, and runs over them, are those of the whole") {
  const RegressionData data(12, 3, 0.3, 1);
  const LinearRegression model(data.X, data.y);
  const auto all = subset(model, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  const MinimizeOptions options{.max_epochs = 3, .batch_size = 4, .seed = 2};
  const auto whole = minimize(model, VectorXd::Zero(3), SGD({.learning_rate = 0.1}), options);
  const auto part = minimize(all, VectorXd::Zero(3), SGD({.learning_rate = 0.1}), options);
  CHECK(part.x == whole.x);
  CHECK(std::abs(part.loss - whole.loss) <= 1e-14 * whole.loss);
}

TEST_CASE("a regularizer around it leaves the intercept of the model inside out") {
  const RegressionData data(12, 3, 0.3, 1);
  const LinearRegression model(data.X, data.y, {.intercept = true});
  const VectorXd w = VectorXd::LinSpaced(4, -1, 2);
  const auto f = subset(model, some);
  CHECK(l2(f, 2).loss(w) - f.loss(w) == Approx(w.head(3).squaredNorm()));
}

TEST_CASE("batches of a subset do not allocate after the first", "[allocation]") {
  const RegressionData data(12, 3, 0.3, 1);
  const LinearRegression model(data.X, data.y);
  const auto f = subset(model, some);
  const VectorXd w = VectorXd::LinSpaced(3, -1, 2);
  const std::vector<Index> batch = {4, 0, 3}, smaller = {1, 1};
  VectorXd g = w;
  double loss = f.loss(w, batch);
  CHECK(allocated_by([&] {
          loss += f.loss_and_gradient(w, batch, g) + f.loss(w) + f.loss_and_gradient(w, g);
          f.gradient(w, batch, g);
        }) == Allocations{});
  CHECK(loss > 0);
}

TEST_CASE("an owned objective and a copy of the subset live on") {
  const RegressionData data(12, 3, 0.3, 1);
  const VectorXd w = VectorXd::LinSpaced(3, -1, 2);
  auto f = subset(copied(data, {7, 2, 3}), {0, 2});
  const auto copy = f;
  const std::vector<Index> batch = {1};
  VectorXd g = w, h = w;
  f.gradient(w, batch, g);
  copy.gradient(w, batch, h);
  CHECK(g == h);
  CHECK(copy.loss(w) == f.loss(w));
}

TEST_CASE("indices outside of the sum are refused") {
  const Line line{VectorXd::LinSpaced(3, -1, 1), VectorXd::LinSpaced(3, 0, 2)};
  const auto of = [&](std::vector<Index> indices) {
    return refusal([&] { (void)subset(line, std::move(indices)); });
  };
  CHECK(of({2, 0}) == "accepted");
  CHECK(of({}) == "subset: indices must be one at least, got none");
  CHECK(of({0, 3}) == "subset: indices[1] must be in [0, 3), got 3");
  CHECK(of({-1}) == "subset: indices[0] must be in [0, 3), got -1");
}
