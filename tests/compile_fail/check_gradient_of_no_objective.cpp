// expect: Objective needs: void gradient
#include <descent/objective/check_gradient.hpp>

struct NoGradient {
  double loss(const Eigen::VectorXd& x) const { return x.sum(); }
};

int main() {
  (void)descent::check_gradient(NoGradient{}, Eigen::VectorXd::Zero(2));
}
