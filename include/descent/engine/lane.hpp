// A SIMD lane: several coefficients that go through one formula together.
//
// `Lane<Real, W>` wraps Eigen's packet of W coefficients (W = 1: a plain number), so a kernel that is written for one
// coefficient runs on as many as the machine holds. Two promises are kept here and nowhere else:
//
//   * The same bits everywhere. Every operation is the correctly rounded one of IEEE 754, and a product is never
//     contracted with a neighboring sum into an FMA, whatever the flags. So a result depends neither on the width of
//     the lane nor on the compiler, nor on where a vector is cut: its tail is loaded into a lane padded with zeros.
//   * The hardware's square root. Eigen 3.4's `psqrt` approximates it for several packet types (last bit wrong, the
//     root of infinity is NaN, of a denormal 0), and it is slower.
//
// This is the only file that names `Eigen::internal`.
#ifndef DESCENT_ENGINE_LANE_HPP
#define DESCENT_ENGINE_LANE_HPP

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <type_traits>

#include "descent/core/rounded.hpp"
#include "descent/core/version.hpp"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"   // packet types as template arguments
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // inside its own AVX-512 intrinsics
#endif

namespace descent::inline v0 {

namespace packets {

namespace ei = Eigen::internal;

template <class P>
struct Tag {
  using type = P;
};

template <class P>
inline constexpr int width = int(ei::unpacket_traits<P>::size);

// The narrowest packet that holds `Size` coefficients; the widest when the size is known at run time only.

template <class P, int Size>
constexpr auto narrowest() {
  using Half = typename ei::unpacket_traits<P>::half;
  if constexpr (std::is_same_v<Half, P> || Size == Eigen::Dynamic || width<Half> < Size) {
    return Tag<P>{};
  } else {
    return narrowest<Half, Size>();
  }
}

// The packet of exactly W coefficients among those that Eigen knows for this scalar.
template <class P, int W>
constexpr auto exactly() {
  if constexpr (width<P> == W) {
    return Tag<P>{};
  } else {
    return exactly<typename ei::unpacket_traits<P>::half, W>();
  }
}

// Comparisons yield a packet of bits, except on AVX-512, which has registers for them.
template <class P>
struct MaskOf {
  using type = P;
};
#if defined(EIGEN_VECTORIZE_AVX512)
template <>
struct MaskOf<__m512> {
  using type = __mmask16;
};
template <>
struct MaskOf<__m512d> {
  using type = __mmask8;
};
#endif

template <class Real>
using Widest = typename ei::packet_traits<Real>::type;

}  // namespace packets

/// Coefficients a lane holds for vectors of `Size` coefficients (`Eigen::Dynamic`: as many as the machine has).
template <class Real, int Size = Eigen::Dynamic>
inline constexpr int lane_width =
    Size == 1 ? 1
              : packets::width<
                    typename decltype(packets::narrowest<packets::Widest<Real>, Size>())::type>;

template <class Real, int W>
class Lane {
  using P = typename decltype(packets::exactly<packets::Widest<Real>, W>())::type;
  using Bits = typename packets::MaskOf<P>::type;
  P p_;

  [[gnu::always_inline]] static Lane of(P p) {
    Lane lane;
    lane.p_ = p;
    return lane;
  }

  // In the loop that copies a tail: compilers would make a call of it, which takes longer than the copies.
  [[gnu::always_inline]] static void never_memcpy() {
#if defined(__GNUC__)
    asm volatile("");
#endif
  }

 public:
  static constexpr int width = W;
  using Scalar = Real;

  /// The outcome of a comparison, coefficient by coefficient.
  struct Mask {
    Bits bits;
  };

  Lane() = default;
  /// Every coefficient equal to `value`, rounded to `Real` once.
  template <class T>
  requires std::is_arithmetic_v<T>
  [[gnu::always_inline]] Lane(T value) : p_(packets::ei::pset1<P>(static_cast<Real>(value))) {}

  [[gnu::always_inline]] static Lane load(const Real* from) {
    return of(packets::ei::ploadu<P>(from));
  }
  [[gnu::always_inline]] void store(Real* to) const {
    packets::ei::pstoreu(to, p_);
  }

  /// The first `count` < W coefficients, the rest zero; memory behind them is not touched.
  [[gnu::always_inline]] static Lane load(const Real* from, int count) {
#if defined(EIGEN_VECTORIZE_AVX512) && defined(__AVX512VL__) && defined(__AVX512DQ__)
    const unsigned mask = (1u << count) - 1u;
    if constexpr (std::is_same_v<P, __m512>)
      return of(_mm512_maskz_loadu_ps(__mmask16(mask), from));
    if constexpr (std::is_same_v<P, __m512d>)
      return of(_mm512_maskz_loadu_pd(__mmask8(mask), from));
    if constexpr (std::is_same_v<P, __m256>) return of(_mm256_maskz_loadu_ps(__mmask8(mask), from));
    if constexpr (std::is_same_v<P, __m256d>)
      return of(_mm256_maskz_loadu_pd(__mmask8(mask), from));
    if constexpr (std::is_same_v<P, __m128>) return of(_mm_maskz_loadu_ps(__mmask8(mask), from));
    if constexpr (std::is_same_v<P, __m128d>) return of(_mm_maskz_loadu_pd(__mmask8(mask), from));
#elif defined(EIGEN_VECTORIZE_SSE2)
    if constexpr (std::is_same_v<P, __m128d>) return of(_mm_load_sd(from));
    if constexpr (std::is_same_v<P, __m128>) {
      if (count == 1) return of(_mm_load_ss(from));
      const P two = _mm_castsi128_ps(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
      return of(count == 2 ? two : _mm_movelh_ps(two, _mm_load_ss(from + 2)));
    }
#endif
    Real padded[W] = {};
    for (int i = 0; i < count; ++i) {
      padded[i] = from[i];
      never_memcpy();
    }
    return load(padded);
  }

  /// Stores the first `count` < W coefficients and leaves the memory behind them alone.
  [[gnu::always_inline]] void store(Real* to, int count) const {
#if defined(EIGEN_VECTORIZE_AVX512) && defined(__AVX512VL__) && defined(__AVX512DQ__)
    const unsigned mask = (1u << count) - 1u;
    if constexpr (std::is_same_v<P, __m512>) return _mm512_mask_storeu_ps(to, __mmask16(mask), p_);
    if constexpr (std::is_same_v<P, __m512d>) return _mm512_mask_storeu_pd(to, __mmask8(mask), p_);
    if constexpr (std::is_same_v<P, __m256>) return _mm256_mask_storeu_ps(to, __mmask8(mask), p_);
    if constexpr (std::is_same_v<P, __m256d>) return _mm256_mask_storeu_pd(to, __mmask8(mask), p_);
    if constexpr (std::is_same_v<P, __m128>) return _mm_mask_storeu_ps(to, __mmask8(mask), p_);
    if constexpr (std::is_same_v<P, __m128d>) return _mm_mask_storeu_pd(to, __mmask8(mask), p_);
#elif defined(EIGEN_VECTORIZE_SSE2)
    if constexpr (std::is_same_v<P, __m128d>) return _mm_store_sd(to, p_);
    if constexpr (std::is_same_v<P, __m128>) {
      if (count == 1) return _mm_store_ss(to, p_);
      _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_castps_si128(p_));
      if (count == 3) _mm_store_ss(to + 2, _mm_movehl_ps(p_, p_));
      return;
    }
#endif
    Real padded[W];
    store(padded);
    for (int i = 0; i < count; ++i) {
      to[i] = padded[i];
      never_memcpy();
    }
  }

  [[gnu::always_inline]] friend Lane operator+(Lane a, Lane b) {
    return of(packets::ei::padd(a.p_, b.p_));
  }
  [[gnu::always_inline]] friend Lane operator-(Lane a, Lane b) {
    return of(packets::ei::psub(a.p_, b.p_));
  }
  [[gnu::always_inline]] friend Lane operator*(Lane a, Lane b) {
    P product = packets::ei::pmul(a.p_, b.p_);
#if defined(__GNUC__) && defined(__AVX512F__)
    asm("" : "+v"(product));  // g++ contracts its intrinsics; costs nothing that can be measured
#elif defined(__GNUC__) && defined(__SSE2__)
    asm("" : "+x"(product));
#elif defined(__GNUC__) && defined(__aarch64__)
    asm("" : "+w"(product));
#endif
    return of(product);
  }
  [[gnu::always_inline]] friend Lane operator/(Lane a, Lane b) {
    return of(packets::ei::pdiv(a.p_, b.p_));
  }
  [[gnu::always_inline]] friend Lane operator-(Lane a) {
    // By the sign bit: Eigen 3.4's pnegate is 0 - a on AVX, which makes 0 of 0.
    return of(packets::ei::pxor(a.p_, packets::ei::pset1<P>(Real(-0.0))));
  }
  [[gnu::always_inline]] Lane& operator+=(Lane b) {
    return *this = *this + b;
  }
  [[gnu::always_inline]] Lane& operator-=(Lane b) {
    return *this = *this - b;
  }
  [[gnu::always_inline]] Lane& operator*=(Lane b) {
    return *this = *this * b;
  }
  [[gnu::always_inline]] Lane& operator/=(Lane b) {
    return *this = *this / b;
  }

  [[gnu::always_inline]] friend Lane abs(Lane a) {
    return of(packets::ei::pabs(a.p_));
  }

  /// (a < b) ? b : a, so a NaN in `a` stays and one in `b` is dropped.
  [[gnu::always_inline]] friend Lane max(Lane a, Lane b) {
#if defined(EIGEN_VECTORIZE_AVX512)
    if constexpr (std::is_same_v<P, __m512>)
      return of(_mm512_maskz_max_ps(__mmask16(-1), b.p_, a.p_));
    if constexpr (std::is_same_v<P, __m512d>)
      return of(_mm512_maskz_max_pd(__mmask8(-1), b.p_, a.p_));
#endif
#if defined(EIGEN_VECTORIZE_AVX)
    if constexpr (std::is_same_v<P, __m256>) return of(_mm256_max_ps(b.p_, a.p_));
    if constexpr (std::is_same_v<P, __m256d>) return of(_mm256_max_pd(b.p_, a.p_));
#endif
#if defined(EIGEN_VECTORIZE_SSE2)
    if constexpr (std::is_same_v<P, __m128>) return of(_mm_max_ps(b.p_, a.p_));
    if constexpr (std::is_same_v<P, __m128d>) return of(_mm_max_pd(b.p_, a.p_));
#endif
    return select(a < b, b, a);
  }
  /// (b < a) ? b : a, so a NaN in `a` stays and one in `b` is dropped.
  [[gnu::always_inline]] friend Lane min(Lane a, Lane b) {
    return -max(-a, -b);
  }

  [[gnu::always_inline]] friend Lane sqrt(Lane a) {
#if defined(EIGEN_VECTORIZE_AVX512)
    if constexpr (std::is_same_v<P, __m512>) return of(_mm512_maskz_sqrt_ps(__mmask16(-1), a.p_));
    if constexpr (std::is_same_v<P, __m512d>) return of(_mm512_maskz_sqrt_pd(__mmask8(-1), a.p_));
#endif
#if defined(EIGEN_VECTORIZE_AVX)
    if constexpr (std::is_same_v<P, __m256>) return of(_mm256_sqrt_ps(a.p_));
    if constexpr (std::is_same_v<P, __m256d>) return of(_mm256_sqrt_pd(a.p_));
#endif
#if defined(EIGEN_VECTORIZE_SSE2)
    if constexpr (std::is_same_v<P, __m128>) return of(_mm_sqrt_ps(a.p_));
    if constexpr (std::is_same_v<P, __m128d>) return of(_mm_sqrt_pd(a.p_));
#endif
#if defined(EIGEN_VECTORIZE_NEON) && defined(__aarch64__)
    if constexpr (std::is_same_v<P, float32x4_t>) return of(vsqrtq_f32(a.p_));
    if constexpr (std::is_same_v<P, float64x2_t>) return of(vsqrtq_f64(a.p_));
#endif
    return of(packets::ei::psqrt(a.p_));
  }

  [[gnu::always_inline]] friend Mask operator<(Lane a, Lane b) {
#if defined(EIGEN_VECTORIZE_AVX512)
    if constexpr (std::is_same_v<P, __m512>) return {_mm512_cmp_ps_mask(a.p_, b.p_, _CMP_LT_OQ)};
    if constexpr (std::is_same_v<P, __m512d>) return {_mm512_cmp_pd_mask(a.p_, b.p_, _CMP_LT_OQ)};
#endif
    if constexpr (std::is_same_v<Bits, P>) return {packets::ei::pcmp_lt(a.p_, b.p_)};
  }
  [[gnu::always_inline]] friend Mask operator<=(Lane a, Lane b) {
#if defined(EIGEN_VECTORIZE_AVX512)
    if constexpr (std::is_same_v<P, __m512>) return {_mm512_cmp_ps_mask(a.p_, b.p_, _CMP_LE_OQ)};
    if constexpr (std::is_same_v<P, __m512d>) return {_mm512_cmp_pd_mask(a.p_, b.p_, _CMP_LE_OQ)};
#endif
    if constexpr (std::is_same_v<Bits, P>) return {packets::ei::pcmp_le(a.p_, b.p_)};
  }
  [[gnu::always_inline]] friend Mask operator==(Lane a, Lane b) {
#if defined(EIGEN_VECTORIZE_AVX512)
    if constexpr (std::is_same_v<P, __m512>) return {_mm512_cmp_ps_mask(a.p_, b.p_, _CMP_EQ_OQ)};
    if constexpr (std::is_same_v<P, __m512d>) return {_mm512_cmp_pd_mask(a.p_, b.p_, _CMP_EQ_OQ)};
#endif
    if constexpr (std::is_same_v<Bits, P>) return {packets::ei::pcmp_eq(a.p_, b.p_)};
  }
  [[gnu::always_inline]] friend Mask operator>(Lane a, Lane b) {
    return b < a;
  }
  [[gnu::always_inline]] friend Mask operator>=(Lane a, Lane b) {
    return b <= a;
  }

  /// mask ? a : b, coefficient by coefficient.
  [[gnu::always_inline]] friend Lane select(Mask mask, Lane a, Lane b) {
#if defined(EIGEN_VECTORIZE_AVX512)
    if constexpr (std::is_same_v<P, __m512>) return of(_mm512_mask_blend_ps(mask.bits, b.p_, a.p_));
    if constexpr (std::is_same_v<P, __m512d>)
      return of(_mm512_mask_blend_pd(mask.bits, b.p_, a.p_));
#endif
    if constexpr (std::is_same_v<Bits, P>) return of(packets::ei::pselect(mask.bits, a.p_, b.p_));
  }
  /// mask ? 0 : a, coefficient by coefficient.
  [[gnu::always_inline]] friend Lane zero_where(Mask mask, Lane a) {
    if constexpr (std::is_same_v<Bits, P>) return of(packets::ei::pandnot(a.p_, mask.bits));
    return select(mask, Lane(0), a);
  }

  // Behind flush_denormals(). Where there are integer instructions for it, those: the pipes for multiplications, which
  // comparisons share, are what a step of Adam waits for.
  [[gnu::always_inline]] friend Lane normal_or_zero(Lane a) {
#if defined(EIGEN_VECTORIZE_AVX512)
    if constexpr (std::is_same_v<P, __m512>) {
      const auto exponent = _mm512_set1_epi32(0x7f800000);
      return of(
          _mm512_maskz_mov_ps(_mm512_test_epi32_mask(_mm512_castps_si512(a.p_), exponent), a.p_));
    }
    if constexpr (std::is_same_v<P, __m512d>) {
      const auto exponent = _mm512_set1_epi64(0x7ff0000000000000);
      return of(
          _mm512_maskz_mov_pd(_mm512_test_epi64_mask(_mm512_castpd_si512(a.p_), exponent), a.p_));
    }
#endif
#if defined(EIGEN_VECTORIZE_AVX2)
    if constexpr (std::is_same_v<P, __m256>) {
      const auto bits = _mm256_castps_si256(a.p_);
      const auto size = _mm256_and_si256(bits, _mm256_set1_epi32(0x7fffffff));
      const auto normal = _mm256_cmpgt_epi32(size, _mm256_set1_epi32(0x007fffff));
      return of(_mm256_castsi256_ps(_mm256_and_si256(bits, normal)));
    }
#endif
#if defined(EIGEN_VECTORIZE_SSE2)
    if constexpr (std::is_same_v<P, __m128>) {
      const auto bits = _mm_castps_si128(a.p_);
      const auto size = _mm_and_si128(bits, _mm_set1_epi32(0x7fffffff));
      const auto normal = _mm_cmpgt_epi32(size, _mm_set1_epi32(0x007fffff));
      return of(_mm_castsi128_ps(_mm_and_si128(bits, normal)));
    }
#endif
    return zero_where(abs(a) < Lane((std::numeric_limits<Real>::min)()), a);
  }

  /// a · b + c, fused where the machine can: for sums, whose last bits depend on the machine anyway.
  [[gnu::always_inline]] friend Lane multiply_add(Lane a, Lane b, Lane c) {
    return of(packets::ei::pmadd(a.p_, b.p_, c.p_));
  }

  /// The sum and the largest of the coefficients, for reductions.
  [[gnu::always_inline]] friend double sum(Lane a) {
    Real c[W];
    a.store(c);
    double total[4] = {};  // four chains of additions wait for one another less than one
    for (int i = 0; i < W; i += 4) {
      for (int k = 0; k < (W < 4 ? W : 4); ++k) total[k] += static_cast<double>(c[i + k]);
    }
    return (total[0] + total[1]) + (total[2] + total[3]);
  }
  [[gnu::always_inline]] friend Real largest(Lane a) {
    Real c[W];
    a.store(c);
    Real most = c[0];
    for (int i = 1; i < W; ++i) most = most < c[i] ? c[i] : most;
    return most;
  }
};

/// One coefficient: what vectors of one coefficient, other scalars and `EIGEN_DONT_VECTORIZE` run on.
template <class Real>
class Lane<Real, 1> {
  Real value_;

 public:
  static constexpr int width = 1;
  using Scalar = Real;
  using Mask = bool;

  Lane() = default;
  template <class T>
  requires std::is_arithmetic_v<T>
  [[gnu::always_inline]] Lane(T value) : value_(static_cast<Real>(value)) {}

  [[gnu::always_inline]] static Lane load(const Real* from) { return *from; }
  [[gnu::always_inline]] static Lane load(const Real* from, int) { return *from; }
  [[gnu::always_inline]] void store(Real* to) const { *to = value_; }
  [[gnu::always_inline]] void store(Real* to, int) const { *to = value_; }

  [[gnu::always_inline]] friend Lane operator+(Lane a, Lane b) { return a.value_ + b.value_; }
  [[gnu::always_inline]] friend Lane operator-(Lane a, Lane b) { return a.value_ - b.value_; }
  [[gnu::always_inline]] friend Lane operator*(Lane a, Lane b) {
    return rounded(a.value_ * b.value_);
  }
  [[gnu::always_inline]] friend Lane operator/(Lane a, Lane b) { return a.value_ / b.value_; }
  [[gnu::always_inline]] friend Lane operator-(Lane a) { return -a.value_; }
  [[gnu::always_inline]] Lane& operator+=(Lane b) { return *this = *this + b; }
  [[gnu::always_inline]] Lane& operator-=(Lane b) { return *this = *this - b; }
  [[gnu::always_inline]] Lane& operator*=(Lane b) { return *this = *this * b; }
  [[gnu::always_inline]] Lane& operator/=(Lane b) { return *this = *this / b; }

  [[gnu::always_inline]] friend Lane abs(Lane a) { return std::abs(a.value_); }
  [[gnu::always_inline]] friend Lane max(Lane a, Lane b) { return a.value_ < b.value_ ? b : a; }
  [[gnu::always_inline]] friend Lane min(Lane a, Lane b) { return b.value_ < a.value_ ? b : a; }
  [[gnu::always_inline]] friend Lane sqrt(Lane a) { return std::sqrt(a.value_); }

  [[gnu::always_inline]] friend Mask operator<(Lane a, Lane b) { return a.value_ < b.value_; }
  [[gnu::always_inline]] friend Mask operator<=(Lane a, Lane b) { return a.value_ <= b.value_; }
  [[gnu::always_inline]] friend Mask operator==(Lane a, Lane b) { return a.value_ == b.value_; }
  [[gnu::always_inline]] friend Mask operator>(Lane a, Lane b) { return a.value_ > b.value_; }
  [[gnu::always_inline]] friend Mask operator>=(Lane a, Lane b) { return a.value_ >= b.value_; }
  [[gnu::always_inline]] friend Lane select(Mask mask, Lane a, Lane b) { return mask ? a : b; }
  [[gnu::always_inline]] friend Lane zero_where(Mask mask, Lane a) { return mask ? Lane(0) : a; }

  [[gnu::always_inline]] friend Lane normal_or_zero(Lane a) {
    return zero_where(abs(a) < Lane((std::numeric_limits<Real>::min)()), a);
  }
  [[gnu::always_inline]] friend Lane multiply_add(Lane a, Lane b, Lane c) {
    return a.value_ * b.value_ + c.value_;
  }
  [[gnu::always_inline]] friend double sum(Lane a) { return static_cast<double>(a.value_); }
  [[gnu::always_inline]] friend Real largest(Lane a) { return a.value_; }
};

/// -1, 0 or 1 with the sign of `a`; 0 for 0, NaN for NaN.
template <class Real, int W>
[[gnu::always_inline]] inline Lane<Real, W> sign(Lane<Real, W> a) {
  using L = Lane<Real, W>;
  return select(a < L(0), L(-1), select(L(0) < a, L(1), a));
}

/// 0 where |a| is below the smallest normal number. A decaying average never reaches 0 by itself once its rounding
/// step is a denormal, and denormals make every later step slower. NaN stays.
template <class Real, int W>
[[gnu::always_inline]] inline Lane<Real, W> flush_denormals(Lane<Real, W> a) {
  return normal_or_zero(a);
}

}  // namespace descent::inline v0

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#endif  // DESCENT_ENGINE_LANE_HPP
