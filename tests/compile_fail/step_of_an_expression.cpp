// expect: x must be memory that can be written \(a vector, a matrix, or a Map, Ref, column or segment of one\), not an expression
#include <descent/optimizer/adam.hpp>

int main() {
  descent::Adam adam;
  const Eigen::VectorXd g = Eigen::VectorXd::Ones(2);
  adam.step(2 * g, g);
}
