// Hogwild: stochastic gradient descent on a linear model by all cores at once, without locks.
//
//     z = xᵢᵀw;   w ← w − η (ωᵢ ∂ℓ/∂z xᵢ + λ w)      for one sample i after the other, by every thread, on the same w
//
// F. Niu, B. Recht, C. Ré and S. Wright, "Hogwild!: A lock-free approach to parallelizing stochastic gradient descent", NIPS
// 2011, algorithm 1. Threads take runs of samples in the order of the epoch; a weight that two of them change at the same time
// may miss one change, which is rare where rows are sparse. Weights are read and written by relaxed atomics, so that there
// is no data race by the standard's definition. Where peers differ: the paper applies λ w to the weights of xᵢ alone, with a
// factor for how often they occur; ours is exact, by the scale that engine/sample_steps.hpp explains.
//
// `synchronous`: mini-batches, whose slopes all threads work out at the same w before it moves; the bits do not depend on the
// number of threads.
#ifndef DESCENT_SOLVER_HOGWILD_HPP
#define DESCENT_SOLVER_HOGWILD_HPP

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "descent/core/errors.hpp"
#include "descent/core/objective.hpp"
#include "descent/core/optimizer.hpp"
#include "descent/core/schedule.hpp"
#include "descent/core/solver.hpp"
#include "descent/engine/sample_steps.hpp"
#include "descent/engine/shrinkage.hpp"
#include "descent/engine/team.hpp"

namespace descent::inline v0 {

/// How threads share the work.
enum class Sharing {
  asynchronous,  ///< each makes steps of its own, of one sample, on the same weights
  synchronous    ///< they share a mini-batch (`batch_size`), and make one step together
};

/// The options of Hogwild.
struct HogwildOptions {
  Schedule learning_rate = 0.1;  ///< η, a number in [0, ∞) or a schedule of the updates
  int threads = 0;               ///< at least 0, which is one for each processor
  Sharing sharing = Sharing::asynchronous;  ///< how they share the work
  /// Passes over the samples an iteration, at least 1: behind the last of them the full sum is evaluated, which takes about
  /// as long as a pass.
  std::int64_t passes = 1;
};

/// For linear models of one output, over sparse or dense rows, in l2() or not. One thread makes the plain steps of SGD, with
/// the same bits in every run; with several, asynchronous, no two runs are alike. Samples are drawn as the options of
/// `minimize` say; in order, it reads the data as it lies in memory. Throws `std::invalid_argument` outside the ranges above,
/// for models of several outputs, and where η λ ≥ 1.
template <class V = Eigen::VectorXd>
class Hogwild {
 public:
  /// The type of the parameters.
  using Vector = V;
  /// float or double.
  using Scalar = typename Vector::Scalar;
  /// Those of samples.
  static constexpr Gradients gradients = Gradients::sampled;

  explicit Hogwild(HogwildOptions options = {}) : options_(std::move(options)) {
    options_.learning_rate.checked(name, "learning_rate", range::non_negative);
    checked_count(name, "threads", options_.threads, 0);
    checked_count(name, "passes", options_.passes, 1);
  }

  /// Makes room, and threads.
  void begin(const Vector& x) {
    next_ = {.x = x, .g = x};
    if (!team_) team_ = std::make_shared<Team>(options_.threads);
  }

  /// Passes over the samples, and the full sum behind them.
  template <class E>
  Iteration<Vector> iterate(Point<Vector>& now, E& evaluate) {
    const auto& objective = evaluate.objective();
    constexpr bool linear = requires {
      objective.linear_part();
    };
    static_assert(linear,
                  "minimize: Hogwild needs a linear model (LogisticRegression, ...) or l2 of one: "
                  "SGD, SVRG and others take every finite sum");
    if constexpr (linear) {
      const auto& model = objective.linear_part();
      if (model.loss_function().outputs() != 1) {
        throw_invalid(name, "objective",
                      join({"one of ", to_text(model.loss_function().outputs())}),
                      "a linear model of one output");
      }
      const double ridge = objective.ridge();
      const std::int64_t before = steps_;
      next_.x = now.x;
      for (std::int64_t pass = 0; pass < options_.passes; ++pass) {
        if (options_.sharing == Sharing::synchronous) {
          together(model, ridge, next_.x.data(), evaluate);
        } else {
          draw(model.size(), evaluate);
          apart(model, ridge, next_.x.data());
        }
      }
      if (steps_ == before) return {Moved::refused};
    }
    if (!evaluate.close(next_)) return {Moved::stuck};
    std::swap(now, next_);
    return {Moved::moved, &next_.x};
  }

  /// Back to before the first step.
  void reset() {
    steps_ = 0;
    factor_ = 1;
  }
  /// The number of updates.
  std::int64_t steps() const { return steps_; }
  /// The rate of the next update.
  double learning_rate() const { return factor_ * options_.learning_rate(steps_); }
  /// Multiplies the rate of all later steps by a factor in [0, ∞), on top of the schedule.
  void scale_learning_rate(double factor) {
    factor_ *= checked("scale_learning_rate", "factor", factor, range::non_negative);
  }
  /// The same solver for parameters of another type, fresh.
  template <class Other>
  Hogwild<Other> rebind() const {
    return Hogwild<Other>(options_);
  }

 private:
  using Index = Eigen::Index;
  static constexpr std::string_view name = "Hogwild";
  static constexpr Index block = 128;  // samples that a thread takes at a time

  HogwildOptions options_;
  std::int64_t steps_ = 0;
  double factor_ = 1;
  std::shared_ptr<Team> team_;  // copies take turns
  std::vector<Index> order_;
  bool in_order_ = true;
  std::vector<double> rates_, scales_;
  Eigen::Matrix<Scalar, Eigen::Dynamic, 1> slopes_;
  Point<Vector> next_{};

  // The rate of the next update, which is counted.
  double next_rate(const Shrinkage& shrinkage) {
    const double rate = shrinkage.checked_rate(name, learning_rate());
    ++steps_;
    return rate;
  }

  // The samples of a pass, fewer where a limit is reached.
  template <class E>
  void draw(Index n, E& evaluate) {
    order_.clear();
    order_.reserve(static_cast<std::size_t>(n));
    in_order_ = true;
    while (std::ssize(order_) < n) {
      const Batch batch = evaluate.next(evaluate.batch_size());
      if (batch.empty()) break;
      evaluate.count(std::ssize(batch));
      for (const Index i : batch) {
        in_order_ = in_order_ && i == std::ssize(order_);
        order_.push_back(i);
      }
    }
  }
  template <class Model>
  void apart(const Model& model, double ridge, Scalar* w) {
    for (Index at = 0; at < std::ssize(order_);) {
      at =
          team_->size() == 1 ? round<false>(model, ridge, w, at) : round<true>(model, ridge, w, at);
    }
  }

  // The samples from position `at` on, to the end or as far as the scale of w has room; returns where that is. Every run of
  // them begins with the scale that those before it leave, whoever takes them.
  template <bool Shared, class Model>
  Index round(const Model& model, double ridge, Scalar* w, Index at) {
    const Index n = std::ssize(order_);
    const Index* const order = in_order_ ? nullptr : order_.data();
    const bool constant = options_.learning_rate.is_constant();
    Rates rates{.constant = learning_rate()};
    Shrinkage weights{.l2 = ridge};
    Index end = at;
    if (constant && ridge == 0) {
      (void)next_rate(weights);
      steps_ += n - at - 1;
      end = n;
    } else {
      rates_.clear();
      scales_.clear();
      for (; end < n && !weights.spent(); ++end) {
        const double rate = next_rate(weights);
        if ((end - at) % block == 0) scales_.push_back(weights.scale);
        if (!constant) rates_.push_back(rate);
        weights.step(rate);
      }
      if (!constant) rates.each = rates_.data();
      rates.first = at;
    }
    const SampleSteps<Model, Shared> steps(model, w, ridge);
    team_->run((end - at + block - 1) / block, [&](Index part, int) {
      const Index begin = at + part * block;
      (void)steps.run(order, begin, (std::min)(begin + block, end), rates,
                      ridge > 0 ? scales_[static_cast<std::size_t>(part)] : 1);
    });
    steps.settle(weights.scale);
    return end;
  }

  template <class Model, class E>
  void together(const Model& model, double ridge, Scalar* w, E& evaluate) {
    const SampleSteps<Model, false> steps(model, w, ridge);
    constexpr Index share = 16;  // samples that a thread takes at a time
    Shrinkage weights{.l2 = ridge};
    for (Index seen = 0; seen < model.size();) {
      const Batch batch = evaluate.next(1);
      if (batch.empty()) break;
      evaluate.count(1);
      const Index count = std::ssize(batch);
      if (slopes_.size() < count) slopes_.resize(count);
      team_->run((count + share - 1) / share, [&](Index part, int) {
        for (Index k = part * share; k < (std::min)(count, (part + 1) * share); ++k) {
          slopes_[k] = steps.slope(batch[static_cast<std::size_t>(k)], weights.scale);
        }
      });
      const double rate = next_rate(weights), move = rate / static_cast<double>(count);
      weights.step(rate);
      for (Index k = 0; k < count; ++k) {
        steps.add(batch[static_cast<std::size_t>(k)], -move * static_cast<double>(slopes_[k]),
                  weights.scale);
      }
      if (weights.spent()) steps.settle(std::exchange(weights.scale, 1));
      seen += count;
    }
    steps.settle(weights.scale);
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_SOLVER_HOGWILD_HPP
