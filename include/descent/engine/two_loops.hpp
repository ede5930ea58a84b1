// −H g by the two loops themselves, for pairs that are all in the nearest cache.
//
//     q = g;      newest to oldest:  αᵢ = ρᵢ sᵢᵀq,  q ← q − αᵢ yᵢ
//     q ← γ q;    oldest to newest:  βᵢ = ρᵢ yᵢᵀq,  q ← q + (αᵢ − βᵢ) sᵢ
//
// with ρᵢ = 1/sᵢᵀyᵢ: J. Nocedal, Math. Comp. 35, 1980. What a step adds to q is added together with the product of the next
// step, which need not wait for it: it is put right by sᵢᵀyⱼ of the two.
#ifndef DESCENT_ENGINE_TWO_LOOPS_HPP
#define DESCENT_ENGINE_TWO_LOOPS_HPP

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>

#include "descent/engine/lane.hpp"
#include "descent/engine/pair_memory.hpp"
#include "descent/engine/sweep.hpp"

namespace descent::inline v0 {

/// The memory with the two loops, which need of the products 1/sᵢᵀyᵢ and, of neighbors, sᵢᵀyⱼ.
template <class Real, int Size, int Most>
class TwoLoops : public PairMemory<Real, Size, Most> {
  using Base = PairMemory<Real, Size, Most>;

 protected:
  using Base::few, Base::largest_block, Base::padded, Base::width;
  using Base::inverse, Base::newer, Base::older, Base::oldest, Base::pair, Base::with_older,
      Base::y_part;
  using Base::size_, Base::block_, Base::count_, Base::newest_, Base::gamma_;
  using typename Base::Index, typename Base::L;

  /// d = −H g; returns gᵀd.
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

 private:
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
};

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_TWO_LOOPS_HPP
