// importance: a finite sum whose samples are drawn with given probabilities.
//
//     ∇f(x) = 1/n Σᵢ ∇fᵢ(x) = Σᵢ pᵢ · ∇fᵢ(x)/(n pᵢ)
//
// so that the mean of ∇fᵢ/(n pᵢ) over a batch drawn with the probabilities p is unbiased. D. Needell, N. Srebro and R. Ward,
// "Stochastic gradient descent, weighted sampling, and the randomized Kaczmarz algorithm", NIPS 2014; P. Zhao and T. Zhang,
// "Stochastic optimization with importance sampling for regularized loss minimization", ICML 2015. PyTorch's
// `WeightedRandomSampler` draws likewise, but leaves the division by n pᵢ to its user, without whom another function is
// minimized.
#ifndef DESCENT_OBJECTIVE_IMPORTANCE_HPP
#define DESCENT_OBJECTIVE_IMPORTANCE_HPP

#include <Eigen/Core>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "descent/core/alias_table.hpp"
#include "descent/core/errors.hpp"
#include "descent/core/objective.hpp"
#include "descent/core/stored.hpp"

namespace descent::inline v0 {

/// The objective inside, with its batches' losses and gradients divided by n pᵢ, sample by sample. `minimize` draws the
/// samples with these probabilities, and wants `.sampling = with_replacement`. What is around it must be linear in the
/// gradient, as `l2` is.
template <class Held>
class Importance {
  Held inner_;
  std::vector<double> probabilities_;

  using Inner = std::remove_cvref_t<decltype(std::declval<const Held&>().get())>;

  // 1/(n pᵢ).
  double factor(Eigen::Index i) const {
    const auto n = static_cast<double>(probabilities_.size());
    return 1 / (n * probabilities_[static_cast<std::size_t>(i)]);
  }
  // Σ over the batch of f(i)'s loss and gradient with their factors, divided by the size of the batch.
  template <class V, class Gradient>
  static double mean(const Importance& self, Batch batch, V& g, const Gradient& gradient_of) {
    V one = g;
    g.setZero();
    double loss = 0;
    const auto size = static_cast<double>(batch.size());
    for (const Eigen::Index& i : batch) {
      const double factor = self.factor(i) / size;
      loss += factor * gradient_of(Batch(&i, 1), one);
      g += static_cast<typename V::Scalar>(factor) * one;
    }
    return loss;
  }

 public:
  Importance(Held inner, std::span<const double> probabilities)
      : inner_(std::move(inner)), probabilities_(as_probabilities("importance", probabilities)) {
    if (static_cast<Eigen::Index>(probabilities.size()) != size()) {
      throw_invalid("importance", "probabilities", join({to_text(probabilities.size()), " numbers"}),
                    join({"one a sample, ", to_text(size())}));
    }
  }

  /// With which probability each sample is drawn; their sum is 1.
  std::span<const double> sampling_probabilities() const { return probabilities_; }

  template <class V>
  requires HasLoss<Inner, V>
  double loss(const V& x) const { return inner_.get().loss(x); }
  template <class V>
  requires HasGradient<Inner, V>
  void gradient(const V& x, V& g) const { inner_.get().gradient(x, g); }
  template <class V>
  requires HasLossAndGradient<Inner, V>
  double loss_and_gradient(const V& x, V& g) const { return inner_.get().loss_and_gradient(x, g); }
  template <class V>
  requires HasHessianProduct<Inner, V>
  void hessian_product(const V& x, const V& v, V& product) const {
    inner_.get().hessian_product(x, v, product);
  }

  /// The number of samples.
  Eigen::Index size() const { return static_cast<Eigen::Index>(inner_.get().size()); }
  template <class V>
  requires requires(const Inner& f, const V& x, Batch batch) { f.loss(x, batch); }
  double loss(const V& x, Batch batch) const {
    double sum = 0;
    for (const Eigen::Index& i : batch) sum += factor(i) * inner_.get().loss(x, Batch(&i, 1));
    return sum / static_cast<double>(batch.size());
  }
  template <class V>
  requires HasBatchGradient<Inner, V>
  void gradient(const V& x, Batch batch, V& g) const {
    (void)mean(*this, batch, g, [&](Batch one, V& its) {
      inner_.get().gradient(x, one, its);
      return 0.0;
    });
  }
  template <class V>
  requires HasBatchLossAndGradient<Inner, V>
  double loss_and_gradient(const V& x, Batch batch, V& g) const {
    return mean(*this, batch, g, [&](Batch one, V& its) {
      return static_cast<double>(inner_.get().loss_and_gradient(x, one, its));
    });
  }

  /// Calls f(begin, count) for each run of parameters that a regularizer penalizes.
  template <class F>
  requires requires(const Inner& inner, const F& f) { inner.each_penalized(f); }
  void each_penalized(const F& f) const { inner_.get().each_penalized(f); }
};

/// Importance sampling: a finite sum, which is referred to where it is an lvalue and owned where it is an rvalue, and one
/// positive number a sample (a vector of double), which are divided by their sum. `std::invalid_argument` for other numbers.
template <class F, class P>
requires HasSize<std::remove_cvref_t<F>>
auto importance(F&& objective, const P& probabilities) {
  return Importance<Stored<F&&>>(
      Stored<F&&>(std::forward<F>(objective)),
      std::span<const double>(probabilities.data(), static_cast<std::size_t>(probabilities.size())));
}

}  // namespace descent::inline v0

#endif  // DESCENT_OBJECTIVE_IMPORTANCE_HPP
