// LinearRegression: least squares, f(w) = 1/(2n) ‖Xw − y‖².
#ifndef DESCENT_OBJECTIVE_LINEAR_REGRESSION_HPP
#define DESCENT_OBJECTIVE_LINEAR_REGRESSION_HPP

#include <Eigen/Core>
#include <algorithm>
#include <concepts>
#include <string>
#include <type_traits>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/objective.hpp"
#include "descent/core/stored.hpp"

namespace descent::inline v0 {

/// X is n x d, one sample a row, row- or column-major; y has n coefficients; w has d:
///
///     f(w) = 1/(2n) Σᵢ (xᵢᵀw − yᵢ)²        ∇f(w) = 1/n Xᵀ(Xw − y)
///
/// and the same means over a batch. No intercept: append a column of ones for one. One pass over the rows gives loss
/// and gradient; nothing of the size of the data is allocated. Refers to X and y where they are lvalues, which must
/// outlive it, and owns rvalues. Throws `std::invalid_argument` when X is empty or sizes differ; NaN in the data shows
/// as `Status::NonFinite`. The residuals' squares are summed in double.
template <class HeldX, class HeldY>
class LinearRegression {
  HeldX x_;
  HeldY y_;

 public:
  /// The type of X.
  using Matrix = std::remove_cvref_t<decltype(std::declval<const HeldX&>().get())>;
  /// That of all coefficients.
  using Scalar = typename Matrix::Scalar;

  template <class X, class Y>
  LinearRegression(X&& x, Y&& y) : x_(std::forward<X>(x)), y_(std::forward<Y>(y)) {
    const auto& data = x_.get();
    if (data.rows() < 1 || data.cols() < 1) {
      throw_invalid("LinearRegression", "X",
                    std::to_string(data.rows()) + " x " + std::to_string(data.cols()),
                    "at least 1 x 1");
    }
    if (y_.get().size() != data.rows()) {
      throw_invalid("LinearRegression", "y", std::to_string(y_.get().size()) + " coefficients",
                    "one coefficient a row of X, " + std::to_string(data.rows()));
    }
  }

  /// The number of samples, n.
  Eigen::Index size() const { return x_.get().rows(); }

  template <class V>
  requires std::same_as<typename V::Scalar, Scalar>
  double loss(const V& w) const { return blocks<false, V>(w, nullptr); }
  template <class V>
  requires std::same_as<typename V::Scalar, Scalar>
  void gradient(const V& w, V& g) const { (void)blocks<true>(w, &g); }
  template <class V>
  requires std::same_as<typename V::Scalar, Scalar>
  double loss_and_gradient(const V& w, V& g) const { return blocks<true>(w, &g); }

  template <class V>
  requires std::same_as<typename V::Scalar, Scalar>
  double loss(const V& w, Batch batch) const { return samples<false, V>(w, batch, nullptr); }
  template <class V>
  requires std::same_as<typename V::Scalar, Scalar>
  void gradient(const V& w, Batch batch, V& g) const { (void)samples<true>(w, batch, &g); }
  template <class V>
  requires std::same_as<typename V::Scalar, Scalar>
  double loss_and_gradient(const V& w, Batch batch, V& g) const {
    return samples<true>(w, batch, &g);
  }

 private:
  void check(Eigen::Index size) const {
    if (size != x_.get().cols()) {
      throw_invalid("LinearRegression", "w", std::to_string(size) + " coefficients",
                    "one coefficient a column of X, " + std::to_string(x_.get().cols()));
    }
  }

  // The whole sum, by blocks of rows that stay in the cache between the two products.
  template <bool Gradient, class V>
  double blocks(const V& w, V* g) const {
    constexpr Eigen::Index most = 256;
    const auto& x = x_.get();
    const auto& y = y_.get();
    check(w.size());
    if constexpr (Gradient) g->setZero();
    const Eigen::Index rows = Matrix::IsRowMajor
                                  ? std::clamp<Eigen::Index>(Eigen::Index{4096} / x.cols(), 4, most)
                                  : most;
    Eigen::Matrix<Scalar, Eigen::Dynamic, 1, Eigen::ColMajor, most, 1> residual;
    double squares = 0;
    for (Eigen::Index i = 0; i < x.rows(); i += rows) {
      const Eigen::Index count = (std::min)(rows, x.rows() - i);
      residual.resize(count);
      residual.noalias() = x.middleRows(i, count) * w;
      for (Eigen::Index k = 0; k < count; ++k) residual[k] -= y(i + k);
      squares += static_cast<double>(residual.squaredNorm());
      if constexpr (Gradient) g->noalias() += x.middleRows(i, count).transpose() * residual;
    }
    const auto n = static_cast<double>(x.rows());
    if constexpr (Gradient) *g *= static_cast<Scalar>(1 / n);
    return squares / (2 * n);
  }

  template <bool Gradient, class V>
  double samples(const V& w, Batch batch, V* g) const {
    const auto& x = x_.get();
    const auto& y = y_.get();
    check(w.size());
    if constexpr (Gradient) g->setZero();
    double squares = 0;
    for (const Eigen::Index i : batch) {
      const Scalar residual = x.row(i).dot(w) - y(i);
      squares += static_cast<double>(residual) * static_cast<double>(residual);
      if constexpr (Gradient) *g += residual * x.row(i).transpose();
    }
    const auto n = static_cast<double>(batch.size());
    if constexpr (Gradient) *g *= static_cast<Scalar>(1 / n);
    return squares / (2 * n);
  }
};

template <class X, class Y>
LinearRegression(X&&, Y&&) -> LinearRegression<Stored<X&&>, Stored<Y&&>>;

}  // namespace descent::inline v0

#endif  // DESCENT_OBJECTIVE_LINEAR_REGRESSION_HPP
