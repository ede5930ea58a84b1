// A model whose prediction is linear in the parameters: the mean of ℓ(xᵢᵀw, yᵢ) over samples, for any loss ℓ.
//
// Rows are taken in blocks that stay in the nearest cache: the scores of a block, then losses and slopes of all its scores
// at once, then their sum into the gradient. Data is read from memory once, and asked for a block ahead. Blocks belong to
// chunks, whose sums are formed by themselves and added in order, so that the bits are the same however many threads shared
// the chunks (objective/all_cores.hpp).
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
#include "descent/core/workspace.hpp"
#include "descent/engine/linear_rows.hpp"

namespace descent::inline v0 {

/// What every linear model may be told.
struct LinearModelOptions {
  /// The last parameter is a constant that is added to each score.
  bool intercept = false;
  /// One weight a sample, not negative, the loss is their weighted mean; empty: all are 1.
  Eigen::VectorXd weights = {};
};

/// f(w) = 1/n Σᵢ ωᵢ ℓ(xᵢᵀw, yᵢ), of weights ωᵢ whose mean is 1, and its means over batches, as a `FiniteSumObjective`.
/// X is n x d, one sample a row, dense (row- or column-major) or a row-major `Eigen::SparseMatrix`; y has n coefficients; w
/// has d for each output of the loss, one more with an intercept, as one column of a matrix or one part of a vector.
///
/// `Loss` says its `outputs()` and evaluates a block: `evaluate(z, y, losses)` puts the losses of the scores z into
/// `losses`, and their slopes ∂ℓ/∂z in the place of z; z has one column an output. It may also have `slope(z, y)`, that of one
/// score alone. Refers to X and y where they are lvalues, which must outlive it, and owns rvalues. Nothing of the size of the
/// data is allocated; for more samples than a chunk has, one vector like w, which is kept. Losses are summed in double. NaN in
/// the data shows as `Status::NonFinite`.
template <class Loss, class HeldX, class HeldY>
class LinearModel {
 public:
  /// The type of X.
  using Matrix = std::remove_cvref_t<decltype(std::declval<const HeldX&>().get())>;
  /// That of all coefficients.
  using Scalar = typename Matrix::Scalar;
  /// That of sizes.
  using Index = Eigen::Index;

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
    if constexpr (is_sparse<Matrix>) {
      const double density = (static_cast<double>(data().nonZeros()) + 1) / static_cast<double>(n);
      worth_a_sum_ = static_cast<Index>(8 * static_cast<double>(d) / density);
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
  /// ωᵢ, whose mean is 1; empty: all are 1.
  const Eigen::VectorXd& weights() const { return weights_; }

  template <class V>
  requires std::same_as<typename V::Scalar, Scalar>
  double loss(const V& w) const { return mean<false, V>(w, all(), nullptr); }
  template <class V>
  requires std::same_as<typename V::Scalar, Scalar>
  void gradient(const V& w, V& g) const { (void)mean<true>(w, all(), &g); }
  template <class V>
  requires std::same_as<typename V::Scalar, Scalar>
  double loss_and_gradient(const V& w, V& g) const { return mean<true>(w, all(), &g); }

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

  /// How many samples make a chunk, whose sum is formed by itself: of samples in order. A chunk of sparse data is worth a
  /// vector of sums. It does not depend on threads.
  Index chunk(const Rows&) const { return (std::max)(Index(4096), worth_a_sum_); }
  /// The same of a mini-batch.
  Index chunk(const Picked&) const { return (std::max)(Index(512), worth_a_sum_); }
  /// Adds the gradients of samples (`Rows` or `Picked`) to g, and returns the sum of their losses: neither is divided by
  /// anything.
  template <class V, class Samples>
  double add(const V& w, Samples samples, V& g) const {
    check(w.size());
    return sum<true>(w.data(), samples, g.data());
  }
  /// The sum of their losses alone.
  template <class V, class Samples>
  double add(const V& w, Samples samples) const {
    check(w.size());
    return sum<false>(w.data(), samples, nullptr);
  }

  /// Calls f(begin, count) for each run of parameters that a regularizer penalizes: all but intercepts.
  template <class F>
  void each_penalized(const F& f) const {
    const Index d = data().cols();
    for (Index output = 0; output < loss_.outputs(); ++output) f(output * (d + intercept_), d);
  }

  /// Returns f(x) of column j of dense data, the intercept's being ones.
  template <class F>
  auto on_column(Index j, const F& f) const requires(!is_sparse<Matrix>) {
    if (j < data().cols()) return f(data().col(j));
    return f(Eigen::Matrix<Scalar, Eigen::Dynamic, 1>::Ones(size()));
  }
  /// What solvers that go from column to column take the columns from: a model of dense data.
  const LinearModel& column_part() const requires(!is_sparse<Matrix>) { return *this; }

  /// The model at the bottom of decorators.
  const LinearModel& linear_part() const { return *this; }
  /// The λ of the decorators that add λ/2 ‖w‖²: there are none.
  static constexpr double ridge() { return 0; }

  // One sample, for models of one output. fᵢ(w) = ωᵢ ℓ(z, yᵢ) at its score z, and ∇fᵢ(w) = slope(z, i) xᵢ.

  /// The score xᵢᵀw (+ intercept).
  template <class V>
  Scalar score(const V& w, Index i) const {
    const Scalar z = Features::dot(data(), i, w.data());
    return intercept_ > 0 ? z + w.data()[data().cols()] : z;
  }
  /// ωᵢ ℓ(z, yᵢ).
  Scalar sample_loss(Scalar z, Index i) const { return sample(z, i).first; }
  /// ωᵢ ∂ℓ/∂z.
  Scalar slope(Scalar z, Index i) const {
    if constexpr (requires { loss_.slope(z, z); }) {
      return static_cast<Scalar>(weight(i)) * loss_.slope(z, static_cast<Scalar>(targets()[i]));
    } else {
      return sample(z, i).second;
    }
  }
  /// ωᵢ.
  double weight(Index i) const { return weights_.size() > 0 ? weights_[i] : 1; }
  /// g += a xᵢ, the intercept's feature being 1.
  template <class V>
  void add_row(Index i, Scalar a, V& g) const {
    Features::add_row(data(), i, a, g.data());
    if (intercept_ > 0) g.data()[data().cols()] += a;
  }
  /// ‖xᵢ‖², with the intercept's 1.
  double squared_norm(Index i) const {
    double sum = 0;
    each_feature(i,
                 [&](Index, Scalar x) { sum += static_cast<double>(x) * static_cast<double>(x); });
    return sum;
  }
  /// Calls f(j, xᵢⱼ) for each coefficient of a row, of sparse data for those that are stored; the intercept's 1 is the last.
  template <class F>
  void each_feature(Index i, const F& f) const {
    Features::each(data(), i, f);
    if (intercept_ > 0) f(data().cols(), Scalar(1));
  }

 protected:
  /// Throws unless all labels are 0 or 1.
  void require_classes() const {
    each_label(targets(), [this](Index i, double label) {
      if (label != 0 && label != 1) {
        throw_invalid(who_, join({"y[", to_text(i), "]"}), to_text(label), "0 or 1");
      }
    });
  }

 private:
  std::string_view who_;
  HeldX x_;
  HeldY y_;
  Loss loss_;
  Index intercept_;
  Eigen::VectorXd weights_;
  Index worth_a_sum_ = 0;
  Workspace chunk_sum_;

  static constexpr Index most_samples = 512, most_scores = 4096;  // of a block
  using Features = LinearRows<Matrix>;
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

  // The mean over the samples, of sums over chunks.
  template <bool Gradient, class V, class Samples>
  double mean(const V& w, Samples samples, V* g) const {
    check(w.size());
    const Index n = samples.size(), size = (std::min)(chunk(samples), n);
    double total = 0;
    const auto add_chunk = [&](Index k, V* to) {
      if constexpr (Gradient) to->setZero();
      total += sum<Gradient>(w.data(), samples.part(k, (std::min)(size, n - k)),
                             Gradient ? to->data() : nullptr);
    };
    add_chunk(0, g);
    if constexpr (!Gradient) {
      for (Index k = size; k < n; k += size) add_chunk(k, nullptr);
    } else {
      if (size < n) {
        chunk_sum_.with(w, [&](V& part) {
          for (Index k = size; k < n; k += size) {
            add_chunk(k, &part);
            *g += part;
          }
        });
      }
      *g *= static_cast<Scalar>(1 / static_cast<double>(n));
    }
    return total / static_cast<double>(n);
  }
  Rows all() const { return {0, size()}; }

  // Σ over the samples; adds to g.
  template <bool Gradient, class Samples>
  double sum(const Scalar* w, Samples samples, Scalar* g) const {
    if constexpr (std::is_same_v<Samples, Rows>) {
      const Rows ahead{samples.begin + 2 * samples.count, samples.count};
      expect_rows(data(), ahead);
      expect_rows(targets(), ahead);
      const double total = sum_of_blocks<Gradient>(w, samples, g);
      release_rows(data(), samples);
      release_rows(targets(), samples);
      return total;
    } else if (samples.is_run()) {
      return sum_of_blocks<Gradient>(w, Rows{samples[0], samples.size()}, g);
    } else {
      return sum_of_blocks<Gradient>(w, samples, g);
    }
  }
  template <bool Gradient, class Samples>
  double sum_of_blocks(const Scalar* w, Samples samples, [[maybe_unused]] Scalar* g) const {
    const Index outputs = loss_.outputs();
    constexpr Index coefficients = 16384 / Index(sizeof(Scalar));  // of rows that stay in the cache
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

  std::pair<Scalar, Scalar> sample(Scalar z, Index i) const {
    using One = Eigen::Array<Scalar, 1, 1>;
    One slope(z), loss;
    loss_.evaluate(slope, One(static_cast<Scalar>(targets()[i])), loss);
    const auto weight = static_cast<Scalar>(this->weight(i));
    return {weight * loss[0], weight * slope[0]};
  }

  auto labels_of(Rows rows) const {
    return targets().segment(rows.begin, rows.count).array().template cast<Scalar>();
  }
  auto labels_of(Picked picked) const {
    Block y(picked.size());
    for (Index k = 0; k < picked.size(); ++k) y[k] = static_cast<Scalar>(targets()[picked[k]]);
    return y;
  }

  template <class Samples>
  void scores_of(const Scalar* w, Samples samples, Scalar* z) const {
    const Index d = data().cols();
    for (Index output = 0; output < loss_.outputs();
         ++output, w += d + intercept_, z += samples.size()) {
      Features::multiply(data(), samples, w, z,
                         output == 0 ? Features::behind(data(), samples, 0) : Ahead());
      if (intercept_ > 0) Vector(z, samples.size()).array() += w[d];
    }
  }

  template <class Samples>
  void add_products(Samples samples, const Scalar* slopes, Scalar* g) const {
    const Index d = data().cols();
    for (Index output = 0; output < loss_.outputs();
         ++output, g += d + intercept_, slopes += samples.size()) {
      Features::add(data(), samples, slopes, g,
                    output == 0 ? Features::behind(data(), samples, 1) : Ahead());
      if (intercept_ > 0) g[d] += ConstVector(slopes, samples.size()).sum();
    }
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_LINEAR_MODEL_HPP
