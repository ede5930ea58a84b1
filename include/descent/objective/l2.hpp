// l2: ridge, an objective with λ/2 ‖w‖² added.
#ifndef DESCENT_OBJECTIVE_L2_HPP
#define DESCENT_OBJECTIVE_L2_HPP

#include <Eigen/Core>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/objective.hpp"
#include "descent/core/stored.hpp"
#include "descent/engine/decorated.hpp"

namespace descent::inline v0 {

/// f(w) + λ/2 ‖w‖², gradient ∇f(w) + λw; of a finite sum, every batch carries the whole penalty, so its mean is right.
/// What the objective inside offers, this offers. Every coefficient is penalized, but the intercept of a model that has one
/// by its option (as in scikit-learn).
template <class Held>
class L2 : public Decorated<L2<Held>, Held> {
  using Base = Decorated<L2, Held>;
  using typename Base::Inner;
  friend Base;

 public:
  L2(Held inner, double lambda)
      : Base(std::move(inner)), lambda_(checked("l2", "lambda", lambda, range::non_negative)) {}

  /// ∇²f(w) v + λv.
  template <class V>
  requires HasHessianProduct<Inner, V>
  void hessian_product(const V& w, const V& v, V& product) const {
    this->inner().hessian_product(w, v, product);
    add_to(product, v);
  }

  /// The sum of the λ of all l2, one around the other.
  double ridge() const {
    if constexpr (requires(const Inner& f) { f.ridge(); }) {
      return this->inner().ridge() + lambda_;
    } else {
      return lambda_;
    }
  }
  /// The linear model at the bottom.
  decltype(auto) linear_part() const requires requires(const Inner& f) { f.linear_part(); }
  { return this->inner().linear_part(); }
  /// The columns that it is linear in.
  decltype(auto) column_part() const requires requires(const Inner& f) { f.column_part(); }
  { return this->inner().column_part(); }
  /// All but the part that is not smooth, where there is one.
  auto smooth_part() const requires requires(const Inner& f) { f.proximal_part(); }
  {
    using Part = decltype(this->inner().smooth_part());
    return L2<Stored<Part&&>>(Stored<Part&&>(this->inner().smooth_part()), lambda_);
  }
  /// The proximal step of the part that is not smooth.
  auto proximal_part() const requires requires(const Inner& f) { f.proximal_part(); }
  { return this->inner().proximal_part(); }

 private:
  double lambda_;

  template <class V>
  using Run = Eigen::Map<Eigen::Matrix<typename V::Scalar, Eigen::Dynamic, 1>>;
  template <class V>
  using ConstRun = Eigen::Map<const Eigen::Matrix<typename V::Scalar, Eigen::Dynamic, 1>>;

  template <class V>
  double added(const V& w) const {
    double squares = 0;
    for_each_penalized(this->inner(), w, [&](Eigen::Index begin, Eigen::Index count) {
      squares += static_cast<double>(ConstRun<V>(w.data() + begin, count).squaredNorm());
    });
    return 0.5 * lambda_ * squares;
  }
  template <class V>
  void add_to(V& g, const V& w) const {
    for_each_penalized(this->inner(), w, [&](Eigen::Index begin, Eigen::Index count) {
      Run<V>(g.data() + begin, count) +=
          static_cast<typename V::Scalar>(lambda_) * ConstRun<V>(w.data() + begin, count);
    });
  }
  template <class V, class... B>
  void amend(const V& w, V& g, B...) const {
    add_to(g, w);
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
