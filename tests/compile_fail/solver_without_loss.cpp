// expect: Objective needs: double loss\(const V& x\) const, or double loss_and_gradient
#include <descent/minimize.hpp>
#include <descent/solver/lbfgs.hpp>

struct NoLoss {
  void gradient(const Eigen::VectorXd& x, Eigen::VectorXd& g) const { g = x; }
};

int main() {
  (void)descent::minimize(NoLoss{}, Eigen::VectorXd::Zero(2), descent::LBFGS());
}
