// Mini-batches of sample indices, the same on every machine for the same seed.
//
// An epoch of n samples in batches of b has ⌈n/b⌉ batches, the last of them smaller where b does not divide n; with
// `drop_last` ⌊n/b⌋, all of one size. Shuffled, an epoch visits every sample once (R. Durstenfeld, Comm. ACM 7(7), 1964,
// carried out batch by batch); with replacement every draw is independent of the others, and may follow given
// probabilities; in order, samples are visited as they lie there. Where batches grow, b is what it was times the growth,
// rounded to the nearest integer when it is used and not before, so that a growth of 1.5 takes 1, 2, 2, 3, 5, 8, ... samples.
//
// PyTorch's `drop_last` leaves no batch at all where b > n; here b is at most n.
#ifndef DESCENT_CORE_BATCHES_HPP
#define DESCENT_CORE_BATCHES_HPP

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "descent/core/alias_table.hpp"
#include "descent/core/errors.hpp"
#include "descent/core/minimize_options.hpp"
#include "descent/core/objective.hpp"
#include "descent/core/random.hpp"
#include "descent/core/rounded.hpp"

namespace descent::inline v0 {

/// How often the objective wants each sample to be drawn, relative to the others; empty: all alike.
template <class F>
std::span<const double> sampling_probabilities(const F& f) {
  if constexpr (requires { f.sampling_probabilities(); }) {
    return f.sampling_probabilities();
  } else {
    return {};
  }
}

/// What else there is to say about batches.
struct BatchesOptions {
  bool drop_last = false;  ///< leave out an epoch's last batch where it would be smaller
  double growth = 1;       ///< factor of the batch size from one epoch to the next, in [1, ∞)
  /// One positive number a sample, of any sum: how often it is drawn, relative to the others; with replacement only.
  std::span<const double> probabilities{};
};

/// Draws batches of `batch_size` (at most all) out of `samples` indices, see the head of this file. A value: copy it to
/// save its place, or save its `state()`. Nothing allocates after construction.
class Batches {
 public:
  /// All that the next batch depends on besides the arguments of the constructor, as plain numbers.
  struct State {
    std::int64_t samples = 0;           ///< how many there are
    std::int64_t position = 0;          ///< samples drawn in this epoch
    double batch_size = 0;              ///< as it has grown, before it is rounded
    Random::Words random{};             ///< the generator
    std::vector<std::int64_t> order{};  ///< of the samples, where they are shuffled

    friend bool operator==(const State&, const State&) = default;
  };

  /// Throws `std::invalid_argument` for sizes below 1, a growth below 1, and probabilities that are not one positive
  /// number a sample or come with a shuffle.
  Batches(Eigen::Index samples, Eigen::Index batch_size, Sampling sampling, std::uint64_t seed,
          const BatchesOptions& options = {})
      : random_(seed),
        sampling_(sampling),
        drop_last_(options.drop_last),
        growth_(checked(name, "growth", options.growth, range::growth)),
        samples_(checked_count(name, "samples", samples, 1)) {
    checked_count(name, "batch_size", batch_size, 1);
    resize(static_cast<double>((std::min)(batch_size, samples)));
    if (!options.probabilities.empty()) set_probabilities(options.probabilities);
    const bool all = sampling != Sampling::with_replacement || growth_ > 1;
    indices_.resize(static_cast<std::size_t>(all ? samples_ : batch_size_));
    for (std::size_t i = 0; i < indices_.size(); ++i) indices_[i] = static_cast<Eigen::Index>(i);
  }

  /// The next batch; valid until the next call.
  Batch next() {
    if (epoch_ended()) {
      position_ = 0;
      if (growth_ > 1) {
        resize((std::min)(rounded(size_ * growth_), static_cast<double>(samples_)));
      }
    }
    const Eigen::Index count = (std::min)(batch_size_, samples_ - position_);
    const auto draw = [this](Eigen::Index bound) {
      return static_cast<Eigen::Index>(random_.below(static_cast<std::uint64_t>(bound)));
    };
    Eigen::Index* const indices = indices_.data();
    if (sampling_ != Sampling::with_replacement) {
      Eigen::Index* const first = indices + position_;
      if (sampling_ == Sampling::shuffled) {
        for (Eigen::Index i = position_; i < position_ + count; ++i) {
          std::swap(indices[i], indices[i + draw(samples_ - i)]);
        }
      }
      position_ += count;
      return {first, static_cast<std::size_t>(count)};
    }
    position_ += count;
    for (Eigen::Index i = 0; i < batch_size_; ++i) {  // the last batch of an epoch, too
      indices[i] = table_.size() > 0 ? table_.draw(random_) : draw(samples_);
    }
    return {indices, static_cast<std::size_t>(batch_size_)};
  }

  /// Whether the last batch completed an epoch.
  bool epoch_ended() const { return samples_ - position_ < (drop_last_ ? batch_size_ : 1); }

  /// The number of samples.
  Eigen::Index samples() const { return samples_; }
  /// The size of this epoch's batches, but for a smaller last one.
  Eigen::Index batch_size() const { return batch_size_; }
  /// Whether samples are drawn with these probabilities; with none: whether all are alike.
  bool draws_by(std::span<const double> probabilities) const {
    return probabilities.empty() ? table_.size() == 0
                                 : table_ == AliasTable(as_probabilities(name, probabilities));
  }

  /// What to save.
  [[gnu::cold, gnu::noinline]] State state() const {
    State state{
        .samples = samples_, .position = position_, .batch_size = size_, .random = random_.words()};
    if (sampling_ == Sampling::shuffled) state.order.assign(indices_.begin(), indices_.end());
    return state;
  }
  /// Puts a state back, and goes on from there with the same bits, within an epoch, too. Throws `std::invalid_argument`,
  /// and changes nothing, when it cannot be one of batches made with the same arguments.
  [[gnu::cold, gnu::noinline]] void restore(const State& state) {
    check(state);
    for (std::size_t i = 0; i < state.order.size(); ++i) {
      indices_[i] = static_cast<Eigen::Index>(state.order[i]);
    }
    position_ = static_cast<Eigen::Index>(state.position);
    resize(state.batch_size);
    random_.restore(state.random);
  }

  /// Whether both go on alike.
  friend bool operator==(const Batches& a, const Batches& b) {
    return a.sampling_ == b.sampling_ && a.drop_last_ == b.drop_last_ && a.growth_ == b.growth_ &&
           a.samples_ == b.samples_ && a.position_ == b.position_ && a.size_ == b.size_ &&
           a.random_ == b.random_ && a.table_ == b.table_ &&
           (a.sampling_ == Sampling::with_replacement || a.indices_ == b.indices_);
  }

 private:
  static constexpr std::string_view name = "Batches";

  Random random_;
  Sampling sampling_;
  bool drop_last_;
  double growth_;
  Eigen::Index samples_, position_ = 0, batch_size_ = 1;
  double size_ = 1;                    // of the batches, before it is rounded
  std::vector<Eigen::Index> indices_;  // shuffled: the order; else the last batch
  AliasTable table_;

  void resize(double size) {
    size_ = size;
    batch_size_ = static_cast<Eigen::Index>(std::floor(size + 0.5));
  }

  [[gnu::cold, gnu::noinline]] void set_probabilities(std::span<const double> probabilities) {
    if (static_cast<Eigen::Index>(probabilities.size()) != samples_) {
      throw_invalid(name, "probabilities", join({to_text(probabilities.size()), " numbers"}),
                    join({"one a sample, ", to_text(samples_)}));
    }
    if (sampling_ != Sampling::with_replacement) {
      throw_invalid(name, "sampling", sampling_ == Sampling::shuffled ? "shuffled" : "in_order",
                    "with_replacement where samples have probabilities: a shuffled epoch visits "
                    "each once");
    }
    table_ = AliasTable(as_probabilities(name, probabilities));
  }

  void check(const State& state) const {
    constexpr std::string_view who = "restore";
    if (state.samples != samples_) {
      throw_invalid(who, "samples", to_text(state.samples), to_text(samples_));
    }
    const std::size_t shuffled = sampling_ == Sampling::shuffled ? indices_.size() : 0;
    if (state.order.size() != shuffled) {
      throw_invalid(who, "order", join({to_text(state.order.size()), " indices"}),
                    join({"of the same sampling, ", to_text(shuffled), " indices"}));
    }
    const double most = growth_ > 1 ? static_cast<double>(samples_) : size_;
    checked(who, "batch_size", state.batch_size, {.lower = growth_ > 1 ? 1 : size_, .upper = most});
    checked(who, "position", static_cast<double>(state.position),
            {.lower = 0, .upper = static_cast<double>(samples_)});
    if (state.random == Random::Words{}) throw_invalid(who, "random", "0, 0, 0, 0", "not all 0");
    std::vector<bool> seen(state.order.size());
    for (const std::int64_t i : state.order) {
      if (i < 0 || i >= samples_ || seen[static_cast<std::size_t>(i)]) {
        throw_invalid(who, "order", join({to_text(i), " in it"}), "every index once");
      }
      seen[static_cast<std::size_t>(i)] = true;
    }
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_CORE_BATCHES_HPP
