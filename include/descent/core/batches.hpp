// Mini-batches of sample indices, the same on every machine for the same seed.
#ifndef DESCENT_CORE_BATCHES_HPP
#define DESCENT_CORE_BATCHES_HPP

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "descent/core/minimize_options.hpp"
#include "descent/core/objective.hpp"
#include "descent/core/random.hpp"

namespace descent::inline v0 {

/// Draws batches of `batch_size` out of `samples` indices. An epoch has ⌈samples / batch_size⌉ batches; shuffled, its
/// last one is smaller where the size does not divide the number of samples. The shuffle is R. Durstenfeld's (Comm. ACM
/// 7(7), 1964), carried out batch by batch. A value: copy it to save its place.
class Batches {
 public:
  Batches(Eigen::Index samples, Eigen::Index batch_size, Sampling sampling, std::uint64_t seed)
      : random_(seed),
        sampling_(sampling),
        samples_(samples),
        batch_size_((std::min)(batch_size, samples)) {
    indices_.resize(
        static_cast<std::size_t>(sampling == Sampling::shuffled ? samples_ : batch_size_));
    for (std::size_t i = 0; i < indices_.size(); ++i) indices_[i] = static_cast<Eigen::Index>(i);
  }

  /// The next batch; valid until the next call.
  Batch next() {
    if (position_ == samples_) position_ = 0;
    const Eigen::Index count = (std::min)(batch_size_, samples_ - position_);
    const auto draw = [this](Eigen::Index bound) {
      return static_cast<Eigen::Index>(random_.below(static_cast<std::uint64_t>(bound)));
    };
    if (sampling_ == Sampling::shuffled) {
      const Eigen::Index first = position_;
      for (Eigen::Index i = first; i < first + count; ++i) {
        std::swap(indices_[std::size_t(i)], indices_[std::size_t(i + draw(samples_ - i))]);
      }
      position_ += count;
      return {indices_.data() + first, static_cast<std::size_t>(count)};
    }
    position_ += count;
    for (auto& index : indices_) index = draw(samples_);
    return indices_;
  }

  /// Whether the last batch completed an epoch.
  bool epoch_ended() const { return position_ == samples_; }

  friend bool operator==(const Batches&, const Batches&) = default;

 private:
  Random random_;
  Sampling sampling_;
  Eigen::Index samples_, batch_size_, position_ = 0;
  std::vector<Eigen::Index> indices_;
};

}  // namespace descent::inline v0

#endif  // DESCENT_CORE_BATCHES_HPP
