// ScheduleFreeSGD: SGD whose average needs no schedule.
//
//     g ← g + λ y;   y, z by schedule_free (transform/schedule_free.hpp)
//
// A. Defazio et al., "The road less scheduled", NeurIPS 2024, equations 4 to 6; weight decay at y, as in the authors' code.
#ifndef DESCENT_OPTIMIZER_SCHEDULE_FREE_SGD_HPP
#define DESCENT_OPTIMIZER_SCHEDULE_FREE_SGD_HPP

#include <Eigen/Core>

#include "descent/core/schedule.hpp"
#include "descent/engine/stepper.hpp"
#include "descent/transform/add_decayed_weights.hpp"
#include "descent/transform/schedule_free.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of Schedule-Free SGD, with the defaults of the authors' code.
struct ScheduleFreeSGDOptions {
  Schedule learning_rate = 1;  ///< η, a number in [0, ∞) or a schedule: a warm-up, which then stays
  double beta = 0.9;           ///< β, how far y lies towards the average, in (0, 1]
  double weight_decay = 0;     ///< λ, at y, in [0, ∞)
  double step_power = 0;       ///< r, of the number of the step in the weights, in [0, ∞)
  double rate_power = 2;       ///< p, of the largest rate in the weights, in [0, ∞)
};

/// The parameters that it steps are y, where gradients are taken; `averaged(y)` is the point to evaluate. State: one slot
/// and two numbers; one pass. Throws `std::invalid_argument` outside the ranges above.
template <class Vector = Eigen::VectorXd>
class ScheduleFreeSGD : public Stepper<Vector, AddDecayedWeights, ScheduleFree> {
  using Base = Stepper<Vector, AddDecayedWeights, ScheduleFree>;

 public:
  explicit ScheduleFreeSGD(const ScheduleFreeSGDOptions& options = {})
      : Base{add_decayed_weights(options.weight_decay, "ScheduleFreeSGD"),
             schedule_free({.learning_rate = options.learning_rate,
                            .beta = options.beta,
                            .step_power = options.step_power,
                            .rate_power = options.rate_power},
                           "ScheduleFreeSGD")} {}

  /// z, n coefficients; empty before the first step.
  auto base_point() const { return this->template slot<1>(0); }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_SCHEDULE_FREE_SGD_HPP
