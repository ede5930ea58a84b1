// add_noise: g ← g + σₜ N(0, I),  σₜ² = η / tᵞ, t from 1.
//
// A. Neelakantan et al., "Adding gradient noise improves learning for very deep networks", arXiv:1511.06807, 2015,
// equation 1, as optax's add_noise.
#ifndef DESCENT_TRANSFORM_ADD_NOISE_HPP
#define DESCENT_TRANSFORM_ADD_NOISE_HPP

#include <Eigen/Core>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "descent/core/errors.hpp"
#include "descent/core/random.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"

namespace descent::inline v0 {

/// The noise that is added to gradients.
struct AddNoiseOptions {
  double eta = 0.01;       ///< η, the variance of the first step, in [0, ∞)
  double gamma = 0.55;     ///< γ, how fast it falls, in [0, ∞)
  std::uint64_t seed = 0;  ///< the same noise on every machine (but for the last bit of tᵞ)
};

/// State: the generator; a whole transform, one more pass.
class AddNoise {
 public:
  static constexpr Stage accepts = Stage::gradient;

  /// The generator.
  struct State {
    Random random;  ///< what the next draw depends on
    friend bool operator==(const State&, const State&) = default;
  };
  State init(Eigen::Index, Eigen::Index) const { return {Random(options_.seed)}; }

  explicit AddNoise(const AddNoiseOptions& options) : options_(options) {}

  template <class Update, class Parameter>
  void apply(Update&& update, const Parameter&, State& state, const StepInfo& step) const {
    using Real = typename std::remove_cvref_t<Update>::Scalar;
    const double variance = options_.eta / std::pow(static_cast<double>(step.t), options_.gamma);
    const double deviation = std::sqrt(variance);
    for (Eigen::Index i = 0; i < update.size(); ++i) {
      update.data()[i] += static_cast<Real>(deviation * state.random.normal());
    }
  }

 private:
  AddNoiseOptions options_;
};

/// Throws `std::invalid_argument` outside the ranges above.
inline AddNoise add_noise(const AddNoiseOptions& options = {}) {
  checked("add_noise", "eta", options.eta, range::non_negative);
  checked("add_noise", "gamma", options.gamma, range::non_negative);
  return AddNoise(options);
}

}  // namespace descent::inline v0

#endif  // DESCENT_TRANSFORM_ADD_NOISE_HPP
