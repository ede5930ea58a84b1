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
/// What the objective inside offers, this offers. Every coefficient is penalized, but the intercept of a model that has one
/// by its option (as in scikit-learn).
template <class Held>
class L2 {
  Held inner_;
  double lambda_;

  using Inner = std::remove_cvref_t<decltype(std::declval<const Held&>().get())>;

  // Calls f(begin, count) for each run of coefficients that are penalized.
  template <class V, class F>
  void each_penalized(const V& w, const F& f) const {
    if constexpr (requires { inner_.get().each_penalized(f); }) {
      inner_.get().each_penalized(f);
    } else {
      f(Eigen::Index{0}, w.size());
    }
  }
  template <class V>
  double penalty(const V& w) const {
    double squares = 0;
    each_penalized(w, [&](Eigen::Index begin, Eigen::Index count) {
      squares += static_cast<double>(run(w, begin, count).squaredNorm());
    });
    return 0.5 * lambda_ * squares;
  }
  template <class V>
  void add_to(V& g, const V& w) const {
    each_penalized(w, [&](Eigen::Index begin, Eigen::Index count) {
      Run<V>(g.data() + begin, count) +=
          static_cast<typename V::Scalar>(lambda_) * run(w, begin, count);
    });
  }
  template <class V>
  using Run = Eigen::Map<Eigen::Matrix<typename V::Scalar, Eigen::Dynamic, 1>>;
  template <class V>
  static auto run(const V& w, Eigen::Index begin, Eigen::Index count) {
    return Eigen::Map<const Eigen::Matrix<typename V::Scalar, Eigen::Dynamic, 1>>(w.data() + begin,
                                                                                  count);
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
