// l1 and elastic_net: the penalty, its parts, and the solvers and chains that take them apart.
#include <descent/objective/elastic_net.hpp>

#include <descent/minimize.hpp>
#include <descent/objective/l2.hpp>
#include <descent/objective/linear_regression.hpp>
#include <descent/objective/logistic_regression.hpp>
#include <descent/objective/sam.hpp>
#include <descent/objective/softmax_regression.hpp>
#include <descent/objective/standardized.hpp>
#include <descent/solver/coordinate_descent.hpp>
#include <descent/solver/proximal_gradient.hpp>
#include <descent/transform/scale_by_learning_rate.hpp>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/problems.hpp"

#include <Eigen/Core>

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using namespace descent;
using namespace descent_test;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

template <class F>
inline constexpr bool has_parts = requires(const F& f) {
  f.proximal_part();
};

// How far the shortest subgradient of f + λ₁‖x‖₁ + λ₂/2‖x‖² over the first n coefficients is from 0.
template <class F>
double distance(const F& smooth, const VectorXd& x, Index n, double l1, double l2) {
  VectorXd g = x;
  smooth.gradient(x, g);
  double most = 0;
  for (Index i = 0; i < x.size(); ++i) {
    const double slope = i < n ? g[i] + l2 * x[i] : g[i], tau = i < n ? l1 : 0;
    most = std::max(most, x[i] == 0 ? std::max(std::abs(slope) - tau, 0.0)
                                    : std::abs(slope + std::copysign(tau, x[i])));
  }
  return most;
}

}  // namespace

TEST_CASE("the penalty and its subgradient", "[elastic_net]") {
  const Bowl bowl;
  const VectorXd w{{2.0, -1.0, 0.0, 4.0}};
  VectorXd g(4), plain(4);
  const double loss = bowl.loss_and_gradient(w, plain);
  CHECK(l1(bowl, 0.5).loss_and_gradient(w, g) == loss + 0.5 * 7);
  CHECK(g == plain + 0.5 * VectorXd{{1.0, -1.0, 0.0, 1.0}});
  // λ = 0.5 and ρ = 0.25: 0.125 ‖w‖₁ + 0.375/2 ‖w‖².
  CHECK(elastic_net(bowl, 0.5, 0.25).loss_and_gradient(w, g) == loss + 0.125 * 7 + 0.1875 * 21);
  CHECK(g == plain + 0.125 * VectorXd{{1.0, -1.0, 0.0, 1.0}} + 0.375 * w);
  CHECK(elastic_net(bowl, 0.5, 1).loss_and_gradient(w, g) ==
        l1(bowl, 0.5).loss_and_gradient(w, plain));
  CHECK(g == plain);
  CHECK(elastic_net(bowl, 0.5, 0).loss_and_gradient(w, g) ==
        l2(bowl, 0.5).loss_and_gradient(w, plain));
  CHECK(g == plain);
  // Of no λ none is made of numbers out of range.
  CHECK(l1(SeparateBowl(), 0).loss(VectorXd(1e170 * w)) ==
        SeparateBowl().loss(VectorXd(1e170 * w)));
}

TEST_CASE("every batch carries the whole penalty, intercepts none", "[elastic_net]") {
  const RegressionData data(10, 3, 0.2, 1);
  const LinearRegression model(data.X, data.y, {.intercept = true});
  const auto f = elastic_net(model, 0.7, 0.5);
  const VectorXd w{{1.0, 0.0, -3.0, 5.0}};
  VectorXd full(4), g(4), sum = VectorXd::Zero(4);
  const double loss = f.loss_and_gradient(w, full);
  CHECK(loss == Approx(model.loss(w) + 0.35 * 4 + 0.175 * 10).epsilon(1e-15));
  double losses = 0;
  for (Index i = 0; i < 10; ++i) {
    const std::vector<Index> one{i};
    losses += f.loss_and_gradient(w, Batch(one), g);
    sum += g;
  }
  CHECK((sum / 10 - full).cwiseAbs().maxCoeff() < 1e-14);
  CHECK(losses / 10 == Approx(loss));
  model.gradient(w, g);
  CHECK(full[3] == g[3]);
  CHECK(f.proximal_part().penalty(w) == Approx(0.35 * 4 + 0.175 * 10).epsilon(1e-15));
}

TEST_CASE("the parts of penalties around each other", "[elastic_net]") {
  const RegressionData data(30, 4, 0.2, 2);
  const LinearRegression model(data.X, data.y, {.intercept = true});
  const VectorXd w{{1.0, 0.0, -3.0, 5.0, 2.0}};
  // Each is 0.3 ‖w‖₁ + 0.5/2 ‖w‖², of which `ridge` in the smooth part.
  const auto check = [&](const auto& f, double ridge) {
    const auto prox = f.proximal_part();
    CHECK(f.loss(w) == Approx(model.loss(w) + 0.3 * 9 + 0.25 * 35).epsilon(1e-14));
    CHECK(f.smooth_part().loss(w) + prox.penalty(w) == Approx(f.loss(w)).epsilon(1e-14));
    CHECK(prox.l1() == Approx(0.3).epsilon(1e-15));
    CHECK(prox.l2() == Approx(0.5 - ridge).epsilon(1e-15).margin(1e-15));
    CHECK(f.smooth_part().ridge() == ridge);
    CHECK(&f.smooth_part().linear_part() == &model);
    static_assert(!requires { f.linear_part(); });  // it is more than that and l2
  };
  check(l1(l2(model, 0.5), 0.3), 0.5);
  check(l2(l1(model, 0.3), 0.5), 0.5);
  check(l2(l1(l2(model, 0.25), 0.3), 0.25), 0.5);
  check(l1(elastic_net(model, 0.6, 1.0 / 6), 0.2), 0);
  check(elastic_net(l1(model, 0.05), 0.75, 1.0 / 3), 0);
  check(l2(elastic_net(l2(model, 0.125), 0.5, 0.6), 0.175), 0.3);
  const auto owned = l2(l1(l2(LinearRegression(model), 0.25), 0.3), 0.25);
  CHECK(owned.smooth_part().loss(w) + owned.proximal_part().penalty(w) ==
        Approx(owned.loss(w)).epsilon(1e-14));
  // Sharpness-aware around it is all one.
  static_assert(has_parts<decltype(owned)> && !has_parts<decltype(sam(owned))>);
  CHECK(l1(sam(model), 0.3).proximal_part().l1() == 0.3);
}

TEST_CASE("the proximal step, with and without a mask", "[elastic_net]") {
  const auto moved = [](const auto& prox, auto x) {
    auto step = chain<decltype(x)>(scale_by_learning_rate(0.5), prox);
    step.step(x, decltype(x)(0 * x));
    return x;
  };
  const VectorXd x{{1.0, -0.25, -3.0, 0.5}};
  CHECK(moved(l1(Bowl(), 1).proximal_part(), x) == VectorXd{{0.5, 0.0, -2.5, 0.0}});
  CHECK(moved(elastic_net(Bowl(), 3, 1.0 / 3).proximal_part(), x) ==
        VectorXd{{0.25, 0.0, -1.25, 0.0}});
  const MatrixXd X = Uniform(1).matrix(9, 1);
  const VectorXd y{{0.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0}};
  // Softmax of one feature: coefficient, intercept, coefficient, intercept.
  const SoftmaxRegression model(X, y, {.intercept = true});
  const auto prox = elastic_net(standardized(model), 3, 1.0 / 3).proximal_part();
  CHECK(moved(prox, x) == VectorXd{{0.25, -0.25, -1.25, 0.5}});
  CHECK(moved(prox, Eigen::Vector4f(1.0f, -0.25f, -3.0f, 0.5f)) ==
        Eigen::Vector4f(0.25f, -0.25f, -1.25f, 0.5f));
  CHECK(moved(prox, MatrixXd(x.reshaped(2, 2)))(1, 1) == 0.5);
  CHECK(prox.penalty(x) == 4 + 10);
  CHECK(l1(SoftmaxRegression(X, y), 1).proximal_part().form() == 0);
  CHECK(prox.form() == 1);
}

TEST_CASE("solvers take the parts apart", "[elastic_net][reference]") {
  const MatrixXd table = read_csv("diabetes/diabetes.csv");
  const LinearRegression model(MatrixXd(table.leftCols(10)), VectorXd(table.col(10)),
                               {.intercept = true});
  const auto f = standardized(model);
  const auto wanted = read_reference("diabetes/reference.csv").at("z_lasso");
  const double mean = table.col(10).mean();
  const VectorXd v0 = VectorXd::Zero(11);
  const MinimizeOptions options{.max_iterations = 20'000, .gradient_tolerance = 1e-8};
  const auto lasso = l1(f, 1);
  const auto check = [&](const auto& result) {
    CAPTURE(result.message());
    CHECK(result.converged());
    CHECK(std::abs(result.loss - wanted[10]) <= 1e-10 * wanted[10]);
    CHECK(result.loss == Approx(lasso.loss(result.x)).epsilon(1e-14));
    for (Index j = 0; j < 10; ++j) {
      const double w = wanted[std::size_t(j)];
      CHECK(result.x[j] == Approx(w).epsilon(1e-6));
      if (w == 0) CHECK(result.x[j] == 0);
    }
    CHECK(result.x[10] == Approx(mean).epsilon(1e-9));
  };
  std::vector<double> seen;
  check(minimize(lasso, v0, FISTA(), options, [&](const Progress& p) { seen.push_back(p.loss); }));
  CHECK(seen.back() == Approx(wanted[10]).epsilon(1e-10));  // observers see the whole loss
  check(minimize(lasso, v0, ProximalGradient({.restart = false}), options));
  check(minimize(lasso, v0, CoordinateDescent(), options));
  CHECK(minimize(lasso, Eigen::Matrix<double, 11, 1>::Zero(), FISTA({.step = 0.2}), options).loss ==
        Approx(wanted[10]).epsilon(1e-10));
  // Options of CoordinateDescent come on top, on the intercept, too, which is 0 where y is centered.
  const LinearRegression centered(MatrixXd(table.leftCols(10)),
                                  VectorXd(table.col(10).array() - mean), {.intercept = true});
  const auto part =
      minimize(l1(standardized(centered), 0.6), v0, CoordinateDescent({.l1 = 0.4}), options);
  CHECK(part.loss == Approx(wanted[10]).epsilon(1e-10));

  // Other sums of the two, and the options of CoordinateDescent beside them.
  for (const double l2_outside : {0.0, 0.5}) {
    const auto both = l2(elastic_net(f, 2, 0.75), l2_outside);
    const auto least = [&](const auto& result) {
      CHECK(result.converged());
      CHECK(distance(f, result.x, 10, 1.5, 0.5 + l2_outside) <= 1e-6);
      CHECK(result.loss == Approx(both.loss(result.x)).epsilon(1e-14));
      return result.loss;
    };
    const double a = least(minimize(both, v0, FISTA(), options)),
                 b = least(minimize(both, v0, CoordinateDescent(), options));
    CHECK(a == Approx(b).epsilon(1e-12));
  }
}

TEST_CASE("the sparse logistic regression of breast cancer", "[elastic_net][reference]") {
  const MatrixXd table = read_csv("breast_cancer/breast_cancer.csv");
  const LogisticRegression model(MatrixXd(table.leftCols(30)), VectorXd(table.col(30)),
                                 {.intercept = true});
  // lambda, loss, errors, bias, coefficients
  const auto wanted = read_reference("breast_cancer/reference.csv").at("lasso");
  const auto f = l1(standardized(model), wanted[0]);
  const auto result = minimize(f, VectorXd::Zero(31), FISTA(),
                               {.max_iterations = 20'000, .gradient_tolerance = 1e-10});
  CHECK(result.converged());
  CHECK(result.loss == Approx(wanted[1]).epsilon(1e-12));
  CHECK(result.x[30] == Approx(wanted[3]).epsilon(1e-5));
  for (Index j = 0; j < 30; ++j) {
    const double w = wanted[std::size_t(j) + 4];
    CHECK((result.x[j] == 0) == (w == 0));
    CHECK(result.x[j] == Approx(w).epsilon(1e-5).margin(1e-6));
  }
}

TEST_CASE("mini-batches, with a proximal step behind each", "[elastic_net]") {
  RegressionData data(200, 8, 0.1, 3);
  data.truth.tail(5).setZero();
  data.y = data.X * data.truth;
  const LinearRegression model(data.X, data.y);
  const auto f = l1(model, 0.02);
  const auto exact = minimize(f, VectorXd::Zero(8), CoordinateDescent());
  const auto result = minimize(f.smooth_part(), VectorXd::Zero(8),
                               chain(scale_by_learning_rate(0.01), f.proximal_part()),
                               {.max_epochs = 300, .batch_size = 20});
  CHECK((result.x - exact.x).cwiseAbs().maxCoeff() < 0.01);
  for (Index j = 0; j < 8; ++j) CHECK((result.x[j] == 0) == (exact.x[j] == 0));
  CHECK((exact.x.array() == 0).count() >= 4);
}

TEST_CASE("lambda is in [0, inf), l1_ratio in [0, 1]", "[elastic_net][arguments]") {
  for (const double bad : {-1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    CHECK_THROWS_WITH(l1(Bowl(), bad), "l1: lambda must be in [0, inf), got " + to_text(bad));
    CHECK_THROWS_WITH(elastic_net(Bowl(), bad, 0.5),
                      "elastic_net: lambda must be in [0, inf), got " + to_text(bad));
    CHECK_THROWS_WITH(elastic_net(Bowl(), 1, bad),
                      "elastic_net: l1_ratio must be in [0, 1], got " + to_text(bad));
  }
  CHECK_THROWS_WITH(elastic_net(Bowl(), 1, 1.5),
                    "elastic_net: l1_ratio must be in [0, 1], got 1.5");
}
