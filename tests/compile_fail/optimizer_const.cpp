// expect: the optimizer must not be const
#include <descent/minimize.hpp>
#include <descent/optimizer/adam.hpp>

struct Plain {
  double loss(const Eigen::VectorXd& x) const { return x.sum(); }
  void gradient(const Eigen::VectorXd& x, Eigen::VectorXd& g) const { g = x; }
};

int main() {
  const descent::Adam adam;
  (void)descent::minimize(Plain{}, Eigen::VectorXd::Zero(2), adam);
}
