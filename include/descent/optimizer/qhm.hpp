// QHM: a weighted mean of the gradient and its momentum.
//
//     b ← β b + (1 − β) g
//     step = −η ( (1 − ν) g + ν b )
//
// J. Ma and D. Yarats, "Quasi-hyperbolic momentum and Adam for deep learning", ICLR 2019, equations 3 and 4. ν = 0 is SGD,
// ν = 1 momentum (with η (1 − β) for its rate), ν = β Nesterov's.
#ifndef DESCENT_OPTIMIZER_QHM_HPP
#define DESCENT_OPTIMIZER_QHM_HPP

#include <Eigen/Core>
#include <cstddef>
#include <string_view>

#include "descent/core/errors.hpp"
#include "descent/core/schedule.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/stepper.hpp"
#include "descent/transform/add_decayed_weights.hpp"
#include "descent/transform/scale_by_learning_rate.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of QHM's direction.
struct ScaleByQhmOptions {
  double momentum = 0.999;  ///< β, decay of the average, in [0, 1)
  double nu = 0.7;          ///< ν, weight of the average, in [0, 1]
};

/// g ← (1 − ν) g + ν b. State: b; one pass.
class ScaleByQhm {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr Stage yields = Stage::direction;
  static constexpr std::size_t slots = 1;

  explicit ScaleByQhm(const ScaleByQhmOptions& options) : options_(options) {}

  template <class Real>
  auto kernel(const StepInfo&) const {
    const auto beta = static_cast<Real>(options_.momentum);
    const auto gain = static_cast<Real>(1 - options_.momentum);
    const auto nu = static_cast<Real>(options_.nu), rest = static_cast<Real>(1 - options_.nu);
    return [=](auto& update, const auto&, auto& b) {
      b = flush_denormals(beta * b + gain * update);
      update = rest * update + nu * b;
    };
  }

 private:
  ScaleByQhmOptions options_;
};

/// Throws `std::invalid_argument` outside the ranges above; `who` is the name that its message begins with.
inline ScaleByQhm scale_by_qhm(const ScaleByQhmOptions& options = {},
                               std::string_view who = "scale_by_qhm") {
  checked(who, "momentum", options.momentum, range::decay_rate);
  checked(who, "nu", options.nu, range::fraction);
  return ScaleByQhm(options);
}

/// The hyper-parameters of QHM; ν and β as the paper recommends.
struct QHMOptions {
  Schedule learning_rate = 1.0;  ///< η, a number in [0, ∞) or a schedule
  double momentum = 0.999;       ///< β, decay of the average, in [0, 1)
  double nu = 0.7;               ///< ν, weight of the average, in [0, 1]
  double weight_decay = 0;       ///< λ, coupled, in [0, ∞)
};

/// State: one slot; one pass. Throws `std::invalid_argument` outside the ranges above.
template <class Vector = Eigen::VectorXd>
class QHM : public Stepper<Vector, AddDecayedWeights, ScaleByQhm, ScaleByLearningRate> {
  using Base = Stepper<Vector, AddDecayedWeights, ScaleByQhm, ScaleByLearningRate>;

 public:
  /// A fresh optimizer; throws `std::invalid_argument` outside the ranges of the options.
  explicit QHM(const QHMOptions& options = {})
      : Base{add_decayed_weights(options.weight_decay, "QHM"),
             scale_by_qhm({.momentum = options.momentum, .nu = options.nu}, "QHM"),
             scale_by_learning_rate(options.learning_rate, "QHM")} {}

  /// b, n coefficients; empty before the first step.
  auto momentum_buffer() const { return this->template slot<1>(0); }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_QHM_HPP
