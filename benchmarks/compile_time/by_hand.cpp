// The same as by_descent.cpp by hand, with the same checks, on Eigen/Core alone. See compile-time.
#include <Eigen/Core>
#include <cmath>
#include <cstdio>

struct Rosenbrock {
  double loss_and_gradient(const Eigen::Vector2d& x, Eigen::Vector2d& g) const {
    const double a = 1 - x[0], b = x[1] - x[0] * x[0];
    g[0] = -2 * a - 400 * x[0] * b;
    g[1] = 200 * b;
    return a * a + 100 * b * b;
  }
};

int main() {
  const Rosenbrock f;
  Eigen::Vector2d x{-1.2, 1.0}, best = x, g, m = Eigen::Vector2d::Zero(), v = m;
  double best_loss = HUGE_VAL;
  const double b1 = 0.9, b2 = 0.999, rate = 0.01, epsilon = 1e-8;
  for (int t = 1; t <= 20'000; ++t) {
    const double loss = f.loss_and_gradient(x, g);
    if (!std::isfinite(loss) || !g.allFinite()) break;
    if (loss < best_loss) {
      best_loss = loss;
      best = x;
    }
    if (g.lpNorm<Eigen::Infinity>() <= 1e-8) break;
    m = b1 * m + (1 - b1) * g;
    v = b2 * v + (1 - b2) * g.cwiseAbs2();
    const double c1 = 1 - std::pow(b1, t), c2 = 1 - std::pow(b2, t);
    x.array() -= rate * (m.array() / c1) / ((v.array() / c2).sqrt() + epsilon);
  }
  std::printf("%.17g %.17g %.17g\n", best[0], best[1], best_loss);
}
