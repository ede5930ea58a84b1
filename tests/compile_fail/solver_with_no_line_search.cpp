// expect: a line search is descent::strong_wolfe\(\), hager_zhang\(\), armijo\(\), fixed_step\(\), or has
#include <descent/minimize.hpp>
#include <descent/solver/lbfgs.hpp>

struct Plain {
  double loss(const Eigen::VectorXd& x) const { return x.squaredNorm() / 2; }
  void gradient(const Eigen::VectorXd& x, Eigen::VectorXd& g) const { g = x; }
};

int main() {
  (void)descent::minimize(Plain{}, Eigen::VectorXd::Zero(2), descent::LBFGS({}, 0.1));
}
