// Draws of an index with given probabilities, in constant time and with the same bits on every machine.
//
// Every column of the table holds one or two indices: i up to its threshold, above it its alias. M. D. Vose, "A linear
// algorithm for generating random numbers with a given distribution", IEEE Trans. Softw. Eng. 17(9), 1991; the table is
// A. J. Walker's (ACM Trans. Math. Softw. 3(3), 1977).
#ifndef DESCENT_CORE_ALIAS_TABLE_HPP
#define DESCENT_CORE_ALIAS_TABLE_HPP

#include <Eigen/Core>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "descent/core/errors.hpp"
#include "descent/core/random.hpp"
#include "descent/core/rounded.hpp"

namespace descent::inline v0 {

/// The weights divided by their sum. Throws `std::invalid_argument` unless each is in (0, ∞) and their sum is finite: what
/// is never drawn would be missing from every mean.
[[gnu::cold, gnu::noinline]] inline std::vector<double> as_probabilities(
    std::string_view who, std::span<const double> weights) {
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (!range::positive.contains(weights[i])) {
      checked(who, join({"probabilities[", to_text(i), "]"}), weights[i], range::positive);
    }
    sum += weights[i];
  }
  checked(who, "sum of the probabilities", sum, range::positive);
  std::vector<double> result(weights.begin(), weights.end());
  for (double& p : result) p /= sum;
  return result;
}

/// Index i with probability pᵢ, of probabilities that add up to 1. A draw takes two of the generator's.
class AliasTable {
 public:
  /// Of nothing: there is nothing to draw.
  AliasTable() = default;
  /// O(n) time and memory.
  [[gnu::cold, gnu::noinline]] explicit AliasTable(std::span<const double> probabilities) {
    const std::size_t n = probabilities.size();
    columns_.resize(n);
    // Those that do not fill their column from the front, those that do from the back.
    std::vector<std::size_t> waiting(n);
    std::size_t poor = 0, rich = n;
    for (std::size_t i = 0; i < n; ++i) {
      const double filling = rounded(static_cast<double>(n) * probabilities[i]);
      columns_[i] = {filling, static_cast<Eigen::Index>(i)};
      waiting[filling < 1 ? poor++ : --rich] = i;
    }
    while (poor > 0 && rich < n) {
      const std::size_t from = waiting[rich];
      Column &filled = columns_[waiting[--poor]], &giver = columns_[from];
      filled.alias = static_cast<Eigen::Index>(from);
      giver.threshold = (giver.threshold + filled.threshold) - 1;
      if (giver.threshold < 1) {
        ++rich;
        waiting[poor++] = from;
      }
    }
    // What is left fills its column but for rounding.
    while (poor > 0) columns_[waiting[--poor]].threshold = 1;
    for (; rich < n; ++rich) columns_[waiting[rich]].threshold = 1;
  }

  /// The number of indices.
  std::size_t size() const { return columns_.size(); }

  /// An index.
  Eigen::Index draw(Random& random) const {
    const auto i = static_cast<std::size_t>(random.below(columns_.size()));
    return random.uniform() < columns_[i].threshold ? static_cast<Eigen::Index>(i)
                                                    : columns_[i].alias;
  }

  /// The probability with which index i is drawn: pᵢ but for rounding. O(n).
  double probability(Eigen::Index i) const {
    double sum = 0;
    for (std::size_t k = 0; k < columns_.size(); ++k) {
      if (static_cast<Eigen::Index>(k) == i) sum += columns_[k].threshold;
      if (columns_[k].alias == i) sum += 1 - columns_[k].threshold;
    }
    return sum / static_cast<double>(columns_.size());
  }

  friend bool operator==(const AliasTable&, const AliasTable&) = default;

 private:
  struct Column {
    double threshold = 1;
    Eigen::Index alias = 0;
    friend bool operator==(const Column&, const Column&) = default;
  };
  std::vector<Column> columns_;
};

}  // namespace descent::inline v0

#endif  // DESCENT_CORE_ALIAS_TABLE_HPP
