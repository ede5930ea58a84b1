// Eigen's packets of coefficients: which there are, and the operations on them, as a lane needs them.
//
// Eigen 3.4 has most of them. What it lacks or does in another way stands here, in the instructions of the machine:
//
//   * the square root: Eigen's `psqrt` approximates it for several packet types (last bit wrong, the root of infinity is
//     NaN, of a denormal 0), and it is slower;
//   * minimum, maximum and negation with one rule for NaN and for the sign of zero;
//   * comparisons on AVX-512, which has registers for their outcome;
//   * the first few coefficients of a packet, with no access to the memory behind them.
//
// This is the only file that names `Eigen::internal`, and the only one with instructions in it.
#ifndef DESCENT_ENGINE_PACKETS_HPP
#define DESCENT_ENGINE_PACKETS_HPP

#include <Eigen/Core>
#include <limits>
#include <type_traits>

#include "descent/core/version.hpp"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"   // packet types as template arguments
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // inside its own AVX-512 intrinsics
#endif

namespace descent::inline v0::packets {  // NOLINT(modernize-concat-nested-namespaces)

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

template <class P>
using Bits = typename MaskOf<P>::type;
template <class P>
using ScalarOf = typename ei::unpacket_traits<P>::type;

// In the loop that copies a tail: compilers would make a call of it, which takes longer than the copies.
[[gnu::always_inline]] inline void never_memcpy() {
#if defined(__GNUC__)
  asm volatile("");
#endif
}

/// The first `count` < width coefficients from memory, the rest zero; what is behind them is not touched.
template <class P>
[[gnu::always_inline]] inline P load_part(const ScalarOf<P>* from, int count) {
#if defined(EIGEN_VECTORIZE_AVX512) && defined(__AVX512VL__) && defined(__AVX512DQ__)
  const unsigned mask = (1u << count) - 1u;
  if constexpr (std::is_same_v<P, __m512>) return _mm512_maskz_loadu_ps(__mmask16(mask), from);
  if constexpr (std::is_same_v<P, __m512d>) return _mm512_maskz_loadu_pd(__mmask8(mask), from);
  if constexpr (std::is_same_v<P, __m256>) return _mm256_maskz_loadu_ps(__mmask8(mask), from);
  if constexpr (std::is_same_v<P, __m256d>) return _mm256_maskz_loadu_pd(__mmask8(mask), from);
  if constexpr (std::is_same_v<P, __m128>) return _mm_maskz_loadu_ps(__mmask8(mask), from);
  if constexpr (std::is_same_v<P, __m128d>) return _mm_maskz_loadu_pd(__mmask8(mask), from);
#elif defined(EIGEN_VECTORIZE_SSE2)
  if constexpr (std::is_same_v<P, __m128d>) return _mm_load_sd(from);
  if constexpr (std::is_same_v<P, __m128>) {
    if (count == 1) return _mm_load_ss(from);
    const P two = _mm_castsi128_ps(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
    return count == 2 ? two : _mm_movelh_ps(two, _mm_load_ss(from + 2));
  }
#endif
  ScalarOf<P> padded[width<P>] = {};
  for (int i = 0; i < count; ++i) {
    padded[i] = from[i];
    never_memcpy();
  }
  return ei::ploadu<P>(padded);
}

/// Stores the first `count` < width coefficients and leaves the memory behind them alone.
template <class P>
[[gnu::always_inline]] inline void store_part(ScalarOf<P>* to, P p, int count) {
#if defined(EIGEN_VECTORIZE_AVX512) && defined(__AVX512VL__) && defined(__AVX512DQ__)
  const unsigned mask = (1u << count) - 1u;
  if constexpr (std::is_same_v<P, __m512>) return _mm512_mask_storeu_ps(to, __mmask16(mask), p);
  if constexpr (std::is_same_v<P, __m512d>) return _mm512_mask_storeu_pd(to, __mmask8(mask), p);
  if constexpr (std::is_same_v<P, __m256>) return _mm256_mask_storeu_ps(to, __mmask8(mask), p);
  if constexpr (std::is_same_v<P, __m256d>) return _mm256_mask_storeu_pd(to, __mmask8(mask), p);
  if constexpr (std::is_same_v<P, __m128>) return _mm_mask_storeu_ps(to, __mmask8(mask), p);
  if constexpr (std::is_same_v<P, __m128d>) return _mm_mask_storeu_pd(to, __mmask8(mask), p);
#elif defined(EIGEN_VECTORIZE_SSE2)
  if constexpr (std::is_same_v<P, __m128d>) return _mm_store_sd(to, p);
  if constexpr (std::is_same_v<P, __m128>) {
    if (count == 1) return _mm_store_ss(to, p);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_castps_si128(p));
    if (count == 3) _mm_store_ss(to + 2, _mm_movehl_ps(p, p));
    return;
  }
#endif
  ScalarOf<P> padded[width<P>];
  ei::pstoreu(padded, p);
  for (int i = 0; i < count; ++i) {
    to[i] = padded[i];
    never_memcpy();
  }
}

/// a · b, never contracted with a sum.
template <class P>
[[gnu::always_inline]] inline P product(P a, P b) {
  P product = ei::pmul(a, b);
#if defined(__GNUC__) && defined(__AVX512F__)
  asm("" : "+v"(product));  // g++ contracts its intrinsics; costs nothing that can be measured
#elif defined(__GNUC__) && defined(__SSE2__)
  asm("" : "+x"(product));
#elif defined(__GNUC__) && defined(__aarch64__)
  asm("" : "+w"(product));
#endif
  return product;
}

/// -a, by the sign bit: Eigen's pnegate is 0 - a on AVX, which makes 0 of 0.
template <class P>
[[gnu::always_inline]] inline P negative(P a) {
  return ei::pxor(a, ei::pset1<P>(ScalarOf<P>(-0.0)));
}

template <class P>
[[gnu::always_inline]] inline P square_root(P a) {
#if defined(EIGEN_VECTORIZE_AVX512)
  if constexpr (std::is_same_v<P, __m512>) return _mm512_maskz_sqrt_ps(__mmask16(-1), a);
  if constexpr (std::is_same_v<P, __m512d>) return _mm512_maskz_sqrt_pd(__mmask8(-1), a);
#endif
#if defined(EIGEN_VECTORIZE_AVX)
  if constexpr (std::is_same_v<P, __m256>) return _mm256_sqrt_ps(a);
  if constexpr (std::is_same_v<P, __m256d>) return _mm256_sqrt_pd(a);
#endif
#if defined(EIGEN_VECTORIZE_SSE2)
  if constexpr (std::is_same_v<P, __m128>) return _mm_sqrt_ps(a);
  if constexpr (std::is_same_v<P, __m128d>) return _mm_sqrt_pd(a);
#endif
#if defined(EIGEN_VECTORIZE_NEON) && defined(__aarch64__)
  if constexpr (std::is_same_v<P, float32x4_t>) return vsqrtq_f32(a);
  if constexpr (std::is_same_v<P, float64x2_t>) return vsqrtq_f64(a);
#endif
  return ei::psqrt(a);
}

template <class P>
[[gnu::always_inline]] inline Bits<P> less(P a, P b) {
#if defined(EIGEN_VECTORIZE_AVX512)
  if constexpr (std::is_same_v<P, __m512>) return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ);
  if constexpr (std::is_same_v<P, __m512d>) return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ);
#endif
  if constexpr (std::is_same_v<Bits<P>, P>) return ei::pcmp_lt(a, b);
}
template <class P>
[[gnu::always_inline]] inline Bits<P> less_or_equal(P a, P b) {
#if defined(EIGEN_VECTORIZE_AVX512)
  if constexpr (std::is_same_v<P, __m512>) return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ);
  if constexpr (std::is_same_v<P, __m512d>) return _mm512_cmp_pd_mask(a, b, _CMP_LE_OQ);
#endif
  if constexpr (std::is_same_v<Bits<P>, P>) return ei::pcmp_le(a, b);
}
template <class P>
[[gnu::always_inline]] inline Bits<P> equal(P a, P b) {
#if defined(EIGEN_VECTORIZE_AVX512)
  if constexpr (std::is_same_v<P, __m512>) return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ);
  if constexpr (std::is_same_v<P, __m512d>) return _mm512_cmp_pd_mask(a, b, _CMP_EQ_OQ);
#endif
  if constexpr (std::is_same_v<Bits<P>, P>) return ei::pcmp_eq(a, b);
}

/// bits ? a : b, coefficient by coefficient.
template <class P>
[[gnu::always_inline]] inline P select(Bits<P> bits, P a, P b) {
#if defined(EIGEN_VECTORIZE_AVX512)
  if constexpr (std::is_same_v<P, __m512>) return _mm512_mask_blend_ps(bits, b, a);
  if constexpr (std::is_same_v<P, __m512d>) return _mm512_mask_blend_pd(bits, b, a);
#endif
  if constexpr (std::is_same_v<Bits<P>, P>) return ei::pselect(bits, a, b);
}
/// bits ? 0 : a, coefficient by coefficient.
template <class P>
[[gnu::always_inline]] inline P zero_where(Bits<P> bits, P a) {
  if constexpr (std::is_same_v<Bits<P>, P>) return ei::pandnot(a, bits);
  return select(bits, ei::pset1<P>(ScalarOf<P>(0)), a);
}

/// (a < b) ? b : a. The instructions give their second operand for NaN and for two zeros.
template <class P>
[[gnu::always_inline]] inline P larger(P a, P b) {
#if defined(EIGEN_VECTORIZE_AVX512)
  if constexpr (std::is_same_v<P, __m512>) return _mm512_maskz_max_ps(__mmask16(-1), b, a);
  if constexpr (std::is_same_v<P, __m512d>) return _mm512_maskz_max_pd(__mmask8(-1), b, a);
#endif
#if defined(EIGEN_VECTORIZE_AVX)
  if constexpr (std::is_same_v<P, __m256>) return _mm256_max_ps(b, a);
  if constexpr (std::is_same_v<P, __m256d>) return _mm256_max_pd(b, a);
#endif
#if defined(EIGEN_VECTORIZE_SSE2)
  if constexpr (std::is_same_v<P, __m128>) return _mm_max_ps(b, a);
  if constexpr (std::is_same_v<P, __m128d>) return _mm_max_pd(b, a);
#endif
  return select(less(a, b), b, a);
}
/// (b < a) ? b : a, likewise.
template <class P>
[[gnu::always_inline]] inline P smaller(P a, P b) {
#if defined(EIGEN_VECTORIZE_AVX512)
  if constexpr (std::is_same_v<P, __m512>) return _mm512_maskz_min_ps(__mmask16(-1), b, a);
  if constexpr (std::is_same_v<P, __m512d>) return _mm512_maskz_min_pd(__mmask8(-1), b, a);
#endif
#if defined(EIGEN_VECTORIZE_AVX)
  if constexpr (std::is_same_v<P, __m256>) return _mm256_min_ps(b, a);
  if constexpr (std::is_same_v<P, __m256d>) return _mm256_min_pd(b, a);
#endif
#if defined(EIGEN_VECTORIZE_SSE2)
  if constexpr (std::is_same_v<P, __m128>) return _mm_min_ps(b, a);
  if constexpr (std::is_same_v<P, __m128d>) return _mm_min_pd(b, a);
#endif
  return select(less(b, a), b, a);
}

/// 0 where |a| is below the smallest normal number. Where there are integer instructions for it, those: the pipes for
/// multiplications, which comparisons share, are what a step of Adam waits for.
template <class P>
[[gnu::always_inline]] inline P normal_or_zero(P a) {
#if defined(EIGEN_VECTORIZE_AVX512)
  if constexpr (std::is_same_v<P, __m512>) {
    const auto exponent = _mm512_set1_epi32(0x7f800000);
    return _mm512_maskz_mov_ps(_mm512_test_epi32_mask(_mm512_castps_si512(a), exponent), a);
  }
  if constexpr (std::is_same_v<P, __m512d>) {
    const auto exponent = _mm512_set1_epi64(0x7ff0000000000000);
    return _mm512_maskz_mov_pd(_mm512_test_epi64_mask(_mm512_castpd_si512(a), exponent), a);
  }
#endif
#if defined(EIGEN_VECTORIZE_AVX2)
  if constexpr (std::is_same_v<P, __m256>) {
    const auto bits = _mm256_castps_si256(a);
    const auto size = _mm256_and_si256(bits, _mm256_set1_epi32(0x7fffffff));
    const auto normal = _mm256_cmpgt_epi32(size, _mm256_set1_epi32(0x007fffff));
    return _mm256_castsi256_ps(_mm256_and_si256(bits, normal));
  }
#endif
#if defined(EIGEN_VECTORIZE_SSE2)
  if constexpr (std::is_same_v<P, __m128>) {
    const auto bits = _mm_castps_si128(a);
    const auto size = _mm_and_si128(bits, _mm_set1_epi32(0x7fffffff));
    const auto normal = _mm_cmpgt_epi32(size, _mm_set1_epi32(0x007fffff));
    return _mm_castsi128_ps(_mm_and_si128(bits, normal));
  }
#endif
  const P least = ei::pset1<P>((std::numeric_limits<ScalarOf<P>>::min)());
  return zero_where(less(ei::pabs(a), least), a);
}

}  // namespace descent::inline v0::packets

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#endif  // DESCENT_ENGINE_PACKETS_HPP
