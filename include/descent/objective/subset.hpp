// subset: some samples of a finite sum as a finite sum of their own, for training and validation parts of one data set.
//
//     f_S(x) = 1/|S| Σ_{i ∈ S} fᵢ(x)
//
// Nothing is copied but the indices: the objective inside is asked for batches of its own samples.
#ifndef DESCENT_OBJECTIVE_SUBSET_HPP
#define DESCENT_OBJECTIVE_SUBSET_HPP

#include <Eigen/Core>
#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

#include "descent/core/errors.hpp"
#include "descent/core/objective.hpp"
#include "descent/core/stored.hpp"
#include "descent/core/workspace.hpp"

namespace descent::inline v0 {

/// The mean over the samples of S, numbered anew from 0 in the order of the indices; what the objective inside offers for
/// batches, this offers for all and for batches. Weights of samples stay what they are in the whole. Decorators belong
/// around it: probabilities are those of these samples then. It is a finite sum and no linear model any more, so `SAGA` keeps a
/// gradient a sample.
template <class Held>
class Subset {
  Held inner_;
  std::vector<Eigen::Index> indices_;
  Workspace picked_, unused_;

  using Inner = std::remove_cvref_t<decltype(std::declval<const Held&>().get())>;
  using Indices = Eigen::Matrix<Eigen::Index, Eigen::Dynamic, 1>;
  static_assert(
      !requires(const Inner& f) { f.sampling_probabilities(); },
      "subset: put importance(...) around the subset, with probabilities of its samples");
  static_assert(
      !requires(const Inner& f) { f.proximal_part(); },
      "subset: put a regularizer that is not smooth around the subset");

  template <class V>
  static constexpr bool has_loss = requires(const Inner& f, const V& x, Batch batch) {
    f.loss(x, batch);
  };

  // ask(what the indices of the batch are inside).
  template <class Ask>
  auto mapped(Batch batch, const Ask& ask) const {
    return picked_.of_size<Indices>(static_cast<Eigen::Index>(batch.size()), [&](Indices& picked) {
      for (std::size_t k = 0; k < batch.size(); ++k) {
        picked[static_cast<Eigen::Index>(k)] = indices_[static_cast<std::size_t>(batch[k])];
      }
      return ask(Batch(picked.data(), batch.size()));
    });
  }
  template <class V>
  double loss_inside(const V& x, Batch batch) const {
    if constexpr (has_loss<V>) {
      return static_cast<double>(inner_.get().loss(x, batch));
    } else {
      return unused_.with(x, [&](V& g) {
        return static_cast<double>(inner_.get().loss_and_gradient(x, batch, g));
      });
    }
  }

 public:
  Subset(Held inner, std::vector<Eigen::Index> indices)
      : inner_(std::move(inner)), indices_(std::move(indices)) {
    const auto n = static_cast<Eigen::Index>(inner_.get().size());
    if (indices_.empty()) throw_invalid("subset", "indices", "none", "one at least");
    for (std::size_t k = 0; k < indices_.size(); ++k) {
      if (indices_[k] < 0 || indices_[k] >= n) {
        throw_invalid("subset", join({"indices[", to_text(k), "]"}), to_text(indices_[k]),
                      join({"in [0, ", to_text(n), ")"}));
      }
    }
  }

  /// The samples, by their numbers inside.
  Batch indices() const { return indices_; }
  /// How many they are.
  Eigen::Index size() const { return static_cast<Eigen::Index>(indices_.size()); }

  template <class V>
  requires has_loss<V> || HasBatchLossAndGradient<Inner, V>
  double loss(const V& x) const { return loss_inside(x, indices_); }
  template <class V>
  requires HasBatchGradient<Inner, V>
  void gradient(const V& x, V& g) const { inner_.get().gradient(x, Batch(indices_), g); }
  template <class V>
  requires HasBatchLossAndGradient<Inner, V>
  double loss_and_gradient(const V& x, V& g) const {
    return static_cast<double>(inner_.get().loss_and_gradient(x, Batch(indices_), g));
  }

  template <class V>
  requires has_loss<V> || HasBatchLossAndGradient<Inner, V>
  double loss(const V& x, Batch batch) const {
    return mapped(batch, [&](Batch inside) { return loss_inside(x, inside); });
  }
  template <class V>
  requires HasBatchGradient<Inner, V>
  void gradient(const V& x, Batch batch, V& g) const {
    mapped(batch, [&](Batch inside) { inner_.get().gradient(x, inside, g); });
  }
  template <class V>
  requires HasBatchLossAndGradient<Inner, V>
  double loss_and_gradient(const V& x, Batch batch, V& g) const {
    return mapped(batch, [&](Batch inside) {
      return static_cast<double>(inner_.get().loss_and_gradient(x, inside, g));
    });
  }

  /// The number of parameters, where the objective inside says it.
  Eigen::Index parameters() const requires requires(const Inner& f) { f.parameters(); }
  { return inner_.get().parameters(); }
  /// Calls f(begin, count) for each run of parameters that a regularizer penalizes.
  template <class F>
  requires requires(const Inner& inner, const F& f) { inner.each_penalized(f); }
  void each_penalized(const F& f) const { inner_.get().each_penalized(f); }
};

/// Some samples of a finite sum, which is referred to where it is an lvalue and owned where it is an rvalue. An index may occur
/// twice. `std::invalid_argument` where there is none, or one outside of the sum.
template <class F>
requires HasSize<std::remove_cvref_t<F>>
auto subset(F&& objective, std::vector<Eigen::Index> indices) {
  return Subset<Stored<F&&>>(Stored<F&&>(std::forward<F>(objective)), std::move(indices));
}

}  // namespace descent::inline v0

#endif  // DESCENT_OBJECTIVE_SUBSET_HPP
