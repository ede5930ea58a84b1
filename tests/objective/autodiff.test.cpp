// autodiff: gradients of callables that are written for any scalar.
#include <descent/core/objective.hpp>
#include <descent/minimize.hpp>
#include <descent/objective/autodiff.hpp>
#include <descent/solver/lbfgs.hpp>

#include "support/catch.hpp"

#include <Eigen/Core>

#include <cmath>

using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

struct Rosenbrock {
  template <class V>
  typename V::Scalar operator()(const V& x) const {
    using T = typename V::Scalar;
    const T u = 1 - x(0), v = x(1) - x(0) * x(0);
    return u * u + 100 * v * v;
  }
};

}  // namespace

TEST_CASE("autodiff's gradient is that of the formula", "[autodiff]") {
  const auto f = descent::autodiff(Rosenbrock{});
  static_assert(descent::Objective<decltype(f), VectorXd>);
  static_assert(descent::Objective<decltype(f), Eigen::Vector2f>);
  for (const double a : {-1.2, 0.0, 0.3, 2.0}) {
    for (const double b : {1.0, -3.0}) {
      const VectorXd x{{a, b}};
      VectorXd g(2);
      const double loss = f.loss_and_gradient(x, g);
      CHECK(loss == Approx((1 - a) * (1 - a) + 100 * (b - a * a) * (b - a * a)));
      CHECK(loss == f.loss(x));
      CHECK(g[0] == Approx(-2 * (1 - a) - 400 * a * (b - a * a)));
      CHECK(g[1] == Approx(200 * (b - a * a)));
    }
  }
}

TEST_CASE("autodiff works on fixed sizes, floats, matrices and functions of the library",
          "[autodiff]") {
  const auto f = descent::autodiff([](const auto& x) {
    using std::exp;
    using T = typename std::remove_cvref_t<decltype(x)>::Scalar;
    T sum(0);
    for (Eigen::Index i = 0; i < x.rows(); ++i) {
      for (Eigen::Index j = 0; j < x.cols(); ++j) sum += exp(static_cast<double>(i + 1) * x(i, j));
    }
    return sum;
  });
  Eigen::Matrix<double, 2, 3> x, g;
  x << 0.1, 0.2, 0.3, -0.1, -0.2, -0.3;
  (void)f.loss_and_gradient(x, g);
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 3; ++j) CHECK(g(i, j) == Approx((i + 1) * std::exp((i + 1) * x(i, j))));
  }
  const Rosenbrock rosenbrock;
  const auto of_lvalue = descent::autodiff(rosenbrock);
  CHECK(descent::minimize(of_lvalue, VectorXd{{-1.2, 1.0}}, descent::LBFGS()).converged());
  CHECK(descent::minimize(of_lvalue, Eigen::Vector2f(-1.2F, 1.0F), descent::LBFGS()).converged());
}

TEST_CASE("a loss without the parameters in it has the gradient 0", "[autodiff]") {
  const auto f = descent::autodiff(
      [](const auto& x) { return typename std::remove_cvref_t<decltype(x)>::Scalar(3.0); });
  VectorXd g{{1.0, 2.0}};
  CHECK(f.loss_and_gradient(VectorXd{{5.0, 6.0}}, g) == 3);
  CHECK(g == VectorXd::Zero(2));
}
