// SoftmaxRegression: the mean log-loss of a linear classifier of K classes.
//
//     f(W) = 1/n Σᵢ log Σₖ exp(zᵢₖ) − zᵢ,yᵢ,   zᵢₖ = xᵢᵀ W[:, k]
#ifndef DESCENT_OBJECTIVE_SOFTMAX_REGRESSION_HPP
#define DESCENT_OBJECTIVE_SOFTMAX_REGRESSION_HPP

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/stored.hpp"
#include "descent/engine/linear_model.hpp"

namespace descent::inline v0 {

/// Slopes softmax(z)ₖ − [k = y]. The largest score is taken away first, so nothing overflows.
struct SoftmaxLoss {
  Eigen::Index classes = 2;  ///< K
  /// Scores a sample.
  Eigen::Index outputs() const { return classes; }

  /// From scores to losses and slopes, see `LinearModel`.
  template <class Z, class Y, class Losses>
  void evaluate(Z& z, const Y& y, Losses& losses) const {
    using Scalar = typename Z::Scalar;
    Losses most = z.col(0), sum = Losses::Zero(z.rows());
    for (Eigen::Index k = 1; k < classes; ++k) most = most.max(z.col(k));
    for (Eigen::Index i = 0; i < z.rows(); ++i) {
      losses[i] = most[i] - z(i, static_cast<Eigen::Index>(y[i]));
    }
    for (Eigen::Index k = 0; k < classes; ++k) {
      z.col(k) = (z.col(k) - most).exp();
      sum += z.col(k);
    }
    losses += sum.log();
    for (Eigen::Index k = 0; k < classes; ++k) z.col(k) /= sum;
    for (Eigen::Index i = 0; i < z.rows(); ++i) {
      z(i, static_cast<Eigen::Index>(y[i])) -= Scalar(1);
    }
  }
};

/// What softmax regression may be told.
struct SoftmaxRegressionOptions {
  Eigen::Index classes = 0;      ///< K, from 2 to 1024; 0: as many as the labels show
  bool intercept = false;        ///< as in `LinearModelOptions`, one for each class
  Eigen::VectorXd weights = {};  ///< as in `LinearModelOptions`
};

/// SoftmaxRegression(X, y): labels are 0, 1, ..., K − 1, anything else is an `std::invalid_argument`. W is d x K (d + 1 with
/// an intercept), or its columns one after the other in a vector. For X and y see `LinearModel`.
template <class HeldX, class HeldY>
class SoftmaxRegression : public LinearModel<SoftmaxLoss, HeldX, HeldY> {
  template <class Y>
  static SoftmaxLoss loss_of(const Y& y, Eigen::Index classes) {
    constexpr Range count{.lower = 2, .upper = 1024};
    if (classes != 0) checked("SoftmaxRegression", "classes", static_cast<double>(classes), count);
    double most = 0;
    each_label(y, [&](Eigen::Index i, double label) {
      const double last = classes != 0 ? static_cast<double>(classes - 1) : 1023;
      if (!(label >= 0 && label <= last && label == std::floor(label))) {
        throw_invalid("SoftmaxRegression", join({"y[", to_text(i), "]"}), to_text(label),
                      join({"a whole number from 0 to ", to_text(last)}));
      }
      most = (std::max)(most, label);
    });
    if (classes == 0) classes = (std::max)(static_cast<Eigen::Index>(most) + 1, Eigen::Index(2));
    return {classes};
  }

 public:
  template <class X, class Y>
  SoftmaxRegression(X&& x, Y&& y, const SoftmaxRegressionOptions& options = {})
      : LinearModel<SoftmaxLoss, HeldX, HeldY>("SoftmaxRegression", std::forward<X>(x),
                                               std::forward<Y>(y), loss_of(y, options.classes),
                                               {options.intercept, options.weights}) {}
};

template <class X, class Y>
SoftmaxRegression(X&&, Y&&, const SoftmaxRegressionOptions& = {})
    -> SoftmaxRegression<Stored<X&&>, Stored<Y&&>>;

}  // namespace descent::inline v0

#endif  // DESCENT_OBJECTIVE_SOFTMAX_REGRESSION_HPP
