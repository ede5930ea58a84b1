// Passes over whole vectors that solvers are made of, on lanes. Sums are accumulated in double; their last bits depend on the
// width of the lanes.
#ifndef DESCENT_ENGINE_VECTORS_HPP
#define DESCENT_ENGINE_VECTORS_HPP

#include <Eigen/Core>
#include <array>
#include <type_traits>

#include "descent/engine/lane.hpp"
#include "descent/engine/sweep.hpp"

namespace descent::inline v0 {

template <class V>
using LaneOf = Lane<typename V::Scalar, lane_width<typename V::Scalar, V::SizeAtCompileTime>>;

/// pᵀq of `size` coefficients.
template <class L, class Real>
double dot(const Real* p, const Real* q, Eigen::Index size) {
  Sums<L, 1> sums;
  sums.sweep(
      size, [&](auto& into, Eigen::Index i, auto... count) __attribute__((always_inline)) {
        into[0] = multiply_add(L::load(p + i, count...), L::load(q + i, count...), into[0]);
      });
  return sums.totals()[0];
}
/// aᵀb, over the coefficients in memory order.
template <class V>
double dot(const V& a, const V& b) {
  return dot<LaneOf<V>>(a.data(), b.data(), a.size());
}

/// to = x + t d, rounded product by product.
template <class V>
void move_along(const V& x, double t, const V& d, V& to) {
  using L = LaneOf<V>;
  const auto *from = x.data(), *along = d.data();
  auto* out = to.data();
  const L step(t);
  sweep<L>(
      x.size(), [&](Eigen::Index i, auto... count) __attribute__((always_inline)) {
        (L::load(from + i, count...) + step * L::load(along + i, count...))
            .store(out + i, count...);
      });
}

/// ‖s‖², sᵀy and ‖y‖² of s = x₂ − x₁ and y = g₂ − g₁, in one pass.
template <class P>
std::array<double, 3> products_of_differences(const P& before, const P& after) {
  using L = LaneOf<std::remove_cvref_t<decltype(before.x)>>;
  const auto *x1 = before.x.data(), *x2 = after.x.data(), *g1 = before.g.data(),
             *g2 = after.g.data();
  Sums<L, 3> sums;
  sums.sweep(
      before.x.size(), [&](auto& into, Eigen::Index i, auto... count)
                           __attribute__((always_inline)) {
                             const L s = L::load(x2 + i, count...) - L::load(x1 + i, count...);
                             const L y = L::load(g2 + i, count...) - L::load(g1 + i, count...);
                             into[0] = multiply_add(s, s, into[0]);
                             into[1] = multiply_add(s, y, into[1]);
                             into[2] = multiply_add(y, y, into[2]);
                           });
  return sums.totals();
}

/// The largest |coefficient|; NaN if one is NaN.
template <class V>
double largest_of(const V& v) {
  return static_cast<double>(largest_absolute<V::SizeAtCompileTime>(v.data(), v.size()));
}

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_VECTORS_HPP
