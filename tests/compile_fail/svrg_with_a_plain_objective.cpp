// expect: this solver is for finite sums, and this objective is none, which needs .*: use descent::LBFGS
#include <descent/minimize.hpp>
#include <descent/solver/svrg.hpp>

struct Plain {
  double loss(const Eigen::VectorXd& x) const { return x.sum(); }
  void gradient(const Eigen::VectorXd& x, Eigen::VectorXd& g) const { g = x; }
};

int main() {
  (void)descent::minimize(Plain{}, Eigen::VectorXd::Zero(2), descent::SVRG());
}
