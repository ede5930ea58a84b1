// expect: the first argument is a proximal step or a projection, as in descent::FISTA
#include <descent/minimize.hpp>
#include <descent/solver/proximal_gradient.hpp>

struct Plain {
  double loss(const Eigen::VectorXd& x) const { return x.squaredNorm() / 2; }
  void gradient(const Eigen::VectorXd& x, Eigen::VectorXd& g) const { g = x; }
};

int main() {
  (void)descent::minimize(Plain{}, Eigen::VectorXd::Zero(2), descent::ProximalGradient(0.1));
}
