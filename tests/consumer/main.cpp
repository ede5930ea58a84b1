// Compiled by a project that knows descent only as its users do; see CMakeLists.txt and run.cmake.
#include <cmath>
#include <cstdio>
#include <descent/descent.hpp>

double loss_after(int steps);  // second_unit.cpp

namespace {

struct Bowl {
  double loss(const Eigen::VectorXd& x) const { return 0.5 * x.squaredNorm(); }
  void gradient(const Eigen::VectorXd& x, Eigen::VectorXd& g) const { g = x; }
};

}  // namespace

int main() {
  const auto result =
      descent::minimize(Bowl{}, Eigen::VectorXd::Ones(5), descent::Adam({.learning_rate = 0.05}),
                        {.max_iterations = 5'000, .gradient_tolerance = 1e-6});
  std::printf("descent %s: %s\n", descent::version, result.message().c_str());
  return result.converged() && std::abs(loss_after(100)) < 1.0 ? 0 : 1;
}
