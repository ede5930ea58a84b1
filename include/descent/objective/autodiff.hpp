// autodiff: the gradient of a loss that is written once, for any scalar, by Eigen's own AutoDiffScalar.
//
//     auto f = autodiff([](const auto& x) { return pow(1 - x[0], 2) + 100 * pow(x[1] - x[0] * x[0], 2); });
//
// Forward mode: a number carries its derivatives by all n parameters, so a gradient costs about n losses, exact to rounding;
// for some dozens of parameters. For more, a library with reverse mode belongs into `loss_and_gradient` of an objective of
// one's own: examples/reverse_mode.cpp is such an adapter, to ADOL-C.
//
// Eigen's AutoDiffScalar is in its unsupported modules, so this header is not in the umbrella but in all.hpp.
#ifndef DESCENT_OBJECTIVE_AUTODIFF_HPP
#define DESCENT_OBJECTIVE_AUTODIFF_HPP

#include <Eigen/Core>
#include <type_traits>
#include <unsupported/Eigen/AutoDiff>
#include <utility>

#include "descent/core/stored.hpp"

namespace descent::inline v0 {

/// The callable takes an Eigen vector of any scalar T (`const auto& x`) and returns a T. Intermediate results should be of
/// type T, not `auto`: Eigen's expressions refer to numbers that are gone. Each loss_and_gradient makes a vector of such
/// numbers, on the heap where the size is dynamic.
template <class Held>
class AutoDiff {
  Held f_;

 public:
  explicit AutoDiff(Held f) : f_(std::move(f)) {}

  template <class V>
  double loss(const V& x) const {
    return static_cast<double>(f_.get()(x));
  }
  template <class V>
  double loss_and_gradient(const V& x, V& g) const {
    using Derivatives = Eigen::Matrix<typename V::Scalar, V::SizeAtCompileTime, 1>;
    using T = Eigen::AutoDiffScalar<Derivatives>;
    Eigen::Matrix<T, V::RowsAtCompileTime, V::ColsAtCompileTime> seeded(x.rows(), x.cols());
    const auto n = static_cast<int>(x.size());
    int k = 0;  // column by column
    for (Eigen::Index j = 0; j < x.cols(); ++j) {
      for (Eigen::Index i = 0; i < x.rows(); ++i) seeded(i, j) = T(x(i, j), n, k++);
    }
    const T loss = f_.get()(seeded);
    k = 0;
    for (Eigen::Index j = 0; j < x.cols(); ++j) {
      for (Eigen::Index i = 0; i < x.rows(); ++i) {
        // A loss without parameters in it has no derivatives.
        g(i, j) = loss.derivatives().size() > 0 ? loss.derivatives()[k++] : 0;
      }
    }
    return static_cast<double>(loss.value());
  }
};

/// An objective from a callable that works for any scalar; it is referred to where it is an lvalue and owned where it is an
/// rvalue.
template <class F>
auto autodiff(F&& f) {
  return AutoDiff<Stored<F&&>>(Stored<F&&>(std::forward<F>(f)));
}

}  // namespace descent::inline v0

#endif  // DESCENT_OBJECTIVE_AUTODIFF_HPP
