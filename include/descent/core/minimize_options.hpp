// When a run of `minimize` stops, and how it samples.
#ifndef DESCENT_CORE_MINIMIZE_OPTIONS_HPP
#define DESCENT_CORE_MINIMIZE_OPTIONS_HPP

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "descent/core/errors.hpp"

namespace descent::inline v0 {

/// How mini-batches are drawn: every sample once an epoch in random order, or independently of one another, or as they lie
/// there, which is the fastest to read and for samples whose order means nothing.
enum class Sampling { shuffled, with_replacement, in_order };
using enum Sampling;

class Batches;

/// Any limit that is given applies alone; with none at all a run makes at most 10 000 iterations. A tolerance that is
/// not given is off, except `gradient_tolerance` with full gradients. In runs on mini-batches a tolerance is tested at
/// the end of an epoch, on the full sum, and only when given.
struct MinimizeOptions {
  std::optional<std::int64_t> max_iterations{};  ///< updates, at least 0
  std::optional<std::int64_t>
      max_epochs{};  ///< passes over the samples, at least 0; finite sums only
  std::optional<std::int64_t>
      max_evaluations{};               ///< max(loss evaluations, gradient evaluations), at least 1
  std::optional<double> time_limit{};  ///< seconds, in [0, ∞)
  /// maxᵢ |gᵢ| ≤ gradient_tolerance; default 1e-6 in double and 1e-3 in float with full gradients; in [0, ∞).
  std::optional<double> gradient_tolerance{};
  /// |f(xₖ) − f(xₖ₋₁)| ≤ loss_tolerance · max(1, |f(xₖ)|); in [0, ∞).
  std::optional<double> loss_tolerance{};
  /// maxᵢ |xₖ − xₖ₋₁| ≤ step_tolerance · max(1, maxᵢ |xₖ|); in [0, ∞).
  std::optional<double> step_tolerance{};
  std::optional<std::int64_t>
      batch_size{};  ///< samples an update, at least 1; default 1 with SGD, else all
  Sampling sampling = Sampling::shuffled;  ///< how mini-batches are drawn
  std::uint64_t seed = 0;                  ///< of the sampling: the same seed gives the same bits
  bool warm_start = false;  ///< keep a named optimizer's state instead of starting afresh
  bool drop_last = false;   ///< leave out an epoch's last batch where it would be smaller
  /// Factor of the batch size from one epoch to the next, in [1, ∞); at most all samples.
  double batch_growth = 1;
  /// Draw from here, going on where it stands, also within an epoch: `batch_size`, `sampling`, `seed`, `drop_last` and
  /// `batch_growth` are its own then. Without, each run begins with a new epoch from `seed`, `warm_start` or not.
  Batches* batches = nullptr;
};

/// The options as the drivers use them: checked, and with the defaults filled in.
struct Limits {
  static constexpr std::int64_t none = (std::numeric_limits<std::int64_t>::max)();
  static constexpr double off = -1;  // no difference is within it

  std::int64_t iterations = none, epochs = none, evaluations = none;
  double seconds = std::numeric_limits<double>::infinity();
  double gradient = off, loss = off, step = off;

  /// Throws `std::invalid_argument` outside the ranges above.
  [[gnu::cold]] explicit Limits(const MinimizeOptions& o) {
    constexpr std::string_view who = "minimize";
    if (o.max_iterations) iterations = checked_count(who, "max_iterations", *o.max_iterations, 0);
    if (o.max_epochs) epochs = checked_count(who, "max_epochs", *o.max_epochs, 0);
    if (o.max_evaluations)
      evaluations = checked_count(who, "max_evaluations", *o.max_evaluations, 1);
    if (o.time_limit) seconds = checked(who, "time_limit", *o.time_limit, range::non_negative);
    if (o.gradient_tolerance) {
      gradient = checked(who, "gradient_tolerance", *o.gradient_tolerance, range::non_negative);
    }
    if (o.loss_tolerance)
      loss = checked(who, "loss_tolerance", *o.loss_tolerance, range::non_negative);
    if (o.step_tolerance)
      step = checked(who, "step_tolerance", *o.step_tolerance, range::non_negative);
    if (o.batch_size) checked_count(who, "batch_size", *o.batch_size, 1);
    checked(who, "batch_growth", o.batch_growth, range::growth);
    if (!o.max_iterations && !o.max_epochs && !o.max_evaluations && !o.time_limit)
      iterations = 10'000;
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_CORE_MINIMIZE_OPTIONS_HPP
