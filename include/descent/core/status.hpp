// Why a run ended.
#ifndef DESCENT_CORE_STATUS_HPP
#define DESCENT_CORE_STATUS_HPP

#include <string_view>

#include "descent/core/version.hpp"

namespace descent::inline v0 {

enum class Status {
  GradientTolerance,  ///< converged: the largest |gradient coefficient| is within `gradient_tolerance`
  LossTolerance,      ///< converged: the loss changed by no more than `loss_tolerance` allows
  StepTolerance,      ///< converged: the parameters changed by no more than `step_tolerance` allows
  IterationLimit,     ///< `max_iterations` updates were made
  EpochLimit,         ///< `max_epochs` passes over the samples were made
  EvaluationLimit,  ///< `max_evaluations` evaluations were made
  TimeLimit,        ///< `time_limit` seconds have passed
  Stopped,          ///< an observer asked for it
  NonFinite,  ///< a loss or gradient was NaN or infinite, or too large for the optimizer's state
  Diverged,  ///< the parameters overflowed, the loss falls without end, or a mini-batch run ended far above its start
  LineSearchFailed,  ///< no acceptable step along the direction
};

/// The enumerator's name.
constexpr std::string_view to_string(Status status) {
  switch (status) {
    case Status::GradientTolerance:
      return "GradientTolerance";
    case Status::LossTolerance:
      return "LossTolerance";
    case Status::StepTolerance:
      return "StepTolerance";
    case Status::IterationLimit:
      return "IterationLimit";
    case Status::EpochLimit:
      return "EpochLimit";
    case Status::EvaluationLimit:
      return "EvaluationLimit";
    case Status::TimeLimit:
      return "TimeLimit";
    case Status::Stopped:
      return "Stopped";
    case Status::NonFinite:
      return "NonFinite";
    case Status::Diverged:
      return "Diverged";
    case Status::LineSearchFailed:
      return "LineSearchFailed";
  }
  return "unknown";
}

}  // namespace descent::inline v0

#endif  // DESCENT_CORE_STATUS_HPP
