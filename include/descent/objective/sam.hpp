// sam: sharpness-aware minimization, the gradient of an objective where its loss is largest nearby.
//
//     ∇f(x + e) in place of ∇f(x),   e = ρ g / (‖g‖ + 10⁻¹²),   g = ∇f(x)
//     adaptive:                      e = ρ x² g / (‖x g‖ + 10⁻¹²), coefficient by coefficient
//
// P. Foret, A. Kleiner, H. Mobahi and B. Neyshabur, "Sharpness-aware minimization for efficiently improving generalization",
// ICLR 2021, equations 2 and 3; adaptive: J. Kwon et al., "ASAM", ICML 2021, with η = 0. The 10⁻¹² is that of the PyTorch
// code in use, where SAM wraps the optimizer; here it wraps the objective, so that any optimizer and `minimize` take it.
#ifndef DESCENT_OBJECTIVE_SAM_HPP
#define DESCENT_OBJECTIVE_SAM_HPP

#include <Eigen/Core>
#include <type_traits>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/objective.hpp"
#include "descent/core/stored.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of sharpness-aware minimization, with the paper's default.
struct SAMOptions {
  double rho = 0.05;  ///< ρ, how far the worst point may lie, in [0, ∞)
  bool adaptive =
      false;  ///< distances relative to |x|, coefficient by coefficient (use a ρ ten times larger)
};

/// The loss f(x), and the gradient of f at x + e: two gradients an evaluation, and a copy of x. Of a finite sum, both are
/// those of the batch. What the objective inside offers, this offers.
template <class Held>
class SAM {
  Held inner_;
  SAMOptions options_;

  using Inner = std::remove_cvref_t<decltype(std::declval<const Held&>().get())>;

  // ∇f, of the whole or of a batch.
  template <class V, class... B>
  void plain_gradient(const V& x, V& g, B... batch) const {
    if constexpr (requires { inner_.get().gradient(x, batch..., g); }) {
      inner_.get().gradient(x, batch..., g);
    } else {
      (void)inner_.get().loss_and_gradient(x, batch..., g);
    }
  }
  // g, the gradient at x, becomes that at x + e.
  template <class V, class... B>
  void sharpen(const V& x, V& g, B... batch) const {
    using Real = typename V::Scalar;
    const auto rho = static_cast<Real>(options_.rho);
    const auto tiny = static_cast<Real>(1e-12);
    V worst = x;
    if (options_.adaptive) {
      worst.array() = x.array() * g.array();
      const Real norm = worst.stableNorm() + tiny;
      worst.array() = x.array() + x.array() * worst.array() * (rho / norm);
    } else {
      const Real norm = g.stableNorm() + tiny;
      worst.array() = x.array() + g.array() * (rho / norm);
    }
    plain_gradient(worst, g, batch...);
  }

 public:
  SAM(Held inner, const SAMOptions& options) : inner_(std::move(inner)), options_(options) {
    checked("sam", "rho", options.rho, range::non_negative);
  }

  template <class V>
  requires HasLoss<Inner, V>
  double loss(const V& x) const { return inner_.get().loss(x); }
  template <class V>
  requires HasGradient<Inner, V>
  void gradient(const V& x, V& g) const {
    inner_.get().gradient(x, g);
    sharpen(x, g);
  }
  template <class V>
  requires HasLossAndGradient<Inner, V>
  double loss_and_gradient(const V& x, V& g) const {
    const double loss = inner_.get().loss_and_gradient(x, g);
    sharpen(x, g);
    return loss;
  }

  Eigen::Index size() const requires requires(const Inner& f) { f.size(); }
  { return inner_.get().size(); }
  template <class V>
  requires requires(const Inner& f, const V& x, Batch batch) { f.loss(x, batch); }
  double loss(const V& x, Batch batch) const { return inner_.get().loss(x, batch); }
  template <class V>
  requires HasBatchGradient<Inner, V>
  void gradient(const V& x, Batch batch, V& g) const {
    inner_.get().gradient(x, batch, g);
    sharpen(x, g, batch);
  }
  template <class V>
  requires HasBatchLossAndGradient<Inner, V>
  double loss_and_gradient(const V& x, Batch batch, V& g) const {
    const double loss = inner_.get().loss_and_gradient(x, batch, g);
    sharpen(x, g, batch);
    return loss;
  }
};

/// Sharpness-aware: an objective, which is referred to where it is an lvalue and owned where it is an rvalue, with its
/// gradient taken at the worst point within ρ. Throws `std::invalid_argument` for ρ outside its range.
template <class F>
auto sam(F&& objective, const SAMOptions& options = {}) {
  return SAM<Stored<F&&>>(Stored<F&&>(std::forward<F>(objective)), options);
}

}  // namespace descent::inline v0

#endif  // DESCENT_OBJECTIVE_SAM_HPP
