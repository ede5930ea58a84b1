// Objective: where loss and gradient come from.
#ifndef DESCENT_CORE_OBJECTIVE_HPP
#define DESCENT_CORE_OBJECTIVE_HPP

#include <Eigen/Core>
#include <concepts>
#include <span>

#include "descent/core/needs.hpp"

namespace descent::inline v0 {

/// The samples of a mini-batch, by index.
using Batch = std::span<const Eigen::Index>;

template <class F, class V>
concept HasLoss = requires(const F& f, const V& x) {
  { f.loss(x) } -> std::convertible_to<double>;
};
template <class F, class V>
concept HasGradient = requires(const F& f, const V& x, V& g) {
  f.gradient(x, g);
};
template <class F, class V>
concept HasLossAndGradient = requires(const F& f, const V& x, V& g) {
  { f.loss_and_gradient(x, g) } -> std::convertible_to<double>;
};
template <class F, class V>
concept HasHessianProduct = requires(const F& f, const V& x, const V& v, V& product) {
  f.hessian_product(x, v, product);
};
template <class F>
concept HasSize = requires(const F& f) {
  { f.size() } -> std::convertible_to<Eigen::Index>;
};
template <class F, class V>
concept HasBatchGradient = requires(const F& f, const V& x, Batch batch, V& g) {
  f.gradient(x, batch, g);
};
template <class F, class V>
concept HasBatchLossAndGradient = requires(const F& f, const V& x, Batch batch, V& g) {
  { f.loss_and_gradient(x, batch, g) } -> std::convertible_to<double>;
};

// The same with sentences: what a diagnostic shows when it is missing.
template <class F, class V>
concept OffersLoss = HasLoss<F, V> ||
    needs<"Objective needs: double loss(const V& x) const, or double loss_and_gradient(...)">;
template <class F, class V>
concept OffersGradient =
    HasGradient<F, V> || needs<"Objective needs: void gradient(const V& x, V& g) const">;
template <class F>
concept OffersSize = HasSize<F> ||
    needs<"FiniteSumObjective needs: Eigen::Index size() const, the number of samples">;
template <class F, class V>
concept OffersBatchGradient = HasBatchGradient<F, V> || HasBatchLossAndGradient<F, V> || needs<
    "FiniteSumObjective needs: void gradient(const V& x, descent::Batch batch, V& g) const, "
    "averaged over the batch">;

/// A function of parameters V that supplies its loss and its gradient, by const members:
///
///     double loss(const V& x) const;
///     void gradient(const V& x, V& g) const;                  g has the shape of x and is written, every coefficient
///
/// or both at once, which is preferred where present and enough alone:
///
///     double loss_and_gradient(const V& x, V& g) const;       returns the loss, writes the gradient
///
/// and, for TruncatedNewton, if it can:
///
///     void hessian_product(const V& x, const V& v, V& product) const;     writes ∇²f(x) v
// clang-format off
template <class F, class V>
concept Objective = HasLossAndGradient<F, V> || (OffersLoss<F, V> && OffersGradient<F, V>);
// clang-format on

/// A mean over `size()` samples, f(x) = 1/n Σᵢ fᵢ(x), that can also supply the mean over a few of them:
///
///     Eigen::Index size() const;
///     void gradient(const V& x, Batch batch, V& g) const;     or double loss_and_gradient(x, batch, g)
///
/// Loss and gradient are averaged over the batch: an optimizer never sees its size. An index may occur twice.
template <class F, class V>
concept FiniteSumObjective = Objective<F, V> && OffersSize<F> && OffersBatchGradient<F, V>;

/// The same as static assertions, for functions that take any F: a compiler may keep to itself why a concept fails.
template <class F, class V>
constexpr void require_objective() {
  if constexpr (!HasLossAndGradient<F, V>) {
    static_assert(HasLoss<F, V>,
                  "Objective needs: double loss(const V& x) const, or double loss_and_gradient("
                  "const V& x, V& g) const, V being the type of x0; a callable (x, g) -> loss "
                  "becomes an objective by descent::objective(f)");
    static_assert(HasGradient<F, V>,
                  "Objective needs: void gradient(const V& x, V& g) const, which writes g, or "
                  "double loss_and_gradient(const V& x, V& g) const, V being the type of x0; "
                  "check_gradient compares it with differences of the loss");
  }
}

}  // namespace descent::inline v0

#endif  // DESCENT_CORE_OBJECTIVE_HPP
