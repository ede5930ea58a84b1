// What methods for finite sums share: rounds of steps on mini-batches, each closed by the full loss and gradient.
#ifndef DESCENT_ENGINE_ROUNDS_HPP
#define DESCENT_ENGINE_ROUNDS_HPP

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/optimizer.hpp"
#include "descent/core/solver.hpp"
#include "descent/core/stage.hpp"
#include "descent/engine/slope_table.hpp"
#include "descent/engine/stepper.hpp"

namespace descent::inline v0 {

/// In the place of a proximal step: none.
struct Unpenalized {
  explicit Unpenalized() = default;
};

/// A transform of new parameters.
template <class Prox>
concept ProximalStep = Prox::accepts == Stage::point;

/// `Rate` scales by the learning rate, `Prox` follows it.
template <class V, class Rate, class Prox>
class Rounds {
 public:
  /// The type of the parameters.
  using Vector = V;
  /// float or double.
  using Scalar = typename Vector::Scalar;
  /// Those of mini-batches.
  static constexpr Gradients gradients = Gradients::sampled;

  /// Makes room, and projects the start where the proximal step is a projection.
  void begin(Vector& x) {
    next_ = {.x = x, .g = x};
    direction_ = x;
    step_.reset();
    if constexpr (proximal && !has_penalty) {
      direction_.setZero();
      step_.step(x, direction_);
    }
    first_ = true;
  }
  /// The rate; loss and norm with the penalty.
  template <class E>
  void regard(Point<Vector>& now, E& evaluate) {
    rate_ = given_;
    if (given_ == 0) {
      const double L = smoothness<Vector>(evaluate.objective(), evaluate.batch_size());
      if (!(L < std::numeric_limits<double>::infinity())) {
        throw_invalid(who_, "learning_rate", "0, which is for the automatic choice",
                      "given for an objective of unknown curvature (known: that of linear models "
                      "with a smooth loss, and l2 around them)");
      }
      rate_ = L > 0 ? 1 / (3 * L) : 1;
    }
    rate_ *= scale_;
    step_.set_learning_rate(rate_);
    measure(now);
  }

  /// Back to before the first step.
  void reset() {
    steps_ = 0;
    scale_ = 1;
  }
  /// The number of steps taken, of all rounds.
  std::int64_t steps() const { return steps_; }
  /// η; 0 before a run that chooses it.
  double learning_rate() const { return rate_; }
  /// Multiplies the rate of all later steps by a factor in [0, ∞).
  void scale_learning_rate(double factor) {
    scale_ *= checked("scale_learning_rate", "factor", factor, range::non_negative);
    rate_ *= factor;
    step_.set_learning_rate(rate_);
  }

 protected:
  /// Whether there is a proximal step.
  static constexpr bool proximal = !std::is_same_v<Prox, Unpenalized>;

  /// `who` is the name that messages begin with.
  Rounds(std::string_view who, Prox prox, double learning_rate)
      : prox_(std::move(prox)),
        who_(who),
        given_(checked(who, "learning_rate", learning_rate, range::non_negative)),
        rate_(given_),
        step_(make_step(prox_)) {}

  Prox prox_;             ///< the regularizer's step
  Point<Vector> next_{};  ///< within a round, then the point before
  Vector direction_{};    ///< of a step, without the rate
  bool first_ = true;     ///< no round is complete

  /// next ← prox(next − η direction).
  void step() { step_.step(next_.x, direction_); }
  /// The same from x to another place.
  void step(const Vector& x, Vector& to) { (void)step_.advance(x, direction_, to, 0); }

  /// ⌈passes n / |B|⌉, or what is given.
  template <class E>
  static std::int64_t steps_of_round(std::int64_t given, std::int64_t passes, const E& evaluate) {
    const auto n = static_cast<std::int64_t>(evaluate.objective().size());
    const auto b = static_cast<std::int64_t>(evaluate.batch_size());
    return given > 0 ? given : (passes * n + b - 1) / b;
  }

  /// Ends a round of so many steps: `now` is where `next_` is.
  template <class E>
  Iteration<Vector> close(std::int64_t steps, Point<Vector>& now, E& evaluate) {
    if (steps == 0) return {Moved::refused};
    if (!evaluate.close(next_)) return {Moved::stuck};
    first_ = false;
    steps_ += steps;
    std::swap(now, next_);
    measure(now);
    return {Moved::moved, &next_.x};
  }

 private:
  static constexpr bool has_penalty = requires(const Prox& prox, const V& x) { prox.penalty(x); };
  using Step = std::conditional_t<proximal, Stepper<V, Rate, Prox>, Stepper<V, Rate>>;

  std::string_view who_;
  double given_, rate_, scale_ = 1;
  Step step_;
  std::int64_t steps_ = 0;

  static Step make_step(const Prox& prox) {
    if constexpr (proximal) {
      return Step(Rate(1.0), prox);
    } else {
      return Step(Rate(1.0));
    }
  }

  // With a proximal step: the loss with its penalty, and maxᵢ |x − prox(x − η g)|ᵢ/η. A step that rounding swallows is no
  // sign of convergence: half a unit of x is added.
  void measure(Point<Vector>& now) {
    if constexpr (proximal) {
      (void)step_.advance(now.x, now.g, direction_, now.loss);
      constexpr auto precision = static_cast<double>(std::numeric_limits<Scalar>::epsilon());
      double most = 0;
      for (Eigen::Index i = 0; i < now.x.size(); ++i) {
        const auto x = static_cast<double>(now.x.data()[i]);
        const double d = std::abs(x - static_cast<double>(direction_.data()[i]));
        most = (std::max)(most, d + 0.5 * precision * std::abs(x));
      }
      now.norm = most / rate_;
      if constexpr (has_penalty) now.loss += prox_.penalty(now.x);
    }
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_ROUNDS_HPP
