// A chain of transforms at work: one step is the passes of its plan.
//
// A pass is one loop that loads update, parameter and slots of a lane once, runs every kernel of its segment on them and
// stores once. The last pass writes the parameters, others a scratch column. The tail of a vector is padded to a lane
// of its own and goes through the same loop.
#ifndef DESCENT_ENGINE_CHAIN_HPP
#define DESCENT_ENGINE_CHAIN_HPP

#include <Eigen/Core>
#include <array>
#include <cmath>
#include <cstddef>
#include <tuple>
#include <utility>

#include "descent/core/schedule.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/plan.hpp"
#include "descent/engine/sweep.hpp"
#include "descent/engine/transform.hpp"

namespace descent::inline v0 {

/// The outcome of a step: whether it was taken (a gate may skip it), and whether the new parameters are finite.
struct StepOutcome {
  bool taken = true;
  bool finite = true;
};

template <class Real, int Size, class... Ts>
class Chain {
  using Index = Eigen::Index;
  using L = Lane<Real, lane_width<Real, Size>>;
  template <std::size_t I>
  using Traits = TransformTraits<std::tuple_element_t<I, std::tuple<Ts...>>>;
  template <std::size_t N>
  using Indices = std::make_index_sequence<N>;

 public:
  using P = Plan<Ts...>;
  using States = std::tuple<typename StateOf<Ts>::type...>;

  explicit Chain(std::tuple<Ts...> transforms) : transforms_(std::move(transforms)) {
    std::size_t radix = 1;
    for_each([&](const auto& t) {
      using T = TraitsOf<decltype(t)>;
      form_ += radix * T::form(t);
      radix *= T::forms;
    });
  }

  const std::tuple<Ts...>& transforms() const { return transforms_; }

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

  /// Calls `f(column, value)` for each slot that does not start with zeros.
  template <class F>
  void each_initial(const F& f) const {
    std::size_t i = 0;
    for_each([&](const auto& t) {
      if constexpr (requires { t.initial(i); }) {
        for (std::size_t k = slot_offset(i); k < slot_offset(i + 1); ++k) {
          f(k, t.initial(k - slot_offset(i)));
        }
      }
      ++i;
    });
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

  /// Everything that one step works on.
  struct Memory {
    const Real* gradient;
    const Real* x;
    Real* out;  // may be x
    Real* slots;
    Index stride;
    Real* scratch;
    Index rows, cols;
    double* numbers;
    States* states;
  };

  /// One step. `Check` asks whether the new parameters are finite, in the pass that writes them.
  template <bool Check>
  StepOutcome run(const StepInfo& step, const Memory& memory) {
    StepOutcome outcome;
    run_forms<Check>(step, memory, outcome, Indices<P::all_forms>{});
    return outcome;
  }

 private:
  std::tuple<Ts...> transforms_;
  std::size_t form_ = 0;

  template <class T>
  using TraitsOf = TransformTraits<std::remove_cvref_t<T>>;
  using AllSums = std::array<double, P::all_terms == 0 ? 1 : P::all_terms>;

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

  static Index size_of(const StepInfo& step) {
    return Size == Eigen::Dynamic ? Index(step.size) : Index(Size);
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

  // What transform I is told: the step, its sums, its numbers.
  template <std::size_t I>
  StepInfo info(const StepInfo& step, const Memory& m, const AllSums& sums) const {
    StepInfo own = step;
    if constexpr (P::terms[I] > 0) own.sums = sums.data() + P::term_begin(I);
    if constexpr (Traits<I>::numbers > 0) {
      own.numbers = m.numbers + P::number_offsets[I];
    }
    return own;
  }

  // One segment; false when a gate skips the step.
  template <std::size_t F, bool Check, std::size_t S>
  bool segment(const StepInfo& step, const Memory& m, AllSums& sums, StepOutcome& outcome) {
    constexpr std::size_t B = P::first(S), E = P::last(S);
    const Real* source = S == 0 ? m.gradient : m.scratch;
    if constexpr (P::measured_apart(S))
      settle<F, S>(step, m, source, measure<F, S>(step, m, source), sums);
    if constexpr (P::is_whole(S)) {
      if constexpr (S == 0) std::copy_n(m.gradient, m.rows * m.cols, m.scratch);
      std::get<B>(transforms_)
          .apply(WholeUpdate<Real>(m.scratch, m.rows, m.cols),
                 WholeParameter<Real>(m.x, m.rows, m.cols), std::get<B>(*m.states),
                 info<B>(step, m, sums));
      if constexpr (E == P::count)
        pass<F, Check, S>(step, m, m.scratch, sums, outcome, Indices<0>{});
      return true;
    } else {
      outcome.taken = admitted<B>(step, m, sums, Indices<E - B>{});
      if (outcome.taken) {
        pass<F, Check, S>(step, m, source, sums, outcome, Indices<E - B>{});
      } else if (m.out != m.x) {
        std::copy_n(m.x, m.rows * m.cols, m.out);
      }
      return outcome.taken;
    }
  }

  template <std::size_t B, std::size_t... I>
  bool admitted(const StepInfo& step, const Memory& m, const AllSums& sums,
                std::index_sequence<I...>) const {
    return (admitted_by<B + I>(step, m, sums) && ...);
  }
  template <std::size_t I>
  bool admitted_by(const StepInfo& step, const Memory& m, const AllSums& sums) const {
    if constexpr (P::gate[I]) return std::get<I>(transforms_).admits(info<I>(step, m, sums));
    return true;
  }

  // ---- the fused loop --------------------------------------------------------------------------
  struct NoKernel {
    [[gnu::always_inline]] void operator()(auto&&...) const {}
  };

  template <std::size_t F, std::size_t I>
  auto kernel(const StepInfo& step, const Memory& m, const AllSums& sums) {
    if constexpr (P::gate[I]) {
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
    const auto statistics = statistics_of<F, next>(step, m);
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
          add<F, next>(statistics, some, L::load(padded.out), L::load(padded.x), m.slots + whole,
                       m.stride, Unscaled{});
          for (std::size_t k = 0; k < totals.size(); ++k) totals[k] += sum(some[k]);
        }
      }
      if constexpr (Check && makes_step) outcome.finite = poison == 0;
      if constexpr (next > 0) settle<F, next>(step, m, m.scratch, totals, sums);
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
      (apply(kernels, update, parameter, slot + (offset[B + I] - offset[B]),
             Indices<offset[B + I + 1] - offset[B + I]>{}),
       ...);
      store(slot, slots + i, stride, Indices<columns>{});
      if constexpr (E == P::count) update = parameter + update;
      update.store(out + i);
      if constexpr (E == P::count && Check) part.poison += update - update;
      if constexpr (next > 0) {
        add<F, next>(statistics, part.sums, update, parameter, all_slots + i, stride, Unscaled{});
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

  // ---- sums ------------------------------------------------------------------------------------
  template <std::size_t I>
  auto statistic_of(const StepInfo& step, const Memory& m) const {
    if constexpr (P::reducing[I]) {
      return std::get<I>(transforms_).template statistic<Real>(info<I>(step, m, {}));
    } else {
      return NoKernel{};
    }
  }
  template <std::size_t F, std::size_t S>
  auto statistics_of(const StepInfo& step, const Memory& m) const {
    if constexpr (P::terms_in(S) == 0) {
      return NoKernel{};
    } else {
      return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return std::tuple(statistic_of<P::first(S) + I>(step, m)...);
      }
      (Indices<P::last(S) - P::first(S)>{});
    }
  }

  // A factor of 1 that costs no product.
  struct Unscaled {
    [[gnu::always_inline]] friend L operator*(Unscaled, L a) { return a; }
  };

  // Adds what the reducing transforms of segment S take from one lane: coefficients, or their squares for a norm.
  template <std::size_t F, std::size_t S, class Statistics, std::size_t Terms, class Scale>
  [[gnu::always_inline]] static void add(const Statistics& statistics, std::array<L, Terms>& sums,
                                         const L& update, const L& parameter, const Real* all_slots,
                                         Index stride, Scale scale) {
    add_all<F, S>(statistics, sums, update, parameter, all_slots, stride, scale,
                  Indices<P::last(S) - P::first(S)>{});
  }
  template <std::size_t F, std::size_t S, class Statistics, std::size_t Terms, class Scale,
            std::size_t... I>
  [[gnu::always_inline]] static void add_all(const Statistics& statistics,
                                             std::array<L, Terms>& sums, const L& update,
                                             const L& parameter, const Real* all_slots,
                                             Index stride, Scale scale, std::index_sequence<I...>) {
    (add_one<F, S, P::first(S) + I>(std::get<I>(statistics), sums, update, parameter, all_slots,
                                    stride, scale),
     ...);
  }
  template <std::size_t F, std::size_t S, std::size_t T, class Statistic, std::size_t Terms,
            class Scale>
  [[gnu::always_inline]] static void add_one(const Statistic& statistic, std::array<L, Terms>& sums,
                                             const L& update, const L& parameter,
                                             const Real* all_slots, Index stride, Scale scale) {
    if constexpr (P::reducing[T]) {
      constexpr auto offset = P::offsets(F);
      constexpr std::size_t k0 = P::term_begin(T) - P::term_begin(P::first(S));
      const auto values =
          with_slots(statistic, update, parameter, all_slots + Index(offset[T]) * stride, stride,
                     Indices<offset[T + 1] - offset[T]>{});
      for (std::size_t k = 0; k < P::terms[T]; ++k) {
        if (Traits<T>::reduces[k] == Reduce::norm) {
          const L scaled = scale * values[k];
          sums[k0 + k] = multiply_add(scaled, scaled, sums[k0 + k]);
        } else {
          sums[k0 + k] += values[k];
        }
      }
    }
  }
  template <class Statistic, std::size_t... K>
  [[gnu::always_inline]] static auto with_slots(const Statistic& statistic, const L& update,
                                                const L& parameter,
                                                [[maybe_unused]] const Real* slots,
                                                [[maybe_unused]] Index stride,
                                                std::index_sequence<K...>) {
    return statistic(update, parameter, L::load(slots + Index(K) * stride)...);
  }

  // A pass that only reads, for sums that no other pass could collect.
  template <std::size_t F, std::size_t S, class Scale = Unscaled>
  std::array<double, P::terms_in(S)> measure(const StepInfo& step, const Memory& m,
                                             const Real* source, Scale scale = {}) const {
    const auto statistics = statistics_of<F, S>(step, m);
    Sums<L, P::terms_in(S)> collected;
    collected.sweep(
        size_of(step), [&](auto& sums, Index i, auto... count) __attribute__((always_inline)) {
          add<F, S>(statistics, sums, L::load(source + i, count...), L::load(m.x + i, count...),
                    m.slots + i, m.stride, scale);
        });
    return collected.totals();
  }

  // From sums of squares to norms. Squares that overflowed or vanished are summed again with the coefficients scaled by
  // a power of two: rare, so the common case pays a comparison.
  template <std::size_t F, std::size_t S>
  void settle(const StepInfo& step, const Memory& m, const Real* source,
              const std::array<double, P::terms_in(S)>& raw, AllSums& sums) const {
    constexpr bool is_float = sizeof(Real) == 4;
    constexpr double big = is_float ? 1e37 : 1e300, small = is_float ? 1e-24 : 1e-280;
    constexpr int shift = is_float ? 80 : 600;
    constexpr auto kinds = kinds_in<S>(Indices<P::last(S) - P::first(S)>{});
    for (std::size_t k = 0; k < raw.size(); ++k) {
      double value = raw[k];
      if (kinds[k] == Reduce::norm) {
        if (value <= big && value >= small) {
          value = std::sqrt(value);
        } else {
          const int exponent = value < small ? shift : -shift;
          value = measure<F, S>(step, m, source, L(std::ldexp(1.0, exponent)))[k];
          value = std::ldexp(std::sqrt(value), -exponent);
        }
      }
      sums[P::term_begin(P::first(S)) + k] = value;
    }
  }
  template <std::size_t S, std::size_t... I>
  static constexpr auto kinds_in(std::index_sequence<I...>) {
    std::array<Reduce, P::terms_in(S)> kinds{};
    std::size_t k = 0;
    const auto append = [&](const auto& reduces) {
      for (const Reduce kind : reduces) kinds[k++] = kind;
    };
    (append(Traits<P::first(S) + I>::reduces), ...);
    return kinds;
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_CHAIN_HPP
