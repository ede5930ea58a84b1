// expect: a bound is a number, or an Eigen vector with a number for each coefficient
#include <descent/minimize.hpp>
#include <descent/solver/lbfgsb.hpp>
#include <vector>

struct Plain {
  double loss(const Eigen::VectorXd& x) const { return x.squaredNorm() / 2; }
  void gradient(const Eigen::VectorXd& x, Eigen::VectorXd& g) const { g = x; }
};

int main() {
  const std::vector<double> lower{0, 0};
  (void)descent::minimize(Plain{}, Eigen::VectorXd::Zero(2), descent::LBFGSB({.lower = lower}));
}
