// Three ways to use descent: a function of one's own, a model on mini-batches, a loop of one's own.
#include <cstdio>

#include <descent/descent.hpp>

// An objective is any type with these two const members.
struct Rosenbrock {
  double loss(const Eigen::VectorXd& x) const {
    const double a = 1 - x[0], b = x[1] - x[0] * x[0];
    return a * a + 100 * b * b;
  }
  void gradient(const Eigen::VectorXd& x, Eigen::VectorXd& g) const {  // g has the size of x
    const double a = 1 - x[0], b = x[1] - x[0] * x[0];
    g << -2 * a - 400 * x[0] * b, 200 * b;
  }
};

int main() {
  // 1. Run an optimizer until the gradient vanishes.
  const auto result = descent::minimize(Rosenbrock{}, Eigen::VectorXd{{-1.2, 1.0}},
                                        descent::Adam({.learning_rate = 0.01}),
                                        {.max_iterations = 20'000, .gradient_tolerance = 1e-8});
  std::printf("Rosenbrock by Adam: x = (%.6f, %.6f)\n  %s\n", result.x[0], result.x[1],
              result.message().c_str());

  // 2. Fit a model by mini-batches. The data: y = 1 + 2 t, and a small disturbance.
  const Eigen::VectorXd t = Eigen::VectorXd::LinSpaced(200, -1, 1);
  Eigen::MatrixXd X(200, 2);
  X << Eigen::VectorXd::Ones(200), t;  // the column of ones is the intercept's
  const Eigen::VectorXd y = 1 + 2 * t.array() + 0.1 * (40 * t.array()).sin();

  const descent::LinearRegression model(X, y);
  const auto fit =
      descent::minimize(model, Eigen::VectorXd::Zero(2), descent::SGD({.learning_rate = 0.1}),
                        {.max_epochs = 50, .batch_size = 20, .seed = 7});
  std::printf("Regression by SGD: y = %.3f + %.3f t\n  %s\n", fit.x[0], fit.x[1],
              fit.message().c_str());

  // 3. Or write the loop: any gradient, one step at a time.
  descent::GradientDescent<Eigen::Vector2d> optimizer({.learning_rate = 0.1, .momentum = 0.5});
  Eigen::Vector2d x(3, -4);
  for (int k = 0; k < 100; ++k) {
    const Eigen::Vector2d g(2 * (x[0] - 1), 4 * (x[1] - 2));  // of (x0 - 1)^2 + 2 (x1 - 2)^2
    optimizer.step(x, g);
  }
  std::printf("Own loop by gradient descent: x = (%.6f, %.6f) after %d steps\n", x[0], x[1],
              static_cast<int>(optimizer.steps()));
}
