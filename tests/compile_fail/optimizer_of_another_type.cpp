// expect: a named optimizer must be made for the type of x0, as in descent::Adam<Eigen::Vector2d>
#include <descent/minimize.hpp>
#include <descent/optimizer/adam.hpp>

struct Plain {
  double loss(const Eigen::Vector2d& x) const { return x.sum(); }
  void gradient(const Eigen::Vector2d& x, Eigen::Vector2d& g) const { g = x; }
};

int main() {
  descent::Adam adam;
  (void)descent::minimize(Plain{}, Eigen::Vector2d::Zero(), adam);
}
