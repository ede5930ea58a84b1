// The gradient is returned instead of written.
// expect: Objective needs: void gradient\(const V& x, V& g\) const
#include <descent/minimize.hpp>
#include <descent/optimizer/adam.hpp>

struct Returns {
  double loss(const Eigen::VectorXd& x) const { return x.sum(); }
  Eigen::VectorXd gradient(const Eigen::VectorXd& x) const { return x; }
};

int main() {
  (void)descent::minimize(Returns{}, Eigen::VectorXd::Zero(2), descent::Adam());
}
