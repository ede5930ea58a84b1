// expect: x must be memory that can be written
#include <descent/optimizer/adam.hpp>

int main() {
  descent::Adam adam;
  const Eigen::VectorXd x = Eigen::VectorXd::Ones(2);
  adam.step(x, x);
}
