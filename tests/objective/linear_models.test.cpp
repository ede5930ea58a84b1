// The linear models: each loss against its formula in long double, however the data is held; optima found outside.
//
// covers: huber_regression linear_svm logistic_regression poisson_regression quantile_regression softmax_regression
#include <descent/objective/huber_regression.hpp>
#include <descent/objective/linear_regression.hpp>
#include <descent/objective/linear_svm.hpp>
#include <descent/objective/logistic_regression.hpp>
#include <descent/objective/poisson_regression.hpp>
#include <descent/objective/quantile_regression.hpp>
#include <descent/objective/softmax_regression.hpp>

#include "support/allocations.hpp"
#include "support/bits.hpp"
#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/problems.hpp"

#include <descent/minimize.hpp>
#include <descent/objective/l2.hpp>
#include <descent/optimizer/adam.hpp>

#include <Eigen/Core>
#include <Eigen/SparseCore>

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

using namespace descent;
using namespace descent_test;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

using Long = long double;
using RowMajor = Eigen::Matrix<double, -1, -1, Eigen::RowMajor>;
using Scores = std::vector<Long>;

// A loss as it is written in books: of the scores of one sample and its label.
using Formula = std::function<Long(const Scores& z, Long y)>;

const Formula squared = [](const Scores& z, Long y) { return (z[0] - y) * (z[0] - y) / 2; };
const Formula logistic = [](const Scores& z, Long y) {
  return std::log1p(std::exp(z[0])) - y * z[0];
};
const Formula hinge = [](const Scores& z, Long y) {
  return std::max<Long>(0, 1 - (2 * y - 1) * z[0]);
};
const Formula squared_hinge = [](const Scores& z, Long y) { return hinge(z, y) * hinge(z, y); };
const Formula poisson = [](const Scores& z, Long y) { return std::exp(z[0]) - y * z[0]; };
const Formula softmax = [](const Scores& z, Long y) {
  Long sum = 0;
  for (const Long score : z) sum += std::exp(score);
  return std::log(sum) - z[std::size_t(y)];
};
Formula huber(Long delta) {
  return [delta](const Scores& z, Long y) {
    const Long r = std::abs(z[0] - y);
    return r <= delta ? r * r / 2 : delta * (r - Long(delta) / 2);
  };
}
Formula pinball(Long tau) {
  return [tau](const Scores& z, Long y) {
    const Long r = y - z[0];
    return r > 0 ? tau * r : (Long(tau) - 1) * r;
  };
}

struct Case {
  MatrixXd X;
  VectorXd y, w, weights;  // no weights: empty
  Index outputs = 1;
  bool intercept = false;
};

// The mean over some samples.
Long mean(const Formula& loss, const Case& c, const VectorXd& w,
          const std::vector<Index>& samples) {
  Long sum = 0;
  const Index d = c.X.cols() + c.intercept;
  for (const Index i : samples) {
    Scores z(std::size_t(c.outputs), 0);
    for (Index k = 0; k < c.outputs; ++k) {
      for (Index j = 0; j < c.X.cols(); ++j)
        z[std::size_t(k)] += Long(c.X(i, j)) * Long(w[k * d + j]);
      if (c.intercept) z[std::size_t(k)] += Long(w[k * d + d - 1]);
    }
    const Long weight = c.weights.size() == 0 ? 1 : Long(c.weights[i]) / Long(c.weights.mean());
    sum += weight * loss(z, Long(c.y[i]));
  }
  return sum / Long(samples.size());
}
// Its derivative along a direction, by differences in long double.
Long slope(const Formula& loss, const Case& c, const VectorXd& direction,
           const std::vector<Index>& samples) {
  const double h = 0x1p-20;
  return (mean(loss, c, c.w + h * direction, samples) -
          mean(loss, c, c.w - h * direction, samples)) /
         Long(2 * h);
}

std::vector<Index> everyone(Index n) {
  std::vector<Index> all(static_cast<std::size_t>(n));
  for (Index i = 0; i < n; ++i) all[std::size_t(i)] = i;
  return all;
}

// Sample by sample: scores, slopes and rows make the same as the mean over a batch of one.
template <class Model, class V>
void check_samples(const Model& model, const V& w) {
  using Scalar = typename Model::Scalar;
  const auto close = [](Scalar value) {
    const double precision = 200 * static_cast<double>(std::numeric_limits<Scalar>::epsilon());
    return Approx(static_cast<double>(value)).epsilon(precision).margin(precision);
  };
  for (const Index i : {Index(0), model.size() / 2, model.size() - 1}) {
    const std::vector<Index> one{i};
    V g(w.size()), h = V::Zero(w.size()), x = V::Zero(w.size());
    const Scalar z = model.score(w, i);
    CHECK(static_cast<double>(model.sample_loss(z, i)) ==
          close(static_cast<Scalar>(model.loss_and_gradient(w, Batch(one), g))));
    model.add_row(i, model.slope(z, i), h);
    model.each_feature(i, [&](Index j, Scalar value) { x[j] += value; });
    CHECK(static_cast<double>(z) == close(x.dot(w)));
    CHECK(model.squared_norm(i) == close(x.squaredNorm()));
    for (Index j = 0; j < w.size(); ++j) CHECK(static_cast<double>(h[j]) == close(g[j]));
  }
}

template <class Model>
void check(const Model& model, const Formula& formula, const Case& c) {
  using Scalar = typename Model::Scalar;
  using V = Eigen::Matrix<Scalar, -1, 1>;
  const double precision = 200 * static_cast<double>(std::numeric_limits<Scalar>::epsilon());
  const V w = c.w.cast<Scalar>();
  V g(w.size()), h(w.size());
  REQUIRE(model.parameters() == w.size());
  const auto compare = [&](double loss, const V& gradient, const std::vector<Index>& samples) {
    CHECK(loss ==
          Approx(double(mean(formula, c, c.w, samples))).epsilon(precision).margin(precision));
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      const VectorXd direction = Uniform(seed).vector(w.size());
      CHECK(gradient.template cast<double>().dot(direction) ==
            Approx(double(slope(formula, c, direction, samples)))
                .epsilon(1e-7 + precision)
                .margin(1e-8 + precision));
    }
  };
  const double loss = model.loss_and_gradient(w, g);
  compare(loss, g, everyone(c.X.rows()));
  model.gradient(w, h);
  CHECK(h == g);
  CHECK(model.loss(w) == loss);

  const Index n = c.X.rows();
  const std::vector<Index> batch{n - 1, 0, n / 2, 0, n / 3};
  const double batch_loss = model.loss_and_gradient(w, Batch(batch), g);
  compare(batch_loss, g, batch);
  model.gradient(w, Batch(batch), h);
  CHECK(h == g);
  CHECK(model.loss(w, Batch(batch)) == batch_loss);

  // A batch in order is read as such.
  std::vector<Index> run;
  for (Index i = n / 3; i < n; ++i) run.push_back(i);
  const double run_loss = model.loss_and_gradient(w, Batch(run), g);
  compare(run_loss, g, run);
  CHECK(model.loss(w, Batch(run)) == run_loss);

  // Sums over chunks of samples are what the mean is made of, in their order.
  const Index chunk = model.chunk(Rows{0, n});
  CHECK(model.chunk(Rows{n / 2, 1}) == chunk);
  model.gradient(w, h);
  g.setZero();
  double sum = 0, alone = 0;
  for (Index begin = 0; begin < n; begin += chunk) {
    const Rows rows{begin, std::min(chunk, n - begin)};
    V part = V::Zero(w.size());
    sum += model.add(w, rows, part);
    alone += model.add(w, rows);
    g += part;
  }
  CHECK(sum / double(n) == loss);
  CHECK(alone == sum);
  g *= static_cast<typename V::Scalar>(1 / double(n));
  CHECK(g == h);
  if (c.outputs == 1) check_samples(model, w);
}

// One model by every way of holding its data; views of it are held alike whatever the loss.
template <bool Views = false, class Make>
void check_all(const Make& make, const Formula& formula, const Case& c) {
  const RowMajor rows = c.X;
  const Eigen::SparseMatrix<double, Eigen::RowMajor> sparse = c.X.sparseView();
  const Eigen::MatrixXf narrow = c.X.cast<float>();
  Case as_float = c;
  as_float.X = narrow.cast<double>();
  as_float.w = c.w.cast<float>().cast<double>();
  as_float.y = c.y.cast<float>().cast<double>();
  const RowMajor wide =
      (RowMajor(c.X.rows(), c.X.cols() + 3) << c.X, MatrixXd::Ones(c.X.rows(), 3)).finished();
  check(make(c.X, c.y), formula, c);
  check(make(rows, c.y), formula, c);
  if constexpr (Views) {
    check(make(wide.leftCols(c.X.cols()), c.y), formula, c);
    check(make(Eigen::Map<const RowMajor, 0, Eigen::OuterStride<>>(
                   wide.data(), c.X.rows(), c.X.cols(), Eigen::OuterStride<>(wide.cols())),
               c.y),
          formula, c);
  }
  check(make(sparse, c.y), formula, c);
  check(make(narrow, c.y), formula, as_float);
}

template <class F>
void each_case(Index outputs, const F& f) {
  for (const Index n : {1, 3, 61, 62, 257, 4099}) {
    for (const Index d : {1, 7, 40}) {
      if (n == 4099 && d != 7) continue;
      for (const bool intercept : {false, true}) {
        Uniform uniform(std::uint64_t(n + d));
        Case c;
        c.X = uniform.matrix(n, d);
        c.X = (c.X.array() > -0.5).select(c.X, 0);  // for the sparse one
        c.outputs = outputs;
        c.intercept = intercept;
        c.w = uniform.vector((d + intercept) * outputs);
        c.y = uniform.vector(n);
        if (n > 1 && d == 7) c.weights = uniform.vector(n).cwiseAbs();
        CAPTURE(n, d, intercept);
        f(c);
      }
    }
  }
}

VectorXd classes(const VectorXd& y, int count) {
  return ((y.array() + 1) / 2 * count).floor().max(0).min(count - 1);
}

}  // namespace

TEST_CASE("each linear model is its formula, however the data is held", "[models]") {
  each_case(1, [](Case c) {
    check_all<true>(
        [&](const auto& X, const auto& y) {
          return LinearRegression(X, y, {c.intercept, c.weights});
        },
        squared, c);
    for (const double delta : {0.25, 1.0}) {
      check_all(
          [&](const auto& X, const auto& y) {
            return HuberRegression(
                X, y, {.delta = delta, .intercept = c.intercept, .weights = c.weights});
          },
          huber(Long(delta)), c);
    }
    check_all(
        [&](const auto& X, const auto& y) {
          return QuantileRegression(
              X, y, {.quantile = 0.3, .intercept = c.intercept, .weights = c.weights});
        },
        pinball(Long(0.3)), c);
    c.y = classes(c.y, 2);
    check_all(
        [&](const auto& X, const auto& y) {
          return LogisticRegression(X, y, {c.intercept, c.weights});
        },
        logistic, c);
    check_all(
        [&](const auto& X, const auto& y) {
          return LinearSVM(X, y, {.squared = true, .intercept = c.intercept, .weights = c.weights});
        },
        squared_hinge, c);
    check_all(
        [&](const auto& X, const auto& y) {
          return LinearSVM(X, y,
                           {.squared = false, .intercept = c.intercept, .weights = c.weights});
        },
        hinge, c);
    c.y = classes(c.y, 4);
    check_all(
        [&](const auto& X, const auto& y) {
          return PoissonRegression(X, y, {c.intercept, c.weights});
        },
        poisson, c);
  });
  each_case(3, [](Case c) {
    c.y = classes(c.y, 3);
    check_all<true>(
        [&](const auto& X, const auto& y) {
          return SoftmaxRegression(X, y,
                                   {.classes = 3, .intercept = c.intercept, .weights = c.weights});
        },
        softmax, c);
  });
}

TEST_CASE("scores of any size give losses that neither overflow nor vanish", "[models]") {
  const MatrixXd X = (VectorXd(4) << 1e4, -1e4, 40, -40).finished();
  const VectorXd zeros = VectorXd::Zero(4), ones = VectorXd::Ones(4), w = VectorXd::Ones(1);
  const auto single = [&](const auto& model, Index i) {
    const std::vector<Index> one{i};
    return model.loss(w, Batch(one));
  };
  const LogisticRegression zero(X, zeros), one(X, ones);
  CHECK(single(zero, 0) == 1e4);
  CHECK(single(zero, 1) == 0);
  CHECK(single(one, 1) == 1e4);
  CHECK(single(one, 0) == 0);
  CHECK(single(one, 2) == Approx(std::exp(-40.0)).epsilon(1e-13));  // not 0
  const SoftmaxRegression both(X, ones);
  const VectorXd W = (VectorXd(2) << 1, -1).finished();
  CHECK(both.loss(W) == Approx((2e4 + 0 + 80 + 0) / 4));
}

TEMPLATE_TEST_CASE("the logistic loss and its slope keep their digits", "[models]", double, float) {
  using Block = Eigen::Array<TestType, Eigen::Dynamic, 1>;
  const auto precision = static_cast<long double>(std::numeric_limits<TestType>::epsilon());
  long double worst = 0;
  for (int k = 0; k < 200; ++k) {
    const long double largest = k < 100 ? 45 : k < 150 ? 2 : 1e-3L;
    const Block z = (Uniform(std::uint64_t(k)).vector(61) * double(largest)).cast<TestType>();
    for (const int label : {0, 1}) {
      Block slope = z, loss(z.size());
      LogisticLoss::evaluate(slope, Block::Constant(z.size(), TestType(label)), loss);
      for (Index i = 0; i < z.size(); ++i) {
        const long double margin = (2 * label - 1) * static_cast<long double>(z[i]);
        const long double right = std::log1p(std::exp(-std::abs(margin))) - std::min(margin, 0.0L);
        const long double right_slope = (1 - 2 * label) / (1 + std::exp(margin));
        const auto l = static_cast<long double>(loss[i]), s = static_cast<long double>(slope[i]);
        worst = std::max({worst, (l - right) / right, (right - l) / right});
        worst = std::max(worst, std::abs((s - right_slope) / right_slope));
      }
    }
  }
  CHECK(static_cast<double>(worst / precision) < 2.2);
  CHECK(static_cast<double>(worst / precision) > 0.1);
}

TEST_CASE("outside optima of breast cancer: the loss, and no gradient is left",
          "[models][reference]") {
  const MatrixXd table = read_csv("breast_cancer/breast_cancer.csv");
  const VectorXd y = table.col(30);
  MatrixXd Z = table.leftCols(30).rowwise() - table.leftCols(30).colwise().mean();
  for (Index j = 0; j < 30; ++j) Z.col(j) /= Z.col(j).norm() / std::sqrt(569.0);
  const auto reference = read_reference("breast_cancer/reference.csv");
  const LogisticRegression model(Z, y, {.intercept = true});
  VectorXd g(31);
  for (const std::string fit : {"ridge_1", "ridge_2"}) {
    const std::vector<double>& values =
        reference.at(fit);  // lambda, loss, errors, bias, coefficients
    VectorXd w = Eigen::Map<const VectorXd>(values.data() + 4, 30);
    w.conservativeResize(31);
    w[30] = values[3];
    const auto ridge = l2(model, values[0]);
    CHECK(ridge.loss_and_gradient(w, g) == Approx(values[1]).epsilon(1e-14));
    CHECK(g.cwiseAbs().maxCoeff() <= 1e-15);
    int errors = 0;
    for (Index i = 0; i < 569; ++i) errors += (model.score(w, i) > 0) != (y[i] == 1);
    CHECK(errors == int(values[2]));
    // And minimize finds it.
    const auto result =
        minimize(ridge, VectorXd::Zero(31), Adam({.learning_rate = 0.05, .beta2 = 0.99}),
                 {.max_iterations = 20'000, .gradient_tolerance = 1e-9});
    CHECK(result.loss == Approx(values[1]).epsilon(1e-9));
  }
  const std::vector<double>& lasso = reference.at("lasso");
  VectorXd w(31);
  w << Eigen::Map<const VectorXd>(lasso.data() + 4, 30), lasso[3];
  const double alpha = lasso[0];
  CHECK(model.loss_and_gradient(w, g) + alpha * w.head(30).lpNorm<1>() ==
        Approx(lasso[1]).epsilon(1e-13));
  for (Index j = 0; j < 30; ++j) {
    if (w[j] != 0) {
      CHECK(g[j] == Approx(w[j] > 0 ? -alpha : alpha).epsilon(1e-9));
    } else {
      CHECK(std::abs(g[j]) <= alpha);
    }
  }
}

TEST_CASE("what is no model's data is refused", "[models][arguments]") {
  const MatrixXd X = MatrixXd::Ones(4, 2);
  VectorXd y(4);
  y << 0, 1, 2, 1;
  CHECK_THROWS_WITH(LogisticRegression(X, y), "LogisticRegression: y[2] must be 0 or 1, got 2");
  CHECK_THROWS_WITH(LinearSVM(X, y), "LinearSVM: y[2] must be 0 or 1, got 2");
  CHECK_THROWS_WITH(SoftmaxRegression(X, y, {.classes = 2}),
                    "SoftmaxRegression: y[2] must be a whole number from 0 to 1, got 2");
  CHECK(SoftmaxRegression(X, y).parameters() == 6);
  y[3] = 0.5;
  CHECK_THROWS_WITH(SoftmaxRegression(X, y),
                    "SoftmaxRegression: y[3] must be a whole number from 0 to 1023, got 0.5");
  y[3] = -1;
  CHECK_THROWS_WITH(PoissonRegression(X, y), "PoissonRegression: y must be in [0, inf), got -1");
  CHECK_THROWS_AS(HuberRegression(X, y, {.delta = 0}), std::invalid_argument);
  CHECK_THROWS_AS(QuantileRegression(X, y, {.quantile = 1}), std::invalid_argument);
  CHECK_THROWS_WITH(LinearRegression(X, y, {.weights = VectorXd::Ones(3)}),
                    "LinearRegression: weights must be one weight a row of X, 4, got 3 weights");
  CHECK_THROWS_AS(LinearRegression(X, y, {.weights = -VectorXd::Ones(4)}), std::invalid_argument);
  CHECK_THROWS_AS(LinearRegression(X, y, {.weights = VectorXd::Zero(4)}), std::invalid_argument);
  const LinearRegression model(X, y, {.intercept = true});
  CHECK_THROWS_WITH(model.loss(VectorXd(VectorXd::Ones(2))),
                    "LinearRegression: w must be one coefficient a column of X and one for the "
                    "intercept, 3, got 2 coefficients");
}

TEST_CASE("an intercept is not penalized", "[models]") {
  const MatrixXd X = Uniform(1).matrix(9, 2);
  const VectorXd y = classes(Uniform(2).vector(9), 3);
  VectorXd w = VectorXd::Ones(9), g(9), h(9);
  const SoftmaxRegression model(X, y, {.classes = 3, .intercept = true});
  const auto ridge = l2(model, 0.5);
  CHECK(ridge.loss_and_gradient(w, g) == Approx(model.loss_and_gradient(w, h) + 0.25 * 6));
  for (Index k = 0; k < 9; ++k) CHECK(g[k] - h[k] == Approx(k % 3 == 2 ? 0 : 0.5));
}

TEST_CASE("models allocate nothing after the first evaluation", "[models][allocation]") {
  const RowMajor X = Uniform(1).matrix(5000, 11);
  const Eigen::SparseMatrix<double, Eigen::RowMajor> sparse = X.sparseView();
  const VectorXd y = classes(Uniform(2).vector(5000), 2);
  const LogisticRegression dense(X, y, {.intercept = true});
  const LogisticRegression thin(sparse, y, {.intercept = true});
  const SoftmaxRegression many(X, y, {.classes = 5});
  VectorXd w = VectorXd::Ones(12), g(12), W = VectorXd::Ones(55), G(55);
  const auto batch = everyone(700);
  double sum = 0;
  CHECK(allocated_by([&] {
          sum += dense.loss(w) + dense.loss_and_gradient(w, Batch(batch).first(512), g);
        }) == Allocations{});
  const auto evaluate = [&] {
    sum += dense.loss_and_gradient(w, g) + dense.loss_and_gradient(w, Batch(batch), g);
    sum += thin.loss_and_gradient(w, g) + thin.loss_and_gradient(w, Batch(batch), g);
    sum += many.loss_and_gradient(W, G) + many.loss_and_gradient(W, Batch(batch), G);
  };
  evaluate();
  CHECK(allocated_by(evaluate) == Allocations{});
  CHECK(sum > 0);
}
