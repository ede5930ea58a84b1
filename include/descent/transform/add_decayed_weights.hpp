// add_decayed_weights: weight decay, g ← g + λ x.
//
// Its place in the chain decides what it is. At the head it is the gradient of λ/2 ‖x‖² (L2 regularization, coupled);
// after scale_by_* it is decoupled weight decay (I. Loshchilov and F. Hutter, ICLR 2019, Algorithm 2).
#ifndef DESCENT_TRANSFORM_ADD_DECAYED_WEIGHTS_HPP
#define DESCENT_TRANSFORM_ADD_DECAYED_WEIGHTS_HPP

#include <cstddef>
#include <string_view>

#include "descent/core/errors.hpp"
#include "descent/core/step_info.hpp"

namespace descent::inline v0 {

/// No state; one pass; λ = 0 costs nothing. The learning rate multiplies λ, as in PyTorch and optax; the paper's does
/// not.
class AddDecayedWeights {
 public:
  static constexpr std::size_t forms = 2;
  std::size_t form() const { return weight_decay_ == 0 ? 0 : 1; }

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

/// λ = weight_decay in [0, ∞), otherwise `std::invalid_argument`; `who` is the name that its message begins with.
inline AddDecayedWeights add_decayed_weights(double weight_decay,
                                             std::string_view who = "add_decayed_weights") {
  return AddDecayedWeights(checked(who, "weight_decay", weight_decay, range::non_negative));
}

}  // namespace descent::inline v0

#endif  // DESCENT_TRANSFORM_ADD_DECAYED_WEIGHTS_HPP
