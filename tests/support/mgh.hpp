// The problems of Moré, Garbow and Hillstrom (ACM TOMS 7(1), 1981): f = Σ rᵢ(x)², with the start and the minimizers of
// tests/reference/mgh.txt. Residuals are written for any scalar; gradients are forward derivatives of them.
#ifndef DESCENT_TESTS_SUPPORT_MGH_HPP
#define DESCENT_TESTS_SUPPORT_MGH_HPP

#include "support/reference.hpp"

#include <Eigen/Core>

#include <cmath>
#include <string>
#include <vector>

namespace descent_test {

struct MghProblem {
  std::string id;
  Eigen::VectorXd x0;
  std::vector<double> minima;  ///< of minimizers; or the only known value
  Eigen::VectorXd y, u;        ///< data, where there are any
  struct Point {
    Eigen::VectorXd x;
    double f;
    Eigen::VectorXd g;
  };
  std::vector<Point> points;

  double loss_and_gradient(const Eigen::VectorXd& x, Eigen::VectorXd& g) const;

  /// Whether a loss is one of the known minima, to four digits.
  bool solved_by(double loss) const {
    for (const double least : minima) {
      if (std::abs(loss - least) <= 1e-4 * (least > 0 ? least : 1)) return true;
    }
    return false;
  }
};

/// All 29, in the order of the file.
const std::vector<MghProblem>& mgh_problems();

}  // namespace descent_test

#endif  // DESCENT_TESTS_SUPPORT_MGH_HPP
