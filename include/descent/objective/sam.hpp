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
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/objective.hpp"
#include "descent/core/stored.hpp"
#include "descent/core/workspace.hpp"
#include "descent/engine/decorated.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of sharpness-aware minimization, with the paper's default.
struct SAMOptions {
  double rho = 0.05;  ///< ρ, how far the worst point may lie, in [0, ∞)
  bool adaptive =
      false;  ///< distances relative to |x|, coefficient by coefficient (use a ρ ten times larger)
};

/// The loss f(x), and the gradient of f at x + e: two gradients an evaluation. Of a finite sum, both are those of the batch.
/// What the objective inside offers, this offers.
template <class Held>
class SAM : public Decorated<SAM<Held>, Held> {
  using Base = Decorated<SAM, Held>;
  friend Base;

 public:
  SAM(Held inner, const SAMOptions& options) : Base(std::move(inner)), options_(options) {
    checked("sam", "rho", options.rho, range::non_negative);
  }

 private:
  SAMOptions options_;
  Workspace workspace_;

  // g, the gradient at x, becomes that at x + e.
  template <class V, class... B>
  void amend(const V& x, V& g, B... batch) const {
    using Real = typename V::Scalar;
    const auto rho = static_cast<Real>(options_.rho);
    const auto tiny = static_cast<Real>(1e-12);
    workspace_.with(x, [&](V& worst) {
      if (options_.adaptive) {
        worst.array() = x.array() * g.array();
        const Real norm = worst.stableNorm() + tiny;
        worst.array() = x.array() + x.array() * worst.array() * (rho / norm);
      } else {
        const Real norm = g.stableNorm() + tiny;
        worst.array() = x.array() + g.array() * (rho / norm);
      }
      plain_gradient(std::as_const(worst), g, batch...);
    });
  }
  // ∇f, of the whole or of a batch.
  template <class V, class... B>
  void plain_gradient(const V& x, V& g, B... batch) const {
    if constexpr (requires { this->inner().gradient(x, batch..., g); }) {
      this->inner().gradient(x, batch..., g);
    } else {
      (void)this->inner().loss_and_gradient(x, batch..., g);
    }
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
