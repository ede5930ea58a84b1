// expect: a named optimizer must be made for the type of x0, as in descent::Adam<Eigen::Vector2d>; a temporary one adapts by itself
#include <descent/minimize.hpp>
#include <descent/solver/lbfgs.hpp>

struct Plain {
  double loss(const Eigen::Vector2d& x) const { return x.squaredNorm() / 2; }
  void gradient(const Eigen::Vector2d& x, Eigen::Vector2d& g) const { g = x; }
};

int main() {
  descent::LBFGS lbfgs;
  (void)descent::minimize(Plain{}, Eigen::Vector2d::Zero(), lbfgs);
}
