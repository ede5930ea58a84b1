// The passes of a chain: one loop loads update, parameter and slots of a lane once, runs every kernel of its segment on them
// and stores once. The last pass writes the parameters, others a scratch column. The tail of a vector is padded to a lane of
// its own and goes through the same loop.
#ifndef DESCENT_ENGINE_PASSES_HPP
#define DESCENT_ENGINE_PASSES_HPP

#include <Eigen/Core>
#include <array>
#include <cstddef>
#include <tuple>
#include <utility>

#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/plan.hpp"
#include "descent/engine/statistics.hpp"
#include "descent/engine/sweep.hpp"
#include "descent/engine/transform.hpp"

namespace descent::inline v0 {

/// The outcome of a step: whether it was taken (a gate may skip it), and whether the new parameters are finite.
struct StepOutcome {
  bool taken = true;
  bool finite = true;
  double rate_factor = 1;  // of all later rates
};

template <class Real, int Size, class... Ts>
class Passes : public Statistics<Real, Size, Ts...> {
  using Base = Statistics<Real, Size, Ts...>;

 public:
  using typename Base::Index;
  using typename Base::Memory;
  using typename Base::P;

  using Base::Base;

 protected:
  using Base::size_of;
  using Base::transforms_;
  using typename Base::AllSums;
  using typename Base::L;
  using typename Base::NoKernel;
  template <std::size_t I>
  using Traits = typename Base::template Traits<I>;
  template <std::size_t N>
  using Indices = std::make_index_sequence<N>;

  template <std::size_t I>
  StepInfo info(const StepInfo& step, const Memory& m, const AllSums& sums) const {
    return Base::template info<I>(step, m, sums);
  }

  template <std::size_t F, std::size_t I>
  auto kernel(const StepInfo& step, const Memory& m, const AllSums& sums) {
    if constexpr (P::gate[I] && !P::detour[I]) {
      return NoKernel{};
    } else {
      return Traits<I>::template kernel<Real, P::form_of(F, I)>(std::get<I>(transforms_),
                                                                info<I>(step, m, sums));
    }
  }

  // The segment after S, if the pass of S collects its sums.
  static constexpr std::size_t collects(std::size_t S) {
    return S + 1 < P::segments && P::terms_in(S + 1) > 0 && !P::measured_apart(S + 1) ? S + 1 : 0;
  }

  // What a run of whole lanes leaves behind.
  template <std::size_t Terms>
  struct Partial {
    L poison = L(0);  // x − x summed: 0 if all new parameters are finite, else NaN
    std::array<L, Terms> sums{};
  };

  template <std::size_t F, bool Check, std::size_t S, std::size_t... I>
  void pass(const StepInfo& step, const Memory& m, const Real* source, AllSums& sums,
            StepOutcome& outcome, std::index_sequence<I...>) {
    constexpr std::size_t B = P::first(S), next = collects(S);
    constexpr auto offset = P::offsets(F);
    constexpr bool makes_step = P::last(S) == P::count;
    constexpr Index width = L::width;
    const Index size = size_of(step), whole = size / width * width;
    const int tail = static_cast<int>(size - whole);
    Real* const slots = m.slots + Index(offset[B]) * m.stride;
    Real* const out = makes_step ? m.out : m.scratch;
    const auto statistics = this->template statistics_of<F, next>(step, m);
    const auto lanes = [&](const Real* update, const Real* x, Real* to, Index at, Index n,
                           const auto&... kernels) {
      const Index there =
          offset[P::count] > 0 ? at : 0;  // without slots there is no memory to point into
      if constexpr (Size == Eigen::Dynamic) {
        return fused_apart<F, Check, S, I...>(update, x, to, slots + there, m.slots + there,
                                              m.stride, n, statistics, kernels...);
      } else {
        return fused<F, Check, S, I...>(update, x, to, slots + there, m.slots + there, m.stride, n,
                                        statistics, kernels...);
      }
    };
    const auto run = [&](const auto&... kernels) {
      [[maybe_unused]] std::array<double, P::terms_in(next)> totals{};
      double poison = 0;
      if constexpr (next > 0) {
        constexpr Index block = 64 * width;  // as many lanes are summed in Real, blocks in double
        for (Index i = 0; i < whole; i += block) {
          const auto part = lanes(source + i, m.x + i, out + i, i,
                                  whole - i < block ? whole - i : block, kernels...);
          for (std::size_t k = 0; k < totals.size(); ++k) totals[k] += sum(part.sums[k]);
          if constexpr (Check && makes_step) poison += sum(part.poison);
        }
      } else if (Size == Eigen::Dynamic ? whole > 0 : Size >= width) {
        const auto part = lanes(source, m.x, out, 0, whole, kernels...);
        if constexpr (Check && makes_step) poison = sum(part.poison);
      }
      if (Size == Eigen::Dynamic ? tail > 0 : Size % width != 0) {
        // The padding may hold anything after the kernels: it is neither stored nor counted.
        PaddedTail<L> padded(source + whole, m.x + whole, tail);
        (void)lanes(padded.update, padded.x, padded.out, whole, width, kernels...);
        padded.store(out + whole, tail);
        if constexpr ((Check && makes_step) || next > 0) poison += padded.check(tail);
        if constexpr (next > 0) {
          std::array<L, P::terms_in(next)> some{};
          Base::template add<F, next>(statistics, some, L::load(padded.out), L::load(padded.x),
                                      m.slots + whole, m.stride, typename Base::Unscaled{});
          for (std::size_t k = 0; k < totals.size(); ++k) totals[k] += sum(some[k]);
        }
      }
      if constexpr (Check && makes_step) outcome.finite = poison == 0;
      if constexpr (next > 0) this->template settle<F, next>(step, m, m.scratch, totals, sums);
    };
    run(kernel<F, B + I>(step, m, sums)...);
  }

  // Whole lanes. No store of the loop changes a kernel: __restrict says so, and its scalars stay in registers.
  template <std::size_t F, bool Check, std::size_t S, std::size_t... I, class Statistics,
            class... Kernels>
  static auto fused(const Real* source, const Real* x, Real* out, Real* slots,
                    [[maybe_unused]] const Real* all_slots, Index stride, Index size,
                    [[maybe_unused]] const Statistics& statistics,
                    const Kernels& __restrict... kernels) {
    constexpr std::size_t B = P::first(S), E = P::last(S), next = collects(S);
    constexpr auto offset = P::offsets(F);
    constexpr std::size_t columns = offset[E] - offset[B];
    Partial<P::terms_in(next)> part;
    for (Index i = 0; i < size; i += L::width) {
      L update = L::load(source + i);
      const L parameter = L::load(x + i);
      L slot[columns == 0 ? 1 : columns];
      load(slot, slots + i, stride, Indices<columns>{});
      (apply_at<B + I>(kernels, update, parameter, slot + (offset[B + I] - offset[B]),
                       Indices<offset[B + I + 1] - offset[B + I]>{}),
       ...);
      store(slot, slots + i, stride, Indices<columns>{});
      // What only copies (behind a whole transform) has not moved yet.
      if constexpr (sizeof...(I) == 0 && E == P::moves_at) update = parameter + update;
      update.store(out + i);
      if constexpr (E == P::count && Check) part.poison += update - update;
      if constexpr (next > 0) {
        Base::template add<F, next>(statistics, part.sums, update, parameter, all_slots + i, stride,
                                    typename Base::Unscaled{});
      }
    }
    return part;
  }

  // The same out of line: whole lanes and tail share one copy of it.
  template <std::size_t F, bool Check, std::size_t S, std::size_t... I, class Statistics,
            class... Kernels>
  [[gnu::noinline]] static auto fused_apart(const Real* source, const Real* x, Real* out,
                                            Real* slots, const Real* all_slots, Index stride,
                                            Index size, const Statistics& statistics,
                                            const Kernels& __restrict... kernels) {
    return fused<F, Check, S, I...>(source, x, out, slots, all_slots, stride, size, statistics,
                                    kernels...);
  }

  // Unrolled: g++ -O2 would keep the slots in memory for the sake of a loop.
  template <class Lane, std::size_t... K>
  [[gnu::always_inline]] static void load([[maybe_unused]] Lane* slot,
                                          [[maybe_unused]] const Real* from,
                                          [[maybe_unused]] Index stride,
                                          std::index_sequence<K...>) {
    ((slot[K] = Lane::load(from + Index(K) * stride)), ...);
  }
  template <class Lane, std::size_t... K>
  [[gnu::always_inline]] static void store([[maybe_unused]] const Lane* slot,
                                           [[maybe_unused]] Real* to, [[maybe_unused]] Index stride,
                                           std::index_sequence<K...>) {
    (slot[K].store(to + Index(K) * stride), ...);
  }

  template <class Kernel, class Lane, std::size_t... K>
  [[gnu::always_inline]] static void apply(const Kernel& kernel, Lane& update,
                                           const Lane& parameter, [[maybe_unused]] Lane* slots,
                                           std::index_sequence<K...>) {
    kernel(update, parameter, slots[K]...);
  }
  // The same at its place in the chain: behind the last transform of the step, the update becomes the new parameter.
  template <std::size_t I, class Kernel, class Lane, class Slots>
  [[gnu::always_inline]] static void apply_at(const Kernel& kernel, Lane& update,
                                              const Lane& parameter, Lane* slots, Slots indices) {
    apply(kernel, update, parameter, slots, indices);
    if constexpr (I + 1 == P::moves_at) update = parameter + update;
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_PASSES_HPP
