// The proximal step of an objective's penalty, which may leave parameters such as intercepts alone.
//
//     x ← soft(x, η λ₁) / (1 + η λ₂)        soft(x, τ) = sign(x) max(|x| − τ, 0)
//
// As transform/proximal.hpp has it, for the coefficients that the objective penalizes.
#ifndef DESCENT_ENGINE_PROXIMAL_PENALTY_HPP
#define DESCENT_ENGINE_PROXIMAL_PENALTY_HPP

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <type_traits>

#include "descent/core/rounded.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"

namespace descent::inline v0 {

/// λ₁ ‖x‖₁ + λ₂/2 ‖x‖² over the coefficients that an objective penalizes, as a transform of new parameters. State: none where
/// these are all, else a mask; one pass.
class ProximalPenalty {
 public:
  static constexpr Stage accepts = Stage::point;
  static constexpr std::size_t slots = 1;
  static constexpr std::size_t forms = 2;  // all, masked
  static constexpr std::size_t slots_in(std::size_t form) { return form; }
  std::size_t form() const { return mask_.size() > 0 ? 1 : 0; }

  /// On all coefficients.
  ProximalPenalty(double l1, double l2) : l1_(l1), l2_(l2) {}
  /// On those that `f.each_penalized` names, where it is there.
  template <class F>
  ProximalPenalty(double l1, double l2, const F& f) : ProximalPenalty(l1, l2) {
    if constexpr (requires { f.each_penalized([](Eigen::Index, Eigen::Index) {}); }) {
      Eigen::Index penalized = 0, all = 0;
      f.each_penalized([&](Eigen::Index begin, Eigen::Index count) {
        penalized += count;
        all = (std::max)(all, begin + count);
      });
      if constexpr (requires { f.parameters(); }) all = f.parameters();
      if (penalized == all) return;
      mask_.setZero(all);
      f.each_penalized(
          [&](Eigen::Index begin, Eigen::Index count) { mask_.segment(begin, count).setOnes(); });
    }
  }

  template <class Real>
  void initialize(std::size_t, Real* column, Eigen::Index size) const {
    for (Eigen::Index i = 0; i < size; ++i) column[i] = static_cast<Real>(penalizes(i) ? 1 : 0);
  }
  template <class Real, std::size_t Form>
  auto kernel(const StepInfo& step) const {
    const auto tau = static_cast<Real>(step.learning_rate * l1_);
    const double growth = rounded(step.learning_rate * l2_);
    const auto shrink = static_cast<Real>(1 / (1 + growth));
    return [=](auto& x, const auto&, const auto&... mask) {
      using L = std::remove_reference_t<decltype(x)>;
      const L nearer = shrink * (x - min(max(x, L(-tau)), L(tau)));
      if constexpr (Form == 0) {
        x = nearer;
      } else {
        ((x = select(mask == 0, x, nearer)), ...);
      }
    };
  }

  /// λ₁ ‖x‖₁ + λ₂/2 ‖x‖², for solvers that follow the loss with it.
  template <class V>
  double penalty(const V& x) const {
    double absolute = 0, squares = 0;
    for (Eigen::Index i = 0; i < x.size(); ++i) {
      const double xi = penalizes(i) ? static_cast<double>(x.data()[i]) : 0.0;
      absolute += std::abs(xi);
      squares += xi * xi;
    }
    return (l1_ > 0 ? l1_ * absolute : 0) + (l2_ > 0 ? 0.5 * l2_ * squares : 0);
  }

  double l1() const { return l1_; }  ///< λ₁
  double l2() const { return l2_; }  ///< λ₂
  /// Whether λ₁ and λ₂ are on the i-th coefficient, and not 0.
  bool penalizes(Eigen::Index i) const {
    return mask_.size() == 0 || (i < mask_.size() && mask_.data()[i] != 0);
  }
  /// The same with more of both.
  ProximalPenalty plus(double l1, double l2) const {
    ProximalPenalty sum = *this;
    sum.l1_ += l1;
    sum.l2_ += l2;
    return sum;
  }

 private:
  double l1_, l2_;
  Eigen::VectorXd mask_;  // 1 and 0; empty: all are penalized
};

/// What stands for it where there is none.
class NoPenalty {
 public:
  static constexpr Stage accepts = Stage::point;

  template <class Real>
  auto kernel(const StepInfo&) const {
    return [](auto&, const auto&) {};
  }
  /// 0.
  template <class V>
  double penalty(const V&) const {
    return 0;
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_PROXIMAL_PENALTY_HPP
