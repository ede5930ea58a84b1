// Sparse gradients: the coordinates that are not zero, by index and value.
//
//     const std::vector<int> indices{7, 2};
//     const std::vector<double> values{0.5, -1.0};
//     optimizer.step(x, SparseGradient(indices, values));
#ifndef DESCENT_CORE_SPARSE_GRADIENT_HPP
#define DESCENT_CORE_SPARSE_GRADIENT_HPP

#include <Eigen/Core>
#include <algorithm>
#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "descent/core/errors.hpp"

namespace descent::inline v0 {

/// What an `Eigen::SparseVector`, a row of a row-major `Eigen::SparseMatrix` and views of them have.
template <class G>
concept SparseVectorLike = requires(const G& g) {
  requires bool(G::IsVectorAtCompileTime);
  { *g.innerIndexPtr() } -> std::convertible_to<Eigen::Index>;
  { *g.valuePtr() } -> std::convertible_to<typename G::Scalar>;
  { g.nonZeros() } -> std::convertible_to<Eigen::Index>;
  g.outerIndexPtr();
};

/// A view: refers to indices and values, which must outlive it. The k-th value belongs to coordinate indices[k]; the order is
/// free, and what is named twice is summed, in the order in which it stands there.
template <class Real, class I>
struct SparseGradient {
  /// float or double.
  using Scalar = Real;

  std::span<const I> indices;    ///< of the coordinates, int or Eigen::Index
  std::span<const Real> values;  ///< as many

  /// Of two contiguous containers; throws `std::invalid_argument` where their sizes differ.
  template <class Indices, class Values>
  requires requires(const Indices& i, const Values& v) {
    { i.data() } -> std::same_as<const I*>;
    { v.data() } -> std::same_as<const Real*>;
  }
  SparseGradient(const Indices& i, const Values& v)
      : indices(i.data(), static_cast<std::size_t>(i.size())),
        values(v.data(), static_cast<std::size_t>(v.size())) {
    if (indices.size() != values.size()) {
      throw_invalid("SparseGradient", "values", join({to_text(values.size()), " values"}),
                    join({"one value an index, ", to_text(indices.size())}));
    }
  }
  /// Of a sparse vector.
  template <SparseVectorLike G>
  explicit SparseGradient(const G& g)
      : indices(g.innerIndexPtr() + begin(g), static_cast<std::size_t>(g.nonZeros())),
        values(g.valuePtr() + begin(g), static_cast<std::size_t>(g.nonZeros())) {}

 private:
  // A row begins somewhere in the arrays of its matrix.
  template <class G>
  static Eigen::Index begin(const G& g) {
    const auto* outer = g.outerIndexPtr();
    return outer == nullptr ? 0 : static_cast<Eigen::Index>(*outer);
  }
};

template <class Indices, class Values>
SparseGradient(const Indices&, const Values&)
    -> SparseGradient<std::remove_cvref_t<decltype(*std::declval<const Values&>().data())>,
                      std::remove_cvref_t<decltype(*std::declval<const Indices&>().data())>>;
template <SparseVectorLike G>
explicit SparseGradient(const G&) -> SparseGradient<typename G::Scalar, typename G::StorageIndex>;

template <class G>
inline constexpr bool is_sparse_gradient = false;
template <class Real, class I>
inline constexpr bool is_sparse_gradient<SparseGradient<Real, I>> = true;

/// A gradient that names its coordinates.
template <class G>
concept NamesCoordinates = is_sparse_gradient<G> || SparseVectorLike<G>;

/// A sparse gradient whose indices ascend: the one given, where they do, else a sorted copy in which what occurred twice is
/// summed. Throws `std::invalid_argument` for an index that is not in [0, size).
template <class Real, class I>
class Coalesced {
  std::vector<I> indices_;
  std::vector<Real> values_;
  SparseGradient<Real, I> view_;

 public:
  Coalesced(SparseGradient<Real, I> g, Eigen::Index size) : view_(g) {
    bool ascending = true;
    for (std::size_t k = 0; k < g.indices.size(); ++k) {
      const auto i = static_cast<Eigen::Index>(g.indices[k]);
      if (i < 0 || i >= size) throw_index(k, i, size);
      ascending = ascending && (k == 0 || g.indices[k - 1] < g.indices[k]);
    }
    if (!ascending) sort();
  }
  Coalesced(const Coalesced&) = delete;
  Coalesced& operator=(const Coalesced&) = delete;

  /// Valid as long as this is.
  SparseGradient<Real, I> view() const { return view_; }

 private:
  void sort() {
    const SparseGradient<Real, I> g = view_;
    std::vector<std::size_t> order(g.indices.size());
    for (std::size_t k = 0; k < order.size(); ++k) order[k] = k;
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return g.indices[a] != g.indices[b] ? g.indices[a] < g.indices[b] : a < b;
    });
    for (const std::size_t k : order) {
      if (!indices_.empty() && indices_.back() == g.indices[k]) {
        values_.back() += g.values[k];
      } else {
        indices_.push_back(g.indices[k]);
        values_.push_back(g.values[k]);
      }
    }
    view_ = SparseGradient<Real, I>(indices_, values_);
  }
  [[noreturn, gnu::cold]] static void throw_index(std::size_t k, Eigen::Index i,
                                                  Eigen::Index size) {
    throw_invalid("step", join({"index ", to_text(k), " of the sparse gradient"}), to_text(i),
                  join({"in [0, ", to_text(size), ")"}));
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_CORE_SPARSE_GRADIENT_HPP
