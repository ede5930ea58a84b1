// Adam on Rosenbrock's function through descent: what a user includes and writes. See compile-time.
#include <cstdio>
#include <descent/descent.hpp>

struct Rosenbrock {
  double loss_and_gradient(const Eigen::Vector2d& x, Eigen::Vector2d& g) const {
    const double a = 1 - x[0], b = x[1] - x[0] * x[0];
    g[0] = -2 * a - 400 * x[0] * b;
    g[1] = 200 * b;
    return a * a + 100 * b * b;
  }
};

int main() {
  const auto result = descent::minimize(Rosenbrock{}, Eigen::Vector2d{-1.2, 1.0},
                                        descent::Adam({.learning_rate = 0.01}),
                                        {.max_iterations = 20'000, .gradient_tolerance = 1e-8});
  std::printf("%.17g %.17g %.17g\n", result.x[0], result.x[1], result.loss);
}
