// How linear models read the rows of X: scores, and sums of multiples of rows, of dense data in either order and of sparse
// data; many rows at a time where they lie side by side.
#ifndef DESCENT_ENGINE_LINEAR_ROWS_HPP
#define DESCENT_ENGINE_LINEAR_ROWS_HPP

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <type_traits>

#include "descent/core/objective.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/sweep.hpp"

namespace descent::inline v0 {

/// A run of samples.
struct Rows {
  Eigen::Index begin;  ///< the first
  Eigen::Index count;  ///< how many
  /// The k-th of them.
  Eigen::Index operator[](Eigen::Index k) const { return begin + k; }
  Eigen::Index size() const { return count; }
  /// n of them from the k-th on.
  Rows part(Eigen::Index k, Eigen::Index n) const { return {begin + k, n}; }
};
/// Samples by index.
struct Picked {
  Batch batch;  ///< the indices
  /// The k-th of them.
  Eigen::Index operator[](Eigen::Index k) const { return batch[static_cast<std::size_t>(k)]; }
  Eigen::Index size() const { return static_cast<Eigen::Index>(batch.size()); }
  /// n of them from the k-th on.
  Picked part(Eigen::Index k, Eigen::Index n) const {
    return {batch.subspan(static_cast<std::size_t>(k), static_cast<std::size_t>(n))};
  }
};

/// What sparse matrices have and dense ones have not.
template <class M>
inline constexpr bool is_sparse = requires(const M& m) {
  typename M::StorageIndex;
  m.nonZeros();
  m.outerIndexPtr();
};

/// Tells data that lives in a file (io/mapped_data.hpp) which samples are read soon, to be fetched meanwhile, ...
template <class Data>
void expect_rows(const Data& data, Rows rows) {
  if constexpr (requires { data.expect(rows.begin, rows.count); }) {
    data.expect(rows.begin, rows.count);
  }
}
/// ... and which are not read again before the others have been, to be forgotten.
template <class Data>
void release_rows(const Data& data, Rows rows) {
  if constexpr (requires { data.release(rows.begin, rows.count); }) {
    data.release(rows.begin, rows.count);
  }
}

/// Calls f(i, yᵢ) for each label in order.
template <class Y, class F>
void each_label(const Y& y, const F& f) {
  constexpr Eigen::Index chunk = 4096;
  for (Eigen::Index begin = 0; begin < y.size(); begin += chunk) {
    const Rows rows{begin, (std::min)(chunk, y.size() - begin)};
    for (Eigen::Index k = 0; k < rows.count; ++k) f(rows[k], static_cast<double>(y[rows[k]]));
    release_rows(y, rows);
  }
}

/// Scores and their transposed product, four rows at a time, for rows whose coefficients lie side by side.
template <class Real>
class DenseRows {
  using L = Lane<Real, lane_width<Real>>;
  using Index = Eigen::Index;

 public:
  /// z[k] = x_kᵀ w for four rows.
  static void scores(const Real* const (&x)[4], const Real* w, Index size, Real* z) {
    const Real *const x0 = x[0], *const x1 = x[1], *const x2 = x[2], *const x3 = x[3];
    L a(0), b(0), c(0), d(0);
    sweep<L>(
        size, [&](Index j, auto... count) __attribute__((always_inline)) {
          const L v = L::load(w + j, count...);
          a = multiply_add(L::load(x0 + j, count...), v, a);
          b = multiply_add(L::load(x1 + j, count...), v, b);
          c = multiply_add(L::load(x2 + j, count...), v, c);
          d = multiply_add(L::load(x3 + j, count...), v, d);
        });
    z[0] = static_cast<Real>(sum(a));
    z[1] = static_cast<Real>(sum(b));
    z[2] = static_cast<Real>(sum(c));
    z[3] = static_cast<Real>(sum(d));
  }

  /// g += Σ s[k] x_k for four rows.
  static void add(const Real* const (&x)[4], const Real* s, Index size, Real* g) {
    const Real *const x0 = x[0], *const x1 = x[1], *const x2 = x[2], *const x3 = x[3];
    const L a(s[0]), b(s[1]), c(s[2]), d(s[3]);
    sweep<L>(
        size, [=](Index j, auto... count) __attribute__((always_inline)) {
          L sum = L::load(g + j, count...);
          sum = multiply_add(a, L::load(x0 + j, count...), sum);
          sum = multiply_add(b, L::load(x1 + j, count...), sum);
          sum = multiply_add(c, L::load(x2 + j, count...), sum);
          sum = multiply_add(d, L::load(x3 + j, count...), sum);
          sum.store(g + j, count...);
        });
  }
};

/// The rows of a matrix, dense or a row-major `Eigen::SparseMatrix`.
template <class Matrix>
class LinearRows {
  using Scalar = typename Matrix::Scalar;
  using Index = Eigen::Index;
  using Vector = Eigen::Map<Eigen::Matrix<Scalar, Eigen::Dynamic, 1>>;
  using ConstVector = Eigen::Map<const Eigen::Matrix<Scalar, Eigen::Dynamic, 1>>;

 public:
  /// Whether a row's coefficients lie side by side, all of them.
  static constexpr bool contiguous = !is_sparse<Matrix> && Matrix::IsRowMajor;

  /// z[k] = x_kᵀ w for the k-th of the samples.
  template <class Samples>
  static void multiply(const Matrix& x, Samples samples, const Scalar* w, Scalar* z) {
    if constexpr (contiguous) {
      for (Index k = 0; k < samples.size(); k += 4) {
        const Scalar* some_x[4];
        Scalar some[4];
        four(x, samples, k, some_x);
        DenseRows<Scalar>::scores(some_x, w, x.cols(), some);
        std::copy_n(some, (std::min)(Index(4), samples.size() - k), z + k);
      }
    } else if constexpr (!is_sparse<Matrix> && std::is_same_v<Samples, Rows>) {
      Vector(z, samples.size()).noalias() =
          x.middleRows(samples.begin, samples.count) * ConstVector(w, x.cols());
    } else {
      for (Index k = 0; k < samples.size(); ++k) z[k] = dot(x, samples[k], w);
    }
  }

  /// g += Σₖ s[k] x_k.
  template <class Samples>
  static void add(const Matrix& x, Samples samples, const Scalar* s, Scalar* g) {
    if constexpr (contiguous) {
      for (Index k = 0; k < samples.size(); k += 4) {
        const Scalar* some_x[4];
        Scalar some[4] = {};
        four(x, samples, k, some_x);
        std::copy_n(s + k, (std::min)(Index(4), samples.size() - k), some);
        DenseRows<Scalar>::add(some_x, some, x.cols(), g);
      }
    } else if constexpr (!is_sparse<Matrix> && std::is_same_v<Samples, Rows>) {
      Vector(g, x.cols()).noalias() +=
          x.middleRows(samples.begin, samples.count).transpose() * ConstVector(s, samples.size());
    } else {
      for (Index k = 0; k < samples.size(); ++k) add_row(x, samples[k], s[k], g);
    }
  }

  /// xᵢᵀ w.
  static Scalar dot(const Matrix& x, Index i, const Scalar* w) {
    if constexpr (is_sparse<Matrix>) {
      Scalar sum(0);
      each(x, i, [&](Index j, Scalar value) { sum += value * w[j]; });
      return sum;
    } else {
      return x.row(i).dot(ConstVector(w, x.cols()));
    }
  }

  /// g += a xᵢ.
  static void add_row(const Matrix& x, Index i, Scalar a, Scalar* g) {
    if constexpr (is_sparse<Matrix>) {
      each(x, i, [&](Index j, Scalar value) { g[j] += a * value; });
    } else {
      Vector(g, x.cols()) += a * x.row(i).transpose();
    }
  }

  /// Calls f(j, xᵢⱼ) for each coefficient that is stored.
  template <class F>
  static void each(const Matrix& x, Index i, const F& f) {
    if constexpr (is_sparse<Matrix>) {
      for (typename Matrix::InnerIterator it(x, i); it; ++it) f(Index(it.col()), it.value());
    } else {
      for (Index j = 0; j < x.cols(); ++j) f(j, x.coeff(i, j));
    }
  }

 private:
  // Four rows from k on; behind the last one it is repeated, and does not count.
  template <class Samples>
  static void four(const Matrix& x, Samples samples, Index k, const Scalar* (&rows)[4]) {
    for (Index i = 0; i < 4; ++i) {
      rows[i] = x.data() + samples[(std::min)(k + i, samples.size() - 1)] * x.outerStride();
    }
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_LINEAR_ROWS_HPP
