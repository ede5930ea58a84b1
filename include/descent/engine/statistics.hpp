// What the reducing transforms of a chain are told: sums over the whole update, and norms that neither overflow nor
// underflow.
//
// A pass collects the sums of the segment behind it as it goes (`add`); where no pass can, one more pass only reads
// (`measure`). Blocks of lanes are summed in Real, the blocks in double.
#ifndef DESCENT_ENGINE_STATISTICS_HPP
#define DESCENT_ENGINE_STATISTICS_HPP

#include <Eigen/Core>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>

#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/plan.hpp"
#include "descent/engine/sweep.hpp"
#include "descent/engine/transform.hpp"

namespace descent::inline v0 {

/// The transforms of a chain, what one step of them works on, and their sums.
template <class Real, int Size, class... Ts>
class Statistics {
 public:
  using Index = Eigen::Index;
  using L = Lane<Real, lane_width<Real, Size>>;
  using P = Plan<Ts...>;
  using States = std::tuple<typename StateOf<Ts>::type...>;

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
    std::int64_t restarted_at;
  };

  explicit Statistics(std::tuple<Ts...> transforms) : transforms_(std::move(transforms)) {}

  const std::tuple<Ts...>& transforms() const { return transforms_; }

 protected:
  std::tuple<Ts...> transforms_;

  template <std::size_t I>
  using Traits = TransformTraits<std::tuple_element_t<I, std::tuple<Ts...>>>;
  template <std::size_t N>
  using Indices = std::make_index_sequence<N>;
  using AllSums = std::array<double, P::all_terms == 0 ? 1 : P::all_terms>;

  struct NoKernel {
    [[gnu::always_inline]] void operator()(auto&&...) const {}
  };

  static Index size_of(const StepInfo& step) {
    return Size == Eigen::Dynamic ? Index(step.size) : Index(Size);
  }

  // What transform I is told: the step, its sums, its numbers.
  template <std::size_t I>
  StepInfo info(const StepInfo& step, const Memory& m, const AllSums& sums) const {
    StepInfo own = step;
    if constexpr (P::terms[I] > 0) own.sums = sums.data() + P::term_begin(I);
    if constexpr (Traits<I>::numbers > 0) {
      own.numbers = m.numbers + P::number_offsets[I];
    }
    if constexpr (P::restarts && I < P::moves_at) own.t -= m.restarted_at;
    return own;
  }

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

#endif  // DESCENT_ENGINE_STATISTICS_HPP
