// To the known answer: Rosenbrock's valley, and regressions against their normal equations.
#include <descent/minimize.hpp>
#include <descent/objective/l2.hpp>
#include <descent/objective/linear_regression.hpp>
#include <descent/optimizer/adam.hpp>
#include <descent/optimizer/gradient_descent.hpp>
#include <descent/optimizer/sgd.hpp>

#include "support/catch.hpp"
#include "support/problems.hpp"

#include <cstdint>

using namespace descent;
using namespace descent_test;
using Eigen::VectorXd;

TEST_CASE("the Rosenbrock function is followed to its minimum") {
  const Eigen::Vector2d x0{-1.2, 1};
  const MinimizeOptions options{.max_iterations = 200'000, .gradient_tolerance = 1e-9};
  const auto check = [](const auto& result, std::int64_t most) {
    CHECK(result.status == Status::GradientTolerance);
    CHECK(result.iterations < most);
    CHECK((result.x.array() - 1).abs().maxCoeff() < 1e-8);
    CHECK(result.loss < 1e-17);
  };
  check(minimize(Rosenbrock{}, x0, GradientDescent({.learning_rate = 1.5e-3}), options), 60'000);
  check(minimize(Rosenbrock{}, x0, GradientDescent({.learning_rate = 1e-3, .momentum = 0.9}),
                 options),
        12'000);
  check(minimize(Rosenbrock{}, x0,
                 GradientDescent({.learning_rate = 1e-3, .momentum = 0.9, .nesterov = true}),
                 options),
        12'000);
  check(minimize(Rosenbrock{}, x0, Adam({.learning_rate = 0.02}), options), 20'000);
}

TEST_CASE("a linear regression is fitted to the solution of its normal equations") {
  const RegressionData data(60, 4, 0.3, 7);
  const LinearRegression model(data.X, data.y);
  const VectorXd w0 = VectorXd::Zero(4);
  const auto check = [&](const auto& result, const VectorXd& exact, double tolerance) {
    INFO(result.message());
    CHECK((result.x - exact).cwiseAbs().maxCoeff() < tolerance);
    CHECK(result.loss - model.loss(exact) >= -1e-15);
  };
  const MinimizeOptions full{.max_iterations = 20'000, .gradient_tolerance = 1e-11};
  const VectorXd exact = data.solution();
  SECTION("gradient descent") {
    const auto result = minimize(model, w0, GradientDescent({.learning_rate = 0.8}), full);
    CHECK(result.converged());
    check(result, exact, 1e-10);
  }
  SECTION("Adam, all samples") {
    const auto result = minimize(model, w0, Adam({.learning_rate = 0.01}), full);
    CHECK(result.converged());
    check(result, exact, 1e-10);
  }
  SECTION("mini-batches, with a rate that decays") {
    // With a rate of c / k the noise of the gradients is averaged away as 1/√k.
    const auto rate = [](double c) {
      return [=](std::int64_t k) { return c / static_cast<double>(k + 40); };
    };
    const MinimizeOptions options{.max_epochs = 30'000, .batch_size = 4};
    check(minimize(model, w0, SGD({.learning_rate = rate(4)}), options), exact, 1e-4);
    check(minimize(model, w0, Adam({.learning_rate = rate(0.4)}), options), exact, 1e-4);
    check(minimize(model, w0, SGD({.learning_rate = rate(4)}),
                   {.max_epochs = 30'000, .batch_size = 4, .sampling = with_replacement}),
          exact, 1.5e-3);
  }
  SECTION("mini-batches of data without noise, with a constant rate") {
    const RegressionData clean(60, 4, 0, 7);
    const LinearRegression exact_model(clean.X, clean.y);
    const auto result = minimize(exact_model, w0, SGD({.learning_rate = 0.3}),
                                 {.max_epochs = 1000, .gradient_tolerance = 1e-12});
    CHECK(result.converged());
    CHECK((result.x - clean.truth).cwiseAbs().maxCoeff() < 1e-10);
  }
  SECTION("ridge") {
    const auto ridge = l2(model, 0.2);
    const auto result = minimize(ridge, w0, GradientDescent({.learning_rate = 0.6}), full);
    CHECK(result.converged());
    const VectorXd solution = data.solution(0.2);
    CHECK((result.x - solution).cwiseAbs().maxCoeff() < 1e-10);
    CHECK((solution - exact).norm() > 0.1);
  }
}
