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
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "descent/core/alias_table.hpp"
#include "descent/core/errors.hpp"
#include "descent/core/objective.hpp"
#include "descent/core/stored.hpp"
#include "descent/core/workspace.hpp"

namespace descent::inline v0 {

/// The objective inside, with its batches' losses and gradients divided by n pᵢ, sample by sample. `minimize` draws the
/// samples with these probabilities, be there other decorators around it, and wants `.sampling = with_replacement`.
template <class Held>
class Importance {
  Held inner_;
  std::vector<double> probabilities_;
  Workspace workspace_;

  using Inner = std::remove_cvref_t<decltype(std::declval<const Held&>().get())>;

  // 1/(n pᵢ).
  double factor(Eigen::Index i) const {
    const auto n = static_cast<double>(probabilities_.size());
    return 1 / (n * probabilities_[static_cast<std::size_t>(i)]);
  }
  // A linear model of one output, whose samples' gradients are multiples of their rows.
  template <class V>
  static constexpr bool has_rows = requires(const Inner& f, const V& x, V& g) {
    requires std::remove_cvref_t<decltype(f.loss_function())>::outputs()
    == 1;
    f.add_row(Eigen::Index{}, f.slope(f.score(x, 0), 0), g);
  };

  // The mean over the batch of gradients with their factors; of losses, too, where they come with them.
  template <bool Loss, class V>
  double mean(const V& x, Batch batch, V& g) const {
    using Scalar = typename V::Scalar;
    const Inner& f = inner_.get();
    const auto size = static_cast<double>(batch.size());
    double loss = 0;
    if constexpr (has_rows<V>) {
      if (x.size() == f.parameters()) {  // the model itself says what is wrong with another
        g.setZero();
        for (const Eigen::Index i : batch) {
          const double share = factor(i) / size;
          const Scalar z = f.score(x, i);
          if constexpr (Loss) loss += share * static_cast<double>(f.sample_loss(z, i));
          f.add_row(i, static_cast<Scalar>(share) * f.slope(z, i), g);
        }
        return loss;
      }
    }
    g.setZero();
    workspace_.with(x, [&](V& one) {
      for (const Eigen::Index& i : batch) {
        const double share = factor(i) / size;
        if constexpr (Loss) {
          loss += share * static_cast<double>(f.loss_and_gradient(x, Batch(&i, 1), one));
        } else {
          f.gradient(x, Batch(&i, 1), one);
        }
        g += static_cast<Scalar>(share) * one;
      }
    });
    return loss;
  }

 public:
  Importance(Held inner, std::span<const double> probabilities)
      : inner_(std::move(inner)), probabilities_(as_probabilities("importance", probabilities)) {
    if (static_cast<Eigen::Index>(probabilities.size()) != size()) {
      throw_invalid("importance", "probabilities",
                    join({to_text(probabilities.size()), " numbers"}),
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
  /// ∇²f(x) v, of the full sum.
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
  void gradient(const V& x, Batch batch, V& g) const { (void)mean<false>(x, batch, g); }
  template <class V>
  requires HasBatchLossAndGradient<Inner, V>
  double loss_and_gradient(const V& x, Batch batch, V& g) const { return mean<true>(x, batch, g); }

  /// The number of parameters, where the objective inside says it.
  Eigen::Index parameters() const requires requires(const Inner& f) { f.parameters(); }
  { return inner_.get().parameters(); }
  /// Calls f(begin, count) for each run of parameters that a regularizer penalizes.
  template <class F>
  requires requires(const Inner& inner, const F& f) { inner.each_penalized(f); }
  void each_penalized(const F& f) const { inner_.get().each_penalized(f); }
};

/// For `importance(model, lipschitz_probabilities(model))`, of a linear model of one output: half of the draws alike, half in
/// proportion to the Lipschitz constants of the samples' gradients, ωᵢ‖xᵢ‖² (Needell et al., section 5). No factor 1/(n pᵢ) is
/// larger than 2, and the largest constant counts no more than twice their mean.
template <class Model>
requires requires(const Model& f, Eigen::Index i) {
  f.squared_norm(i);
}
std::vector<double> lipschitz_probabilities(const Model& model) {
  const auto n = static_cast<std::size_t>(model.size());
  std::vector<double> result(n);
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const auto index = static_cast<Eigen::Index>(i);
    sum += result[i] = model.weight(index) * model.squared_norm(index);
  }
  const double each = sum > 0 ? sum / static_cast<double>(n) : 1;
  for (double& p : result) p = 0.5 * (p + each) / (each * static_cast<double>(n));
  return result;
}

/// Importance sampling: a finite sum, which is referred to where it is an lvalue and owned where it is an rvalue, and one
/// positive number a sample (a vector of double), which are divided by their sum. `std::invalid_argument` for other numbers.
template <class F, class P>
requires HasSize<std::remove_cvref_t<F>> && requires(const P& p) {
  { p.data() } -> std::convertible_to<const double*>;
}
auto importance(F&& objective, const P& probabilities) {
  return Importance<Stored<F&&>>(
      Stored<F&&>(std::forward<F>(objective)),
      std::span<const double>(probabilities.data(),
                              static_cast<std::size_t>(probabilities.size())));
}

}  // namespace descent::inline v0

#endif  // DESCENT_OBJECTIVE_IMPORTANCE_HPP
