#include <descent/objective/importance.hpp>

#include <descent/core/batches.hpp>
#include <descent/minimize.hpp>
#include <descent/objective/l2.hpp>
#include <descent/objective/linear_regression.hpp>
#include <descent/objective/logistic_regression.hpp>
#include <descent/objective/softmax_regression.hpp>
#include <descent/optimizer/adam.hpp>
#include <descent/optimizer/sgd.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/problems.hpp"
#include "support/refusal.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

using namespace descent;
using namespace descent_test;
using Eigen::Index, Eigen::VectorXd, Eigen::VectorXf;

namespace {

std::vector<double> some_weights(Index n) {
  std::vector<double> weights;
  for (Index i = 0; i < n; ++i) weights.push_back(0.25 + double(i % 5));
  return weights;
}

/// Rows of very different lengths.
RegressionData uneven() {
  RegressionData data(40, 4, 0.1, 6);
  for (Index i = 0; i < 40; ++i) data.X.row(i) *= i % 8 == 0 ? 8 : 0.5;
  data.y = data.X * data.truth;
  return data;
}

/// Σ pᵢ times what a batch of i alone gives is what the full sum gives.
template <class F, class V>
void check_unbiased(const F& inner, const V& x, double tolerance) {
  const auto weights = some_weights(inner.size());
  const auto f = importance(inner, weights);
  const auto p = f.sampling_probabilities();
  V full = x, one = x, mean = V::Zero(x.size());
  inner.gradient(x, full);
  for (Index i = 0; i < inner.size(); ++i) {
    f.gradient(x, Batch(&i, 1), one);
    mean += static_cast<typename V::Scalar>(p[std::size_t(i)]) * one;
  }
  CHECK(double((mean - full).norm()) <= tolerance * double(full.norm()));
  if constexpr (requires(const Index& i) { inner.loss_and_gradient(x, Batch(&i, 1), one); }) {
    double loss = 0, other = 0;
    for (Index i = 0; i < inner.size(); ++i) {
      V same = x;
      f.gradient(x, Batch(&i, 1), same);
      const double its = f.loss_and_gradient(x, Batch(&i, 1), one);
      loss += p[std::size_t(i)] * its;
      CHECK(one == same);
      other += p[std::size_t(i)] * f.loss(x, Batch(&i, 1));
    }
    CHECK(std::abs(loss - inner.loss(x)) <= tolerance * std::abs(inner.loss(x)));
    CHECK(std::abs(other - inner.loss(x)) <= tolerance * std::abs(inner.loss(x)));
  }
}

}  // namespace

TEST_CASE("the mean over draws is the full gradient, whatever the probabilities") {
  const RegressionData data(15, 4, 0.3, 1);
  const VectorXd w = VectorXd::LinSpaced(4, -1, 2);
  const LinearRegression squares(data.X, data.y);
  check_unbiased(squares, w, 1e-14);
  check_unbiased(l2(squares, 0.3), w, 1e-14);
  const Eigen::MatrixXf X = data.X.cast<float>();
  const VectorXf y = data.y.cast<float>();
  check_unbiased(LinearRegression(X, y), VectorXf(w.cast<float>()), 1e-6);

  const VectorXd classes = (data.y.array() > 0).select(VectorXd::Ones(15), 0.0);
  const VectorXd sample_weights = VectorXd::LinSpaced(15, 0, 3);
  const VectorXd with_constant = VectorXd::LinSpaced(5, -1, 2);
  check_unbiased(
      LogisticRegression(data.X, classes, {.intercept = true, .weights = sample_weights}),
      with_constant, 1e-14);
  check_unbiased(SoftmaxRegression(data.X, classes, {.classes = 3}),
                 VectorXd(VectorXd::LinSpaced(12, -1, 1)), 1e-14);
  check_unbiased(Line{data.X.col(0), data.y}, VectorXd(VectorXd::LinSpaced(2, -1, 1)), 1e-14);
}

TEST_CASE("a batch is the mean of its samples, each divided by n p") {
  const RegressionData data(6, 3, 0.3, 2);
  const LinearRegression inner(data.X, data.y);
  const std::vector<double> weights = {1, 2, 3, 4, 5, 5};  // p = 1/20, ...
  const auto f = importance(inner, weights);
  const VectorXd w = VectorXd::LinSpaced(3, 1, 2);
  const std::vector<Index> batch = {4, 0, 4};
  VectorXd expected = VectorXd::Zero(3), g = w;
  double loss = 0;
  for (const Index i : batch) {
    const double share = 20 / (6 * weights[std::size_t(i)]) / 3;
    const double residual = data.X.row(i).dot(w) - data.y[i];
    expected += share * residual * data.X.row(i).transpose();
    loss += share * 0.5 * residual * residual;
  }
  f.gradient(w, batch, g);
  CHECK((g - expected).norm() <= 1e-14 * expected.norm());
  CHECK(std::abs(f.loss_and_gradient(w, batch, g) - loss) <= 1e-14 * loss);
  CHECK((g - expected).norm() <= 1e-14 * expected.norm());
  CHECK(std::abs(f.loss(w, batch) - loss) <= 1e-14 * loss);
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(f.sampling_probabilities()[i] == weights[i] / 20);
  }
}

TEST_CASE("with equal probabilities batches are those of the objective inside") {
  const RegressionData data(8, 3, 0.3, 2);
  const LinearRegression inner(data.X, data.y);
  const auto f = importance(inner, VectorXd(VectorXd::Constant(8, 7)));
  const VectorXd w = VectorXd::LinSpaced(3, 1, 2);
  const std::vector<Index> batch = {4, 0, 7};
  VectorXd g = w, expected = w;
  f.gradient(w, batch, g);
  inner.gradient(w, batch, expected);
  CHECK((g - expected).norm() <= 1e-15 * expected.norm());
}

TEST_CASE("the full sum is that of the objective inside, to the bit") {
  const RegressionData data(8, 3, 0.3, 2);
  const LinearRegression inner(data.X, data.y);
  const auto f = importance(inner, some_weights(8));
  const VectorXd w = VectorXd::LinSpaced(3, 1, 2);
  VectorXd g = w, expected = w;
  CHECK(f.loss(w) == inner.loss(w));
  CHECK(f.loss_and_gradient(w, g) == inner.loss_and_gradient(w, expected));
  CHECK(g == expected);
  f.gradient(w, g);
  CHECK(g == expected);
  CHECK(f.size() == 8);
}

TEST_CASE("minimize draws as the objective says, from the alias table") {
  const Line line{VectorXd::LinSpaced(6, -1, 1), VectorXd::LinSpaced(6, 0, 2)};
  const std::vector<double> weights = {1, 1, 1, 1, 1, 5};
  const auto f = importance(line, weights);
  (void)minimize(
      f, VectorXd::Zero(2), SGD({.learning_rate = 1e-3}),
      {.max_iterations = 2000, .batch_size = 3, .sampling = with_replacement, .seed = 4});
  Batches batches(6, 3, with_replacement, 4, {.probabilities = weights});
  std::vector<Index> drawn;
  for (int k = 0; k < 2000; ++k) {
    const Batch batch = batches.next();
    drawn.insert(drawn.end(), batch.begin(), batch.end());
  }
  CHECK(line.asked == drawn);
  CHECK(std::abs(double(std::count(drawn.begin(), drawn.end(), 5)) - 3000) < 5 * std::sqrt(1500.0));
}

TEST_CASE("decorators pass the probabilities on to minimize") {
  const RegressionData data(8, 3, 0.3, 2);
  const LinearRegression inner(data.X, data.y, {.intercept = true});
  const auto drawn = importance(inner, some_weights(8));
  const auto f = l2(drawn, 0.5);
  REQUIRE(f.sampling_probabilities().size() == 8);
  CHECK(f.sampling_probabilities()[3] == drawn.sampling_probabilities()[3]);
  CHECK_THAT(refusal([&] { (void)minimize(f, VectorXd::Zero(4), SGD()); }),
             ContainsSubstring("with_replacement"));
  VectorXd w = VectorXd::LinSpaced(4, 1, 2), full = w, one = w, mean = VectorXd::Zero(4);
  l2(inner, 0.5).gradient(w, full);  // whose intercept is not penalized, nor is it here
  for (Index i = 0; i < 8; ++i) {
    f.gradient(w, Batch(&i, 1), one);
    mean += f.sampling_probabilities()[std::size_t(i)] * one;
  }
  CHECK((mean - full).norm() <= 1e-14 * full.norm());
}

TEST_CASE("a shuffle does not go with probabilities, and minimize says so") {
  const Line line{VectorXd::LinSpaced(6, -1, 1), VectorXd::LinSpaced(6, 0, 2)};
  const auto f = importance(line, some_weights(6));
  const auto start = VectorXd::Zero(2);
  CHECK_THAT(refusal([&] { (void)minimize(f, start, SGD()); }),
             StartsWith("minimize: sampling must be with_replacement for an objective by "
                        "importance") &&
                 EndsWith("got shuffled"));
  Adam adam;
  (void)minimize(Bowl{}, start, adam, {.max_iterations = 3});
  CHECK(refusal([&] { (void)minimize(f, start, adam, {.batch_size = 2}); }) != "accepted");
  CHECK(adam.steps() == 3);                                                  // as it was
  CHECK(minimize(f, start, Adam(), {.max_iterations = 3}).iterations == 3);  // no samples are drawn

  Batches uniform(6, 2, with_replacement, 1);
  CHECK_THAT(refusal([&] { (void)minimize(f, start, SGD(), {.batches = &uniform}); }),
             ContainsSubstring("made with the objective's sampling_probabilities()"));
  Batches ours(6, 2, with_replacement, 1, {.probabilities = f.sampling_probabilities()});
  CHECK(minimize(f, start, SGD(), {.max_iterations = 5, .batches = &ours}).iterations == 5);
  CHECK(refusal([&] { (void)minimize(line, start, SGD(), {.batches = &ours}); }) != "accepted");
}

TEST_CASE("probabilities are one positive number a sample") {
  const Line line{VectorXd::LinSpaced(3, -1, 1), VectorXd::LinSpaced(3, 0, 2)};
  const auto of = [&](std::vector<double> p) {
    return refusal([&] { (void)importance(line, p); });
  };
  CHECK(of({1, 2, 3}) == "accepted");
  CHECK(of({1, 2}) == "importance: probabilities must be one a sample, 3, got 2 numbers");
  CHECK_THAT(of({1, 0, 2}),
             ContainsSubstring("importance: probabilities[1] must be in (0, inf), got 0"));
  CHECK_THAT(of({1, 2, -1}), ContainsSubstring("probabilities[2]"));
  CHECK_THAT(of({std::nan(""), 2, 1}), ContainsSubstring("probabilities[0]"));
}

TEST_CASE("the probabilities by Lipschitz constants bound the samples' curvatures") {
  const RegressionData data = uneven();
  VectorXd sample_weights = VectorXd::LinSpaced(40, 1, 3);
  const LinearRegression model(data.X, data.y, {.intercept = true, .weights = sample_weights});
  const auto p = lipschitz_probabilities(model);
  sample_weights *= 40 / sample_weights.sum();
  const VectorXd constants = sample_weights.array() * (data.X.rowwise().squaredNorm().array() + 1);
  double sum = 0;
  for (Index i = 0; i < 40; ++i) {
    const double expected = (1 + constants[i] / constants.mean()) / 80;
    CHECK(std::abs(p[std::size_t(i)] - expected) <= 1e-15);
    sum += p[std::size_t(i)];
  }
  CHECK(std::abs(sum - 1) <= 1e-14);

  const Eigen::MatrixXd nothing = Eigen::MatrixXd::Zero(4, 2);
  const VectorXd none = VectorXd::Zero(4);
  for (const double each : lipschitz_probabilities(LinearRegression(nothing, none))) {
    CHECK(each > 0);
  }
}

TEST_CASE("rows of uneven length converge sooner when the long ones are drawn more often") {
  const RegressionData data =
      uneven();  // that some w fits exactly, so that a constant rate converges
  const LinearRegression model(data.X, data.y);
  const auto by_constants = importance(model, lipschitz_probabilities(model));
  const double mean = data.X.rowwise().squaredNorm().mean(),
               largest = data.X.rowwise().squaredNorm().maxCoeff();
  const MinimizeOptions options{
      .max_epochs = 40, .batch_size = 1, .sampling = with_replacement, .seed = 2};
  const VectorXd start = VectorXd::Zero(4);
  const auto plain = minimize(model, start, SGD({.learning_rate = 1 / largest}), options);
  const auto weighted =
      minimize(by_constants, start, SGD({.learning_rate = 1 / (2 * mean)}), options);
  CHECK((weighted.x - data.truth).norm() < 0.1 * (plain.x - data.truth).norm());
}

TEST_CASE("batches do not allocate after the first", "[allocation]") {
  const RegressionData data(8, 3, 0.3, 2);
  const LinearRegression inner(data.X, data.y);
  const auto rows = importance(inner, some_weights(8));
  const auto any = importance(l2(inner, 0.1), some_weights(8));
  const VectorXd w = VectorXd::LinSpaced(3, 1, 2);
  const std::vector<Index> batch = {4, 0, 7};
  VectorXd g = w;
  double loss = any.loss_and_gradient(w, batch, g);
  CHECK(allocated_by([&] {
          any.gradient(w, batch, g);
          loss = any.loss_and_gradient(w, batch, g);
        }) == Allocations{});
  const auto& f = rows;
  CHECK(allocated_by([&] {
          f.gradient(w, batch, g);
          loss = f.loss_and_gradient(w, batch, g);
        }) == Allocations{});
  CHECK(loss > 0);
}

TEST_CASE("parameters of another size are refused by the model inside") {
  const RegressionData data(8, 3, 0.3, 2);
  const LinearRegression inner(data.X, data.y);
  const auto f = importance(inner, some_weights(8));
  VectorXd w = VectorXd::Zero(4), g = w;
  const std::vector<Index> batch = {4, 0, 7};
  CHECK_THAT(refusal([&] { f.gradient(w, batch, g); }), StartsWith("LinearRegression: w must be"));
}
