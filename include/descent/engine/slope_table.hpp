// The slopes of a linear model's samples, each at a point where it was looked at before: what SVRG and SAGA compare with.
//
//     w⁺ = w − η (Σ_{i∈B} (sᵢ(w) − s̃ᵢ) xᵢ/|B| + c + λw),     c = 1/n Σ s̃ᵢ xᵢ
//
// sᵢ(w) is the slope of the loss at the score xᵢᵀw, so one number a sample is kept in place of its gradient. SVRG leaves s̃
// as it is during a round. SAGA puts sᵢ(w) there. SAG does so before it steps, which then is w − η (c + λw).
//
// Without a proximal step behind it, w is kept as α z + β c: what shrinks all coefficients changes α and β alone, and z and c
// change where xᵢ is not zero. So a step on sparse data costs the non-zeros of its rows.
#ifndef DESCENT_ENGINE_SLOPE_TABLE_HPP
#define DESCENT_ENGINE_SLOPE_TABLE_HPP

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>
#include <type_traits>

#include "descent/core/objective.hpp"

namespace descent::inline v0 {

/// A linear model of one output, with nothing but l2 around it.
template <class F, class V>
concept ScoresSamples = requires(const F& f) {
  { f.ridge() } -> std::convertible_to<double>;
  requires std::same_as < typename std::remove_cvref_t<decltype(f.linear_part())>::Scalar,
  typename V::Scalar > ;
  requires std::remove_cvref_t<decltype(f.linear_part().loss_function())>::outputs()
  == 1;
};

/// A constant L that the gradient's mean over a batch is smooth with, on average over batches: L̄ + (L_max − L̄)/|B|, of
/// Lᵢ = ωᵢ ℓ″ ‖xᵢ‖² + λ (R. M. Gower et al., "SGD: general analysis and improved rates", ICML 2019, section 3, with L̄ in the
/// place of the smaller constant of the full sum). Infinite where it is not known.
template <class V, class F>
double smoothness(const F& f, Eigen::Index batch_size) {
  double most = 0, sum = 0;
  if constexpr (ScoresSamples<F, V>) {
    const auto& model = f.linear_part();
    if constexpr (requires { model.loss_function().largest_curvature(); }) {
      const double curvature = model.loss_function().largest_curvature();
      for (Eigen::Index i = 0; i < model.size(); ++i) {
        const double here = curvature * model.weight(i) * model.squared_norm(i);
        most = (std::max)(most, here);
        sum += here;
      }
      const double mean = sum / static_cast<double>(model.size());
      return f.ridge() + mean + (most - mean) / static_cast<double>(batch_size);
    }
  }
  return std::numeric_limits<double>::infinity();
}

/// What becomes of a slope that was looked at.
enum class Memory { fixed, saga, sag };

/// See the head of this file.
template <class V>
class SlopeTable {
  using Scalar = typename V::Scalar;
  using Index = Eigen::Index;

 public:
  /// All slopes at x, where the gradient of f is g. Makes room.
  template <class F>
  void fill(const F& f, const V& x, const V& g, Index batch_size) {
    const auto& model = f.linear_part();
    known_.resize(model.size());
    make_room(batch_size);
    for (Index i = 0; i < model.size(); ++i) known_[i] = model.slope(model.score(x, i), i);
    mean_ = g;
    add_ridge(f, -1, x, mean_);
  }

  /// From here on w = z.
  void begin() {
    alpha_ = 1;
    beta_ = 0;
  }
  /// w ← α z + β c.
  void settle(const V& z, V& w) const {
    w = static_cast<Scalar>(alpha_) * z + static_cast<Scalar>(beta_) * mean_;
  }

  /// One step of w, of which z is changed.
  template <class F>
  void step(const F& f, Batch batch, double rate, Memory memory, V& z) {
    const auto& model = f.linear_part();
    const auto n = static_cast<double>(model.size()), b = static_cast<double>(batch.size());
    look(model, batch, [&](Index i) {
      return alpha_ * static_cast<double>(model.score(z, i)) +
             beta_ * static_cast<double>(model.score(mean_, i));
    });

    // The intercept, which does not shrink: in full.
    const Index last = model.data().cols();
    const bool has_intercept = model.parameters() > last;
    double intercept = 0;
    if (has_intercept) {
      const auto c = static_cast<double>(mean_.data()[last]);
      intercept = alpha_ * static_cast<double>(z.data()[last]) + (beta_ - rate) * c;
    }

    const double shrink = 1 - rate * f.ridge();
    alpha_ *= shrink;
    beta_ = shrink * beta_ - rate;
    if (std::abs(alpha_) < 0x1p-30) {
      settle(z, z);
      begin();
    }
    for (Index k = 0; k < static_cast<Index>(batch.size()); ++k) {
      const Index i = batch[static_cast<std::size_t>(k)];
      const double kept = memory == Memory::fixed ? 0 : keep(i, k) / n;
      const double push = memory == Memory::sag ? kept : static_cast<double>(change_[k]) / b;
      model.add_row(i, static_cast<Scalar>(-(rate * push + beta_ * kept) / alpha_), z);
      if (memory != Memory::fixed) model.add_row(i, static_cast<Scalar>(kept), mean_);
      intercept -= rate * push;
    }
    if (has_intercept) {
      const auto c = static_cast<double>(mean_.data()[last]);
      z.data()[last] = static_cast<Scalar>((intercept - beta_ * c) / alpha_);
    }
  }

  /// The direction −(w⁺ − w)/η, into v, for steps that a proximal one follows.
  template <class F>
  void estimate(const F& f, Batch batch, Memory memory, const V& w, V& v) {
    const auto& model = f.linear_part();
    const auto n = static_cast<double>(model.size()), b = static_cast<double>(batch.size());
    look(model, batch, [&](Index i) { return model.score(w, i); });
    v = mean_;
    add_ridge(f, 1, w, v);
    for (Index k = 0; k < static_cast<Index>(batch.size()); ++k) {
      const Index i = batch[static_cast<std::size_t>(k)];
      const double kept = memory == Memory::fixed ? 0 : keep(i, k) / n;
      const double push = memory == Memory::sag ? kept : static_cast<double>(change_[k]) / b;
      model.add_row(i, static_cast<Scalar>(push), v);
      if (memory != Memory::fixed) model.add_row(i, static_cast<Scalar>(kept), mean_);
    }
  }

 private:
  using Slopes = Eigen::Matrix<Scalar, Eigen::Dynamic, 1>;
  Slopes known_, fresh_, change_;  // s̃; of a batch: sᵢ(w), and sᵢ(w) − s̃ᵢ
  V mean_{};                       // c
  double alpha_ = 1, beta_ = 0;

  void make_room(Index batch_size) {
    if (fresh_.size() >= batch_size) return;
    fresh_.resize(batch_size);
    change_.resize(batch_size);
  }
  template <class Model, class Score>
  void look(const Model& model, Batch batch, const Score& score) {
    make_room(static_cast<Index>(batch.size()));
    for (Index k = 0; k < static_cast<Index>(batch.size()); ++k) {
      const Index i = batch[static_cast<std::size_t>(k)];
      fresh_[k] = model.slope(static_cast<Scalar>(score(i)), i);
      change_[k] = fresh_[k] - known_[i];
    }
  }
  // Where a sample is in the batch twice, there is no change the second time.
  double keep(Index i, Index k) {
    const Scalar change = fresh_[k] - known_[i];
    known_[i] = fresh_[k];
    return static_cast<double>(change);
  }
  template <class F>
  static void add_ridge(const F& f, int sign, const V& x, V& g) {
    const auto factor = static_cast<Scalar>(sign * f.ridge());
    f.linear_part().each_penalized([&](Index begin, Index count) {
      for (Index j = begin; j < begin + count; ++j) g.data()[j] += factor * x.data()[j];
    });
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_SLOPE_TABLE_HPP
