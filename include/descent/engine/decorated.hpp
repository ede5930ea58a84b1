// What decorators of objectives share: an objective around another one offers what that one offers, and states only what it
// changes.
#ifndef DESCENT_ENGINE_DECORATED_HPP
#define DESCENT_ENGINE_DECORATED_HPP

#include <Eigen/Core>
#include <type_traits>
#include <utility>

#include "descent/core/objective.hpp"

namespace descent::inline v0 {

/// Calls f(begin, count) for each run of coefficients of w that a regularizer of `objective` penalizes: those that it names
/// (a linear model leaves its intercepts out), or all.
template <class Objective, class V, class F>
void for_each_penalized(const Objective& objective, const V& w, const F& f) {
  if constexpr (requires { objective.each_penalized(f); }) {
    objective.each_penalized(f);
  } else {
    f(Eigen::Index{0}, w.size());
  }
}

/// The objective `Self` around another one, which is `Held` (core/stored.hpp). Self, which derives from it and makes it a
/// friend, may declare
///
///     double added(x) const;                      what is added to the loss; of a finite sum, to that of each batch
///     void amend(x, g[, batch]) const;            g, the gradient inside, becomes its own
///     auto at(x, ask) const;                      returns ask(w) for the w that the one inside is asked about, mostly x
///
/// What else there may be is not for all decorators to pass on, and in those that do: `hessian_product`; `linear_part()`, the
/// linear model at the bottom, and `ridge()`, the sum of the λ of all l2 around it, where the objective is those and nothing
/// else; `smooth_part()` and `proximal_part()`, which it is the sum of: an objective, and a transform of new parameters
/// (transform/proximal.hpp) that also says its `penalty(x)`.
template <class Self, class Held>
class Decorated {
 public:
  /// The type of the objective inside.
  using Inner = std::remove_cvref_t<decltype(std::declval<const Held&>().get())>;

  template <class V>
  requires HasLoss<Inner, V>
  double loss(const V& x) const {
    return self().at(x, [&](const V& w) { return inner().loss(w); }) + self().added(x);
  }
  template <class V>
  requires HasGradient<Inner, V>
  void gradient(const V& x, V& g) const {
    self().at(x, [&](const V& w) { inner().gradient(w, g); });
    self().amend(x, g);
  }
  template <class V>
  requires HasLossAndGradient<Inner, V>
  double loss_and_gradient(const V& x, V& g) const {
    const double loss = self().at(x, [&](const V& w) { return inner().loss_and_gradient(w, g); });
    self().amend(x, g);
    return loss + self().added(x);
  }

  Eigen::Index size() const requires HasSize<Inner> { return inner().size(); }
  template <class V>
  requires requires(const Inner& f, const V& x, Batch batch) { f.loss(x, batch); }
  double loss(const V& x, Batch batch) const {
    return self().at(x, [&](const V& w) { return inner().loss(w, batch); }) + self().added(x);
  }
  template <class V>
  requires HasBatchGradient<Inner, V>
  void gradient(const V& x, Batch batch, V& g) const {
    self().at(x, [&](const V& w) { inner().gradient(w, batch, g); });
    self().amend(x, g, batch);
  }
  template <class V>
  requires HasBatchLossAndGradient<Inner, V>
  double loss_and_gradient(const V& x, Batch batch, V& g) const {
    const double loss =
        self().at(x, [&](const V& w) { return inner().loss_and_gradient(w, batch, g); });
    self().amend(x, g, batch);
    return loss + self().added(x);
  }

  /// The number of parameters, where the objective inside says it.
  Eigen::Index parameters() const requires requires(const Inner& f) { f.parameters(); }
  { return inner().parameters(); }
  /// How often each sample is to be drawn, where the objective inside says it.
  auto sampling_probabilities() const requires requires(const Inner& f) {
    f.sampling_probabilities();
  }
  { return inner().sampling_probabilities(); }
  /// Calls f(begin, count) for each run of parameters that a regularizer penalizes.
  template <class F>
  requires requires(const Inner& inside, const F& f) { inside.each_penalized(f); }
  void each_penalized(const F& f) const { inner().each_penalized(f); }

  /// The objective inside.
  const Inner& inner() const { return inner_.get(); }

 protected:
  /// Around an objective.
  explicit Decorated(Held inner) : inner_(std::move(inner)) {}

  /// Asks about x itself.
  template <class V, class Ask>
  static auto at(const V& x, const Ask& ask) {
    return ask(x);
  }
  /// Nothing is added.
  template <class V>
  static double added(const V&) {
    return 0;
  }
  /// The gradient is that of the objective inside.
  template <class V, class... B>
  static void amend(const V&, V&, B...) {}

 private:
  Held inner_;

  const Self& self() const { return static_cast<const Self&>(*this); }
};

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_DECORATED_HPP
