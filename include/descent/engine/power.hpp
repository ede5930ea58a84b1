// 1 - beta^t, right to one unit in the last place for every t from 1 to 2^53.
//
// beta^t is carried as an unevaluated sum hi + lo of two doubles (106 bits), so that 1 - beta^t = (1 - hi) - lo loses
// nothing to cancellation; `1 - std::pow(beta, t)` is wrong by up to 10^5 units. One step multiplies once; after a
// jump of t, and at every 256th step, the power is found afresh by repeated squaring. So the result is a function of t
// alone, to the bit, however t was reached: what is kept from step to step is a cache, not state.
#ifndef DESCENT_ENGINE_POWER_HPP
#define DESCENT_ENGINE_POWER_HPP

#include <cmath>
#include <cstdint>

#include "descent/core/rounded.hpp"

namespace descent::inline v0 {

/// hi + lo with |lo| at most half a unit in the last place of hi (T. J. Dekker, Numer. Math. 18, 1971).
struct DoubleDouble {
  double hi = 1, lo = 0;

  [[gnu::always_inline]] friend DoubleDouble operator*(DoubleDouble a, DoubleDouble b) {
    const double product = rounded(a.hi * b.hi);
    const double error =
        two_product_error(a.hi, b.hi, product) + (rounded(a.hi * b.lo) + rounded(a.lo * b.hi));
    const double high = rounded(product + error);
    return {high, rounded(product - high) + error};
  }

 private:
  // The exact error of a product: the halves of Veltkamp's splitting multiply without rounding. std::fma is
  // a library call where the target lacks the instruction; where it has it, the same bits come faster.
  [[gnu::always_inline]] static double two_product_error(double a, double b, double product) {
#if defined(__FMA__) || defined(__aarch64__)
    return std::fma(a, b, -product);
#else
    const auto split = [](double x) {
      const double scaled = rounded(134217729.0 * x);  // 2^27 + 1
      return scaled - rounded(scaled - x);
    };
    const double ah = split(a), bh = split(b), al = a - ah, bl = b - bh;
    return ((rounded(ah * bh) - product) + rounded(ah * bl) + rounded(al * bh)) + rounded(al * bl);
#endif
  }
};

class OneMinusPower {
  double beta_;
  std::int64_t t_ = 0;
  DoubleDouble power_{};

 public:
  explicit OneMinusPower(double beta) : beta_(beta) {}

  double beta() const { return beta_; }

  /// 1 - beta^t for t >= 0. Not inlined: a chain asks for it in each of its loops, and one copy is enough.
  [[gnu::noinline]] double operator()(std::int64_t t) {
    if (t != t_ + 1 || t % anchor == 0) {
      if (t == t_) return (1 - power_.hi) - power_.lo;
      jump(t - t % anchor);
    }
    for (; t_ < t; ++t_) {
      if (power_.hi > negligible) power_ = power_ * DoubleDouble{beta_, 0};
    }
    return (1 - power_.hi) - power_.lo;
  }

 private:
  static constexpr std::int64_t anchor = 256;
  static constexpr double negligible = 1e-40;  // 1 - beta^t is 1 long before

  void jump(std::int64_t t) {
    t_ = t;
    power_ = {};
    DoubleDouble square{beta_, 0};
    for (std::int64_t rest = t; rest > 0; rest >>= 1) {
      if (rest & 1) power_ = power_ * square;
      square = square.hi > negligible ? square * square : DoubleDouble{0, 0};
    }
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_POWER_HPP
