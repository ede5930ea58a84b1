// elastic_net and l1 (the lasso): penalties that make coefficients exactly 0.
//
//     l1(f, λ):               f(w) + λ ‖w‖₁
//     elastic_net(f, λ, ρ):   f(w) + λ (ρ ‖w‖₁ + (1 − ρ)/2 ‖w‖²)
//
// R. Tibshirani, "Regression shrinkage and selection via the lasso", J. R. Stat. Soc. B 58(1), 1996; H. Zou and T. Hastie,
// J. R. Stat. Soc. B 67(2), 2005. λ and ρ are scikit-learn's alpha and l1_ratio, glmnet's lambda and alpha: of LinearRegression
// it is what both minimize, and of other models glmnet.
//
// Where some wⱼ is 0 there is no gradient but many subgradients. Here it is the one with sign(0) = 0, as in PyTorch, so that the
// mean over batches is that of the whole. It does not vanish at the minimum, and steps along it seldom make a coefficient
// exactly 0. FISTA, ProximalGradient and CoordinateDescent take the two parts apart by themselves:
//
//     minimize(l1(model, 0.1), w0, FISTA())
//
// and any optimizer does by a chain that ends with the proximal step, with mini-batches or without:
//
//     const auto f = l1(model, 0.1);
//     minimize(f.smooth_part(), w0, chain(scale_by_learning_rate(0.01), f.proximal_part()), {.batch_size = 16});
#ifndef DESCENT_OBJECTIVE_ELASTIC_NET_HPP
#define DESCENT_OBJECTIVE_ELASTIC_NET_HPP

#include <Eigen/Core>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/stored.hpp"
#include "descent/engine/decorated.hpp"
#include "descent/engine/proximal_penalty.hpp"

namespace descent::inline v0 {

/// f(w) + λ₁ ‖w‖₁ + λ₂/2 ‖w‖², with the subgradient ∇f(w) + λ₁ sign(w) + λ₂ w; of a finite sum, every batch carries the whole
/// penalty. What the objective inside offers, this offers. Intercepts are not penalized.
template <class Held>
class ElasticNet : public Decorated<ElasticNet<Held>, Held> {
  using Base = Decorated<ElasticNet, Held>;
  using typename Base::Inner;
  friend Base;

 public:
  ElasticNet(Held inner, double lambda1, double lambda2)
      : Base(std::move(inner)), l1_(lambda1), l2_(lambda2) {}

  /// f.
  decltype(auto) smooth_part() const {
    if constexpr (nested) {
      return this->inner().smooth_part();
    } else {
      return (this->inner());
    }
  }
  /// The proximal step of the penalty, a transform of new parameters.
  auto proximal_part() const {
    if constexpr (nested) {
      return this->inner().proximal_part().plus(l1_, l2_);
    } else {
      return ProximalPenalty(l1_, l2_, this->inner());
    }
  }

 private:
  static constexpr bool nested = requires(const Inner& f) { f.proximal_part(); };
  double l1_, l2_;

  template <class V>
  double added(const V& w) const {
    double absolute = 0, squares = 0;
    for_each_penalized(this->inner(), w, [&](Eigen::Index begin, Eigen::Index count) {
      for (Eigen::Index i = begin; i < begin + count; ++i) {
        const auto wi = static_cast<double>(w.data()[i]);
        absolute += wi < 0 ? -wi : wi;
        squares += wi * wi;
      }
    });
    return (l1_ > 0 ? l1_ * absolute : 0) + (l2_ > 0 ? 0.5 * l2_ * squares : 0);
  }
  template <class V, class... B>
  void amend(const V& w, V& g, B...) const {
    using Scalar = typename V::Scalar;
    const auto l1 = static_cast<Scalar>(l1_), l2 = static_cast<Scalar>(l2_);
    for_each_penalized(this->inner(), w, [&](Eigen::Index begin, Eigen::Index count) {
      for (Eigen::Index i = begin; i < begin + count; ++i) {
        const Scalar wi = w.data()[i];
        g.data()[i] += (wi > 0 ? l1 : wi < 0 ? -l1 : Scalar(0)) + l2 * wi;
      }
    });
  }
};

/// Adds λ ‖w‖₁ to an objective, which is referred to where it is an lvalue and owned where it is an rvalue. λ in [0, ∞),
/// otherwise `std::invalid_argument`.
template <class F>
auto l1(F&& objective, double lambda) {
  checked("l1", "lambda", lambda, range::non_negative);
  return ElasticNet<Stored<F&&>>(Stored<F&&>(std::forward<F>(objective)), lambda, 0);
}

/// Adds λ (ρ ‖w‖₁ + (1 − ρ)/2 ‖w‖²) likewise. λ in [0, ∞) and ρ = l1_ratio in [0, 1], otherwise `std::invalid_argument`.
template <class F>
auto elastic_net(F&& objective, double lambda, double l1_ratio) {
  checked("elastic_net", "lambda", lambda, range::non_negative);
  checked("elastic_net", "l1_ratio", l1_ratio, range::fraction);
  return ElasticNet<Stored<F&&>>(Stored<F&&>(std::forward<F>(objective)), lambda * l1_ratio,
                                 lambda * (1 - l1_ratio));
}

}  // namespace descent::inline v0

#endif  // DESCENT_OBJECTIVE_ELASTIC_NET_HPP
