// Mean and variance of each column of a matrix, whose rows may have weights.
#ifndef DESCENT_ENGINE_COLUMN_MOMENTS_HPP
#define DESCENT_ENGINE_COLUMN_MOMENTS_HPP

#include <Eigen/Core>
#include <limits>

#include "descent/engine/linear_rows.hpp"

namespace descent::inline v0 {

/// One number a column.
struct Moments {
  Eigen::VectorXd mean;      ///< μ
  Eigen::VectorXd variance;  ///< the mean of (x − μ)²; ∞ where that is out of range
};

/// Row by row, in double, in two passes: the second takes the mean away and mends it by what is left. What a sparse matrix
/// does not store counts as 0. `weights` are one a row; empty: all are 1.
template <class Matrix>
Moments column_moments(const Matrix& x, const Eigen::VectorXd& weights) {
  using Index = Eigen::Index;
  const auto each = [&](const auto& f) {
    for (Index i = 0; i < x.rows(); ++i) {
      const double weight = weights.size() > 0 ? weights[i] : 1;
      LinearRows<Matrix>::each(x, i,
                               [&](Index j, auto xij) { f(j, weight, static_cast<double>(xij)); });
    }
  };
  // Summed in the same order, so that of a column without zeros just nothing is missing.
  double all = 0;
  for (Index i = 0; i < x.rows(); ++i) all += weights.size() > 0 ? weights[i] : 1;
  Eigen::VectorXd missing = Eigen::VectorXd::Zero(x.cols());
  Moments moments{missing, missing};
  Eigen::VectorXd &mean = moments.mean, &squares = moments.variance;
  each([&](Index j, double weight, double value) {
    mean[j] += weight * value;
    missing[j] += weight;
  });
  mean /= all;
  missing = all - missing.array();

  Eigen::VectorXd rest = -missing.cwiseProduct(mean);  // Σ (x − μ), which rounding keeps from 0
  squares = -rest.cwiseProduct(mean);
  each([&](Index j, double weight, double value) {
    const double deviation = value - mean[j];
    rest[j] += weight * deviation;
    squares[j] += weight * deviation * deviation;
  });
  for (Index j = 0; j < x.cols(); ++j) {
    const double mended = rest[j] / all;
    mean[j] += mended;
    if (squares[j] < std::numeric_limits<double>::infinity()) {
      squares[j] = squares[j] / all - mended * mended;
    }
  }
  return moments;
}

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_COLUMN_MOMENTS_HPP
