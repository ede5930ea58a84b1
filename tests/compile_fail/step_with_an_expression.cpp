// expect: g must be memory, not an expression: evaluate it into a vector first
#include <descent/optimizer/adam.hpp>

int main() {
  descent::Adam adam;
  Eigen::VectorXd x = Eigen::VectorXd::Ones(2);
  adam.step(x, 2 * x);
}
