// expect: a line search is descent::strong_wolfe\(\), hager_zhang\(\), armijo\(\), fixed_step\(\), or has
#include <descent/minimize.hpp>
#include <descent/solver/steepest_descent.hpp>

struct Plain {
  double loss(const Eigen::VectorXd& x) const { return x.squaredNorm() / 2; }
  void gradient(const Eigen::VectorXd& x, Eigen::VectorXd& g) const { g = x; }
};

struct Half {
  double operator()(double first) const { return first / 2; }
};

int main() {
  (void)descent::minimize(Plain{}, Eigen::VectorXd::Zero(2), descent::SteepestDescent(Half{}));
}
