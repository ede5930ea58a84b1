// proximal: regularizers by their proximal steps, behind the rate.
//
//     x ← argmin_z  ½ ‖z − x‖² + η (λ₁ ‖z‖₁ + λ₂/2 ‖z‖²)  =  soft(x, η λ₁) / (1 + η λ₂),
//     soft(x, τ) = sign(x) max(|x| − τ, 0)
//
// N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1(3), 2014, sections 6.5.2 and 2.2. Unlike a penalty's
// gradient, λ₁ makes coefficients exactly 0. Behind Adam it is the proximal step of Adam's update with the plain η, as in
// optax and in Adan's decay.
#ifndef DESCENT_TRANSFORM_PROXIMAL_HPP
#define DESCENT_TRANSFORM_PROXIMAL_HPP

#include <Eigen/Core>
#include <string_view>
#include <type_traits>

#include "descent/core/errors.hpp"
#include "descent/core/rounded.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"

namespace descent::inline v0 {

/// No state; one pass.
class Proximal {
 public:
  static constexpr Stage accepts = Stage::point;
  /// It acts at every step.
  static constexpr bool lazy() { return false; }

  Proximal(double l1, double l2) : l1_(l1), l2_(l2) {}

  template <class Real>
  auto kernel(const StepInfo& step) const {
    const auto tau = static_cast<Real>(step.learning_rate * l1_);
    const double growth = rounded(step.learning_rate * l2_);
    const auto shrink = static_cast<Real>(1 / (1 + growth));
    return [=](auto& x, const auto&) {
      using L = std::remove_reference_t<decltype(x)>;
      x = shrink * (x - min(max(x, L(-tau)), L(tau)));
    };
  }

  /// λ₁ ‖x‖₁ + λ₂/2 ‖x‖², for solvers that follow the loss with it.
  template <class V>
  double penalty(const V& x) const {
    double absolute = 0, squares = 0;
    for (Eigen::Index i = 0; i < x.size(); ++i) {
      const auto xi = static_cast<double>(x.data()[i]);
      absolute += xi < 0 ? -xi : xi;
      squares += xi * xi;
    }
    return (l1_ > 0 ? l1_ * absolute : 0) + (l2_ > 0 ? 0.5 * l2_ * squares : 0);
  }

 private:
  double l1_, l2_;
};

/// λ₁ ‖x‖₁ + λ₂/2 ‖x‖² with l1 and l2 in [0, ∞), otherwise `std::invalid_argument`; `who` begins its message.
inline Proximal proximal_elastic_net(double l1, double l2,
                                     std::string_view who = "proximal_elastic_net") {
  checked(who, "l1", l1, range::non_negative);
  checked(who, "l2", l2, range::non_negative);
  return {l1, l2};
}
/// λ ‖x‖₁ with λ = l1 in [0, ∞), otherwise `std::invalid_argument`.
inline Proximal proximal_l1(double l1) {
  return proximal_elastic_net(l1, 0, "proximal_l1");
}
/// λ/2 ‖x‖² with λ = l2 in [0, ∞), otherwise `std::invalid_argument`.
inline Proximal proximal_l2(double l2) {
  return proximal_elastic_net(0, l2, "proximal_l2");
}

}  // namespace descent::inline v0

#endif  // DESCENT_TRANSFORM_PROXIMAL_HPP
