// Stochastic gradient steps on a linear model, one sample at a time, whose cost is that of the sample's row:
//
//     z = xᵢᵀw;   w ← (1 − ηλ) w − η s xᵢ,   s = ωᵢ ∂ℓ/∂z (z, yᵢ)
//
// With a penalty λ/2 ‖w‖² every weight shrinks at every step, which would cost all of them. So w = c v is kept as v and c:
// c ← (1 − ηλ) c, v ← v − (η s/c) xᵢ (L. Bottou, "Stochastic gradient descent tricks", 2012, section 5.1). The intercept, which
// is not penalized, is kept as it is.
#ifndef DESCENT_ENGINE_SAMPLE_STEPS_HPP
#define DESCENT_ENGINE_SAMPLE_STEPS_HPP

#include <Eigen/Core>
#include <algorithm>
#include <atomic>
#include <type_traits>

#include "descent/core/objective.hpp"
#include "descent/engine/linear_rows.hpp"

namespace descent::inline v0 {

/// Rates of steps: one number, or one for each.
struct Rates {
  double constant = 0;           ///< of all steps, where there is no array
  const double* each = nullptr;  ///< of steps from the first on, or none
  Eigen::Index first = 0;        ///< the first step
  /// That of step k.
  double operator[](Eigen::Index k) const { return each == nullptr ? constant : each[k - first]; }
};

/// The steps of a model on weights that other threads may change at the same time (`Shared`), by relaxed atomic loads and
/// stores: of two changes of one weight at the same time one may be lost, but there is no data race. Alone, by plain ones.
template <class Model, bool Shared>
class SampleSteps {
  using Matrix = typename Model::Matrix;
  using Scalar = typename Model::Scalar;
  using Index = Eigen::Index;
  using Features = LinearRows<Matrix>;

  const Model& model_;
  Scalar* w_;
  double lambda_;
  bool intercept_;

 public:
  /// `w` has a coefficient a column of the data, and one for the intercept, if there is one; λ = `ridge`.
  SampleSteps(const Model& model, Scalar* w, double ridge)
      : model_(model),
        w_(w),
        lambda_(ridge),
        intercept_(model.parameters() > model.data().cols()) {}

  /// Steps on the samples of positions [begin, end) of an epoch: order[k] each, or k itself where there is no order.
  /// `scale` is c at the first; returns it behind the last.
  double run(const Index* order, Index begin, Index end, Rates rates, double scale) const {
    constexpr Index ahead = 2;
    for (Index k = begin; k < end; ++k) {
      const Index i = order == nullptr ? k : order[k];
      // Rows at random places are asked for ahead of time; in order, the machine sees them coming.
      if (order != nullptr && k + ahead < end) Features::prefetch(model_.data(), order[k + ahead]);
      const double move = rates[k] * static_cast<double>(slope(i, scale));
      if (lambda_ > 0) scale *= 1 - rates[k] * lambda_;
      add(i, -move, scale);
    }
    return scale;
  }

  /// ωᵢ ∂ℓ/∂z at w.
  Scalar slope(Index i, double scale) const {
    Scalar z = dot(i);
    if (lambda_ > 0) z *= static_cast<Scalar>(scale);
    if (intercept_) z += load(w_ + model_.data().cols());
    return model_.slope(z, i);
  }
  /// w ← w + a xᵢ.
  void add(Index i, double a, double scale) const {
    add_row(i, static_cast<Scalar>(lambda_ > 0 ? a / scale : a));
    if (intercept_) {
      Scalar* const constant = w_ + model_.data().cols();
      store(constant, load(constant) + static_cast<Scalar>(a));
    }
  }
  /// v ← c v, so that c is 1 again.
  void settle(double scale) const {
    if (lambda_ == 0) return;
    const auto c = static_cast<Scalar>(scale);
    for (Index j = 0; j < model_.data().cols(); ++j) w_[j] *= c;
  }

 private:
  static Scalar load(Scalar* from) {
    if constexpr (Shared) {
      return std::atomic_ref<Scalar>(*from).load(std::memory_order_relaxed);
    } else {
      return *from;
    }
  }
  static void store(Scalar* to, Scalar value) {
    if constexpr (Shared) {
      std::atomic_ref<Scalar>(*to).store(value, std::memory_order_relaxed);
    } else {
      *to = value;
    }
  }

  Scalar dot(Index i) const {
    if constexpr (!Shared && !is_sparse<Matrix>) {
      return Features::dot(model_.data(), i, w_);
    } else {
      Scalar sum(0);
      Features::each(model_.data(), i, [&](Index j, Scalar x) { sum += x * load(w_ + j); });
      return sum;
    }
  }
  void add_row(Index i, Scalar a) const {
    if constexpr (!Shared && !is_sparse<Matrix>) {
      Features::add_row(model_.data(), i, a, w_);
    } else {
      Features::each(model_.data(), i,
                     [&](Index j, Scalar x) { store(w_ + j, load(w_ + j) + a * x); });
    }
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_SAMPLE_STEPS_HPP
