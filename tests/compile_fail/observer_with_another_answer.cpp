// expect: an observer returns void, or bool \(false stops the run\)
#include <descent/minimize.hpp>
#include <descent/optimizer/adam.hpp>

#include <string>

struct Plain {
  double loss(const Eigen::VectorXd& x) const { return x.sum(); }
  void gradient(const Eigen::VectorXd& x, Eigen::VectorXd& g) const { g = x; }
};

int main() {
  (void)descent::minimize(Plain{}, Eigen::VectorXd::Zero(2), descent::Adam(), {},
                          [](const descent::Progress&) { return std::string("more"); });
}
