// expect: this optimizer is made for another type of parameters than x0, and has no rebind<V>\(\)
#include <descent/minimize.hpp>

struct Mine {
  using Vector = Eigen::VectorXd;
  void step(Vector&, const Vector&) {}
  void reset() {}
  long steps() const { return 0; }
  double learning_rate() const { return 0; }
};

struct Plain {
  double loss(const Eigen::Vector2d& x) const { return x.sum(); }
  void gradient(const Eigen::Vector2d& x, Eigen::Vector2d& g) const { g = x; }
};

int main() {
  (void)descent::minimize(Plain{}, Eigen::Vector2d::Zero(), Mine{});
}
