// expect: parameters are Eigen vectors or matrices of float or double
#include <descent/optimizer/adam.hpp>

int main() {
  descent::Adam<Eigen::VectorXi> adam;
}
