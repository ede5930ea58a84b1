// A SIMD lane: several coefficients that go through one formula together.
//
// `Lane<Real, W>` wraps Eigen's packet of W coefficients (W = 1: a plain number), so a kernel that is written for one
// coefficient runs on as many as the machine holds. It promises the same bits everywhere. Every operation is the
// correctly rounded one of IEEE 754, and a product is never contracted with a neighboring sum into an FMA, whatever the
// flags. So a result depends neither on the width of the lane nor on the compiler, nor on where a vector is cut: its
// tail is loaded into a lane padded with zeros.
#ifndef DESCENT_ENGINE_LANE_HPP
#define DESCENT_ENGINE_LANE_HPP

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <type_traits>

#include "descent/core/rounded.hpp"
#include "descent/core/version.hpp"
#include "descent/engine/packets.hpp"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"   // packet types as template arguments
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // inside its own AVX-512 intrinsics
#endif

namespace descent::inline v0 {

/// Coefficients a lane holds for vectors of `Size` coefficients (`Eigen::Dynamic`: as many as the machine has).
template <class Real, int Size = Eigen::Dynamic>
inline constexpr int lane_width =
    Size == 1 ? 1
              : packets::width<
                    typename decltype(packets::narrowest<packets::Widest<Real>, Size>())::type>;

template <class Real, int W>
class Lane {
  using P = typename decltype(packets::exactly<packets::Widest<Real>, W>())::type;
  P p_;

  [[gnu::always_inline]] static Lane of(P p) {
    Lane lane;
    lane.p_ = p;
    return lane;
  }

 public:
  static constexpr int width = W;
  using Scalar = Real;

  /// The outcome of a comparison, coefficient by coefficient.
  struct Mask {
    packets::Bits<P> bits;
  };

  Lane() = default;
  /// Every coefficient equal to `value`, rounded to `Real` once.
  template <class T>
  requires std::is_arithmetic_v<T>
  [[gnu::always_inline]] Lane(T value) : p_(packets::ei::pset1<P>(static_cast<Real>(value))) {}

  [[gnu::always_inline]] static Lane load(const Real* from) {
    return of(packets::ei::ploadu<P>(from));
  }
  [[gnu::always_inline]] void store(Real* to) const { packets::ei::pstoreu(to, p_); }

  /// The first `count` < W coefficients, the rest zero; memory behind them is not touched.
  [[gnu::always_inline]] static Lane load(const Real* from, int count) {
    return of(packets::load_part<P>(from, count));
  }
  /// Stores the first `count` < W coefficients and leaves the memory behind them alone.
  [[gnu::always_inline]] void store(Real* to, int count) const {
    packets::store_part(to, p_, count);
  }

  [[gnu::always_inline]] friend Lane operator+(Lane a, Lane b) {
    return of(packets::ei::padd(a.p_, b.p_));
  }
  [[gnu::always_inline]] friend Lane operator-(Lane a, Lane b) {
    return of(packets::ei::psub(a.p_, b.p_));
  }
  [[gnu::always_inline]] friend Lane operator*(Lane a, Lane b) {
    return of(packets::product(a.p_, b.p_));
  }
  [[gnu::always_inline]] friend Lane operator/(Lane a, Lane b) {
    return of(packets::ei::pdiv(a.p_, b.p_));
  }
  [[gnu::always_inline]] friend Lane operator-(Lane a) { return of(packets::negative(a.p_)); }
  [[gnu::always_inline]] Lane& operator+=(Lane b) { return *this = *this + b; }
  [[gnu::always_inline]] Lane& operator-=(Lane b) { return *this = *this - b; }
  [[gnu::always_inline]] Lane& operator*=(Lane b) { return *this = *this * b; }
  [[gnu::always_inline]] Lane& operator/=(Lane b) { return *this = *this / b; }

  [[gnu::always_inline]] friend Lane abs(Lane a) { return of(packets::ei::pabs(a.p_)); }

  /// (a < b) ? b : a, so a NaN in `a` stays and one in `b` is dropped; of two zeros it is `a`.
  [[gnu::always_inline]] friend Lane max(Lane a, Lane b) { return of(packets::larger(a.p_, b.p_)); }
  /// (b < a) ? b : a, so a NaN in `a` stays and one in `b` is dropped; of two zeros it is `a`.
  [[gnu::always_inline]] friend Lane min(Lane a, Lane b) {
    return of(packets::smaller(a.p_, b.p_));
  }
  [[gnu::always_inline]] friend Lane sqrt(Lane a) { return of(packets::square_root(a.p_)); }

  [[gnu::always_inline]] friend Mask operator<(Lane a, Lane b) {
    return {packets::less(a.p_, b.p_)};
  }
  [[gnu::always_inline]] friend Mask operator<=(Lane a, Lane b) {
    return {packets::less_or_equal(a.p_, b.p_)};
  }
  [[gnu::always_inline]] friend Mask operator==(Lane a, Lane b) {
    return {packets::equal(a.p_, b.p_)};
  }
  [[gnu::always_inline]] friend Mask operator>(Lane a, Lane b) { return b < a; }
  [[gnu::always_inline]] friend Mask operator>=(Lane a, Lane b) { return b <= a; }

  /// mask ? a : b, coefficient by coefficient.
  [[gnu::always_inline]] friend Lane select(Mask mask, Lane a, Lane b) {
    return of(packets::select<P>(mask.bits, a.p_, b.p_));
  }
  /// mask ? 0 : a, coefficient by coefficient.
  [[gnu::always_inline]] friend Lane zero_where(Mask mask, Lane a) {
    return of(packets::zero_where<P>(mask.bits, a.p_));
  }

  // Behind flush_denormals().
  [[gnu::always_inline]] friend Lane normal_or_zero(Lane a) {
    return of(packets::normal_or_zero(a.p_));
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
  /// The sum, rounded to Real at every addition: fast.
  [[gnu::always_inline]] friend Real total(Lane a) { return packets::ei::predux(a.p_); }
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
  [[gnu::always_inline]] friend Real total(Lane a) { return a.value_; }
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
