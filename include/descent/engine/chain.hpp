// A chain of transforms at work: one step is the passes of its plan.
//
// A pass is one loop that loads update, parameter and slots of a lane once, runs every kernel of its segment on them and
// stores once. The last pass writes the parameters, others a scratch column. The tail of a vector is padded to a lane
// of its own and goes through the same loop.
#ifndef DESCENT_ENGINE_CHAIN_HPP
#define DESCENT_ENGINE_CHAIN_HPP

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>

#include "descent/core/schedule.hpp"
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
class Chain : public Statistics<Real, Size, Ts...> {
  using Base = Statistics<Real, Size, Ts...>;
  using Base::size_of;
  using Base::transforms_;
  using typename Base::AllSums;
  using typename Base::L;
  using typename Base::NoKernel;
  template <std::size_t I>
  using Traits = typename Base::template Traits<I>;
  template <std::size_t N>
  using Indices = std::make_index_sequence<N>;

 public:
  using typename Base::Index;
  using typename Base::Memory;
  using typename Base::P;
  using typename Base::States;

  explicit Chain(std::tuple<Ts...> transforms) : Base(std::move(transforms)) {
    std::size_t radix = 1;
    for_each([&](const auto& t) {
      using T = TraitsOf<decltype(t)>;
      form_ += radix * T::form(t);
      radix *= T::forms;
    });
  }

  /// Calls `f(transform)` for each, in the order of the chain.
  template <class F>
  void for_each(const F& f) const {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (f(std::get<I>(transforms_)), ...);
    }
    (Indices<P::count>{});
  }

  std::size_t slot_count() const { return P::offsets(form_)[P::count]; }
  std::size_t slot_offset(std::size_t transform) const { return P::offsets(form_)[transform]; }

  /// Throws where a transform does not fit parameters of that size.
  void check_size([[maybe_unused]] Index size) const {
    for_each([&](const auto& t) {
      if constexpr (requires { t.check_size(size); }) t.check_size(size);
    });
  }
  /// Writes the slots of the first `transforms` as they begin; `column(k)` is where slot k lies.
  template <class Column>
  void initialize(const Column& column, Index size, std::size_t transforms = P::count) const {
    std::size_t i = 0;
    for_each([&](const auto& t) {
      if (i == transforms) return;
      for (std::size_t k = slot_offset(i), slot = 0; k < slot_offset(i + 1); ++k, ++slot) {
        Real value(0);
        if constexpr (requires { t.initial(slot); }) value = static_cast<Real>(t.initial(slot));
        std::fill_n(column(k), size, value);
        if constexpr (requires { t.initialize(slot, column(k), size); }) {
          t.initialize(slot, column(k), size);
        }
      }
      ++i;
    });
  }
  /// Whether a transform wants those before it to begin afresh behind this step.
  bool restarts(const StepInfo& step) const {
    bool restarts = false;
    for_each([&](const auto& t) {
      if constexpr (TraitsOf<decltype(t)>::restarts) restarts |= t.restarts(step);
    });
    return restarts;
  }

  States initial_states([[maybe_unused]] Index rows, [[maybe_unused]] Index cols) const {
    if constexpr (P::has_whole) {
      return std::apply([&](const auto&... t) { return States(initial_state(t, rows, cols)...); },
                        transforms_);
    } else {
      return {};
    }
  }

  /// The learning rate of the update after `k` others; 0 where no transform has one.
  double rate(std::int64_t k) const {
    double rate = 0;
    for_each([&](const auto& t) {
      if constexpr (TraitsOf<decltype(t)>::has_rate) rate = t.rate(k);
    });
    return rate;
  }
  void set_rate(const Schedule& rate) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (set_rate_of(std::get<I>(transforms_), rate), ...);
    }
    (Indices<P::count>{});
  }

  /// One step. `Check` asks whether the new parameters are finite, in the pass that writes them.
  template <bool Check>
  StepOutcome run(const StepInfo& step, const Memory& memory) {
    StepOutcome outcome;
    run_forms<Check>(step, memory, outcome, Indices<P::all_forms>{});
    return outcome;
  }

  /// Writes the average of the parameters that a transform keeps, after `steps` steps.
  void average(std::int64_t steps, const Real* x, const Real* slots, Index stride, Index size,
               Real* out) const {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (average_of<I>(steps, x, slots + Index(slot_offset(I)) * stride, stride, size, out), ...);
    }
    (Indices<P::count>{});
  }

 private:
  std::size_t form_ = 0;

  template <class T>
  using TraitsOf = TransformTraits<std::remove_cvref_t<T>>;

  template <class T>
  static auto initial_state(const T& t, Index rows, Index cols) {
    if constexpr (TransformTraits<T>::whole)
      return t.init(rows, cols);
    else
      return NoState{};
  }
  template <class T>
  static void set_rate_of(T& t, const Schedule& rate) {
    if constexpr (TransformTraits<T>::has_rate) t.set_rate(rate);
  }

  template <bool Check, std::size_t... F>
  void run_forms(const StepInfo& step, const Memory& m, StepOutcome& outcome,
                 std::index_sequence<F...>) {
    (void)((form_ == F && (run_form<F, Check>(step, m, outcome, Indices<P::segments>{}), true)) ||
           ...);
  }

  template <std::size_t F, bool Check, std::size_t... S>
  void run_form(const StepInfo& step, const Memory& m, StepOutcome& outcome,
                std::index_sequence<S...>) {
    AllSums sums{};
    (void)(segment<F, Check, S>(step, m, sums, outcome) && ...);
  }

  template <std::size_t I>
  StepInfo info(const StepInfo& step, const Memory& m, const AllSums& sums) const {
    return Base::template info<I>(step, m, sums);
  }

  // One segment; false when a gate skips the step.
  template <std::size_t F, bool Check, std::size_t S>
  bool segment(const StepInfo& step, const Memory& m, AllSums& sums, StepOutcome& outcome) {
    constexpr std::size_t B = P::first(S), E = P::last(S);
    const Real* source = S == 0 ? m.gradient : m.scratch;
    if constexpr (P::measured_apart(S))
      this->template settle<F, S>(step, m, source, this->template measure<F, S>(step, m, source),
                                  sums);
    if constexpr (P::is_whole(S)) {
      if constexpr (S == 0) std::copy_n(m.gradient, m.rows * m.cols, m.scratch);
      std::get<B>(transforms_)
          .apply(WholeUpdate<Real>(m.scratch, m.rows, m.cols),
                 WholeParameter<Real>(m.x, m.rows, m.cols), std::get<B>(*m.states),
                 info<B>(step, m, sums));
      if constexpr (E == P::moves_at && E < P::count) {
        WholeUpdate<Real>(m.scratch, m.rows, m.cols) += WholeParameter<Real>(m.x, m.rows, m.cols);
      }
      if constexpr (E == P::count)
        pass<F, Check, S>(step, m, m.scratch, sums, outcome, Indices<0>{});
      return true;
    } else {
      outcome.taken = admitted<F, S>(step, m, source, sums, outcome, Indices<E - B>{});
      if (outcome.taken) pass<F, Check, S>(step, m, source, sums, outcome, Indices<E - B>{});
      return outcome.taken;
    }
  }

  template <std::size_t F, std::size_t S, std::size_t... I>
  bool admitted(const StepInfo& step, const Memory& m, const Real* source, const AllSums& sums,
                StepOutcome& outcome, std::index_sequence<I...>) {
    return (admitted_by<F, S, P::first(S) + I>(step, m, source, sums, outcome) && ...);
  }
  template <std::size_t F, std::size_t S, std::size_t I>
  bool admitted_by(const StepInfo& step, const Memory& m, [[maybe_unused]] const Real* source,
                   const AllSums& sums, [[maybe_unused]] StepOutcome& outcome) {
    if constexpr (P::gate[I]) {
      const auto& gate = std::get<I>(transforms_);
      if (gate.admits(info<I>(step, m, sums))) return true;
      if constexpr (requires { gate.slows_down(); }) outcome.rate_factor = gate.slows_down();
      if constexpr (P::detour[I]) {
        detour<F, S, I>(step, m, source, sums, Indices<I - P::first(S)>{});
      } else if (m.out != m.x) {
        std::copy_n(m.x, m.rows * m.cols, m.out);
      }
      return false;
    } else {
      return true;
    }
  }

  // What gate G does instead of the step, behind the kernels J in front of it, which keep no state.
  template <std::size_t F, std::size_t S, std::size_t G, std::size_t... J>
  [[gnu::noinline]] void detour(const StepInfo& step, const Memory& m, const Real* source,
                                const AllSums& sums, std::index_sequence<J...>) {
    constexpr auto offset = P::offsets(F);
    constexpr std::size_t columns = offset[G + 1] - offset[G];
    const auto instead = std::get<G>(transforms_).template otherwise<Real>(info<G>(step, m, sums));
    const auto run = [&](const auto&... kernels) {
      sweep<L>(
          size_of(step), [&](Index i, auto... count) __attribute__((always_inline)) {
            L update = L::load(source + i, count...), parameter = L::load(m.x + i, count...);
            L slot[columns == 0 ? 1 : columns];
            Real* const slots = m.slots + (columns > 0 ? Index(offset[G]) * m.stride + i : 0);
            load(slot, slots, m.stride, Indices<columns>{});
            (apply(kernels, update, parameter, slot, Indices<0>{}), ...);
            apply(instead, parameter, update, slot, Indices<columns>{});
            store(slot, slots, m.stride, Indices<columns>{});
            parameter.store(m.out + i, count...);
          });
    };
    run(kernel<F, P::first(S) + J>(step, m, sums)...);
  }
  template <std::size_t I>
  void average_of([[maybe_unused]] std::int64_t steps, [[maybe_unused]] const Real* x,
                  [[maybe_unused]] const Real* slots, [[maybe_unused]] Index stride,
                  [[maybe_unused]] Index size, [[maybe_unused]] Real* out) const {
    if constexpr (Traits<I>::averages) {
      const auto average = std::get<I>(transforms_).template average<Real>(steps);
      [&]<std::size_t... K>(std::index_sequence<K...>) {
        sweep<L>(size, [&](Index i, auto... count) {
          average(L::load(x + i, count...), L::load(slots + Index(K) * stride + i)...)
              .store(out + i, count...);
        });
      }
      (Indices<Traits<I>::slots>{});
    }
  }

  // ---- the fused loop --------------------------------------------------------------------------
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
  template <std::size_t... K>
  [[gnu::always_inline]] static void load([[maybe_unused]] L* slot,
                                          [[maybe_unused]] const Real* from,
                                          [[maybe_unused]] Index stride,
                                          std::index_sequence<K...>) {
    ((slot[K] = L::load(from + Index(K) * stride)), ...);
  }
  template <std::size_t... K>
  [[gnu::always_inline]] static void store([[maybe_unused]] const L* slot,
                                           [[maybe_unused]] Real* to, [[maybe_unused]] Index stride,
                                           std::index_sequence<K...>) {
    (slot[K].store(to + Index(K) * stride), ...);
  }

  template <class Kernel, std::size_t... K>
  [[gnu::always_inline]] static void apply(const Kernel& kernel, L& update, const L& parameter,
                                           [[maybe_unused]] L* slots, std::index_sequence<K...>) {
    kernel(update, parameter, slots[K]...);
  }
  // The same at its place in the chain: behind the last transform of the step, the update becomes the new parameter.
  template <std::size_t I, class Kernel, class Slots>
  [[gnu::always_inline]] static void apply_at(const Kernel& kernel, L& update, const L& parameter,
                                              L* slots, Slots indices) {
    apply(kernel, update, parameter, slots, indices);
    if constexpr (I + 1 == P::moves_at) update = parameter + update;
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_CHAIN_HPP
