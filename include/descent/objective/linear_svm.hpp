// LinearSVM: a linear classifier of two classes by the (squared) hinge loss.
//
//     ℓ(z, y) = max(0, 1 − s z),  or its square,   s = 2 y − 1 = ±1
//
// C. Cortes and V. Vapnik, "Support-vector networks", Mach. Learn. 20, 1995. liblinear's L1- and L2-loss primal with penalty
// C is l2(f, 1/(C n)).
#ifndef DESCENT_OBJECTIVE_LINEAR_SVM_HPP
#define DESCENT_OBJECTIVE_LINEAR_SVM_HPP

#include <Eigen/Core>
#include <algorithm>
#include <limits>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/stored.hpp"
#include "descent/engine/linear_model.hpp"

namespace descent::inline v0 {

/// The hinge has no slope at its corner; there 0 is taken, as everybody does.
struct HingeLoss {
  bool squared = true;  ///< its square
  /// Scores a sample.
  static constexpr Eigen::Index outputs() { return 1; }
  /// The largest ∂²ℓ/∂z².
  double largest_curvature() const { return squared ? 2 : std::numeric_limits<double>::infinity(); }

  /// The slope s at the score z with z + q s = v, q > 0: SDCA's step.
  double dual_step(double v, double y, double q) const {
    const double s = 2 * y - 1, margin = 1 - s * v;
    if (squared) return -s * (std::max)(0.0, 2 * margin / (1 + 2 * q));
    return -s * std::clamp(margin / q, 0.0, 1.0);
  }

  /// From scores to losses and slopes, see `LinearModel`.
  template <class Z, class Y, class Losses>
  void evaluate(Z& z, const Y& y, Losses& losses) const {
    using Scalar = typename Z::Scalar;
    const Losses s = Scalar(2) * y - Scalar(1);
    losses = (Scalar(1) - s * z.col(0)).max(Scalar(0));
    if (squared) {
      z.col(0) = Scalar(-2) * s * losses;
      losses = losses.square();
    } else {
      z.col(0) = (losses > Scalar(0)).select(-s, Scalar(0));
    }
  }
};

/// What a support vector machine may be told.
struct LinearSVMOptions {
  bool squared = true;           ///< the squared hinge, which is smooth
  bool intercept = false;        ///< as in `LinearModelOptions`
  Eigen::VectorXd weights = {};  ///< as in `LinearModelOptions`
};

/// LinearSVM(X, y, {.squared = true}): labels are 0 and 1, anything else is an `std::invalid_argument`. For X, y and w see
/// `LinearModel`.
template <class HeldX, class HeldY>
class LinearSVM : public LinearModel<HingeLoss, HeldX, HeldY> {
 public:
  template <class X, class Y>
  LinearSVM(X&& x, Y&& y, const LinearSVMOptions& options = {})
      : LinearModel<HingeLoss, HeldX, HeldY>("LinearSVM", std::forward<X>(x), std::forward<Y>(y),
                                             HingeLoss{options.squared},
                                             {options.intercept, options.weights}) {
    this->require_classes();
  }
};

template <class X, class Y>
LinearSVM(X&&, Y&&, const LinearSVMOptions& = {}) -> LinearSVM<Stored<X&&>, Stored<Y&&>>;

}  // namespace descent::inline v0

#endif  // DESCENT_OBJECTIVE_LINEAR_SVM_HPP
