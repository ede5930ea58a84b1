// A chain of transforms at work: one step is the passes of its plan, between them whole transforms and gates; or, for a
// sparse gradient, the coordinates that it names.
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
#include "descent/core/sparse_gradient.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/passes.hpp"
#include "descent/engine/sweep.hpp"
#include "descent/engine/touched.hpp"
#include "descent/engine/transform.hpp"

namespace descent::inline v0 {

template <class Real, int Size, class... Ts>
class Chain : public Touched<Real, Size, Ts...> {
  using Base = Touched<Real, Size, Ts...>;
  using Base::size_of;
  using Base::transforms_;
  using typename Base::AllSums;
  using typename Base::L;
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

  /// One step of a sparse gradient, of distinct coordinates; in place, m.gradient being its values.
  template <class I>
  void touch_all(const StepInfo& step, const Memory& m, SparseGradient<Real, I> gradient) {
    [&]<std::size_t... F>(std::index_sequence<F...>) {
      (void)((form_ == F && (this->template touch<F>(step, m, gradient), true)) || ...);
    }
    (Indices<P::all_forms>{});
  }
  /// Whether every transform lets coefficients miss steps.
  bool lazy() const {
    bool lazy = true;
    for_each([&](const auto& t) { lazy = lazy && TraitsOf<decltype(t)>::lazy(t); });
    return lazy;
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
                 this->template info<B>(step, m, sums));
      if constexpr (E == P::moves_at && E < P::count) {
        WholeUpdate<Real>(m.scratch, m.rows, m.cols) += WholeParameter<Real>(m.x, m.rows, m.cols);
      }
      if constexpr (E == P::count)
        this->template pass<F, Check, S>(step, m, m.scratch, sums, outcome, Indices<0>{});
      return true;
    } else {
      outcome.taken = admitted<F, S>(step, m, source, sums, outcome, Indices<E - B>{});
      if (outcome.taken)
        this->template pass<F, Check, S>(step, m, source, sums, outcome, Indices<E - B>{});
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
      if (gate.admits(this->template info<I>(step, m, sums))) return true;
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
    const auto instead =
        std::get<G>(transforms_).template otherwise<Real>(this->template info<G>(step, m, sums));
    const auto run = [&](const auto&... kernels) {
      sweep<L>(
          size_of(step), [&](Index i, auto... count) __attribute__((always_inline)) {
            L update = L::load(source + i, count...), parameter = L::load(m.x + i, count...);
            L slot[columns == 0 ? 1 : columns];
            Real* const slots = m.slots + (columns > 0 ? Index(offset[G]) * m.stride + i : 0);
            Base::load(slot, slots, m.stride, Indices<columns>{});
            (Base::apply(kernels, update, parameter, slot, Indices<0>{}), ...);
            Base::apply(instead, parameter, update, slot, Indices<columns>{});
            Base::store(slot, slots, m.stride, Indices<columns>{});
            parameter.store(m.out + i, count...);
          });
    };
    run(this->template kernel<F, P::first(S) + J>(step, m, sums)...);
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
};

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_CHAIN_HPP
