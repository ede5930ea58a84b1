// The rule by which a trajectory of ours is held against a reference.
//
//     const Trajectory reference = load_trajectory("torch/sgd__momentum__rosen");
//     descent::SGD<Eigen::VectorXd> sgd({.learning_rate = reference.hyper.number("lr"), ...});
//     const Report report = compare(
//         reference, [&](std::int64_t, auto& x, const auto& g) { sgd.step(x, g); });
//     INFO(report.first_failure);
//     CHECK(report.passed());
//
// Coefficient i of a checkpoint is skipped when rounding alone moves it by more than 1e-8
// (sensitivity_i > 1e-8); else
//
//     |x_i - reference_i| <= max(1, |reference_i|) (1e-12 + 1e3 sensitivity_i)
//
// with 1e-9 in place of 1e-12 for the methods that take matrix roots. A looser rule is no test: at
// 1e-3 seeded mistakes pass.
#ifndef DESCENT_TESTS_SUPPORT_COMPARE_HPP
#define DESCENT_TESTS_SUPPORT_COMPARE_HPP

#include "support/objectives.hpp"
#include "support/reference.hpp"

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace descent_test {

struct Report {
  int compared = 0;  ///< coefficients held against the reference
  int skipped = 0;   ///< coefficients that rounding alone moves too far
  int failures = 0;
  /// Largest |difference| / tolerance among the compared; infinite for what is not finite.
  double worst = 0;
  std::string first_failure;

  /// No failure, and something was compared.
  bool passed() const { return failures == 0 && compared > 0; }
};

/// How far from a reference value x_i may be.
inline double tolerance(const Trajectory& trajectory, double reference, double sensitivity) {
  constexpr std::string_view roots[] = {"Shampoo", "SOAP", "Muon", "MuonOptax"};
  const double base =
      std::find(std::begin(roots), std::end(roots), trajectory.optimizer) != std::end(roots)
          ? 1e-9
          : 1e-12;
  return std::max(1.0, std::abs(reference)) * (base + 1e3 * sensitivity);
}

/// Holds x against one vector of a checkpoint by the rule above.
inline void compare_point(const Trajectory& trajectory, const Checkpoint& point,
                          std::string_view name, const Eigen::VectorXd& x,
                          const Eigen::VectorXd& reference, Report& report) {
  const auto fail = [&](const auto&... parts) {
    if (report.failures++ > 0) return;
    std::ostringstream text;
    text.precision(17);
    text << trajectory.id << ", step " << point.t << ", " << name;
    (text << ... << parts);
    report.first_failure = text.str();
  };
  if (x.size() != reference.size())
    return fail(" has ", x.size(), " coefficients instead of ", reference.size());
  for (Eigen::Index i = 0; i < x.size(); ++i) {
    // What is not x itself (an averaged point, a step-size estimate) has no sensitivity of its own.
    const double sensitivity =
        x.size() == point.sensitivity.size() ? point.sensitivity[i] : point.sensitivity.maxCoeff();
    if (!(sensitivity <= 1e-8)) {
      ++report.skipped;
      continue;
    }
    ++report.compared;
    const double bound = tolerance(trajectory, reference[i], sensitivity);
    const double difference = std::abs(x[i] - reference[i]);
    const double ratio = std::isfinite(difference) ? difference / bound : HUGE_VAL;
    report.worst = std::max(report.worst, ratio);
    if (!(difference <= bound))
      fail("[", i, "] = ", x[i], ", reference ", reference[i], ", ", ratio, " times the tolerance");
  }
}

struct NoExtra {};

/// Runs `step(t, x, g)` from x0 over all steps of the trajectory, g being the gradient at x, and
/// compares at its checkpoints. Where the reference maximizes, g is the negative gradient.
/// `extra(name)`, when given, returns what the checkpoints hold besides x ("x_eval", "x_slow"), to
/// be compared as well.
template <std::invocable<std::int64_t, Eigen::VectorXd&, const Eigen::VectorXd&> Step,
          class Extra = NoExtra>
Report compare(const Trajectory& trajectory, Step&& step, [[maybe_unused]] Extra&& extra = {}) {
  if (!trajectory.step_by_step)
    throw std::invalid_argument(trajectory.id + " is not comparable step by step, only at its end");
  const ReferenceObjective objective = make_objective(trajectory);
  const bool maximize = trajectory.hyper.flag("maximize", false);
  Report report;
  Eigen::VectorXd x = trajectory.x0, g(x.size());
  auto point = trajectory.checkpoints.begin();
  for (std::int64_t t = 1; point != trajectory.checkpoints.end(); ++t) {
    objective.gradient_at(t, x, g);
    if (maximize) g = -g;
    step(t, x, std::as_const(g));
    if (t != point->t) continue;
    compare_point(trajectory, *point, "x", x, point->x, report);
    if constexpr (std::invocable<Extra&, std::string_view>)
      for (const auto& [name, reference] : point->extra)
        compare_point(trajectory, *point, name, extra(std::string_view(name)), reference, report);
    ++point;
  }
  return report;
}

}  // namespace descent_test

#endif  // DESCENT_TESTS_SUPPORT_COMPARE_HPP
