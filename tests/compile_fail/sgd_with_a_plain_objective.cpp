// expect: SGD samples mini-batches, and this objective is not a finite sum, which needs .*: use descent::GradientDescent, or call step\(x, g\) in a loop of your own
#include <descent/minimize.hpp>
#include <descent/optimizer/sgd.hpp>

struct Plain {
  double loss(const Eigen::VectorXd& x) const { return x.sum(); }
  void gradient(const Eigen::VectorXd& x, Eigen::VectorXd& g) const { g = x; }
};

int main() {
  (void)descent::minimize(Plain{}, Eigen::VectorXd::Zero(2), descent::SGD());
}
