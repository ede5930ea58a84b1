// expect: Objective needs: void gradient\(const V& x, V& g\) const
#include <descent/minimize.hpp>
#include <descent/optimizer/adam.hpp>

struct NoGradient {
  double loss(const Eigen::VectorXd& x) const { return x.sum(); }
};

int main() {
  (void)descent::minimize(NoGradient{}, Eigen::VectorXd::Zero(2), descent::Adam());
}
