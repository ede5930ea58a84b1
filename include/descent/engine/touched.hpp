// The step of a sparse gradient: the kernels of the chain, a coefficient at a time, at the coordinates that it names.
//
// The others are not touched, neither x nor their state: a moment does not decay while its coefficient is not seen, and
// bias is corrected by the number of the step, not of the visits. That is PyTorch's SparseAdam. What would move or change
// coefficients without a gradient (weight decay, averages) would differ from the dense step, and is refused.
#ifndef DESCENT_ENGINE_TOUCHED_HPP
#define DESCENT_ENGINE_TOUCHED_HPP

#include <Eigen/Core>
#include <cstddef>
#include <utility>

#include "descent/core/sparse_gradient.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/passes.hpp"

namespace descent::inline v0 {

template <class Real, int Size, class... Ts>
class Touched : public Passes<Real, Size, Ts...> {
  using Base = Passes<Real, Size, Ts...>;

 public:
  using typename Base::Index;
  using typename Base::Memory;
  using typename Base::P;

  /// Whether every transform is elementwise and looks at no other coefficient or step.
  static constexpr bool touchable =
      P::passes == 1 && !P::needs_scratch &&
      !((TransformTraits<Ts>::whole || TransformTraits<Ts>::reducing || TransformTraits<Ts>::gate ||
         TransformTraits<Ts>::restarts || TransformTraits<Ts>::averages) ||
        ...);

  using Base::Base;

 protected:
  template <std::size_t F, class I>
  void touch(const StepInfo& step, const Memory& m, SparseGradient<Real, I> gradient) {
    static_assert(touchable);
    [&]<std::size_t... T>(std::index_sequence<T...>) {
      touch_at<F, T...>(gradient, m, this->template kernel<F, T>(step, m, {})...);
    }
    (std::make_index_sequence<P::count>{});
  }

 private:
  using One = Lane<Real, 1>;

  // __restrict as in `fused`.
  template <std::size_t F, std::size_t... T, class I, class... Kernels>
  [[gnu::noinline]] static void touch_at(SparseGradient<Real, I> gradient, const Memory& m,
                                         const Kernels& __restrict... kernels) {
    constexpr auto offset = P::offsets(F);
    constexpr std::size_t columns = offset[P::count];
    constexpr std::make_index_sequence<columns> all;
    for (std::size_t k = 0; k < gradient.indices.size(); ++k) {
      const auto i = static_cast<Index>(gradient.indices[k]);
      One update = gradient.values[k];
      const One parameter = m.x[i];
      One slot[columns == 0 ? 1 : columns];
      Base::load(slot, columns == 0 ? m.slots : m.slots + i, m.stride, all);
      (Base::template apply_at<T>(kernels, update, parameter, slot + offset[T],
                                  std::make_index_sequence<offset[T + 1] - offset[T]>{}),
       ...);
      Base::store(slot, columns == 0 ? m.slots : m.slots + i, m.stride, all);
      update.store(m.out + i);
    }
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_TOUCHED_HPP
