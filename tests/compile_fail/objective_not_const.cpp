// expect: Objective needs: double loss\(const V& x\) const
#include <descent/minimize.hpp>
#include <descent/optimizer/adam.hpp>

struct NotConst {
  double loss(const Eigen::VectorXd& x) { return x.sum(); }
  void gradient(const Eigen::VectorXd& x, Eigen::VectorXd& g) { g = x; }
};

int main() {
  NotConst f;
  (void)descent::minimize(f, Eigen::VectorXd::Zero(2), descent::Adam());
}
