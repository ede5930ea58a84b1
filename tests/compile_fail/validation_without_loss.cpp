// expect: early_stopping and reduce_on_plateau need an objective with double loss\(const V& x\) const
#include <descent/minimize.hpp>
#include <descent/observe/early_stopping.hpp>
#include <descent/optimizer/adam.hpp>

struct Plain {
  double loss(const Eigen::VectorXd& x) const { return x.sum(); }
  void gradient(const Eigen::VectorXd& x, Eigen::VectorXd& g) const { g = x; }
};
struct Nothing {};

int main() {
  (void)descent::minimize(Plain{}, Eigen::VectorXd::Zero(2), descent::Adam(), {},
                          descent::early_stopping(Nothing{}));
}
