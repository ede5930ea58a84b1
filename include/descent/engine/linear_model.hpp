// A model whose prediction is linear in the parameters: the mean of ℓ(xᵢᵀw, yᵢ) over samples, for any loss ℓ.
//
// Rows are taken in blocks that stay in the nearest cache: the scores of a block, then losses and slopes of all its scores
// at once, then their sum into the gradient. Data is read from memory once. Blocks belong to chunks, whose sums are added in
// order, so a sum over all chunks has the same bits however many threads shared them.
#ifndef DESCENT_ENGINE_LINEAR_MODEL_HPP
#define DESCENT_ENGINE_LINEAR_MODEL_HPP

#include <Eigen/Core>
#include <algorithm>
#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/objective.hpp"
#include "descent/core/stored.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/sweep.hpp"

namespace descent::inline v0 {

/// What every linear model may be told.
struct LinearModelOptions {
  /// The last parameter is a constant that is added to each score.
  bool intercept = false;
  /// One weight a sample, not negative, the loss is their weighted mean; empty: all are 1.
  Eigen::VectorXd weights = {};
};

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

/// f(w) = 1/n Σᵢ ωᵢ ℓ(xᵢᵀw, yᵢ), of weights ωᵢ whose mean is 1, and its means over batches, as a `FiniteSumObjective`.
/// X is n x d, one sample a row, dense (row- or column-major) or a row-major `Eigen::SparseMatrix`; y has n coefficients; w
/// has d for each output of the loss, one more with an intercept, as one column of a matrix or one part of a vector.
///
/// `Loss` says its `outputs()` and evaluates a block: `evaluate(z, y, losses)` puts the losses of the scores z into
/// `losses`, and their slopes ∂ℓ/∂z in the place of z; z has one column an output. Refers to X and y where they are lvalues,
/// which must outlive it, and owns rvalues. Nothing of the size of the data or of w is allocated. Losses are summed in
/// double. NaN in the data shows as `Status::NonFinite`.
template <class Loss, class HeldX, class HeldY>
class LinearModel {
 public:
  /// The type of X.
  using Matrix = std::remove_cvref_t<decltype(std::declval<const HeldX&>().get())>;
  /// That of all coefficients.
  using Scalar = typename Matrix::Scalar;
  /// That of sizes.
  using Index = Eigen::Index;

  /// Samples whose sum is formed by itself, see the head of this file.
  static constexpr Index chunk = 4096;

  /// `who` is the name that messages begin with.
  template <class X, class Y>
  LinearModel(std::string_view who, X&& x, Y&& y, Loss loss, const LinearModelOptions& options)
      : who_(who),
        x_(std::forward<X>(x)),
        y_(std::forward<Y>(y)),
        loss_(std::move(loss)),
        intercept_(options.intercept ? 1 : 0),
        weights_(options.weights) {
    const Index n = data().rows(), d = data().cols();
    if (n < 1 || d < 1) throw_invalid(who, "X", shape_text(n, d), "at least 1 x 1");
    if (targets().size() != n) {
      throw_invalid(who, "y", join({to_text(targets().size()), " coefficients"}),
                    join({"one coefficient a row of X, ", to_text(n)}));
    }
    if (weights_.size() > 0) {
      if (weights_.size() != n) {
        throw_invalid(who, "weights", join({to_text(weights_.size()), " weights"}),
                      join({"one weight a row of X, ", to_text(n)}));
      }
      double sum = 0;
      for (const double weight : weights_)
        sum += checked(who, "weights", weight, range::non_negative);
      checked(who, "sum of the weights", sum, range::positive);
      weights_ *= static_cast<double>(n) / sum;
    }
  }

  /// The number of samples, n.
  Index size() const { return data().rows(); }
  /// The number of parameters.
  Index parameters() const { return (data().cols() + intercept_) * loss_.outputs(); }
  /// The loss of one score.
  const Loss& loss_function() const { return loss_; }
  /// X.
  const Matrix& data() const { return x_.get(); }
  /// y.
  const auto& targets() const { return y_.get(); }

  template <class V>
  requires std::same_as<typename V::Scalar, Scalar>
  double loss(const V& w) const { return all<false, V>(w, nullptr); }
  template <class V>
  requires std::same_as<typename V::Scalar, Scalar>
  void gradient(const V& w, V& g) const { (void)all<true>(w, &g); }
  template <class V>
  requires std::same_as<typename V::Scalar, Scalar>
  double loss_and_gradient(const V& w, V& g) const { return all<true>(w, &g); }

  template <class V>
  requires std::same_as<typename V::Scalar, Scalar>
  double loss(const V& w, Batch batch) const { return mean<false, V>(w, Picked{batch}, nullptr); }
  template <class V>
  requires std::same_as<typename V::Scalar, Scalar>
  void gradient(const V& w, Batch batch, V& g) const { (void)mean<true>(w, Picked{batch}, &g); }
  template <class V>
  requires std::same_as<typename V::Scalar, Scalar>
  double loss_and_gradient(const V& w, Batch batch, V& g) const {
    return mean<true>(w, Picked{batch}, &g);
  }

  /// Adds the gradients of a run of samples to g, and returns the sum of their losses: neither is divided by anything.
  template <class V>
  double add(const V& w, Rows rows, V& g) const {
    check(w.size());
    return sum<true>(w.data(), rows, g.data());
  }

  /// Calls f(begin, count) for each run of parameters that a regularizer penalizes: all but intercepts.
  template <class F>
  void each_penalized(const F& f) const {
    const Index d = data().cols();
    for (Index output = 0; output < loss_.outputs(); ++output) f(output * (d + intercept_), d);
  }

  /// The prediction xᵢᵀw (+ intercept), for models of one output.
  template <class V>
  double score(const V& w, Index i) const {
    Scalar z;
    scores_of(w.data(), Rows{i, 1}, &z);
    return static_cast<double>(z);
  }

 protected:
  /// Throws unless all labels are 0 or 1.
  void require_classes() const {
    for (Index i = 0; i < size(); ++i) {
      const auto label = static_cast<double>(targets()[i]);
      if (label != 0 && label != 1) {
        throw_invalid(who_, join({"y[", to_text(i), "]"}), to_text(label), "0 or 1");
      }
    }
  }

 private:
  std::string_view who_;
  HeldX x_;
  HeldY y_;
  Loss loss_;
  Index intercept_;
  Eigen::VectorXd weights_;

  static constexpr Index most_samples = 512, most_scores = 4096;  // of a block
  static constexpr bool rows_are_contiguous = !is_sparse<Matrix> && Matrix::IsRowMajor;
  using Block = Eigen::Array<Scalar, Eigen::Dynamic, 1, Eigen::ColMajor, most_samples, 1>;
  using Scores = Eigen::Map<Eigen::Array<Scalar, Eigen::Dynamic, Eigen::Dynamic>>;
  using Vector = Eigen::Map<Eigen::Matrix<Scalar, Eigen::Dynamic, 1>>;
  using ConstVector = Eigen::Map<const Eigen::Matrix<Scalar, Eigen::Dynamic, 1>>;

  void check(Index size) const {
    if (size != parameters()) {
      throw_invalid(
          who_, "w", join({to_text(size), " coefficients"}),
          join(
              {"one coefficient a column of X",
               intercept_ > 0 ? std::string_view(" and one for the intercept") : std::string_view(),
               loss_.outputs() > 1 ? std::string_view(", for each class") : std::string_view(),
               ", ", to_text(parameters())}));
    }
  }

  template <bool Gradient, class V>
  double all(const V& w, V* g) const {
    check(w.size());
    if constexpr (Gradient) g->setZero();
    double total = 0;
    for (Index begin = 0; begin < size(); begin += chunk) {
      total += sum<Gradient>(w.data(), Rows{begin, (std::min)(chunk, size() - begin)},
                             Gradient ? g->data() : nullptr);
    }
    const auto n = static_cast<double>(size());
    if constexpr (Gradient) *g *= static_cast<Scalar>(1 / n);
    return total / n;
  }

  template <bool Gradient, class V>
  double mean(const V& w, Picked batch, V* g) const {
    check(w.size());
    if constexpr (Gradient) g->setZero();
    const double total = sum<Gradient>(w.data(), batch, Gradient ? g->data() : nullptr);
    const auto n = static_cast<double>(batch.size());
    if constexpr (Gradient) *g *= static_cast<Scalar>(1 / n);
    return total / n;
  }

  // Σ over the samples, block by block; adds to g.
  template <bool Gradient, class Samples>
  double sum(const Scalar* w, Samples samples, [[maybe_unused]] Scalar* g) const {
    const Index outputs = loss_.outputs();
    constexpr Index coefficients = 24576 / Index(sizeof(Scalar));  // of rows that stay in the cache
    const Index most = std::clamp<Index>(
        (std::min)(coefficients / data().cols(), most_scores / outputs) / 4 * 4, 4, most_samples);
    Scalar memory[most_scores];
    Block losses;
    double total = 0;
    for (Index at = 0; at < samples.size(); at += most) {
      const Samples block = samples.part(at, (std::min)(most, samples.size() - at));
      Scores z(memory, block.size(), outputs);
      scores_of(w, block, memory);
      losses.resize(block.size());
      loss_.evaluate(z, labels_of(block), losses);
      if (weights_.size() > 0) {
        for (Index k = 0; k < block.size(); ++k) {
          const auto weight = static_cast<Scalar>(weights_[block[k]]);
          losses[k] *= weight;
          z.row(k) *= weight;
        }
      }
      for (Index k = 0; k < block.size(); ++k) total += static_cast<double>(losses[k]);
      if constexpr (Gradient) add_products(block, memory, g);
    }
    return total;
  }

  auto labels_of(Rows rows) const {
    return targets().segment(rows.begin, rows.count).array().template cast<Scalar>();
  }
  auto labels_of(Picked picked) const {
    Block y(picked.size());
    for (Index k = 0; k < picked.size(); ++k) y[k] = static_cast<Scalar>(targets()[picked[k]]);
    return y;
  }

  const Scalar* row(Index i) const { return data().data() + i * data().outerStride(); }

  // Four rows from k on; behind the last one it is repeated, and does not count.
  template <class Samples>
  void four(Samples samples, Index k, const Scalar* (&x)[4]) const {
    for (Index i = 0; i < 4; ++i) x[i] = row(samples[(std::min)(k + i, samples.size() - 1)]);
  }

  template <class Samples>
  void scores_of(const Scalar* w, Samples samples, Scalar* z) const {
    const Index d = data().cols();
    for (Index output = 0; output < loss_.outputs();
         ++output, w += d + intercept_, z += samples.size()) {
      Vector score(z, samples.size());
      if constexpr (is_sparse<Matrix>) {
        for (Index k = 0; k < samples.size(); ++k) {
          Scalar dot(0);
          for (typename Matrix::InnerIterator x(data(), samples[k]); x; ++x)
            dot += x.value() * w[x.col()];
          z[k] = dot;
        }
      } else if constexpr (rows_are_contiguous) {
        for (Index k = 0; k < samples.size(); k += 4) {
          const Scalar* x[4];
          Scalar some[4];
          four(samples, k, x);
          DenseRows<Scalar>::scores(x, w, d, some);
          std::copy_n(some, (std::min)(Index(4), samples.size() - k), z + k);
        }
      } else if constexpr (std::is_same_v<Samples, Rows>) {
        score.noalias() = data().middleRows(samples.begin, samples.count) * ConstVector(w, d);
      } else {
        for (Index k = 0; k < samples.size(); ++k)
          z[k] = data().row(samples[k]).dot(ConstVector(w, d));
      }
      if (intercept_ > 0) score.array() += w[d];
    }
  }

  template <class Samples>
  void add_products(Samples samples, const Scalar* slopes, Scalar* g) const {
    const Index d = data().cols();
    for (Index output = 0; output < loss_.outputs();
         ++output, g += d + intercept_, slopes += samples.size()) {
      const ConstVector slope(slopes, samples.size());
      if constexpr (is_sparse<Matrix>) {
        for (Index k = 0; k < samples.size(); ++k) {
          for (typename Matrix::InnerIterator x(data(), samples[k]); x; ++x)
            g[x.col()] += slopes[k] * x.value();
        }
      } else if constexpr (rows_are_contiguous) {
        for (Index k = 0; k < samples.size(); k += 4) {
          const Scalar* x[4];
          Scalar some[4] = {};
          four(samples, k, x);
          std::copy_n(slopes + k, (std::min)(Index(4), samples.size() - k), some);
          DenseRows<Scalar>::add(x, some, d, g);
        }
      } else if constexpr (std::is_same_v<Samples, Rows>) {
        Vector(g, d).noalias() +=
            data().middleRows(samples.begin, samples.count).transpose() * slope;
      } else {
        for (Index k = 0; k < samples.size(); ++k) {
          Vector(g, d) += slopes[k] * data().row(samples[k]).transpose();
        }
      }
      if (intercept_ > 0) g[d] += slope.sum();
    }
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_LINEAR_MODEL_HPP
