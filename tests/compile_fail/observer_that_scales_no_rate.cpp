// expect: the optimizer must have void scale_learning_rate\(double factor\)
#include <descent/minimize.hpp>
#include <descent/observe/reduce_on_plateau.hpp>

struct Plain {
  double loss(const Eigen::VectorXd& x) const { return x.sum(); }
  void gradient(const Eigen::VectorXd& x, Eigen::VectorXd& g) const { g = x; }
};
struct Fixed {
  using Vector = Eigen::VectorXd;
  void step(Vector& x, const Vector& g) { x -= g; }
  void reset() {}
  std::int64_t steps() const { return 0; }
  double learning_rate() const { return 1; }
};

int main() {
  (void)descent::minimize(Plain{}, Eigen::VectorXd::Zero(2), Fixed(), {},
                          descent::reduce_on_plateau());
}
