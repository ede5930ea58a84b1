// early_stopping: ends a run when the loss on held-out data no longer falls.
#ifndef DESCENT_OBSERVE_EARLY_STOPPING_HPP
#define DESCENT_OBSERVE_EARLY_STOPPING_HPP

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "descent/core/errors.hpp"
#include "descent/core/progress.hpp"
#include "descent/core/stored.hpp"
#include "descent/core/validation.hpp"

namespace descent::inline v0 {

/// When early stopping ends a run, and what it gives back.
struct EarlyStoppingOptions {
  std::int64_t patience = 5;  ///< looks without improvement before the run ends, at least 1
  double min_delta = 0;       ///< an improvement is loss < best − min_delta; in [0, ∞)
  bool restore_best = false;  ///< give back the parameters of the best look instead of the last
  std::int64_t every = 1;     ///< looks once in so many iterations or epochs, at least 1
};

/// Watches `validation.loss(x)`. A loss that is NaN is no improvement. Looks after each iteration, or after each epoch
/// of a run on mini-batches. Each run begins anew.
template <class Held>
class EarlyStopping {
  Held validation_;
  EarlyStoppingOptions options_;
  double best_loss_ = std::numeric_limits<double>::infinity();
  std::int64_t best_iteration_ = 0, waited_ = 0, seen_ = 0;
  std::vector<double> best_;  // every float is a double, so this serves both

 public:
  static constexpr bool uses_loss = false;  // the training loss

  EarlyStopping(Held validation, const EarlyStoppingOptions& options)
      : validation_(std::move(validation)), options_(options) {
    checked_count("early_stopping", "patience", options.patience, 1);
    checked("early_stopping", "min_delta", options.min_delta, range::non_negative);
    checked_count("early_stopping", "every", options.every, 1);
  }

  /// The lowest validation loss of the run.
  double best_loss() const { return best_loss_; }
  /// The iteration after which it was seen.
  std::int64_t best_iteration() const { return best_iteration_; }

  template <class V>
  void begin(const V& x0) {
    best_loss_ = std::numeric_limits<double>::infinity();
    best_iteration_ = waited_ = seen_ = 0;
    best_.clear();
    if (options_.restore_best) best_.reserve(static_cast<std::size_t>(x0.size()));
  }

  template <class V>
  bool operator()(const Progress& progress, const V& x) {
    if (++seen_ % options_.every != 0) return true;
    const double loss = validation_loss(validation_.get(), x);
    if (loss < best_loss_ - options_.min_delta) {
      best_loss_ = loss;
      best_iteration_ = progress.iterations;
      waited_ = 0;
      if (options_.restore_best) best_.assign(x.data(), x.data() + x.size());
      return true;
    }
    return ++waited_ < options_.patience;
  }

  template <class V>
  bool end(V& x) {
    if (best_.empty()) return false;
    for (std::size_t i = 0; i < best_.size(); ++i) {
      x.data()[i] = static_cast<typename V::Scalar>(best_[i]);
    }
    return true;
  }
};

/// Ends the run with `Status::Stopped` after `patience` looks without improvement. The validation objective is
/// referred to where it is an lvalue, and must outlive the run then. Keep what is returned in a variable and hand that to
/// `minimize` to ask for `best_loss()` afterwards.
template <class F>
auto early_stopping(F&& validation, const EarlyStoppingOptions& options = {}) {
  return EarlyStopping<Stored<F&&>>(Stored<F&&>(std::forward<F>(validation)), options);
}

}  // namespace descent::inline v0

#endif  // DESCENT_OBSERVE_EARLY_STOPPING_HPP
