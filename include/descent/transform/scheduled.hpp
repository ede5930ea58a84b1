// scheduled: a transform whose hyper-parameters are schedules.
//
//     scheduled([](double beta1) { return scale_by_adam({.beta1 = beta1}); }, linear({.initial = 0.8, .final = 0.95}))
//
// At step t it is the transform made of the schedules' values at t − 1; the state goes on. So Adam corrects its bias by
// 1 − βᵗ with the present β, as optax's inject_hyperparams does.
#ifndef DESCENT_TRANSFORM_SCHEDULED_HPP
#define DESCENT_TRANSFORM_SCHEDULED_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/schedule.hpp"
#include "descent/engine/transform.hpp"

namespace descent::inline v0 {

/// What `Make` makes of N numbers.
template <class Make, std::size_t N>
using MadeOf =
    std::remove_cvref_t<decltype(std::apply(std::declval<const Make&>(), std::array<double, N>{}))>;

/// Declares what the transform declares, and has its state and passes. A change of a value costs what it costs to make
/// the transform: about a microsecond with powers of β, else next to nothing.
template <class Make, std::size_t N>
class Scheduled : public MadeOf<Make, N> {
  using T = MadeOf<Make, N>;
  static constexpr bool has_rate = TransformTraits<T>::has_rate;
  static_assert(
      !requires(const T& t, double* column) { t.initialize(0, column, 1); },
      "descent::scheduled: this transform keeps data in its state, which a schedule would "
      "not change");

 public:
  /// The numbers, in the order of the schedules.
  using Values = std::array<double, N>;

  Scheduled(Make make, std::array<Schedule, N> schedules)
      : Scheduled(std::move(make), std::move(schedules), Values{}) {}

  /// The values in force: of the last step, and before it of the first.
  const Values& values() const { return values_; }
  /// The values for the update after k others.
  Values values(std::int64_t k) const { return values_of(schedules_, k); }

  /// The form is chosen once: where the transform says so, one that serves every value (`varying_form`), else that of the
  /// first values.
  std::size_t form() const { return form_of(*this); }

  /// The learning rate, for a transform that carries one.
  double rate(std::int64_t k) const requires(has_rate) {
    const Values then = values(k);
    return then == values_ ? T::rate(k) : made(k, then).rate(k);
  }
  /// Another rate from now on, instead of what `make` gives it.
  void set_rate(const Schedule& rate) requires(has_rate) {
    T::set_rate(rate);
    rate_ = rate;
  }

  /// Makes the transform of the update after k others. Where that throws, nothing is changed.
  void begin_step(std::int64_t k) const {
    const Values now = values(k);
    if (now == values_) return;
    // A function of k, so what changes here is a cache; it is the stepper that calls this, from its own thread.
    auto& self = const_cast<Scheduled&>(*this);  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    static_cast<T&>(self) = made(k, now);
    self.values_ = now;
  }

 private:
  Make make_;
  std::array<Schedule, N> schedules_;
  Values values_;
  struct None {};
  [[no_unique_address]] std::conditional_t<has_rate, std::optional<Schedule>, None> rate_;

  Scheduled(Make make, std::array<Schedule, N> schedules, Values first)
      : T(std::apply(std::as_const(make), first = values_of(schedules, 0))),
        make_(std::move(make)),
        schedules_(std::move(schedules)),
        values_(first) {}

  static Values values_of(const std::array<Schedule, N>& schedules, std::int64_t k) {
    return std::apply([k](const auto&... schedule) { return Values{schedule(k)...}; }, schedules);
  }
  static std::size_t form_of(const T& t) {
    if constexpr (requires { t.varying_form(); }) {
      return t.varying_form();
    } else {
      return TransformTraits<T>::form(t);
    }
  }

  T made(std::int64_t k, const Values& values) const {
    try {
      T next = std::apply(make_, values);
      if (form_of(next) != form()) throw_form();
      if constexpr (has_rate) {
        if (rate_) next.set_rate(*rate_);
      }
      return next;
    } catch (const std::invalid_argument& error) {
      throw_at(error.what(), k);
    }
  }
  [[noreturn, gnu::cold]] static void throw_form() {
    throw std::invalid_argument(
        "scheduled: a schedule must not switch an option on or off (a number that is 0 at the "
        "first "
        "step, for one)");
  }
  [[noreturn, gnu::cold]] static void throw_at(const char* what, std::int64_t k) {
    throw std::invalid_argument(join({what, ", at step ", to_text(k + 1)}));
  }
};

/// The transform `make(values...)`, with one schedule, or number, for each argument of `make`. `make` is called where a
/// value changes, before anything else of that step is done; what it throws passes through, an
/// `std::invalid_argument` with the step added. The values can be read: `optimizer.transform<I>().values()`.
template <class Make, class... Schedules>
requires(std::is_convertible_v<Schedules, Schedule>&&...) auto scheduled(Make make,
                                                                         Schedules... schedules) {
  constexpr std::size_t count = sizeof...(Schedules);
  static_assert(count > 0, "descent::scheduled(make, schedules...) needs at least one schedule");
  static_assert(
      std::is_invocable_v<const Make&, decltype((void)schedules, 0.0)...>,
      "descent::scheduled(make, schedules...): make takes one double for each schedule and "
      "returns a transform");
  return Scheduled<Make, count>(std::move(make),
                                std::array<Schedule, count>{Schedule(std::move(schedules))...});
}

}  // namespace descent::inline v0

#endif  // DESCENT_TRANSFORM_SCHEDULED_HPP
