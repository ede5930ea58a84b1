// expect: x, g and the optimizer must have one scalar: Adam<Eigen::VectorXf> for float
#include <descent/optimizer/adam.hpp>

int main() {
  descent::Adam adam;
  Eigen::VectorXf x = Eigen::VectorXf::Ones(2), g = x;
  adam.step(x, g);
}
