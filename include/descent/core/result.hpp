// Result: what came out of a run, and why it stopped.
#ifndef DESCENT_CORE_RESULT_HPP
#define DESCENT_CORE_RESULT_HPP

#include <cstdint>
#include <limits>
#include <string>

#include "descent/core/errors.hpp"
#include "descent/core/status.hpp"

namespace descent::inline v0 {

/// Where a number that is not finite was met.
struct Trouble {
  /// `state`: a gradient that is finite, but too large for the optimizer's state.
  enum class Where { nowhere, loss, gradient, parameters, state };
  Where where = Where::nowhere;   ///< what was not finite
  std::int64_t index = -1;        ///< of the first such coefficient, in memory order; -1 for a loss
  double value = 0;               ///< what stood there
  bool first_evaluation = false;  ///< whether it was met before the first update
};

/// What `minimize` returns.
template <class Vector>
struct Result {
  Vector x;                                                ///< the parameters, finite if x0 was
  double loss = std::numeric_limits<double>::quiet_NaN();  ///< evaluated at x (full sum)
  double gradient_norm =
      std::numeric_limits<double>::quiet_NaN();  ///< largest |coefficient| of the gradient at x
  std::int64_t iterations = 0;                   ///< updates made
  std::int64_t epochs = 0;                       ///< whole passes over the samples
  std::int64_t loss_evaluations = 0;             ///< calls that returned a loss
  std::int64_t gradient_evaluations = 0;         ///< calls that wrote a gradient
  double seconds = 0;                            ///< wall-clock time
  Status status = Status::IterationLimit;        ///< why the run ended

  double tolerance = 0;  ///< the tolerance that was met, where one was
  Trouble trouble{};     ///< what was met, with NonFinite and Diverged
  bool unmoved = false;  ///< x is the start: of all points seen, none was better

  /// Whether a tolerance was met: the first three of `Status`.
  [[nodiscard]] bool converged() const { return status <= Status::StepTolerance; }

  /// One sentence for a person.
  [[nodiscard]] std::string message() const {
    std::string text, advice;
    switch (status) {
      case Status::GradientTolerance:
        text = "converged: the largest gradient coefficient, " + to_text(gradient_norm) +
               ", is within " + to_text(tolerance);
        break;
      case Status::LossTolerance:
        text = "converged: the loss, " + to_text(loss) + ", changes by no more than " +
               to_text(tolerance) + " of max(1, |loss|)";
        break;
      case Status::StepTolerance:
        text = "converged: the parameters change by no more than " + to_text(tolerance) +
               " of max(1, |x|)";
        break;
      case Status::IterationLimit:
        text = "stopped at the limit of iterations";
        break;
      case Status::EpochLimit:
        text = "stopped at the limit of epochs";
        break;
      case Status::EvaluationLimit:
        text = "stopped at the limit of evaluations";
        break;
      case Status::TimeLimit:
        text = "stopped at the limit of time";
        break;
      case Status::Stopped:
        text = "stopped by an observer";
        break;
      case Status::NonFinite:
        text = describe_trouble();
        if (!trouble.first_evaluation && trouble.where != Trouble::Where::nowhere) {
          advice = ": a smaller learning rate may help, and check_gradient(f, x) if none does";
        }
        break;
      case Status::Diverged:
        if (trouble.where == Trouble::Where::loss) {
          text = "the loss falls without end: it has no lower bound";
          break;
        }
        text = trouble.where == Trouble::Where::parameters
                   ? "the parameters overflowed at index " + to_text(trouble.index)
                   : std::string("the run ended above its start, and the start is returned");
        advice = ": a smaller learning rate may help, unless the loss has no lower bound";
        break;
      case Status::LineSearchFailed:
        text = "the line search found no acceptable step";
        break;
    }
    text += trouble.first_evaluation ? ", at the first evaluation"
                                     : ", after " + to_text(iterations) +
                                           (iterations == 1 ? " iteration" : " iterations");
    if (unmoved && iterations > 0 && advice.empty() && !converged()) {
      advice = ", without a point better than the start: a smaller learning rate may help";
    }
    return text + advice;
  }

 private:
  std::string describe_trouble() const {
    const std::string value = to_text(trouble.value), index = to_text(trouble.index);
    switch (trouble.where) {
      case Trouble::Where::loss:
        return "the loss is " + value;
      case Trouble::Where::gradient:
        return "the gradient's coefficient " + index + " is " + value +
               (trouble.first_evaluation ? " (every coefficient must be written)" : "");
      case Trouble::Where::parameters:
        return "the parameters' coefficient " + index + " is " + value;
      case Trouble::Where::state:
        return "the gradient's coefficient " + index + ", " + value +
               ", is too large for the optimizer's state";
      case Trouble::Where::nowhere:
        break;
    }
    return "a number was not finite";
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_CORE_RESULT_HPP
