// The cube root of a lane, with the same bits on every compiler and instruction set (std::cbrt differs by library).
//
// a = m · 2³ᵏ with m in [1, 8). A polynomial is ∛m to 1.9e-3, and each step of Halley's iteration cubes the error,
//
//     t ← t + t (m − t³) / (2t³ + m)          e ← 2/3 e³
//
// so one is enough for float and two for double; the result is within one unit in the last place.
#ifndef DESCENT_ENGINE_CUBE_ROOT_HPP
#define DESCENT_ENGINE_CUBE_ROOT_HPP

#include <bit>
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
  using Bits = std::conditional_t<sizeof(Real) == 4, std::uint32_t, std::uint64_t>;
  constexpr int mantissa = Numbers::digits - 1;
  constexpr Bits bias = Numbers::max_exponent - 1;
  constexpr Bits shift = (3 - bias % 3) % 3;  // bias + shift is a multiple of three

  // Denormals are multiplied by 2^(3j) first, and their root by 2^-j, both exactly.
  constexpr int j = sizeof(Real) == 4 ? 8 : 18;
  const auto denormal = abs(a) < L(Numbers::min());
  const L normal = select(denormal, abs(a) * L(std::uint64_t{1} << 3 * j), abs(a));

  Real m[W], scale[W];
  normal.store(m);
  for (int i = 0; i < W; ++i) {
    const Bits bits = std::bit_cast<Bits>(m[i]), exponent = (bits >> mantissa) + shift;
    const Bits k = exponent / 3, fraction = bits & ((Bits{1} << mantissa) - 1);
    m[i] = std::bit_cast<Real>(Bits(fraction | (bias + exponent - 3 * k) << mantissa));
    scale[i] = std::bit_cast<Real>(Bits(k + bias - (bias + shift) / 3) << mantissa);
  }

  const L x = L::load(m), two(2);
  L t =
      (((L(-4.3210115441043187e-4) * x + L(9.583824027663158e-3)) * x + L(-8.3775104302603083e-2)) *
           x +
       L(4.4919377376949772e-1)) *
          x +
      L(6.272947089190656e-1);
  for (int step = 0; step < (sizeof(Real) == 4 ? 1 : 2); ++step) {
    const L cube = t * t * t;
    t = t + t * ((x - cube) / (two * cube + x));
  }
  t = t * L::load(scale);
  t = select(denormal, t * L(Real(1) / Real(1 << j)), t);
  t = select(a < L(0), -t, t);
  return select(abs(a) <= L((Numbers::max)()), select(L(0) < abs(a), t, a), a);
}

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_CUBE_ROOT_HPP
