// The cube root of a lane, with the same bits on every compiler and instruction set (std::cbrt differs by library).
//
// A third of a number's bits, read as an integer, has a third of its exponent: with a constant added it is the root to 3.2 %.
// Each step of Halley's iteration cubes the error,
//
//     t ← t + t (x − t³) / (2t³ + x)          e ← 2/3 e³
//
// so two are enough for float and three for double; the result is within one unit in the last place.
#ifndef DESCENT_ENGINE_CUBE_ROOT_HPP
#define DESCENT_ENGINE_CUBE_ROOT_HPP

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "descent/core/version.hpp"
#include "descent/engine/lane.hpp"

namespace descent::inline v0 {

/// ∛a, coefficient by coefficient, with the sign of a; 0 of 0, infinity of infinity, NaN of NaN.
template <class Real, int W>
[[gnu::always_inline]] inline Lane<Real, W> cube_root(Lane<Real, W> a) {
  using L = Lane<Real, W>;
  using Numbers = std::numeric_limits<Real>;
  constexpr bool is_float = sizeof(Real) == 4;

  // The cubes of denormals would vanish, those of the largest overflow: they take the way over powers of 2³, exactly.
  constexpr int up = is_float ? 8 : 18, down = 8;
  const auto small = abs(a) < L(Numbers::min()), large = L(Numbers::max() / 8) < abs(a);
  const L x = abs(a) * select(small, L(std::uint64_t{1} << 3 * up),
                              select(large, L(Real(1) / Real(1 << 3 * down)), L(1)));

  // The upper 32 bits alone, so that compilers find vector instructions for them. (Constants by search.)
  Real guess[W];
  x.store(guess);
  for (int i = 0; i < W; ++i) {
    if constexpr (is_float) {
      const auto bits = std::bit_cast<std::uint32_t>(guess[i]);
      guess[i] = std::bit_cast<Real>(bits / 3 + 0x2a510600u);
    } else {
      const auto bits = static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(guess[i]) >> 32);
      guess[i] = std::bit_cast<Real>(std::uint64_t{bits / 3 + 0x2a9f7600u} << 32);
    }
  }

  L t = L::load(guess);
  for (int step = 0; step < (is_float ? 2 : 3); ++step) {
    const L cube = t * t * t;
    t = t + t * ((x - cube) / (L(2) * cube + x));
  }
  t = t * select(small, L(Real(1) / Real(1 << up)), select(large, L(1 << down), L(1)));
  t = select(a < L(0), -t, t);
  return select(abs(a) <= L((Numbers::max)()), select(L(0) < abs(a), t, a), a);
}

/// The same of scalars that are neither float nor double, which run on lanes of one: the library's, in double.
template <class Real>
requires(!std::is_same_v<Real, float> &&
         !std::is_same_v<Real, double>) inline Lane<Real, 1> cube_root(Lane<Real, 1> a) {
  return Lane<Real, 1>(std::cbrt(sum(a)));
}

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_CUBE_ROOT_HPP
