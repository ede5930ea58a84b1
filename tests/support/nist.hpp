// NIST's nonlinear regressions: f(b) = Σ (yᵢ − model(xᵢ, b))², parameters in units of their starts.
#ifndef DESCENT_TESTS_SUPPORT_NIST_HPP
#define DESCENT_TESTS_SUPPORT_NIST_HPP

#include <Eigen/Core>

#include <array>
#include <string>
#include <vector>

namespace descent_test {

struct NistProblem {
  std::string id;
  Eigen::MatrixXd x;  ///< one observation a row
  Eigen::VectorXd y;
  std::array<Eigen::VectorXd, 2> starts;
  Eigen::VectorXd certified;
};

/// All 22.
const std::vector<NistProblem>& nist_problems();

/// The problem in parameters b = scale · z, from z = 1.
struct ScaledNist {
  const NistProblem& problem;
  Eigen::VectorXd scale;
  double loss_and_gradient(const Eigen::VectorXd& z, Eigen::VectorXd& g) const;
  /// Digits that all parameters have in common with the certified ones.
  double digits(const Eigen::VectorXd& z) const;
};

}  // namespace descent_test

#endif  // DESCENT_TESTS_SUPPORT_NIST_HPP
