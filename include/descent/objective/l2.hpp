// l2: ridge, an objective with λ/2 ‖w‖² added.
#ifndef DESCENT_OBJECTIVE_L2_HPP
#define DESCENT_OBJECTIVE_L2_HPP

#include <Eigen/Core>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/objective.hpp"
#include "descent/core/stored.hpp"

namespace descent::inline v0 {

/// f(w) + λ/2 ‖w‖², gradient ∇f(w) + λw; of a finite sum, every batch carries the whole penalty, so its mean is right.
/// What the objective inside offers, this offers. Every coefficient is penalized, an intercept too.
template <class Held>
class L2 {
  Held inner_;
  double lambda_;

  using Inner = std::remove_cvref_t<decltype(std::declval<const Held&>().get())>;

  template <class V>
  double penalty(const V& w) const {
    return 0.5 * lambda_ * static_cast<double>(w.squaredNorm());
  }
  template <class V>
  void add_to(V& g, const V& w) const {
    g += static_cast<typename V::Scalar>(lambda_) * w;
  }

 public:
  L2(Held inner, double lambda)
      : inner_(std::move(inner)), lambda_(checked("l2", "lambda", lambda, range::non_negative)) {}

  template <class V>
  requires HasLoss<Inner, V>
  double loss(const V& w) const { return inner_.get().loss(w) + penalty(w); }
  template <class V>
  requires HasGradient<Inner, V>
  void gradient(const V& w, V& g) const {
    inner_.get().gradient(w, g);
    add_to(g, w);
  }
  template <class V>
  requires HasLossAndGradient<Inner, V>
  double loss_and_gradient(const V& w, V& g) const {
    const double loss = inner_.get().loss_and_gradient(w, g);
    add_to(g, w);
    return loss + penalty(w);
  }

  Eigen::Index size() const requires requires(const Inner& f) { f.size(); }
  { return inner_.get().size(); }
  template <class V>
  requires requires(const Inner& f, const V& w, Batch batch) { f.loss(w, batch); }
  double loss(const V& w, Batch batch) const { return inner_.get().loss(w, batch) + penalty(w); }
  template <class V>
  requires HasBatchGradient<Inner, V>
  void gradient(const V& w, Batch batch, V& g) const {
    inner_.get().gradient(w, batch, g);
    add_to(g, w);
  }
  template <class V>
  requires HasBatchLossAndGradient<Inner, V>
  double loss_and_gradient(const V& w, Batch batch, V& g) const {
    const double loss = inner_.get().loss_and_gradient(w, batch, g);
    add_to(g, w);
    return loss + penalty(w);
  }
};

/// Adds λ/2 ‖w‖² to an objective, which is referred to where it is an lvalue and owned where it is an rvalue. λ in
/// [0, ∞), otherwise `std::invalid_argument`.
template <class F>
auto l2(F&& objective, double lambda) {
  return L2<Stored<F&&>>(Stored<F&&>(std::forward<F>(objective)), lambda);
}

}  // namespace descent::inline v0

#endif  // DESCENT_OBJECTIVE_L2_HPP
