// standardized: a linear model whose parameters are those of features of mean 0 and variance 1; the data stays as it is.
//
//     vⱼ = σⱼ wⱼ,   v₀ = w₀ + Σⱼ μⱼ wⱼ            so that xᵀw + w₀ = Σⱼ vⱼ (xⱼ − μⱼ)/σⱼ + v₀
//     ∂f/∂vⱼ = (∂f/∂wⱼ − μⱼ ∂f/∂w₀)/σⱼ
//
// μⱼ and σⱼ² are mean and variance (over n, not n − 1) of feature j, weighted as the samples are: what StandardScaler of
// scikit-learn would do to X in front of the model. As there, a feature that does not vary beyond rounding has σ = 1. Centering is
// for the intercept to take up, so a model without one is scaled only; with one, sparse data is centered, too, as no zero is
// touched. Gradient methods gain most: the loss is about as steep in all directions, whatever the units of the features. And a
// penalty around it, l2(standardized(model), λ), treats all features alike. The offsets that are not in the data any more are in
// the last bits: where |μⱼ| is 10ᵏ σⱼ, k digits are lost, which float may not have to spare.
#ifndef DESCENT_OBJECTIVE_STANDARDIZED_HPP
#define DESCENT_OBJECTIVE_STANDARDIZED_HPP

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/stored.hpp"
#include "descent/core/workspace.hpp"
#include "descent/engine/column_moments.hpp"
#include "descent/engine/decorated.hpp"

namespace descent::inline v0 {

/// A linear model (or l2 around one, which then is on w) as a function of v. What the model offers, this offers. Parameters
/// begin anywhere, mostly at 0; `coefficients(v)` are those of the data in its own units.
template <class Held>
class Standardized : public Decorated<Standardized<Held>, Held> {
  using Base = Decorated<Standardized, Held>;
  using typename Base::Inner;
  using Index = Eigen::Index;
  friend Base;
  static_assert(
      requires(const Inner& f) { f.linear_part(); },
      "standardized(f): f is a linear model, such as LinearRegression, or l2 around one");

 public:
  /// Reads the data twice. Throws `std::invalid_argument` for a feature whose variance is out of range.
  explicit Standardized(Held inner) : Base(std::move(inner)) {
    const auto& model = this->inner().linear_part();
    const auto n = static_cast<double>(model.size());
    Moments moments = column_moments(model.data(), model.weights());
    mean_ = std::move(moments.mean);
    scale_ = std::move(moments.variance);
    for (Index j = 0; j < scale_.size(); ++j) {
      const double variance = scale_[j];
      if (variance == std::numeric_limits<double>::infinity()) {
        throw_invalid("standardized", join({"variance of X(:, ", to_text(j), ")"}),
                      to_text(variance), "finite");
      }
      const double rounding = n * std::numeric_limits<double>::epsilon(),
                   of_mean = rounding * mean_[j];
      const bool constant = variance <= rounding * variance + of_mean * of_mean;
      scale_[j] = constant ? 1 : std::sqrt(variance);
    }
    stride_ = this->parameters() / model.loss_function().outputs();
    centered_ = stride_ > scale_.size();
  }

  /// w of v: what to predict with, from features as they are.
  template <class V>
  V coefficients(const V& v) const {
    check(v.size());
    V w = v;
    to_model(v, w);
    return w;
  }
  /// v of w, to begin with.
  template <class V>
  V standardize(const V& w) const {
    check(w.size());
    V v = w;
    each_output(v.size(), [&](Index begin) {
      double shift = 0;
      for (Index j = 0; j < scale_.size(); ++j) {
        const auto wj = static_cast<double>(w.data()[begin + j]);
        v.data()[begin + j] = static_cast<typename V::Scalar>(scale_[j] * wj);
        shift += mean_[j] * wj;
      }
      if (centered_) shift_intercept(w, shift, begin, v);
    });
    return v;
  }
  /// σ, a number a feature.
  const Eigen::VectorXd& scale() const { return scale_; }
  /// μ, a number a feature; without an intercept nothing is centered.
  const Eigen::VectorXd& mean() const { return mean_; }

  // As `CoordinateDescent` sees it: columns that are standardized as they are read.

  /// f(x) of the standardized column j, the intercept's being ones.
  template <class F>
  requires requires(const Inner& model, const F& f) { model.on_column(0, f); }
  auto on_column(Index j, const F& f) const {
    return this->inner().on_column(j, [&](const auto& x) {
      using Scalar = typename std::remove_cvref_t<decltype(x)>::Scalar;
      const bool is_feature = j < scale_.size();
      const auto mean = static_cast<Scalar>(is_feature && centered_ ? mean_[j] : 0.0),
                 by = static_cast<Scalar>(is_feature ? 1 / scale_[j] : 1.0);
      return f(((x.array() - mean) * by).matrix());
    });
  }
  /// Itself, where the model inside is nothing else.
  const Standardized& column_part() const requires requires(const Inner& f) {
    f.on_column(Index{}, [](const auto&) {});
  }
  { return *this; }
  /// No l2 is around it.
  static constexpr double ridge() { return 0; }
  /// The loss of one score.
  const auto& loss_function() const { return this->inner().linear_part().loss_function(); }
  /// Those of the samples; empty: all are 1.
  const auto& weights() const { return this->inner().linear_part().weights(); }
  /// ωᵢ ∂ℓ/∂z.
  template <class Scalar>
  Scalar slope(Scalar z, Index i) const {
    return this->inner().linear_part().slope(z, i);
  }

  /// The product with the Hessian in v.
  template <class V>
  requires HasHessianProduct<Inner, V>
  void hessian_product(const V& x, const V& v, V& product) const {
    at(x, [&](const V& w) {
      along_.with(v, [&](V& u) {
        to_model(v, u);
        this->inner().hessian_product(w, std::as_const(u), product);
      });
    });
    amend(x, product);
  }

 private:
  Eigen::VectorXd mean_, scale_;
  Index stride_ = 0;  // from the parameters of one output to those of the next
  bool centered_ = false;
  Workspace workspace_, along_;

  void check(Index size) const {
    if (size != this->parameters()) {
      throw_invalid("standardized", "w", join({to_text(size), " coefficients"}),
                    join({"as many as the model has, ", to_text(this->parameters())}));
    }
  }
  template <class F>
  void each_output(Index size, const F& f) const {
    for (Index begin = 0; begin < size; begin += stride_) f(begin);
  }
  template <class V>
  void shift_intercept(const V& from, double shift, Index begin, V& to) const {
    const Index at = begin + scale_.size();
    to.data()[at] = static_cast<typename V::Scalar>(static_cast<double>(from.data()[at]) + shift);
  }

  template <class V>
  void to_model(const V& v, V& w) const {
    each_output(v.size(), [&](Index begin) {
      double shift = 0;
      for (Index j = 0; j < scale_.size(); ++j) {
        auto& wj = w.data()[begin + j];
        wj = static_cast<typename V::Scalar>(static_cast<double>(v.data()[begin + j]) / scale_[j]);
        shift -= mean_[j] * static_cast<double>(wj);
      }
      if (centered_) shift_intercept(v, shift, begin, w);
    });
  }
  template <class V, class Ask>
  auto at(const V& v, const Ask& ask) const {
    check(v.size());
    return workspace_.with(v, [&](V& w) {
      to_model(v, w);
      return ask(std::as_const(w));
    });
  }
  template <class V, class... B>
  void amend(const V&, V& g, B...) const {
    each_output(g.size(), [&](Index begin) {
      const double last = centered_ ? static_cast<double>(g.data()[begin + scale_.size()]) : 0.0;
      for (Index j = 0; j < scale_.size(); ++j) {
        auto& gj = g.data()[begin + j];
        gj = static_cast<typename V::Scalar>((static_cast<double>(gj) - mean_[j] * last) /
                                             scale_[j]);
      }
    });
  }
};

/// A linear model by standardized features, which is referred to where it is an lvalue and owned where it is an rvalue:
///
///     const LogisticRegression model(X, y, {.intercept = true});
///     const auto f = standardized(model);
///     const auto result = minimize(l2(f, 0.01), VectorXd::Zero(f.parameters()).eval(), LBFGS());
///     const VectorXd w = f.coefficients(result.x);
template <class F>
auto standardized(F&& model) {
  return Standardized<Stored<F&&>>(Stored<F&&>(std::forward<F>(model)));
}

}  // namespace descent::inline v0

#endif  // DESCENT_OBJECTIVE_STANDARDIZED_HPP
