// expect: an observer is a callable that takes \(const descent::Progress&\), or \(const descent::Progress&, const V& x\), and returns void or bool
#include <descent/minimize.hpp>
#include <descent/optimizer/adam.hpp>

struct Plain {
  double loss(const Eigen::VectorXd& x) const { return x.sum(); }
  void gradient(const Eigen::VectorXd& x, Eigen::VectorXd& g) const { g = x; }
};

int main() {
  (void)descent::minimize(Plain{}, Eigen::VectorXd::Zero(2), descent::Adam(), {},
                          [](double loss) { return loss > 0; });
}
