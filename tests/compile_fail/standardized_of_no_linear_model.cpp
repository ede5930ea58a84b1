// expect: standardized\(f\): f is a linear model, such as LinearRegression, or l2 around one
#include <descent/objective/elastic_net.hpp>
#include <descent/objective/linear_regression.hpp>
#include <descent/objective/standardized.hpp>

int main() {
  const Eigen::MatrixXd X = Eigen::MatrixXd::Ones(3, 2);
  const Eigen::VectorXd y = Eigen::VectorXd::Ones(3);
  const descent::LinearRegression model(X, y);
  (void)descent::standardized(descent::l1(model, 0.1));
}
