// Adafactor: Adam with its second moment in two vectors, steps relative to the parameters and none of them too long.
//
//     β_t = 1 − t^(−0.8);   v ← β_t v + (1 − β_t) (g² + ε₁)
//     u = g / √v;   of a matrix v_ij = r_i c_j / mean(r), r and c the averages of the means of rows and columns
//     u ← u / max(1, RMS(u)/d) · η_t · max(ε₂, RMS(x));   x ← x − u − λ x
//
// N. Shazeer and M. Stern, "Adafactor: Adaptive learning rates with sublinear memory cost", ICML 2018, Algorithms 4 and 5; with
// momentum m ← μ m + (1 − μ) u in front of the decay, as in optax. The default rate is the paper's min(10⁻², 1/√t).
#ifndef DESCENT_OPTIMIZER_ADAFACTOR_HPP
#define DESCENT_OPTIMIZER_ADAFACTOR_HPP

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "descent/core/errors.hpp"
#include "descent/core/schedule.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/stepper.hpp"
#include "descent/engine/transform.hpp"
#include "descent/transform/scale_by_learning_rate.hpp"

namespace descent::inline v0 {

/// The paper's rate of the update after k others: min(10⁻², 1/√(k + 1)).
inline double adafactor_rate(std::int64_t k) {
  return std::min(1e-2, 1 / std::sqrt(static_cast<double>(k + 1)));
}

/// The hyper-parameters of Adafactor, with the paper's defaults.
struct AdafactorOptions {
  Schedule learning_rate = adafactor_rate;  ///< η, a number in [0, ∞) or a schedule
  double decay_power = 0.8;                 ///< of β_t = 1 − t^(−power), in (0, ∞)
  double epsilon = 1e-30;                   ///< ε₁, in [0, ∞)
  double clipping_threshold = 1;            ///< d, the largest RMS of u, in (0, ∞)
  bool scale_by_parameters = true;          ///< steps relative to RMS(x)
  double min_scale = 1e-3;  ///< ε₂, the least that RMS(x) counts for, in [0, ∞)
  double momentum = 0;      ///< μ, in [0, 1); 0 is none, and then there is no slot for it
  double weight_decay = 0;  ///< λ, not multiplied by the rate, in [0, ∞)
  std::int64_t min_dim_to_factor =
      128;  ///< smaller matrices keep v itself, at least 1 (optax's default)
};

/// The share of the newest square, 1 − β_t = t^(−power). (A power with an exponent that is no integer: its last bit is the
/// C library's.)
inline double adafactor_share(std::int64_t t, double power) {
  return std::pow(static_cast<double>(t), -power);
}

/// u = g/√v with v itself. State: v; one pass.
class ScaleByGrowingAverage {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr Stage yields = Stage::direction;
  static constexpr std::size_t slots = 1;

  explicit ScaleByGrowingAverage(const AdafactorOptions& options)
      : decay_power_(options.decay_power), epsilon_(options.epsilon) {}

  template <class Real>
  auto kernel(const StepInfo& step) const {
    const double share = adafactor_share(step.t, decay_power_);
    const auto a2 = static_cast<Real>(share), b2 = static_cast<Real>(1 - share),
               epsilon = static_cast<Real>(epsilon_);
    return [=](auto& update, const auto&, auto& v) {
      v = flush_denormals(b2 * v + a2 * (update * update + epsilon));
      update = update / sqrt(v);
    };
  }

  /// The largest |g| whose square v can hold: a larger one would freeze its coordinate for ever.
  template <class Real>
  static Real gradient_limit() {
    return std::sqrt((std::numeric_limits<Real>::max)());
  }

 private:
  double decay_power_, epsilon_;
};

/// u = g/√v of a matrix, v from its rows and columns where both are long enough. State: rows + columns numbers, in double;
/// whole.
class ScaleByFactoredAverage {
 public:
  static constexpr Stage accepts = Stage::gradient;
  static constexpr Stage yields = Stage::direction;

  /// The averages of g² + ε₁: of the means of rows and of columns, or else of all.
  struct State {
    std::vector<double> rows;  ///< one for each row
    std::vector<double> cols;  ///< one for each column
    std::vector<double> all;   ///< one for each coefficient
    friend bool operator==(const State&, const State&) = default;
  };

  explicit ScaleByFactoredAverage(const AdafactorOptions& options)
      : decay_power_(options.decay_power),
        epsilon_(options.epsilon),
        min_dim_(options.min_dim_to_factor) {}

  State init(Eigen::Index rows, Eigen::Index cols) const {
    using Zeros = std::vector<double>;
    if (std::min(rows, cols) < min_dim_) return {{}, {}, Zeros(std::size_t(rows * cols))};
    return {Zeros(std::size_t(rows)), Zeros(std::size_t(cols)), {}};
  }

  template <class Real>
  void apply(WholeUpdate<Real> update, WholeParameter<Real>, State& state,
             const StepInfo& step) const {
    const double share = adafactor_share(step.t, decay_power_), rest = 1 - share;
    const auto rows = update.rows(), cols = update.cols();
    const auto square = [&](Real g) {
      const auto value = static_cast<double>(g);
      return share * (value * value + epsilon_);
    };
    if (state.rows.empty()) {
      for (Eigen::Index k = 0; k < update.size(); ++k) {
        double& v = state.all[std::size_t(k)];
        Real& u = update.data()[k];
        v = rest * v + square(u);
        u = static_cast<Real>(static_cast<double>(u) / std::sqrt(v));
      }
      return;
    }
    for (double& v : state.rows) v *= rest;
    for (double& v : state.cols) v *= rest;
    for (Eigen::Index j = 0; j < cols; ++j) {
      for (Eigen::Index i = 0; i < rows; ++i) {
        const double s = square(update(i, j));
        state.rows[std::size_t(i)] += s / static_cast<double>(cols);
        state.cols[std::size_t(j)] += s / static_cast<double>(rows);
      }
    }
    double mean = 0;
    for (const double v : state.rows) mean += v / static_cast<double>(rows);
    for (Eigen::Index j = 0; j < cols; ++j) {
      for (Eigen::Index i = 0; i < rows; ++i) {
        const double v = state.rows[std::size_t(i)] * (state.cols[std::size_t(j)] / mean);
        update(i, j) = static_cast<Real>(static_cast<double>(update(i, j)) / std::sqrt(v));
      }
    }
  }

 private:
  double decay_power_, epsilon_;
  std::int64_t min_dim_;
};

/// From u to the step: the clip by RMS, the rate, the scale of the parameters, momentum, decay. State: m with momentum;
/// reducing.
class StepByAdafactor : public ScaleByLearningRate {
 public:
  static constexpr std::array reduces{Reduce::norm, Reduce::norm};
  static constexpr std::size_t slots = 1;
  static constexpr std::size_t forms = 2;
  static constexpr std::size_t slots_in(std::size_t form) { return form; }
  std::size_t form() const { return options_.momentum == 0 ? 0 : 1; }

  explicit StepByAdafactor(const AdafactorOptions& options)
      : ScaleByLearningRate(options.learning_rate), options_(options) {}

  template <class Real>
  auto statistic(const StepInfo&) const {
    return [](const auto& update, const auto& x, const auto&...) { return std::array{update, x}; };
  }

  template <class Real, std::size_t Form>
  auto kernel(const StepInfo& step) const {
    const double root = std::sqrt(static_cast<double>(step.size));
    const double rms_u = step.sums[0] / root, rms_x = step.sums[1] / root;
    const double size = options_.scale_by_parameters ? std::max(rms_x, options_.min_scale) : 1;
    const double factor =
        step.learning_rate * size / std::max(rms_u / options_.clipping_threshold, 1.0);
    const auto lambda = static_cast<Real>(options_.weight_decay);
    if constexpr (Form == 0) {
      const auto scale = static_cast<Real>(factor);
      return [=](auto& update, const auto& x) { update = -(scale * update + lambda * x); };
    } else {
      const auto mu = static_cast<Real>(options_.momentum),
                 scale = static_cast<Real>((1 - options_.momentum) * factor);
      return [=](auto& update, const auto& x, auto& m) {
        m = flush_denormals(mu * m + scale * update);
        update = -(m + lambda * x);
      };
    }
  }

 private:
  AdafactorOptions options_;
};

/// State: one slot, two with momentum; two passes. That is for vectors, whose second moment is kept itself. An optimizer
/// of matrices, `Adafactor<Eigen::MatrixXd>`, keeps rows + columns numbers instead; three passes and the matrices' own.
/// Throws `std::invalid_argument` outside the ranges above.
template <class Vector = Eigen::VectorXd>
class Adafactor : public Stepper<Vector,
                                 std::conditional_t<Vector::IsVectorAtCompileTime,
                                                    ScaleByGrowingAverage, ScaleByFactoredAverage>,
                                 StepByAdafactor> {
  using Second = std::conditional_t<Vector::IsVectorAtCompileTime, ScaleByGrowingAverage,
                                    ScaleByFactoredAverage>;
  using Base = Stepper<Vector, Second, StepByAdafactor>;

  static const AdafactorOptions& checked_options(const AdafactorOptions& options) {
    constexpr auto who = "Adafactor";
    options.learning_rate.checked(who, "learning_rate", range::non_negative);
    checked(who, "decay_power", options.decay_power, range::positive);
    checked(who, "epsilon", options.epsilon, range::non_negative);
    checked(who, "clipping_threshold", options.clipping_threshold, range::positive);
    checked(who, "min_scale", options.min_scale, range::non_negative);
    checked(who, "momentum", options.momentum, range::decay_rate);
    checked(who, "weight_decay", options.weight_decay, range::non_negative);
    checked_count(who, "min_dim_to_factor", options.min_dim_to_factor, 1);
    return options;
  }

 public:
  explicit Adafactor(const AdafactorOptions& options = {})
      : Base{Second(checked_options(options)), StepByAdafactor(options)} {}
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_ADAFACTOR_HPP
