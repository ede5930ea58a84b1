// The memory of limited-memory quasi-Newton methods: the last m pairs s = xₖ₊₁ − xₖ, y = gₖ₊₁ − gₖ, and −H g in few passes.
//
// The two-loop recursion (J. Nocedal, Math. Comp. 35, 1980) reads every pair four times and the direction eight times, one
// product after another. Here products of all pairs with g and with the newest y are collected in one pass over the memory,
// the recursion runs on these numbers alone, and one more pass adds up the direction. With ρᵢ = 1/sᵢᵀyᵢ and γ = sᵀy/yᵀy of
// the newest pair,
//
//     αᵢ = ρᵢ (sᵢᵀg − Σ_{j newer} αⱼ sᵢᵀyⱼ)
//     βᵢ = ρᵢ (γ (yᵢᵀg − Σⱼ αⱼ yᵢᵀyⱼ) + Σ_{j older} (αⱼ − βⱼ) sⱼᵀyᵢ)
//     H g = γ (g − Σᵢ αᵢ yᵢ) + Σᵢ (αᵢ − βᵢ) sᵢ
//
// which is the same in exact arithmetic: compare the compact form of R. H. Byrd, J. Nocedal and R. B. Schnabel, Math. Program.
// 63, 1994. Where all pairs are in the nearest cache anyway, the two loops are run as they are: engine/two_loops.hpp.
#ifndef DESCENT_ENGINE_CURVATURE_PAIRS_HPP
#define DESCENT_ENGINE_CURVATURE_PAIRS_HPP

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <type_traits>

#include "descent/engine/lane.hpp"
#include "descent/engine/sweep.hpp"
#include "descent/engine/two_loops.hpp"
#include "descent/engine/vectors.hpp"

namespace descent::inline v0 {
/// The pairs, and what is asked of them; see PairMemory for their number.
template <class Real, int Size, int Most>
class CurvaturePairs : private TwoLoops<Real, Size, Most> {
  using Base = TwoLoops<Real, Size, Most>;
  using Base::add_column, Base::inverse, Base::s_part, Base::sg, Base::sy, Base::sy_transposed,
      Base::with_older, Base::y_part, Base::yg, Base::yy;
  using Base::largest_block, Base::padded, Base::width;
  using Base::pair, Base::older, Base::newer, Base::oldest, Base::spare, Base::is_small;
  using Base::size_, Base::block_, Base::stride_, Base::slots_, Base::count_, Base::newest_,
      Base::gamma_;
  using typename Base::Index, typename Base::L;

  // Calls body(block, first coefficient, count).
  template <class Body>
  [[gnu::always_inline]] void for_each_block(const Body& body) const {
    for (Index b = 0, i = 0; i < size_; ++b, i += block_) body(b, i, (std::min)(block_, size_ - i));
  }

  // A piece of a vector that may be read in whole lanes: itself, or a copy padded with zeros.
  struct Piece {
    alignas(64) Real copy[std::size_t(largest_block)];
    [[gnu::always_inline]] const Real* operator()(const Real* from, Index count) {
      if (count % width == 0) return from;
      std::fill(std::copy_n(from, count, copy), copy + padded(count), Real(0));
      return copy;
    }
  };

  // Adds what `count` coefficients contribute to the products of K pairs with g, and with y if there is a new pair.
  template <bool New, int K>
  [[gnu::always_inline]] void multiply(Index block, const int* slots, const Real* g, const Real* y,
                                       Index count) {
    const Real* from[K];
    L with_g[2 * K], with_y[2 * K];
    for (int k = 0; k < K; ++k) {
      from[k] = pair(block, slots[k]);
      with_g[2 * k] = with_g[2 * k + 1] = with_y[2 * k] = with_y[2 * k + 1] = L(0);
    }
    for (Index i = 0; i < count; i += width) {
      const L gi = L::load(g + i), yi = New ? L::load(y + i) : L(0);
      for (int k = 0; k < K; ++k) {
        const L a = L::load(from[k] + i), b = L::load(from[k] + block_ + i);
        with_g[2 * k] = multiply_add(a, gi, with_g[2 * k]);
        with_g[2 * k + 1] = multiply_add(b, gi, with_g[2 * k + 1]);
        if constexpr (New) {
          with_y[2 * k] = multiply_add(a, yi, with_y[2 * k]);
          with_y[2 * k + 1] = multiply_add(b, yi, with_y[2 * k + 1]);
        }
      }
    }
    for (int k = 0; k < K; ++k) {
      sg()[slots[k]] += sum(with_g[2 * k]);
      yg()[slots[k]] += sum(with_g[2 * k + 1]);
      if constexpr (New) {
        sy(spare())[slots[k]] += sum(with_y[2 * k]);
        yy(spare())[slots[k]] += sum(with_y[2 * k + 1]);
      }
    }
  }

  // out += Σ (s_part s + y_part y) over K pairs.
  template <int K>
  [[gnu::always_inline]] void add(Index block, const int* slots, Real* out, Index count) {
    const Real* from[K];
    L parts[2 * K];
    for (int k = 0; k < K; ++k) {
      from[k] = pair(block, slots[k]);
      parts[2 * k] = L(s_part()[slots[k]]);
      parts[2 * k + 1] = L(y_part()[slots[k]]);
    }
    for (Index i = 0; i < count; i += width) {
      L sum = L::load(out + i);
      for (int k = 0; k < K; ++k) {
        sum = multiply_add(parts[2 * k], L::load(from[k] + i), sum);
        sum = multiply_add(parts[2 * k + 1], L::load(from[k] + block_ + i), sum);
      }
      sum.store(out + i);
    }
  }

  // Calls body(slots) for all pairs, four at a time, the newest first.
  template <class Body>
  [[gnu::always_inline]] void in_groups(const Body& body) const {
    int left = count_, i = newest_;
    const auto group = [&](auto k) __attribute__((always_inline)) {
      int slots[k()];
      for (int& slot : slots) {
        slot = i;
        i = older(i);
      }
      body(k, slots);
      return k();
    };
    while (left >= 4) left -= group(std::integral_constant<int, 4>{});
    if (left >= 2) left -= group(std::integral_constant<int, 2>{});
    if (left >= 1) left -= group(std::integral_constant<int, 1>{});
  }

  // sᵢᵀy = sᵢᵀg₂ − sᵢᵀg₁, as Byrd, Nocedal and Schnabel do, costs nothing, and digits where y is small beside g. There are
  // enough of them in double; in float it is summed up.
  static constexpr bool by_difference = sizeof(Real) > 4;

  template <bool New>
  void begin_products() {
    if constexpr (New) {
      double *sy_new = sy(spare()), *yy_new = yy(spare());
      std::copy_n(sg(), stride_, sy_new);
      std::copy_n(yg(), stride_, yy_new);
      if (!by_difference) {
        for (double* numbers : {sy_new, yy_new}) std::fill_n(numbers, stride_, 0.0);
      }
    }
    for (double* numbers : {sg(), yg()}) std::fill_n(numbers, stride_, 0.0);
  }
  template <bool New>
  void end_products() {
    if constexpr (New && by_difference) {
      for (Index i = 0; i < stride_; ++i) {
        sy(spare())[i] = sg()[i] - sy(spare())[i];
        yy(spare())[i] = yg()[i] - yy(spare())[i];
      }
    }
  }

  // The products of all pairs with g; of those with a new pair's y as well, after it was written to the spare slot.
  template <bool New>
  void multiply_all(const Real* x, const Real* g, const Real* next_x, const Real* next_g,
                    double (&own)[5]) {
    if (!is_small()) begin_products<New>();
    Piece piece;
    for_each_block([&](Index block, Index first, Index count) {
      Real *s = pair(block, spare()), *y = s + block_;
      const Real* gs = piece(next_g + first, count);
      const Index whole = padded(count);
      if constexpr (New) {
        L s_s(0), s_y(0), y_y(0), s_g(0), y_g(0);
        const auto at = [&](Index i, auto... part) __attribute__((always_inline)) {
          const Index k = first + i;
          const L gi = L::load(next_g + k, part...);
          const L si = L::load(next_x + k, part...) - L::load(x + k, part...),
                  yi = gi - L::load(g + k, part...);
          si.store(s + i);
          yi.store(y + i);
          s_s = multiply_add(si, si, s_s);
          s_y = multiply_add(si, yi, s_y);
          y_y = multiply_add(yi, yi, y_y);
          s_g = multiply_add(si, gi, s_g);
          y_g = multiply_add(yi, gi, y_g);
        };
        sweep<L>(count, at);
        own[0] += sum(s_s);
        own[1] += sum(s_y);
        own[2] += sum(y_y);
        own[3] += sum(s_g);
        own[4] += sum(y_g);
      }
      if (is_small()) return;
      in_groups([&](auto k, const int* slots) __attribute__((always_inline)) {
        multiply<New && !by_difference, k()>(block, slots, gs, y, whole);
      });
    });
    if (!is_small()) end_products<New>();
  }

  // The newest pair's products among the others'. It is newer than all of them; what stands for the spare slot is never read.
  void enter(const double (&own)[5]) {
    std::fill_n(sy_transposed(newest_), stride_, 0.0);
    sy(newest_)[newest_] = own[1];
    yy(newest_)[newest_] = own[2];
    for (int j = 0; j < slots_; ++j) {
      if (j != newest_) sy(j)[newest_] = 0;
      sy_transposed(j)[newest_] = sy(newest_)[j];
      yy(j)[newest_] = yy(newest_)[j];
    }
    sg()[newest_] = own[3];
    yg()[newest_] = own[4];
  }

 public:
  using Base::resize, Base::clear;
  /// How many pairs there are.
  int count() const { return count_; }

  /// Remembers the pair from x, g to next_x, next_g if it is curved, sᵀy > c ‖s‖ ‖y‖, and forgets the oldest if there are too
  /// many; and multiplies all with next_g.
  bool add(const Real* x, const Real* g, const Real* next_x, const Real* next_g) {
    double own[5] = {};
    multiply_all<true>(x, g, next_x, next_g, own);
    constexpr double c = 64 * static_cast<double>(std::numeric_limits<Real>::epsilon());
    if (!(own[1] > c * std::sqrt(own[0]) * std::sqrt(own[2]))) return false;
    newest_ = spare();
    count_ = (std::min)(count_ + 1, slots_ - 1);
    if (is_small()) {
      if (count_ > 1) {
        with_older()[newest_] =
            dot<L>(pair(0, older(newest_)), pair(0, newest_) + block_, padded(size_));
      }
    } else {
      enter(own);
    }
    inverse()[newest_] = 1 / own[1];
    gamma_ = own[1] / own[2];
    return true;
  }
  /// Multiplies all pairs with g alone.
  void multiply(const Real* g) {
    if (is_small()) return;
    double none[5];
    multiply_all<false>(nullptr, nullptr, nullptr, g, none);
  }

  /// d = −H g, for the g of the last `add` or `multiply`; returns gᵀd.
  double direction(const Real* g, Real* d) {
    if (is_small()) return this->two_loops(g, d);
    const double gamma = count_ > 0 ? gamma_ : 1;
    double *left = s_part(), *alpha = y_part(), *delta = s_part();
    std::fill_n(alpha, stride_, 0.0);
    std::copy_n(sg(), stride_, left);
    for (int k = 0, i = newest_; k < count_; ++k, i = older(i)) {
      alpha[i] = left[i] * inverse()[i];
      add_column(left, -alpha[i], sy(i));
    }
    std::copy_n(yg(), stride_, left);
    for (int k = 0, i = newest_; k < count_; ++k, i = older(i)) add_column(left, -alpha[i], yy(i));
    for (Index i = 0; i < stride_; ++i) left[i] *= gamma;
    for (int k = 0, i = oldest(); k < count_; ++k, i = newer(i)) {
      const double beta = left[i] * inverse()[i];
      add_column(left, alpha[i] - beta, sy_transposed(i));
      delta[i] = beta - alpha[i];
    }
    for (Index i = 0; i < stride_; ++i) alpha[i] *= gamma;

    double slope = 0;
    alignas(64) Real tail[std::size_t(largest_block)];
    for_each_block([&](Index block, Index first, Index count) {
      const Index whole = padded(count);
      const L scale(-gamma);
      Real* out = whole == count ? d + first : tail;
      sweep<L>(
          count, [&](Index i, auto... part) __attribute__((always_inline)) {
            (scale * L::load(g + first + i, part...)).store(out + i);
          });
      in_groups([&](auto k, const int* slots)
                    __attribute__((always_inline)) { add<k()>(block, slots, out, whole); });
      L down(0);
      sweep<L>(
          count, [&](Index i, auto... part) __attribute__((always_inline)) {
            const L di = L::load(out + i);
            down = multiply_add(di, L::load(g + first + i, part...), down);
            if (out == tail) di.store(d + first + i, part...);
          });
      slope += sum(down);
    });
    return slope;
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_CURVATURE_PAIRS_HPP
