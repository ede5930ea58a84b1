// How linear models read the rows of X: scores, and sums of multiples of rows, of dense data in either order and of sparse
// data; many rows at a time where they lie side by side.
#ifndef DESCENT_ENGINE_LINEAR_ROWS_HPP
#define DESCENT_ENGINE_LINEAR_ROWS_HPP

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

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
  /// Whether each follows the one before it.
  bool is_run() const {
    for (std::size_t k = 1; k < batch.size(); ++k) {
      if (batch[k] != batch[0] + static_cast<Eigen::Index>(k)) return false;
    }
    return !batch.empty();
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

/// Asks for memory some time before it is read, little by little, so that it arrives while numbers are worked out. (The
/// processor sees by itself that memory is read in order, but waits when nothing is read for a while.)
class Ahead {
  std::uintptr_t at_ = 0;  // no pointer: it may go beyond the data, where nothing happens

 public:
  /// Asks for nothing.
  Ahead() = default;
  /// Begins at `memory`.
  explicit Ahead(const void* memory) : at_(reinterpret_cast<std::uintptr_t>(memory)) {}

  /// The next bytes.
  [[gnu::always_inline]] void ask(Eigen::Index bytes) {
    if (at_ == 0) return;
    const std::uintptr_t end = at_ + static_cast<std::uintptr_t>(bytes);
    for (std::uintptr_t line = (at_ + 63) / 64 * 64; line < end; line += 64) {
      __builtin_prefetch(reinterpret_cast<const void*>(line));  // NOLINT(performance-no-int-to-ptr)
    }
    at_ = end;
  }
};

/// Scores and sums of rows whose coefficients lie side by side.
template <class Real>
class DenseRows {
  using L = Lane<Real, lane_width<Real>>;
  using Index = Eigen::Index;
  static constexpr Index width = L::width;

 public:
  /// z[k] = row(k)ᵀ w for the first `count`. A score does not depend on its neighbors.
  template <class RowOf>
  static void scores(const RowOf& row, Index count, const Real* w, Index size, Real* z,
                     Ahead& ahead) {
    Index k = 0;
    for (; k + 4 <= count; k += 4) {
      some_scores(w, size, z + k, ahead, row(k), row(k + 1), row(k + 2), row(k + 3));
    }
    for (; k < count; ++k) some_scores(w, size, z + k, ahead, row(k));
  }

  /// g += Σ s[k] row(k) over the first `count`.
  template <class RowOf>
  static void add(const RowOf& row, Index count, const Real* s, Index size, Real* g, Ahead& ahead) {
    // A few rows at a time, so that memory is asked for in small portions.
    for (Index k = 0; k < count; k += 8) {
      const auto some = [&](Index i) { return row(k + i); };
      const Index rows = (std::min)(Index(8), count - k);
      Index j = 0;
      for (; j + 4 * width <= size; j += 4 * width) {
        ahead.ask(2 * rows * width * Index(sizeof(Real)));
        add_lanes(some, rows, s + k, g, std::array{j, j + width, j + 2 * width, j + 3 * width});
      }
      ahead.ask((size - j) * rows * Index(sizeof(Real)) / 2);
      for (; j + width <= size; j += width) add_lanes(some, rows, s + k, g, std::array{j});
      if constexpr (width > 1) {
        if (j < size) add_lanes(some, rows, s + k, g, std::array{j}, static_cast<int>(size - j));
      }
    }
  }

 private:
  template <class... X>
  [[gnu::always_inline]] static void some_scores(const Real* w, Index size, Real* z, Ahead& ahead,
                                                 const X*... x) {
    some_scores(w, size, z, ahead, std::make_index_sequence<sizeof...(X)>(), x...);
  }
  template <std::size_t... K, class... X>
  [[gnu::always_inline]] static void some_scores(const Real* w, Index size, Real* z, Ahead& ahead,
                                                 std::index_sequence<K...>, const X*... x) {
    L sums[] = {(void(K), L(0))...};
    const auto body = [&](Index j, auto... count) __attribute__((always_inline)) {
      const L v = L::load(w + j, count...);
      ((sums[K] = multiply_add(L::load(x + j, count...), v, sums[K])), ...);
    };
    constexpr Index line = (std::max)(width, Index(64 / sizeof(Real)));
    Index j = 0;
    for (; j + line <= size; j += line) {
      ahead.ask(Index(sizeof...(X)) * line * Index(sizeof(Real)) / 2);
      for (Index i = 0; i < line; i += width) body(j + i);
    }
    ahead.ask(Index(sizeof...(X)) * (size - j) * Index(sizeof(Real)) / 2);
    sweep<L>(
        size - j, [&](Index i, auto... count)
                      __attribute__((always_inline)) { body(j + i, count...); });
    ((z[K] = total(sums[K])), ...);
  }

  // Some lanes of g, kept while the rows pass; two sums for each, so that additions wait for each other less.
  template <class RowOf, std::size_t N, class... Count>
  [[gnu::always_inline]] static void add_lanes(const RowOf& row, Index rows, const Real* s, Real* g,
                                               const std::array<Index, N>& j, Count... count) {
    add_lanes(row, rows, s, g, j, std::make_index_sequence<N>(), count...);
  }
  template <class RowOf, std::size_t N, std::size_t... I, class... Count>
  [[gnu::always_inline]] static void add_lanes(const RowOf& row, Index rows, const Real* s, Real* g,
                                               const std::array<Index, N>& j,
                                               std::index_sequence<I...>, Count... count) {
    L even[] = {L::load(g + j[I], count...)...}, odd[] = {(void(I), L(0))...};
    Index k = 0;
    for (; k + 2 <= rows; k += 2) {
      const L a(s[k]), b(s[k + 1]);
      const Real *const x = row(k), *const y = row(k + 1);
      ((even[I] = multiply_add(a, L::load(x + j[I], count...), even[I])), ...);
      ((odd[I] = multiply_add(b, L::load(y + j[I], count...), odd[I])), ...);
    }
    if (k < rows) {
      const L a(s[k]);
      const Real* const x = row(k);
      ((even[I] = multiply_add(a, L::load(x + j[I], count...), even[I])), ...);
    }
    ((even[I] + odd[I]).store(g + j[I], count...), ...);
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
  static constexpr bool contiguous =
      !is_sparse<Matrix> && Matrix::IsRowMajor && requires(const Matrix& x) {
    x.data();
  };

  /// z[k] = x_kᵀ w for the k-th of the samples.
  template <class Samples>
  static void multiply(const Matrix& x, Samples samples, const Scalar* w, Scalar* z,
                       Ahead ahead = {}) {
    if constexpr (contiguous) {
      if constexpr (std::is_same_v<Samples, Picked>) {
        // Rows that lie anywhere are asked for a few rows before they are read.
        const auto ask = [&](Index k) {
          if (k < samples.size()) Ahead(row(x, samples[k])).ask(x.cols() * Index(sizeof(Scalar)));
        };
        for (Index k = 0; k < 8; ++k) ask(k);
        DenseRows<Scalar>::scores(
            [&](Index k) {
              ask(k + 8);
              return row(x, samples[k]);
            },
            samples.size(), w, x.cols(), z, ahead);
      } else {
        DenseRows<Scalar>::scores([&](Index k) { return row(x, samples[k]); }, samples.size(), w,
                                  x.cols(), z, ahead);
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
  static void add(const Matrix& x, Samples samples, const Scalar* s, Scalar* g, Ahead ahead = {}) {
    if constexpr (contiguous) {
      DenseRows<Scalar>::add([&](Index k) { return row(x, samples[k]); }, samples.size(), s,
                             x.cols(), g, ahead);
    } else if constexpr (!is_sparse<Matrix> && std::is_same_v<Samples, Rows>) {
      Vector(g, x.cols()).noalias() +=
          x.middleRows(samples.begin, samples.count).transpose() * ConstVector(s, samples.size());
    } else {
      for (Index k = 0; k < samples.size(); ++k) add_row(x, samples[k], s[k], g);
    }
  }

  /// The memory behind some samples, as much as they have: its first half, to be asked for while they are multiplied, or
  /// its second, while they are added.
  template <class Samples>
  static Ahead behind(const Matrix& x, Samples samples, int half) {
    if constexpr (contiguous && std::is_same_v<Samples, Rows>) {
      if (x.outerStride() == x.cols()) {
        return Ahead(row(x, samples.begin + samples.count) + half * samples.count * x.cols() / 2);
      }
    }
    return {};
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
      const auto* const columns = x.innerIndexPtr();
      const Scalar* const values = x.valuePtr();
      for (Index k = row_begin(x, i), end = row_end(x, i); k < end; ++k)
        f(Index(columns[k]), values[k]);
    } else if constexpr (contiguous) {
      const Scalar* const row = x.data() + i * x.outerStride();
      for (Index j = 0; j < x.cols(); ++j) f(j, row[j]);
    } else {
      for (Index j = 0; j < x.cols(); ++j) f(j, x.coeff(i, j));
    }
  }

  /// Asks for the row to be brought into the caches. (Not inline, g++ takes what only prefetches for nothing at all.)
  [[gnu::always_inline]] static void prefetch([[maybe_unused]] const Matrix& x,
                                              [[maybe_unused]] Index i) {
    if constexpr (is_sparse<Matrix>) {
      const Index begin = row_begin(x, i), count = row_end(x, i) - begin;
      prefetch(x.innerIndexPtr() + begin, count);
      prefetch(x.valuePtr() + begin, count);
    } else if constexpr (contiguous) {
      prefetch(x.data() + i * x.outerStride(), x.cols());
    }
  }

 private:
  static const Scalar* row(const Matrix& x, Index i) { return x.data() + i * x.outerStride(); }

  template <class T>
  [[gnu::always_inline]] static void prefetch(const T* from, Index count) {
    constexpr Index line = 64 / Index(sizeof(T)),
                    most = 16 * line;  // longer ones announce themselves
    for (Index k = 0; k < (std::min)(count, most); k += line) __builtin_prefetch(from + k);
  }
  static Index row_begin(const Matrix& x, Index i) requires is_sparse<Matrix> {
    return Index(x.outerIndexPtr()[i]);
  }
  static Index row_end(const Matrix& x, Index i) requires is_sparse<Matrix> {
    const auto* const counts = x.innerNonZeroPtr();  // of rows with room behind them
    return counts == nullptr ? Index(x.outerIndexPtr()[i + 1]) : row_begin(x, i) + Index(counts[i]);
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_LINEAR_ROWS_HPP
