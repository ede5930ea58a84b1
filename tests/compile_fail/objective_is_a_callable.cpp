// expect: a callable \(x, g\) -> loss becomes an objective by descent::objective\(f\)
#include <descent/minimize.hpp>
#include <descent/optimizer/adam.hpp>

int main() {
  const auto f = [](const Eigen::VectorXd& x, Eigen::VectorXd& g) {
    g = x;
    return 0.5 * x.squaredNorm();
  };
  (void)descent::minimize(f, Eigen::VectorXd::Zero(2), descent::Adam());
}
