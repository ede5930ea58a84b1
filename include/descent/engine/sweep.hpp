// One pass over memory: a body is called for every lane of a vector, the tail included.
#ifndef DESCENT_ENGINE_SWEEP_HPP
#define DESCENT_ENGINE_SWEEP_HPP

#include <Eigen/Core>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

#include "descent/engine/lane.hpp"

namespace descent::inline v0 {

/// Calls `body(i)` for each whole lane that starts at coefficient i, then `body(i, count)` for a tail of `count`.
template <class L, class Body>
[[gnu::always_inline]] inline void sweep(Eigen::Index size, const Body& body) {
  constexpr Eigen::Index width = L::width;
  Eigen::Index i = 0;
  for (; i + width <= size; i += width) body(i);
  if constexpr (width > 1) {
    if (i < size) body(i, static_cast<int>(size - i));
  }
}

/// The last, partial lane of a vector: padded with zeros for a loop of whole lanes, and put back. Out of line, since every
/// loop of a chain ends with one.
template <class L>
struct PaddedTail {
  using Real = typename L::Scalar;
  alignas(64) Real update[L::width], x[L::width], out[L::width];

  [[gnu::always_inline]] PaddedTail(const Real* from_update, const Real* from_x, int count) {
    L::load(from_update, count).store(update);
    L::load(from_x, count).store(x);
  }

  /// Stores `out`.
  [[gnu::always_inline]] void store(Real* to, int count) const { L::load(out).store(to, count); }

  /// Sets the padding of `out` to zero, and returns 0, or NaN if a coefficient is not finite.
  double check(int count) {
    const L counted = L::load(out, count);
    counted.store(out);
    return sum(counted - counted);
  }
};

/// Sums of `Terms` quantities over a vector. Four accumulators hide the latency of an addition (named one by one:
/// g++ -O2 spills an array of them); blocks of them are summed in double.
template <class L, std::size_t Terms>
class Sums {
  std::array<L, Terms> a_, b_, c_, d_;
  std::array<double, Terms> totals_{};

  [[gnu::always_inline]] void clear() {
    for (std::size_t k = 0; k < Terms; ++k) a_[k] = b_[k] = c_[k] = d_[k] = L(0);
  }
  [[gnu::always_inline]] void flush() {
    for (std::size_t k = 0; k < Terms; ++k) totals_[k] += sum((a_[k] + b_[k]) + (c_[k] + d_[k]));
  }

 public:
  /// Calls `body(accumulators, i)` and `body(accumulators, i, count)` as `sweep` does; the body adds to its argument.
  template <class Body>
  [[gnu::always_inline]] void sweep(Eigen::Index size, const Body& body) {
    constexpr Eigen::Index width = L::width, block = 256 * width;
    Eigen::Index i = 0;
    do {
      clear();
      const Eigen::Index end = size - i < block ? size : i + block;
      for (; i + 4 * width <= end; i += 4 * width) {
        body(a_, i);
        body(b_, i + width);
        body(c_, i + 2 * width);
        body(d_, i + 3 * width);
      }
      for (; i + width <= end; i += width) body(a_, i);
      if constexpr (width > 1) {
        if (i < end) {
          body(b_, i, static_cast<int>(end - i));
          i = end;
        }
      }
      flush();
    } while (i < size);
  }

  const std::array<double, Terms>& totals() const { return totals_; }
};

/// The largest absolute value among `size` coefficients; NaN if one is NaN, 0 for none. (Eigen's `lpNorm<Infinity>`
/// loses a NaN in most places.)
template <int Size = Eigen::Dynamic, class Real>
inline Real largest_absolute(const Real* values, Eigen::Index size) {
  using L = Lane<Real, lane_width<Real, Size>>;
  L most(0), most2(0), poison(0),
      poison2(0);  // x - x is 0 for finite x and NaN elsewhere, and a sum keeps NaN
  Eigen::Index i = 0;
  for (; i + 2 * L::width <= size; i += 2 * L::width) {
    const L v = L::load(values + i), w = L::load(values + i + L::width);
    most = max(most, abs(v));
    most2 = max(most2, abs(w));
    poison += v - v;
    poison2 += w - w;
  }
  sweep<L>(
      size - i, [&](Eigen::Index k, auto... count) __attribute__((always_inline)) {
        const L v = L::load(values + i + k, count...);
        most = max(most, abs(v));
        poison += v - v;
      });
  const Real result = largest(max(most, most2));
  if (sum(poison + poison2) == 0) return result;
  for (Eigen::Index k = 0; k < size; ++k) {
    if (std::isnan(values[k])) return std::numeric_limits<Real>::quiet_NaN();
  }
  return std::numeric_limits<Real>::infinity();
}

/// The position of the first coefficient that is NaN or infinite; -1 if all are finite.
template <class Real>
[[gnu::cold, gnu::noinline]] inline Eigen::Index first_not_finite(const Real* values,
                                                                  Eigen::Index size) {
  for (Eigen::Index k = 0; k < size; ++k) {
    if (!std::isfinite(values[k])) return k;
  }
  return -1;
}

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_SWEEP_HPP
