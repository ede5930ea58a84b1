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
// 63, 1994. The pairs lie in blocks: a pass reads the memory from its beginning to its end. Where all pairs are in the
// nearest cache anyway, the two loops are run as they are, a sum of one step together with the product of the next.
#ifndef DESCENT_ENGINE_CURVATURE_PAIRS_HPP
#define DESCENT_ENGINE_CURVATURE_PAIRS_HPP

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <type_traits>

#include "descent/engine/lane.hpp"
#include "descent/engine/sweep.hpp"
#include "descent/engine/vectors.hpp"

namespace descent::inline v0 {

/// Room for `Most` pairs where the size is fixed, which is then inside the object; otherwise for as many as `resize` says.
template <class Real, int Size, int Most>
class CurvaturePairs {
  using Index = Eigen::Index;
  static constexpr bool dynamic = Size == Eigen::Dynamic;
  static constexpr Index width = lane_width<Real, Size>;
  using L = Lane<Real, int(width)>;

  static constexpr Index padded(Index size) { return (size + width - 1) / width * width; }
  // Coefficients of a block: two of them fit the first cache.
  static constexpr Index largest_block =
      dynamic ? Index(8192 / sizeof(Real)) : (std::min)(padded(Size), Index(8192 / sizeof(Real)));
  static constexpr Index blocks_of(Index size) {
    return (size + largest_block - 1) / largest_block;
  }
  static constexpr Index inline_slots = dynamic ? 1 : Most + 1;
  struct Numbers {
    using L = Lane<double, lane_width<double>>;
    static constexpr Index padded(Index size) {
      return (size + L::width - 1) / L::width * L::width;
    }
  };
  static constexpr Index columns(Index slots) { return 3 * slots + 5; }

  template <class T, std::size_t Count>
  using Array =
      std::conditional_t<dynamic, Eigen::Matrix<T, Eigen::Dynamic, 1>, std::array<T, Count>>;

  Array<Real, dynamic ? 1 : std::size_t(2 * blocks_of(Size) * largest_block * inline_slots)>
      data_{};
  // Columns of a number for each slot, so that recursions run on lanes: sᵢᵀyⱼ for all i, with 0 where pair j is older; its
  // transpose; yᵢᵀyⱼ; then sᵢᵀg, yᵢᵀg, the parts of sᵢ and yᵢ in the direction, and 1/sᵢᵀyᵢ.
  Array<double, std::size_t(columns(inline_slots) * Numbers::padded(inline_slots))> numbers_{};
  Index size_ = -1, block_ = 0;
  Index stride_ = 0;                        // of the columns of numbers
  int slots_ = 0, count_ = 0, newest_ = 0;  // one slot more than pairs
  double gamma_ = 1;

  Real* pair(Index block, int slot) { return data_.data() + (block * slots_ + slot) * 2 * block_; }
  double* column(int k) { return numbers_.data() + k * stride_; }
  double* sy(int j) { return column(j); }
  double* sy_transposed(int i) { return column(slots_ + i); }
  double* yy(int j) { return column(2 * slots_ + j); }
  double* sg() { return column(3 * slots_); }
  double* yg() { return column(3 * slots_ + 1); }
  double* s_part() { return column(3 * slots_ + 2); }
  double* y_part() { return column(3 * slots_ + 3); }
  double* inverse() { return column(3 * slots_ + 4); }

  // a += factor b, over the slots.
  [[gnu::always_inline]] void add_column(double* a, double factor, const double* b) const {
    using N = typename Numbers::L;
    const N f(factor);
    for (Index i = 0; i < stride_; i += N::width) {
      multiply_add(f, N::load(b + i), N::load(a + i)).store(a + i);
    }
  }

  // The slot behind the newest is spare, so one before the oldest.
  int older(int slot) const { return slot == 0 ? slots_ - 1 : slot - 1; }
  int newer(int slot) const { return slot + 1 == slots_ ? 0 : slot + 1; }
  int oldest() const {
    const int i = newest_ - count_ + 1;
    return i < 0 ? i + slots_ : i;
  }
  int spare() const { return newer(newest_); }

  // Up to where the two loops themselves are faster.
  static constexpr Index few = 256;
  bool is_small() const { return size_ <= few; }

  // withᵀq, and then q += factor along.
  [[gnu::always_inline]] static double multiply_and_add(Real* q, double factor, const Real* along,
                                                        const Real* with, Index count) {
    const L f(factor);
    L product(0), product2(0);
    const auto at = [&](Index i, L & into) __attribute__((always_inline)) {
      const L qi = L::load(q + i);
      into = multiply_add(qi, L::load(with + i), into);
      multiply_add(f, L::load(along + i), qi).store(q + i);
    };
    Index i = 0;
    for (; i + 2 * width <= count; i += 2 * width) {
      at(i, product);
      at(i + width, product2);
    }
    if (i < count) at(i, product);
    return sum(product + product2);
  }
  // sᵀy of a pair's y and the s of the one before.
  double* with_older() { return sg(); }

  // The two-loop recursion on q, which begins as g. What a step adds is added together with the product of the next, which
  // need not wait for it: it is put right by sᵢᵀyⱼ of the two. Returns −gᵀHg.
  double two_loops(const Real* g, Real* d) {
    constexpr Index most = (std::min)(few, largest_block);
    alignas(64) Real q[std::size_t(padded(most))], nothing[std::size_t(padded(most))];
    const Index whole = padded(size_);
    std::fill(std::copy_n(g, size_, q), q + whole, Real(0));
    std::fill_n(nothing, whole, Real(0));
    double* alpha = y_part();
    const Real* last = nothing;
    double factor = 0, cross = 0;
    for (int k = 0, i = newest_; k < count_; ++k, i = older(i)) {
      const Real *s = pair(0, i), *y = s + block_;
      alpha[i] = inverse()[i] * (multiply_and_add(q, factor, last, s, whole) + factor * cross);
      factor = -alpha[i];
      cross = with_older()[i];
      last = y;
    }
    const L f(factor), scale(count_ > 0 ? gamma_ : 1);
    for (Index i = 0; i < whole; i += width) {
      (scale * multiply_add(f, L::load(last + i), L::load(q + i))).store(q + i);
    }
    factor = 0;
    last = nothing;
    for (int k = 0, i = oldest(); k < count_; ++k, i = newer(i)) {
      const Real *s = pair(0, i), *y = s + block_;
      cross = k > 0 ? with_older()[i] : 0;
      const double beta =
          inverse()[i] * (multiply_and_add(q, factor, last, y, whole) + factor * cross);
      factor = alpha[i] - beta;
      last = s;
    }
    const L rest(-factor);
    L slope(0);
    sweep<L>(
        size_, [&](Index i, auto... part) __attribute__((always_inline)) {
          const L di = multiply_add(rest, L::load(last + i), -L::load(q + i));
          slope = multiply_add(di, L::load(g + i, part...), slope);
          di.store(d + i, part...);
        });
    return sum(slope);
  }

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
      left -= k();
    };
    while (left >= 4) group(std::integral_constant<int, 4>{});
    if (left >= 2) group(std::integral_constant<int, 2>{});
    if (left >= 1) group(std::integral_constant<int, 1>{});
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
        L ss(0), sy(0), yy(0), sg(0), yg(0);
        const auto at = [&](Index i, auto... part) __attribute__((always_inline)) {
          const Index k = first + i;
          const L gi = L::load(next_g + k, part...);
          const L si = L::load(next_x + k, part...) - L::load(x + k, part...),
                  yi = gi - L::load(g + k, part...);
          si.store(s + i);
          yi.store(y + i);
          ss = multiply_add(si, si, ss);
          sy = multiply_add(si, yi, sy);
          yy = multiply_add(yi, yi, yy);
          sg = multiply_add(si, gi, sg);
          yg = multiply_add(yi, gi, yg);
        };
        sweep<L>(count, at);
        own[0] += sum(ss);
        own[1] += sum(sy);
        own[2] += sum(yy);
        own[3] += sum(sg);
        own[4] += sum(yg);
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
  /// Makes room for `most` pairs of `size` coefficients; forgets those of another size.
  void resize(Index size, int most) {
    if (size == size_ && most + 1 == slots_) return;
    size_ = size;
    slots_ = most + 1;
    stride_ = Numbers::padded(slots_);
    block_ = (std::min)(padded(size), largest_block);
    if constexpr (dynamic) {
      data_.resize((size + block_ - 1) / (std::max)(block_, Index(1)) * block_ * 2 * slots_);
      numbers_.resize(columns(slots_) * stride_);
    }
    clear();
  }
  void clear() {
    count_ = 0;
    if (!is_small()) std::fill_n(numbers_.data(), columns(slots_) * stride_, 0.0);
  }
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
    if (is_small()) return two_loops(g, d);
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
