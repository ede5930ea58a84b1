// expect: this objective brings a proximal step of its own \(l1, elastic_net\), so the solver must not have another one
#include <descent/minimize.hpp>
#include <descent/objective/elastic_net.hpp>
#include <descent/objective/linear_regression.hpp>
#include <descent/solver/proximal_gradient.hpp>
#include <descent/transform/project_on_box.hpp>

int main() {
  const Eigen::MatrixXd X = Eigen::MatrixXd::Ones(3, 2);
  const Eigen::VectorXd y = Eigen::VectorXd::Ones(3);
  const descent::LinearRegression model(X, y);
  (void)descent::minimize(descent::l1(model, 0.1), Eigen::VectorXd::Zero(2),
                          descent::FISTA(descent::project_on_box(0, 1)));
}
