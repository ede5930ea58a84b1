// expect: pass a temporary, or minimize f.smooth_part\(\) by a solver made for f.proximal_part\(\)
#include <descent/minimize.hpp>
#include <descent/objective/elastic_net.hpp>
#include <descent/objective/linear_regression.hpp>
#include <descent/solver/proximal_gradient.hpp>

int main() {
  const Eigen::MatrixXd X = Eigen::MatrixXd::Ones(3, 2);
  const Eigen::VectorXd y = Eigen::VectorXd::Ones(3);
  const descent::LinearRegression model(X, y);
  descent::FISTA solver;
  (void)descent::minimize(descent::l1(model, 0.1), Eigen::VectorXd::Zero(2), solver);
}
