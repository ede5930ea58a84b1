// expect: the third argument is an optimizer, such as descent::Adam\(\{...\}\)
#include <descent/minimize.hpp>

struct Plain {
  double loss(const Eigen::VectorXd& x) const { return x.sum(); }
  void gradient(const Eigen::VectorXd& x, Eigen::VectorXd& g) const { g = x; }
};

int main() {
  (void)descent::minimize(Plain{}, Eigen::VectorXd::Zero(2), 0.1);
}
