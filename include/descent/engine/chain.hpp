// A chain of transforms and its plan: as few passes over memory as the mathematics needs, settled at compile time.
//
// Neighboring elementwise transforms run in one loop that loads gradient, parameter and slots once and stores once. A
// pass begins at each reducing transform (it needs a sum over the whole update first) and around each whole one. The
// pass before a reducing transform collects its sums on the way; at the head of the chain an extra pass over the
// gradient does. Between two passes the update waits in one scratch column.
#ifndef DESCENT_ENGINE_CHAIN_HPP
#define DESCENT_ENGINE_CHAIN_HPP

#include <Eigen/Core>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

#include "descent/core/schedule.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/columns.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/sweep.hpp"
#include "descent/engine/transform.hpp"

namespace descent::inline v0 {

/// The matrices of a whole transform; nothing for others.
struct NoState {
  friend bool operator==(const NoState&, const NoState&) = default;
};
template <class T>
struct StateOf {
  using type = NoState;
};
template <class T>
requires TransformTraits<T>::whole struct StateOf<T> {
  using type = typename T::State;
};

/// The outcome of a step: whether it was taken (a gate may skip it) and whether the new parameters are finite.
struct StepOutcome {
  bool taken = true;
  bool finite = true;
};

template <class Real, int Size, class... Ts>
class Chain {
  static constexpr std::size_t N = sizeof...(Ts);
  template <std::size_t I>
  using Transform = std::tuple_element_t<I, std::tuple<Ts...>>;
  template <std::size_t I>
  using Traits = TransformTraits<Transform<I>>;
  using L = Lane<Real, lane_width<Real, Size>>;
  using Index = Eigen::Index;

  // ---- the stage check -------------------------------------------------------------------------------------------
  enum class Flaw { none, no_rate, two_rates, after_rate, needs_gradient, needs_step };
  static constexpr Flaw flaw = [] {
    constexpr std::array<Stage, N> accepts{TransformTraits<Ts>::accepts...},
        yields{TransformTraits<Ts>::yields...};
    Stage stage = Stage::gradient;
    for (std::size_t i = 0; i < N; ++i) {
      if (!overlap(accepts[i], stage)) {
        if (stage == Stage::step)
          return yields[i] == Stage::step ? Flaw::two_rates : Flaw::after_rate;
        return overlap(accepts[i], Stage::step) &&
                       !overlap(accepts[i], Stage::gradient | Stage::direction)
                   ? Flaw::needs_step
                   : Flaw::needs_gradient;
      }
      if (yields[i] != Stage::unchanged) stage = yields[i];
    }
    return stage == Stage::step ? Flaw::none : Flaw::no_rate;
  }();
  static_assert(flaw != Flaw::no_rate,
                "descent::chain: no learning rate: end the chain with scale_by_learning_rate(...), "
                "or with a rule that "
                "has a rate of its own");
  static_assert(flaw != Flaw::two_rates,
                "descent::chain: two learning rates: exactly one transform makes the step, so "
                "remove one of them");
  static_assert(flaw != Flaw::after_rate,
                "descent::chain: a transform of gradients or directions (clipping, momentum, "
                "scale_by_*, weight decay) "
                "stands after the learning rate: move it before scale_by_learning_rate(...)");
  static_assert(flaw != Flaw::needs_gradient,
                "descent::chain: a transform that takes the gradient (clipping, for one) stands "
                "after one that made a "
                "direction of it (momentum, scale_by_*): move it to the head of the chain");
  static_assert(flaw != Flaw::needs_step,
                "descent::chain: averaging, projections and proximal steps take the finished step: "
                "move them behind "
                "scale_by_learning_rate(...)");

  // ---- the plan --------------------------------------------------------------------------------------------------
  static constexpr std::array<bool, N> whole{TransformTraits<Ts>::whole...};
  static constexpr std::array<bool, N> reducing{TransformTraits<Ts>::reducing...};
  static constexpr std::array<bool, N> gate{TransformTraits<Ts>::gate...};
  static constexpr std::array<std::size_t, N> terms{TransformTraits<Ts>::reduces.size()...};

  struct Plan {
    std::array<std::size_t, N + 1> begin{};
    std::size_t segments = 1;
  };
  static constexpr Plan plan = [] {
    Plan p;
    bool fresh =
        true;  // nothing but gates since the segment began: the sums can still share its pass
    for (std::size_t i = 0; i < N; ++i) {
      if (i > 0 && (whole[i] || whole[i - 1] || (reducing[i] && !fresh))) {
        p.begin[p.segments++] = i;
        fresh = true;
      }
      fresh = fresh && gate[i];
    }
    p.begin[p.segments] = N;
    return p;
  }();
  static_assert(
      [] {
        bool stateful = false;
        for (std::size_t i = 0; i < N; ++i) {
          if (gate[i] && stateful) return false;
          stateful = stateful || !(gate[i] || reducing[i]) ||
                     std::array{TransformTraits<Ts>::slots...}[i] > 0;
        }
        return true;
      }(),
      "descent::chain: skip_if_not_finite() must come before the transforms that keep state: a "
      "skipped step changes "
      "nothing. Move it to the head of the chain");

  static constexpr std::size_t first(std::size_t segment) { return plan.begin[segment]; }
  static constexpr std::size_t last(std::size_t segment) { return plan.begin[segment + 1]; }
  static constexpr std::size_t term_begin(std::size_t i) {
    std::size_t k = 0;
    for (std::size_t j = 0; j < i; ++j) k += terms[j];
    return k;
  }
  static constexpr std::size_t all_terms = term_begin(N);
  static constexpr std::size_t terms_in(std::size_t segment) {
    return segment < plan.segments ? term_begin(last(segment)) - term_begin(first(segment)) : 0;
  }

  // ---- forms and slots -------------------------------------------------------------------------------------------
  static constexpr std::array<std::size_t, N> form_counts{TransformTraits<Ts>::forms...};
  static constexpr std::size_t all_forms = (std::size_t(1) * ... * TransformTraits<Ts>::forms);
  static constexpr std::size_t form_of(std::size_t form, std::size_t i) {
    for (std::size_t j = 0; j < i; ++j) form /= form_counts[j];
    return form % form_counts[i];
  }
  // offsets[i] is the column of transform i's first slot; offsets[N] the number of columns.
  static constexpr std::array<std::size_t, N + 1> offsets(std::size_t form) {
    std::array<std::size_t, N + 1> o{};
    std::size_t i = 0;
    ((o[i + 1] = o[i] + TransformTraits<Ts>::slots_in(form_of(form, i)), ++i), ...);
    return o;
  }
  static constexpr std::array<std::size_t, N + 1> number_offsets = [] {
    std::array<std::size_t, N + 1> o{};
    std::size_t i = 0;
    ((o[i + 1] = o[i] + TransformTraits<Ts>::numbers, ++i), ...);
    return o;
  }();

 public:
  static constexpr std::size_t most_slots = (std::size_t(0) + ... + TransformTraits<Ts>::slots);
  static constexpr std::size_t number_count = number_offsets[N];
  static constexpr bool needs_scratch = plan.segments > 1 || whole[0];
  static constexpr bool has_whole = (TransformTraits<Ts>::whole || ...);
  /// Passes over the update: one per run of fused transforms and per whole transform, one more where a reducing
  /// transform stands at the head or after a whole one.
  static constexpr std::size_t passes = [] {
    std::size_t n = plan.segments;
    for (std::size_t s = 0; s < plan.segments; ++s)
      n += terms_in(s) > 0 && (s == 0 || whole[first(s) - 1]);
    return n;
  }();

  using States = std::tuple<typename StateOf<Ts>::type...>;

  explicit constexpr Chain(std::tuple<Ts...> transforms) : transforms_(std::move(transforms)) {
    std::size_t radix = 1;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      ((form_ += radix * Traits<I>::form(std::get<I>(transforms_)), radix *= form_counts[I]), ...);
    }
    (std::make_index_sequence<N>{});
  }

  const std::tuple<Ts...>& transforms() const { return transforms_; }

  std::size_t slot_count() const { return offsets(form_)[N]; }
  std::size_t slot_offset(std::size_t transform) const { return offsets(form_)[transform]; }
  std::size_t slot_count(std::size_t transform) const {
    return offsets(form_)[transform + 1] - slot_offset(transform);
  }

  /// The value that a slot starts with.
  double initial(std::size_t slot) const {
    double value = 0;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      ((slot_offset(I) <= slot && slot < slot_offset(I) + slot_count(I)
            ? void(value = Traits<I>::initial(std::get<I>(transforms_), slot - slot_offset(I)))
            : void()),
       ...);
    }
    (std::make_index_sequence<N>{});
    return value;
  }

  States initial_states(Index rows, Index cols) const {
    States states;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (
          [&] {
            if constexpr (whole[I]) std::get<I>(states) = std::get<I>(transforms_).init(rows, cols);
          }(),
          ...);
    }
    (std::make_index_sequence<N>{});
    return states;
  }

  /// The learning rate of the update after `k` others; 0 where no transform has one.
  double rate(std::int64_t k) const {
    double rate = 0;
    std::apply(
        [&](const auto&... t) {
          (
              [&] {
                if constexpr (TransformTraits<std::remove_cvref_t<decltype(t)>>::has_rate)
                  rate = t.rate(k);
              }(),
              ...);
        },
        transforms_);
    return rate;
  }

  void set_rate(const Schedule& rate) {
    std::apply(
        [&](auto&... t) {
          (
              [&] {
                if constexpr (TransformTraits<std::remove_cvref_t<decltype(t)>>::has_rate)
                  t.set_rate(rate);
              }(),
              ...);
        },
        transforms_);
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
    std::span<double> numbers;
    States* states;
  };

  /// One step. `Check` asks whether the new parameters are finite, in the pass that writes them.
  template <bool Check>
  StepOutcome run(const StepInfo& step, const Memory& memory) {
    StepOutcome outcome;
    [&]<std::size_t... F>(std::index_sequence<F...>) {
      (void)((form_ == F && (outcome = run_form<F, Check>(step, memory), true)) || ...);
    }
    (std::make_index_sequence<all_forms>{});
    return outcome;
  }

 private:
  std::tuple<Ts...> transforms_;
  std::size_t form_ = 0;

  template <std::size_t F, bool Check>
  StepOutcome run_form(const StepInfo& step, const Memory& m) {
    StepOutcome outcome;
    std::array<double, all_terms == 0 ? 1 : all_terms> sums{};
    if constexpr (terms_in(0) > 0) measure<F, 0>(step, m, m.gradient, sums);
    [&]<std::size_t... S>(std::index_sequence<S...>) {
      (void)(segment<F, Check, S>(step, m, sums, outcome) && ...);
    }
    (std::make_index_sequence<plan.segments>{});
    return outcome;
  }

  template <std::size_t I>
  StepInfo info(const StepInfo& step, const Memory& m, std::span<const double> sums) const {
    StepInfo own = step;
    if constexpr (terms[I] > 0) own.sums = sums.subspan(term_begin(I), terms[I]);
    if constexpr (Traits<I>::numbers > 0)
      own.numbers = m.numbers.subspan(number_offsets[I], Traits<I>::numbers);
    return own;
  }

  // false when a gate skips the step.
  template <std::size_t F, bool Check, std::size_t S, std::size_t Terms>
  bool segment(const StepInfo& step, const Memory& m, std::array<double, Terms>& sums,
               StepOutcome& outcome) {
    constexpr std::size_t B = first(S), E = last(S);
    const Index size = Size == Eigen::Dynamic ? Index(step.size) : Size;
    if constexpr (whole[B]) {
      if constexpr (S == 0) {
        for (Index i = 0; i < size; ++i) m.scratch[i] = m.gradient[i];
      }
      std::get<B>(transforms_)
          .apply(WholeUpdate<Real>(m.scratch, m.rows, m.cols),
                 WholeParameter<Real>(m.x, m.rows, m.cols), std::get<B>(*m.states),
                 info<B>(step, m, sums));
      if constexpr (E == N) pass<F, Check, E, E, S>(step, m, m.scratch, sums, outcome);
      if constexpr (terms_in(S + 1) > 0) measure<F, S + 1>(step, m, m.scratch, sums);
      return true;
    } else {
      if (![&]<std::size_t... I>(std::index_sequence<I...>) {
            return ([&] {
              if constexpr (gate[B + I])
                return std::get<B + I>(transforms_).admits(info<B + I>(step, m, sums));
              return true;
            }() && ...);
          }(std::make_index_sequence<E - B>{})) {
        outcome.taken = false;
        if (m.out != m.x) {
          for (Index i = 0; i < size; ++i) m.out[i] = m.x[i];
        }
        return false;
      }
      pass<F, Check, B, E, S>(step, m, S == 0 ? m.gradient : m.scratch, sums, outcome);
      return true;
    }
  }

  struct NoKernel {
    template <class... Args>
    [[gnu::always_inline]] void operator()(Args&&...) const {}
  };

  template <std::size_t F, std::size_t I>
  [[gnu::always_inline]] auto kernel(const StepInfo& step, const Memory& m,
                                     std::span<const double> sums) {
    if constexpr (gate[I]) {
      return NoKernel{};
    } else {
      return Traits<I>::template kernel<Real, form_of(F, I)>(std::get<I>(transforms_),
                                                             info<I>(step, m, sums));
    }
  }

  template <class Kernel, std::size_t... K>
  [[gnu::always_inline]] static void apply(const Kernel& kernel, L& update, const L& parameter,
                                           L* slots, std::index_sequence<K...>) {
    kernel(update, parameter, slots[K]...);
  }

  // The fused loop over transforms [B, E). The last one of the chain writes the parameters, others the scratch column,
  // and the sums that the next segment needs are collected on the way.
  template <std::size_t F, bool Check, std::size_t B, std::size_t E, std::size_t S,
            std::size_t Terms>
  void pass(const StepInfo& step, const Memory& m, const Real* source,
            std::array<double, Terms>& sums, StepOutcome& outcome) {
    constexpr auto offset = offsets(F);
    constexpr std::size_t columns = offset[E] - offset[B], next_terms = terms_in(S + 1);
    constexpr bool final = E == N, collects = !final && !whole[E < N ? E : 0] && next_terms > 0;
    const Index size = Size == Eigen::Dynamic ? Index(step.size) : Size;
    const auto kernels = [&]<std::size_t... I>(std::index_sequence<I...>) {
      return std::tuple(kernel<F, B + I>(step, m, sums)...);
    }
    (std::make_index_sequence<E - B>{});
    Real* const slots = m.slots + Index(offset[B]) * m.stride;
    const Real* const x = m.x;
    Real* const out = final ? m.out : m.scratch;
    const Index stride = m.stride;
    [[maybe_unused]] L poison(0);

    const auto lane = [&](Index i, auto... count) __attribute__((always_inline)) {
      L update = L::load(source + i, count...);
      const L parameter = L::load(x + i, count...);
      L slot[columns == 0 ? 1 : columns];
      for (std::size_t k = 0; k < columns; ++k) slot[k] = L::load(slots + Index(k) * stride + i);
      [&]<std::size_t... I>(std::index_sequence<I...>) __attribute__((always_inline)) {
        (apply(std::get<I>(kernels), update, parameter, slot + (offset[B + I] - offset[B]),
               std::make_index_sequence<offset[B + I + 1] - offset[B + I]>{}),
         ...);
      }
      (std::make_index_sequence<E - B>{});
      for (std::size_t k = 0; k < columns; ++k) slot[k].store(slots + Index(k) * stride + i);
      if constexpr (final) update = parameter + update;
      update.store(out + i, count...);
      if constexpr (sizeof...(count) > 0 && (Check || collects))
        update = L::load(out + i, count...);  // padding: 0
      if constexpr (final && Check) poison += update - update;
      return update;
    };
    if constexpr (collects) {
      const auto statistics = this->statistics<F, S + 1>(step, m);
      Sums<L, next_terms> collected;
      collected.sweep(
          size, [&](auto& accumulators, Index i, auto... count) __attribute__((always_inline)) {
            const L update = lane(i, count...);
            add<F, S + 1>(statistics, accumulators, update, L::load(x + i, count...), m, i);
          });
      settle<F, S + 1>(step, m, m.scratch, collected.totals(), sums);
    } else {
      sweep<L>(size, lane);
    }
    if constexpr (final && Check) outcome.finite = sum(poison) == 0;
  }

  // ---- sums ------------------------------------------------------------------------------------------------------
  template <std::size_t F, std::size_t S>
  [[gnu::always_inline]] auto statistics(const StepInfo& step, const Memory& m) const {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return std::tuple([&] {
        if constexpr (reducing[first(S) + I]) {
          const auto& t = std::get<first(S) + I>(transforms_);
          return t.template statistic<Real>(info<first(S) + I>(step, m, {}));
        } else {
          return NoKernel{};
        }
      }()...);
    }
    (std::make_index_sequence<last(S) - first(S)>{});
  }

  // Adds what the reducing transforms of segment S take from one lane: coefficients, or their squares for a norm.
  template <std::size_t F, std::size_t S, class Statistics, class Accumulators>
  [[gnu::always_inline]] static void add(const Statistics& statistics, Accumulators& accumulators,
                                         const L& update, const L& parameter, const Memory& m,
                                         Index i, Real scale = 1) {
    constexpr auto offset = offsets(F);
    [&]<std::size_t... I>(std::index_sequence<I...>) __attribute__((always_inline)) {
      (
          [&]() __attribute__((always_inline)) {
            if constexpr (reducing[first(S) + I]) {
              constexpr std::size_t T = first(S) + I, k0 = term_begin(T) - term_begin(first(S));
              const auto values = [&]<std::size_t... K>(std::index_sequence<K...>)
                  __attribute__((always_inline)) {
                return std::get<I>(statistics)(
                    update, parameter, L::load(m.slots + Index(offset[T] + K) * m.stride + i)...);
              }
              (std::make_index_sequence<offset[T + 1] - offset[T]>{});
              for (std::size_t k = 0; k < terms[T]; ++k) {
                if (Traits<T>::reduces[k] == Reduce::norm) {
                  const L scaled = values[k] * L(scale);
                  accumulators[k0 + k] += scaled * scaled;
                } else {
                  accumulators[k0 + k] += values[k];
                }
              }
            }
          }(),
          ...);
    }
    (std::make_index_sequence<last(S) - first(S)>{});
  }

  // A pass that only reads, for sums that no other pass could collect.
  template <std::size_t F, std::size_t S, std::size_t Terms>
  void measure(const StepInfo& step, const Memory& m, const Real* source,
               std::array<double, Terms>& sums) {
    settle<F, S>(step, m, source, totals<F, S>(step, m, source, Real(1)), sums);
  }

  template <std::size_t F, std::size_t S>
  std::array<double, terms_in(S)> totals(const StepInfo& step, const Memory& m, const Real* source,
                                         Real scale) const {
    const Index size = Size == Eigen::Dynamic ? Index(step.size) : Size;
    const auto statistics = this->statistics<F, S>(step, m);
    Sums<L, terms_in(S)> collected;
    collected.sweep(
        size, [&](auto& accumulators, Index i, auto... count) __attribute__((always_inline)) {
          add<F, S>(statistics, accumulators, L::load(source + i, count...),
                    L::load(m.x + i, count...), m, i, scale);
        });
    return collected.totals();
  }

  // From sums of squares to norms. Squares that overflowed or vanished are summed again with the coefficients scaled
  // by a power of two: rare, so the common case pays one comparison.
  template <std::size_t F, std::size_t S, std::size_t Terms>
  void settle(const StepInfo& step, const Memory& m, const Real* source,
              const std::array<double, terms_in(S)>& raw, std::array<double, Terms>& sums) const {
    constexpr bool is_float = sizeof(Real) == 4;
    constexpr double big = is_float ? 1e37 : 1e300, small = is_float ? 1e-24 : 1e-280;
    constexpr int shift = is_float ? 80 : 600;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (
          [&] {
            constexpr std::size_t T = first(S) + I, k0 = term_begin(T) - term_begin(first(S));
            for (std::size_t k = 0; k < terms[T]; ++k) {
              double value = raw[k0 + k];
              if (Traits<T>::reduces[k] == Reduce::norm) {
                if (value <= big && value >= small) {
                  value = std::sqrt(value);
                } else {
                  const int exponent = value < small ? shift : -shift;
                  const auto again =
                      totals<F, S>(step, m, source, static_cast<Real>(std::ldexp(1.0, exponent)));
                  value = std::ldexp(std::sqrt(again[k0 + k]), -exponent);
                }
              }
              sums[term_begin(T) + k] = value;
            }
          }(),
          ...);
    }
    (std::make_index_sequence<last(S) - first(S)>{});
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_CHAIN_HPP
