// The random numbers of the library: the same on every machine, which `std::` distributions are not.
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

  friend bool operator==(const Random&, const Random&) = default;
};

}  // namespace descent::inline v0

#endif  // DESCENT_CORE_RANDOM_HPP
