// A hyper-parameter over time: a number, or any function of the number of updates already made.
#ifndef DESCENT_CORE_SCHEDULE_HPP
#define DESCENT_CORE_SCHEDULE_HPP

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/version.hpp"

namespace descent::inline v0 {

/// `schedule(k)` is the value for the update after k others: `schedule(0)` is the first update's. Holds a number or a
/// copy of any callable `double(std::int64_t)`, inline: no heap, no virtual call, and a number costs a load.
class Schedule {
 public:
  /// Room for a callable, in bytes; a larger one is refused at compile time.
  static constexpr std::size_t capacity = 128;

  Schedule(double value)
      : number_(value) {}  // NOLINT(google-explicit-constructor): 0.1 is a schedule

  template <class F>
  requires(!std::same_as<std::decay_t<F>, Schedule> && !std::is_arithmetic_v<std::decay_t<F>> &&
           std::is_invocable_r_v<double, const std::decay_t<F>&, std::int64_t>) Schedule(F&& f)
      : call_(&Holder<std::decay_t<F>>::call), manage_(&Holder<std::decay_t<F>>::manage) {
    using Held = std::decay_t<F>;
    static_assert(sizeof(Held) <= capacity && alignof(Held) <= alignof(std::max_align_t),
                  "descent::Schedule holds a callable of at most 128 bytes inline: capture less, "
                  "or capture a pointer "
                  "to what it needs");
    static_assert(std::is_nothrow_move_constructible_v<Held>,
                  "descent::Schedule needs a callable that moves without throwing");
    ::new (static_cast<void*>(memory_)) Held(std::forward<F>(f));
  }

  [[gnu::noinline]] Schedule(const Schedule& other)
      : number_(other.number_), call_(other.call_), manage_(other.manage_) {
    if (manage_) manage_(Action::copy, memory_, const_cast<std::byte*>(other.memory_));
  }
  [[gnu::noinline]] Schedule(Schedule&& other) noexcept
      : number_(other.number_), call_(other.call_), manage_(other.manage_) {
    if (manage_) manage_(Action::move, memory_, other.memory_);
  }
  Schedule& operator=(Schedule other) noexcept {
    this->~Schedule();
    return *::new (static_cast<void*>(this)) Schedule(std::move(other));
  }
  ~Schedule() {
    if (manage_) manage_(Action::destroy, memory_, nullptr);
  }

  /// The value for the update after k others.
  double operator()(std::int64_t k) const { return call_ ? call_(memory_, k) : number_; }

  /// Whether it is a plain number, the same for every update.
  bool is_constant() const { return call_ == nullptr; }

  /// Throws `std::invalid_argument` if a plain number lies outside the range; functions are checked as they are called.
  const Schedule& checked(std::string_view who, std::string_view name, const Range& range) const {
    if (is_constant()) (void)v0::checked(who, name, number_, range);
    return *this;
  }

 private:
  enum class Action { copy, move, destroy };

  template <class F>
  struct Holder {
    static double call(const std::byte* memory, std::int64_t k) {
      return static_cast<double>((*std::launder(reinterpret_cast<const F*>(memory)))(k));
    }
    static void manage(Action action, std::byte* to, std::byte* from) {
      if (action == Action::copy) {
        ::new (static_cast<void*>(to)) F(*std::launder(reinterpret_cast<const F*>(from)));
      } else if (action == Action::move) {
        ::new (static_cast<void*>(to)) F(std::move(*std::launder(reinterpret_cast<F*>(from))));
      } else {
        std::launder(reinterpret_cast<F*>(to))->~F();
      }
    }
  };

  double number_ = 0;
  double (*call_)(const std::byte*, std::int64_t) = nullptr;
  void (*manage_)(Action, std::byte*, std::byte*) = nullptr;
  alignas(std::max_align_t) std::byte memory_[capacity];
};

}  // namespace descent::inline v0

#endif  // DESCENT_CORE_SCHEDULE_HPP
