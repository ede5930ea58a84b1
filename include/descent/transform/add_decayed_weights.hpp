// add_decayed_weights: weight decay, g ← g + λ x.
//
// Its place in the chain decides what it is. At the head it is the gradient of λ/2 ‖x‖² (L2 regularization, coupled);
// after scale_by_* it is decoupled weight decay (I. Loshchilov and F. Hutter, ICLR 2019, Algorithm 2).
#ifndef DESCENT_TRANSFORM_ADD_DECAYED_WEIGHTS_HPP
#define DESCENT_TRANSFORM_ADD_DECAYED_WEIGHTS_HPP

#include <Eigen/Core>
#include <cstddef>
#include <string_view>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/step_info.hpp"

namespace descent::inline v0 {

/// No state; one pass; λ = 0 costs nothing. The learning rate multiplies λ, as in PyTorch and optax; the paper's does
/// not.
class AddDecayedWeights {
 public:
  static constexpr std::size_t forms = 2;
  std::size_t form() const { return weight_decay_ == 0 ? 0 : 1; }
  /// For a λ that varies: serves all of them.
  static constexpr std::size_t varying_form() { return 1; }
  /// Decay acts at every step.
  bool lazy() const { return weight_decay_ == 0; }

  explicit AddDecayedWeights(double weight_decay) : weight_decay_(weight_decay) {}

  template <class Real, std::size_t Form>
  auto kernel(const StepInfo&) const {
    const auto lambda = static_cast<Real>(weight_decay_);
    return [=](auto& update, const auto& parameter) {
      if constexpr (Form == 1) update += lambda * parameter;
    };
  }

 private:
  double weight_decay_;
};

/// The same where a mask says so: g ← g + λ mask x. State: the mask; one pass.
class AddMaskedDecayedWeights {
 public:
  static constexpr std::size_t slots = 1;
  /// Decay acts at every step.
  static constexpr bool lazy() { return false; }

  AddMaskedDecayedWeights(double weight_decay, Eigen::VectorXd mask)
      : weight_decay_(weight_decay), mask_(std::move(mask)) {}

  void check_size(Eigen::Index size) const {
    if (mask_.size() != size) {
      throw_invalid("add_decayed_weights", "mask", join({to_text(mask_.size()), " coefficients"}),
                    join({"of ", to_text(size), ", as many as there are parameters"}));
    }
  }
  template <class Real>
  void initialize(std::size_t, Real* column, Eigen::Index size) const {
    for (Eigen::Index i = 0; i < size; ++i) {
      column[i] = static_cast<Real>(weight_decay_ * mask_[i]);
    }
  }

  template <class Real>
  auto kernel(const StepInfo&) const {
    return [](auto& update, const auto& parameter, const auto& lambda) {
      update += lambda * parameter;
    };
  }

 private:
  double weight_decay_;
  Eigen::VectorXd mask_;
};

/// λ = weight_decay in [0, ∞), otherwise `std::invalid_argument`; `who` is the name that its message begins with.
inline AddDecayedWeights add_decayed_weights(double weight_decay,
                                             std::string_view who = "add_decayed_weights") {
  return AddDecayedWeights(checked(who, "weight_decay", weight_decay, range::non_negative));
}
/// The same for the parameters whose mask is 1, and not for those (biases, norms) whose mask is 0; a number between decays
/// by that part. The mask has one coefficient for each parameter, in the order in which they lie in memory. Throws
/// `std::invalid_argument` for λ outside [0, ∞), and at the first step where the sizes differ.
inline AddMaskedDecayedWeights add_decayed_weights(double weight_decay, Eigen::VectorXd mask) {
  return {checked("add_decayed_weights", "weight_decay", weight_decay, range::non_negative),
          std::move(mask)};
}

}  // namespace descent::inline v0

#endif  // DESCENT_TRANSFORM_ADD_DECAYED_WEIGHTS_HPP
