// The random numbers of the library: the same on every machine, which neither `std::` distributions are nor what takes
// a logarithm.
#ifndef DESCENT_CORE_RANDOM_HPP
#define DESCENT_CORE_RANDOM_HPP

#include <array>
#include <bit>
#include <cstdint>

#include "descent/core/version.hpp"

namespace descent::inline v0 {

/// xoshiro256++ 1.0 (D. Blackman and S. Vigna, ACM Trans. Math. Softw. 47(4), 2021), seeded by splitmix64. A value:
/// copy it to save its place. Also a `UniformRandomBitGenerator` for the standard library.
class Random {
  std::array<std::uint64_t, 4> s_{};

 public:
  /// For the standard library: draws are uniform in [min(), max()].
  using result_type = std::uint64_t;
  /// 0.
  static constexpr std::uint64_t min() { return 0; }
  /// 2⁶⁴ − 1.
  static constexpr std::uint64_t max() { return ~std::uint64_t{0}; }

  explicit constexpr Random(std::uint64_t seed = 0) {
    for (auto& word : s_) {
      seed += 0x9e3779b97f4a7c15;
      std::uint64_t z = seed;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
      z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
      word = z ^ (z >> 31);
    }
  }

  /// Four words to save, and to go on from.
  using Words = std::array<std::uint64_t, 4>;
  /// What the next draws depend on.
  constexpr const Words& words() const { return s_; }
  /// Goes on where a generator with these words stood. They are never all zero, and nothing is drawn from such.
  constexpr void restore(const Words& words) { s_ = words; }

  /// The next 64 bits.
  constexpr std::uint64_t operator()() {
    const std::uint64_t result = std::rotl(s_[0] + s_[3], 23) + s_[0];
    const std::uint64_t t = s_[1] << 17;
    s_[2] ^= s_[0];
    s_[3] ^= s_[1];
    s_[1] ^= s_[2];
    s_[0] ^= s_[3];
    s_[2] ^= t;
    s_[3] = std::rotl(s_[3], 45);
    return result;
  }

  /// A number in [0, bound), every one as likely as the others; bound >= 1. Below 2^32 by multiplication with
  /// rejection (D. Lemire, ACM Trans. Model. Comput. Simul. 29(1), 2019) on the upper half of a draw, above by masking
  /// with rejection.
  constexpr std::uint64_t below(std::uint64_t bound) {
    if (bound <= 0xffffffff) {
      const auto b = static_cast<std::uint32_t>(bound);
      std::uint64_t product = ((*this)() >> 32) * b;
      if (static_cast<std::uint32_t>(product) < b) {
        const std::uint32_t threshold = (0u - b) % b;
        while (static_cast<std::uint32_t>(product) < threshold) product = ((*this)() >> 32) * b;
      }
      return product >> 32;
    }
    const std::uint64_t mask = ~std::uint64_t{0} >> std::countl_zero(bound - 1);
    std::uint64_t draw = (*this)() & mask;
    while (draw >= bound) draw = (*this)() & mask;
    return draw;
  }

  /// A number in [0, 1): a multiple of 2⁻⁵³, every one as likely as the others; the upper 53 bits of a draw.
  constexpr double uniform() { return static_cast<double>((*this)() >> 11) * 0x1p-53; }

  /// A number of the normal distribution with mean 0 and variance 1, by comparisons of uniform numbers alone (C. F. F.
  /// Karney, "Sampling exactly from the normal distribution", ACM Trans. Math. Softw. 42(1), 2016, algorithm N): no
  /// logarithm, whose last bit would depend on the machine, and none of its error in the tails. Independent of earlier
  /// calls; about 16 draws.
  constexpr double normal() {
    for (;;) {
      int k = 0;
      while (decides_half()) ++k;
      bool accepted = true;
      for (int i = 0; accepted && i < k * (k - 1); ++i) accepted = decides_half();
      if (!accepted) continue;
      const std::uint64_t draw = (*this)();
      const double fraction = static_cast<double>(draw >> 11) * 0x1p-53;
      for (int i = 0; accepted && i <= k; ++i) accepted = decides(k, fraction);
      if (accepted) return (draw & 1) != 0 ? -(k + fraction) : k + fraction;
    }
  }

  friend bool operator==(const Random&, const Random&) = default;

 private:
  // True with probability exp(-1/2): whether the longest run 1/2 > u₁ > u₂ > ... has an even length.
  constexpr bool decides_half() {
    bool even = true;
    double last = 0.5;
    for (double next = uniform(); next < last; next = uniform()) {
      last = next;
      even = !even;
    }
    return even;
  }
  // True with probability exp(-x (2k + x)/(2k + 2)), likewise, for x in [0, 1).
  constexpr bool decides(int k, double x) {
    const double go_on = (2 * k + x) / (2 * k + 2);
    bool even = true;
    double last = x;
    for (double next = uniform(); next < last && uniform() < go_on; next = uniform()) {
      last = next;
      even = !even;
    }
    return even;
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_CORE_RANDOM_HPP
