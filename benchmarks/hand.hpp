// The loops that descent is measured against: one step of each optimizer as a specialist would write it by hand, with
// the widest registers that the flags offer, fused multiply-adds, constants folded, unrolled; and as most people
// write it, in Eigen statements.
#ifndef DESCENT_BENCHMARKS_HAND_HPP
#define DESCENT_BENCHMARKS_HAND_HPP

#include <immintrin.h>

#include <Eigen/Core>
#include <cmath>
#include <limits>

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wignored-attributes"  // register types as template arguments
#endif

namespace hand {

using Index = Eigen::Index;

#define HAND_INLINE [[gnu::always_inline]] static inline

/// The instructions, one name for each: `Simd<Real>` is the widest there is.
template <class Real>
struct Simd;

#if defined(__AVX512F__) && defined(__AVX512DQ__)
template <>
struct Simd<float> {
  using V = __m512;
  static constexpr Index width = 16;
  HAND_INLINE V set(float a) { return _mm512_set1_ps(a); }
  HAND_INLINE V load(const float* p) { return _mm512_loadu_ps(p); }
  HAND_INLINE void store(float* p, V a) { _mm512_storeu_ps(p, a); }
  HAND_INLINE V load(const float* p, Index k) {
    return _mm512_maskz_loadu_ps(__mmask16((1u << k) - 1u), p);
  }
  HAND_INLINE void store(float* p, V a, Index k) {
    _mm512_mask_storeu_ps(p, __mmask16((1u << k) - 1u), a);
  }
  HAND_INLINE V add(V a, V b) { return _mm512_add_ps(a, b); }
  HAND_INLINE V sub(V a, V b) { return _mm512_sub_ps(a, b); }
  HAND_INLINE V mul(V a, V b) { return _mm512_mul_ps(a, b); }
  HAND_INLINE V div(V a, V b) { return _mm512_div_ps(a, b); }
  HAND_INLINE V sqrt(V a) { return _mm512_sqrt_ps(a); }
  HAND_INLINE V max(V a, V b) { return _mm512_max_ps(a, b); }
  HAND_INLINE V fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
  HAND_INLINE V fnma(V a, V b, V c) { return _mm512_fnmadd_ps(a, b, c); }
  HAND_INLINE V bit_or(V a, V b) { return _mm512_or_ps(a, b); }
  HAND_INLINE V flush(V a, V least) {
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(_mm512_abs_ps(a), least, _CMP_NLT_UQ), a);
  }
};
template <>
struct Simd<double> {
  using V = __m512d;
  static constexpr Index width = 8;
  HAND_INLINE V set(double a) { return _mm512_set1_pd(a); }
  HAND_INLINE V load(const double* p) { return _mm512_loadu_pd(p); }
  HAND_INLINE void store(double* p, V a) { _mm512_storeu_pd(p, a); }
  HAND_INLINE V load(const double* p, Index k) {
    return _mm512_maskz_loadu_pd(__mmask8((1u << k) - 1u), p);
  }
  HAND_INLINE void store(double* p, V a, Index k) {
    _mm512_mask_storeu_pd(p, __mmask8((1u << k) - 1u), a);
  }
  HAND_INLINE V add(V a, V b) { return _mm512_add_pd(a, b); }
  HAND_INLINE V sub(V a, V b) { return _mm512_sub_pd(a, b); }
  HAND_INLINE V mul(V a, V b) { return _mm512_mul_pd(a, b); }
  HAND_INLINE V div(V a, V b) { return _mm512_div_pd(a, b); }
  HAND_INLINE V sqrt(V a) { return _mm512_sqrt_pd(a); }
  HAND_INLINE V max(V a, V b) { return _mm512_max_pd(a, b); }
  HAND_INLINE V fma(V a, V b, V c) { return _mm512_fmadd_pd(a, b, c); }
  HAND_INLINE V fnma(V a, V b, V c) { return _mm512_fnmadd_pd(a, b, c); }
  HAND_INLINE V bit_or(V a, V b) { return _mm512_or_pd(a, b); }
  HAND_INLINE V flush(V a, V least) {
    return _mm512_maskz_mov_pd(_mm512_cmp_pd_mask(_mm512_abs_pd(a), least, _CMP_NLT_UQ), a);
  }
};
#elif defined(__AVX2__) && defined(__FMA__)
template <>
struct Simd<float> {
  using V = __m256;
  static constexpr Index width = 8;
  HAND_INLINE V set(float a) { return _mm256_set1_ps(a); }
  HAND_INLINE V load(const float* p) { return _mm256_loadu_ps(p); }
  HAND_INLINE void store(float* p, V a) { _mm256_storeu_ps(p, a); }
  HAND_INLINE V add(V a, V b) { return _mm256_add_ps(a, b); }
  HAND_INLINE V sub(V a, V b) { return _mm256_sub_ps(a, b); }
  HAND_INLINE V mul(V a, V b) { return _mm256_mul_ps(a, b); }
  HAND_INLINE V div(V a, V b) { return _mm256_div_ps(a, b); }
  HAND_INLINE V sqrt(V a) { return _mm256_sqrt_ps(a); }
  HAND_INLINE V max(V a, V b) { return _mm256_max_ps(a, b); }
  HAND_INLINE V fma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
  HAND_INLINE V fnma(V a, V b, V c) { return _mm256_fnmadd_ps(a, b, c); }
  HAND_INLINE V bit_or(V a, V b) { return _mm256_or_ps(a, b); }
  HAND_INLINE V flush(V a, V least) {
    const V size = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a);
    return _mm256_andnot_ps(_mm256_cmp_ps(size, least, _CMP_LT_OQ), a);
  }
};
template <>
struct Simd<double> {
  using V = __m256d;
  static constexpr Index width = 4;
  HAND_INLINE V set(double a) { return _mm256_set1_pd(a); }
  HAND_INLINE V load(const double* p) { return _mm256_loadu_pd(p); }
  HAND_INLINE void store(double* p, V a) { _mm256_storeu_pd(p, a); }
  HAND_INLINE V add(V a, V b) { return _mm256_add_pd(a, b); }
  HAND_INLINE V sub(V a, V b) { return _mm256_sub_pd(a, b); }
  HAND_INLINE V mul(V a, V b) { return _mm256_mul_pd(a, b); }
  HAND_INLINE V div(V a, V b) { return _mm256_div_pd(a, b); }
  HAND_INLINE V sqrt(V a) { return _mm256_sqrt_pd(a); }
  HAND_INLINE V max(V a, V b) { return _mm256_max_pd(a, b); }
  HAND_INLINE V fma(V a, V b, V c) { return _mm256_fmadd_pd(a, b, c); }
  HAND_INLINE V fnma(V a, V b, V c) { return _mm256_fnmadd_pd(a, b, c); }
  HAND_INLINE V bit_or(V a, V b) { return _mm256_or_pd(a, b); }
  HAND_INLINE V flush(V a, V least) {
    const V size = _mm256_andnot_pd(_mm256_set1_pd(-0.0), a);
    return _mm256_andnot_pd(_mm256_cmp_pd(size, least, _CMP_LT_OQ), a);
  }
};
#else
template <>
struct Simd<float> {
  using V = __m128;
  static constexpr Index width = 4;
  HAND_INLINE V set(float a) { return _mm_set1_ps(a); }
  HAND_INLINE V load(const float* p) { return _mm_loadu_ps(p); }
  HAND_INLINE void store(float* p, V a) { _mm_storeu_ps(p, a); }
  HAND_INLINE V add(V a, V b) { return _mm_add_ps(a, b); }
  HAND_INLINE V sub(V a, V b) { return _mm_sub_ps(a, b); }
  HAND_INLINE V mul(V a, V b) { return _mm_mul_ps(a, b); }
  HAND_INLINE V div(V a, V b) { return _mm_div_ps(a, b); }
  HAND_INLINE V sqrt(V a) { return _mm_sqrt_ps(a); }
  HAND_INLINE V max(V a, V b) { return _mm_max_ps(a, b); }
  HAND_INLINE V fma(V a, V b, V c) { return add(mul(a, b), c); }
  HAND_INLINE V fnma(V a, V b, V c) { return sub(c, mul(a, b)); }
  HAND_INLINE V bit_or(V a, V b) { return _mm_or_ps(a, b); }
  HAND_INLINE V flush(V a, V least) {
    const V size = _mm_andnot_ps(_mm_set1_ps(-0.0f), a);
    return _mm_andnot_ps(_mm_cmplt_ps(size, least), a);
  }
};
template <>
struct Simd<double> {
  using V = __m128d;
  static constexpr Index width = 2;
  HAND_INLINE V set(double a) { return _mm_set1_pd(a); }
  HAND_INLINE V load(const double* p) { return _mm_loadu_pd(p); }
  HAND_INLINE void store(double* p, V a) { _mm_storeu_pd(p, a); }
  HAND_INLINE V add(V a, V b) { return _mm_add_pd(a, b); }
  HAND_INLINE V sub(V a, V b) { return _mm_sub_pd(a, b); }
  HAND_INLINE V mul(V a, V b) { return _mm_mul_pd(a, b); }
  HAND_INLINE V div(V a, V b) { return _mm_div_pd(a, b); }
  HAND_INLINE V sqrt(V a) { return _mm_sqrt_pd(a); }
  HAND_INLINE V max(V a, V b) { return _mm_max_pd(a, b); }
  HAND_INLINE V fma(V a, V b, V c) { return add(mul(a, b), c); }
  HAND_INLINE V fnma(V a, V b, V c) { return sub(c, mul(a, b)); }
  HAND_INLINE V bit_or(V a, V b) { return _mm_or_pd(a, b); }
  HAND_INLINE V flush(V a, V least) {
    const V size = _mm_andnot_pd(_mm_set1_pd(-0.0), a);
    return _mm_andnot_pd(_mm_cmplt_pd(size, least), a);
  }
};
#endif

/// The name of the registers that the loops here use.
constexpr const char* registers() {
#if defined(__AVX512F__) && defined(__AVX512DQ__)
  return "AVX-512";
#elif defined(__AVX2__) && defined(__FMA__)
  return "AVX2 with FMA";
#else
  return "SSE2";
#endif
}

/// `body(i)` for whole registers, `Unroll` at a time, then `tail(i, k)` for the last k coefficients.
template <class Real, int Unroll, class Body, class Tail>
[[gnu::always_inline]] inline void loop(Index n, const Body& body, const Tail& tail) {
  constexpr Index width = Simd<Real>::width;
  Index i = 0;
  if constexpr (Unroll == 4) {
    for (; i + 4 * width <= n; i += 4 * width) {
      body(i);
      body(i + width);
      body(i + 2 * width);
      body(i + 3 * width);
    }
  }
  if constexpr (Unroll == 2) {
    for (; i + 2 * width <= n; i += 2 * width) {
      body(i);
      body(i + width);
    }
  }
  for (; i + width <= n; i += width) body(i);
  if (i < n) tail(i, n - i);
}

struct Hyper {
  double rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, momentum = 0.9;
  double decay = 0.01, max_norm = 1;
};

/// What the loops of Adam need at step t. The corrections come from running products: the cheapest way, and one that
/// drifts.
struct Powers {
  double power1 = 1, power2 = 1;
  void next(const Hyper& h) {
    power1 *= h.beta1;
    power2 *= h.beta2;
  }
};

/// x <- x - rate * m_hat / (sqrt(v_hat) + epsilon), with both corrections folded into two constants:
/// rate * sqrt(c2) / c1 * m / (sqrt(v) + sqrt(c2) * epsilon). `clip` scales the gradient, which costs nothing once it is
/// part of a1 and a2; `Decay` shrinks x by rate * decay.
template <class Real, int Unroll, bool Flush, bool Amsgrad, bool Decay = false>
[[gnu::noinline]] void adam(Index n, Real* x, const Real* g, Real* m, Real* v, Real* most,
                            const Hyper& h, Powers& powers, double clip = 1) {
  using S = Simd<Real>;
  powers.next(h);
  const double c1 = 1 - powers.power1, root = std::sqrt(1 - powers.power2);
  const Real rb1 = Real(h.beta1), ra1 = Real((1 - h.beta1) * clip), rb2 = Real(h.beta2),
             ra2 = Real((1 - h.beta2) * clip * clip), rs = Real(h.rate * root / c1),
             re = Real(h.epsilon * root), rl = std::numeric_limits<Real>::min(),
             rd = Real(1 - h.rate * h.decay);
  const auto b1 = S::set(rb1), a1 = S::set(ra1), b2 = S::set(rb2), a2 = S::set(ra2), s = S::set(rs),
             e = S::set(re), l = S::set(rl), d = S::set(rd);
  const auto lane = [=](auto xi, auto gi, auto& mi, auto& vi, auto& wi)
      __attribute__((always_inline)) {
    mi = S::fma(b1, mi, S::mul(a1, gi));
    vi = S::fma(b2, vi, S::mul(a2, S::mul(gi, gi)));
    if constexpr (Flush) {
      mi = S::flush(mi, l);
      vi = S::flush(vi, l);
    }
    if constexpr (Amsgrad) wi = S::max(wi, vi);
    if constexpr (Decay) xi = S::mul(d, xi);
    return S::sub(xi, S::div(S::mul(s, mi), S::add(S::sqrt(Amsgrad ? wi : vi), e)));
  };
  loop<Real, Unroll>(
      n,
      [=](Index i) __attribute__((always_inline)) {
        auto mi = S::load(m + i), vi = S::load(v + i), wi = vi;
        if constexpr (Amsgrad) wi = S::load(most + i);
        const auto xi = lane(S::load(x + i), S::load(g + i), mi, vi, wi);
        S::store(m + i, mi);
        S::store(v + i, vi);
        if constexpr (Amsgrad) S::store(most + i, wi);
        S::store(x + i, xi);
      },
      [=](Index i, Index k) __attribute__((always_inline)) {
        if constexpr (requires { S::load(x, k); }) {
          auto mi = S::load(m + i, k), vi = S::load(v + i, k), wi = vi;
          if constexpr (Amsgrad) wi = S::load(most + i, k);
          const auto xi = lane(S::load(x + i, k), S::load(g + i, k), mi, vi, wi);
          S::store(m + i, mi, k);
          S::store(v + i, vi, k);
          if constexpr (Amsgrad) S::store(most + i, wi, k);
          S::store(x + i, xi, k);
        } else {
          for (; i < n; ++i) {
            m[i] = rb1 * m[i] + ra1 * g[i];
            v[i] = rb2 * v[i] + ra2 * (g[i] * g[i]);
            if constexpr (Flush) {
              if (std::abs(m[i]) < rl) m[i] = 0;
              if (v[i] < rl) v[i] = 0;
            }
            if constexpr (Amsgrad) most[i] = most[i] < v[i] ? v[i] : most[i];
            if constexpr (Decay) x[i] *= rd;
            x[i] -= rs * m[i] / (std::sqrt(Amsgrad ? most[i] : v[i]) + re);
          }
        }
      });
}

/// The norm of g, summed in four registers (and so, over long vectors of floats, less exactly than descent does).
template <class Real>
[[gnu::noinline]] double norm(Index n, const Real* g) {
  using S = Simd<Real>;
  constexpr Index width = S::width;
  auto a = S::set(0), b = a, c = a, d = a;
  Index i = 0;
  const auto add = [=](auto sum, Index at) __attribute__((always_inline)) {
    const auto gi = S::load(g + at);
    return S::fma(gi, gi, sum);
  };
  for (; i + 4 * width <= n; i += 4 * width) {
    a = add(a, i);
    b = add(b, i + width);
    c = add(c, i + 2 * width);
    d = add(d, i + 3 * width);
  }
  for (; i + width <= n; i += width) a = add(a, i);
  Real parts[width];
  S::store(parts, S::add(S::add(a, b), S::add(c, d)));
  double sum = 0;
  for (Index k = 0; k < width; ++k) sum += double(parts[k]);
  for (; i < n; ++i) sum += double(g[i]) * double(g[i]);
  return std::sqrt(sum);
}

/// Clipping by the global norm, then AdamW.
template <class Real>
void clipped_adamw(Index n, Real* x, const Real* g, Real* m, Real* v, const Hyper& h,
                   Powers& powers) {
  const double size = norm(n, g);
  adam<Real, 2, false, false, true>(n, x, g, m, v, nullptr, h, powers,
                                    size > h.max_norm ? h.max_norm / size : 1);
}

template <class Real, int Unroll>
[[gnu::noinline]] void sgd(Index n, Real* x, const Real* g, const Hyper& h) {
  using S = Simd<Real>;
  const Real r = Real(h.rate);
  const auto rate = S::set(r);
  loop<Real, Unroll>(
      n,
      [=](Index i) __attribute__((always_inline)) {
        S::store(x + i, S::fnma(rate, S::load(g + i), S::load(x + i)));
      },
      [=](Index i, Index) __attribute__((always_inline)) {
        for (; i < n; ++i) x[i] -= r * g[i];
      });
}

template <class Real, int Unroll>
[[gnu::noinline]] void momentum(Index n, Real* x, const Real* g, Real* b, const Hyper& h) {
  using S = Simd<Real>;
  const Real r = Real(h.rate), mu = Real(h.momentum);
  const auto rate = S::set(r), mus = S::set(mu);
  loop<Real, Unroll>(
      n,
      [=](Index i) __attribute__((always_inline)) {
        const auto bi = S::fma(mus, S::load(b + i), S::load(g + i));
        S::store(b + i, bi);
        S::store(x + i, S::fnma(rate, bi, S::load(x + i)));
      },
      [=](Index i, Index) __attribute__((always_inline)) {
        for (; i < n; ++i) {
          b[i] = mu * b[i] + g[i];
          x[i] -= r * b[i];
        }
      });
}

/// Moves the bytes of a step with `slots` (reads two streams and the slots, writes x and the slots) and computes nothing.
/// `zero` is 0, and the compiler must not know it.
template <class Real, int Unroll, class... Slots>
[[gnu::noinline]] void bytes(Index n, Real* x, const Real* g, Real zero, Slots*... slots) {
  using S = Simd<Real>;
  const auto z = S::set(zero);
  loop<Real, Unroll>(
      n,
      [=](Index i) __attribute__((always_inline)) {
        (S::store(slots + i, S::bit_or(S::load(slots + i), z)), ...);
        S::store(x + i, S::bit_or(S::mul(S::load(g + i), z), S::load(x + i)));
      },
      [](Index, Index) {});
}

/// Adam as most people write it.
template <class Real>
[[gnu::noinline]] void naive_adam(Eigen::Ref<Eigen::Array<Real, Eigen::Dynamic, 1>> x,
                                  const Eigen::Ref<const Eigen::Array<Real, Eigen::Dynamic, 1>>& g,
                                  Eigen::Ref<Eigen::Array<Real, Eigen::Dynamic, 1>> m,
                                  Eigen::Ref<Eigen::Array<Real, Eigen::Dynamic, 1>> v,
                                  const Hyper& h, Powers& powers) {
  powers.next(h);
  const Real b1 = Real(h.beta1), b2 = Real(h.beta2), rate = Real(h.rate), e = Real(h.epsilon);
  const Real c1 = Real(1 - powers.power1), c2 = Real(1 - powers.power2);
  m = b1 * m + (1 - b1) * g;
  v = b2 * v + (1 - b2) * g.square();
  x -= rate * (m / c1) / ((v / c2).sqrt() + e);
}

/// AMSGrad, SGD and momentum likewise.
template <class Real>
[[gnu::noinline]] void naive_amsgrad(
    Eigen::Ref<Eigen::Array<Real, Eigen::Dynamic, 1>> x,
    const Eigen::Ref<const Eigen::Array<Real, Eigen::Dynamic, 1>>& g,
    Eigen::Ref<Eigen::Array<Real, Eigen::Dynamic, 1>> m,
    Eigen::Ref<Eigen::Array<Real, Eigen::Dynamic, 1>> v,
    Eigen::Ref<Eigen::Array<Real, Eigen::Dynamic, 1>> largest, const Hyper& h, Powers& powers) {
  powers.next(h);
  const Real b1 = Real(h.beta1), b2 = Real(h.beta2), rate = Real(h.rate), e = Real(h.epsilon);
  const Real c1 = Real(1 - powers.power1), c2 = Real(1 - powers.power2);
  m = b1 * m + (1 - b1) * g;
  v = b2 * v + (1 - b2) * g.square();
  largest = largest.max(v);
  x -= rate * (m / c1) / ((largest / c2).sqrt() + e);
}
template <class Real>
[[gnu::noinline]] void naive_sgd(Eigen::Ref<Eigen::Array<Real, Eigen::Dynamic, 1>> x,
                                 const Eigen::Ref<const Eigen::Array<Real, Eigen::Dynamic, 1>>& g,
                                 const Hyper& h) {
  x -= Real(h.rate) * g;
}
template <class Real>
[[gnu::noinline]] void naive_momentum(
    Eigen::Ref<Eigen::Array<Real, Eigen::Dynamic, 1>> x,
    const Eigen::Ref<const Eigen::Array<Real, Eigen::Dynamic, 1>>& g,
    Eigen::Ref<Eigen::Array<Real, Eigen::Dynamic, 1>> b, const Hyper& h) {
  b = Real(h.momentum) * b + g;
  x -= Real(h.rate) * b;
}

#undef HAND_INLINE

}  // namespace hand

#endif  // DESCENT_BENCHMARKS_HAND_HPP
