// A second translation unit with the same headers: what they define must not clash when linked.
#include <descent/descent.hpp>

double loss_after(int steps) {
  Eigen::VectorXd x = Eigen::VectorXd::Ones(3);
  Eigen::VectorXd g(3);
  descent::GradientDescent<Eigen::VectorXd> optimizer({.learning_rate = 0.1});
  for (int i = 0; i < steps; ++i) {
    g = x;
    optimizer.step(x, g);
  }
  return 0.5 * x.squaredNorm();
}
