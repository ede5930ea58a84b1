// What a transform may say of itself, and what holds when it says nothing.
//
// A transform is a struct. The least it needs is a kernel for one coefficient, asked for once per step:
//
//     struct MySign {
//       template <class Real>
//       auto kernel(const descent::StepInfo& step) const {
//         return [](auto& update, const auto& parameter) { update = sign(update); };
//       }
//     };
//
// What it may add:
//
//     static constexpr std::size_t slots = 2;       state: further `auto&` arguments of the kernel, zero at the start
//     double initial(std::size_t slot) const;       where a slot does not start at zero
//     void initialize(std::size_t slot, Real* column, Eigen::Index size) const;        ... or at one number (template)
//     void check_size(Eigen::Index size) const;     throws where it does not fit parameters of that size
//     static constexpr std::size_t numbers = 1;     doubles of its own from step to step: step.numbers, zero at first
//     static constexpr Stage accepts, yields;       see core/stage.hpp; default: gradient or direction, unchanged.
//                                                   Who accepts Stage::point gets the new parameters as its update
//     static constexpr std::array reduces{...};     reducing: sums over the whole update, which one more pass collects
//     auto statistic<Real>(const StepInfo&) const;  ... returns (update, parameter, slots...) -> std::array of lanes
//     bool admits(const StepInfo&) const;           a gate: false skips the whole step. It has no kernel, unless it has ...
//     auto otherwise<Real>(const StepInfo&);        ... (auto& parameter, update, auto&... slots): done instead of the step
//     double slows_down() const;                    ... the factor of all later rates when it refuses
//     auto average<Real>(std::int64_t steps) const; (parameter, slots...) -> the average that Stepper::averaged reads out
//     static constexpr std::size_t forms = 2;       options that cost when on: one loop is compiled per form, ...
//     std::size_t form() const;                     ... the one in force,
//     static constexpr std::size_t slots_in(std::size_t form);   ... its slots, and kernel<Real, form>(step)
//     bool restarts(const StepInfo&) const;         behind the rate: true lets all before it begin afresh, t = 1 next
//     static Real gradient_limit<Real>();           the largest |g| that its slots can hold; `minimize` stops before
//     double bound() const;                         no coefficient behind it is larger, so later limits do not count
//     bool lazy() const;                            false: a coefficient must not miss a step: no sparse gradients (where
//                                                   it moves without a gradient; what begins at t = 1)
//     using State = ...; State init(rows, cols); void apply(update, parameter, State&, step);
//                                                   whole: arbitrary Eigen code on the update seen as a matrix
#ifndef DESCENT_ENGINE_TRANSFORM_HPP
#define DESCENT_ENGINE_TRANSFORM_HPP

#include <Eigen/Core>
#include <array>
#include <cstddef>

#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"

namespace descent::inline v0 {

/// How the coefficients that a statistic returns become one number: their Euclidean norm, safe from overflow and
/// underflow, or their sum. Both are accumulated in double; their last bits depend on the width of the lanes.
enum class Reduce { norm, sum };

/// The update and the parameters as a whole transform sees them: matrices in the parameters' own shape, column-major
/// (a row-major parameter appears transposed).
template <class Real>
using WholeUpdate = Eigen::Map<Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic>>;
template <class Real>
using WholeParameter = Eigen::Map<const Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic>>;

/// The matrices of a transform that has none.
struct NoState {
  friend bool operator==(const NoState&, const NoState&) = default;
};

/// Reads a transform's declarations, with the defaults above.
template <class T>
struct TransformTraits {
  static constexpr std::size_t forms = [] {
    if constexpr (requires { T::forms; }) return std::size_t(T::forms);
    return std::size_t(1);
  }();
  static constexpr std::size_t slots = [] {
    if constexpr (requires { T::slots; }) return std::size_t(T::slots);
    return std::size_t(0);
  }();
  static constexpr std::size_t slots_in(std::size_t form) {
    if constexpr (requires { T::slots_in(form); }) return T::slots_in(form);
    return slots;
  }
  static constexpr std::size_t numbers = [] {
    if constexpr (requires { T::numbers; }) return std::size_t(T::numbers);
    return std::size_t(0);
  }();
  static constexpr auto reduces = [] {
    if constexpr (requires { T::reduces; }) {
      return T::reduces;
    } else {
      return std::array<Reduce, 0>{};
    }
  }();
  static constexpr bool reducing = reduces.size() > 0;
  static constexpr bool gate = requires(const T& t, const StepInfo& step) { t.admits(step); };
  /// A gate that does something else instead of the step.
  static constexpr bool detour = requires(const T& t, const StepInfo& step) {
    t.template otherwise<float>(step);
  };
  static constexpr bool averages = requires(const T& t) { t.template average<float>(0); };
  static constexpr bool restarts = requires(const T& t, const StepInfo& step) { t.restarts(step); };
  static constexpr bool whole = requires { typename T::State; };
  static constexpr bool has_rate = requires(const T& t) { t.rate(0); };

  static constexpr Stage accepts = [] {
    if constexpr (requires { T::accepts; }) return T::accepts;
    return Stage::gradient | Stage::direction;
  }();
  static constexpr Stage yields = [] {
    if constexpr (requires { T::yields; }) return T::yields;
    return Stage::unchanged;
  }();

  /// Whether coefficients may miss steps.
  static bool lazy([[maybe_unused]] const T& t) {
    if constexpr (requires { t.lazy(); }) return t.lazy();
    return true;
  }
  static std::size_t form(const T& t) {
    if constexpr (requires { t.form(); }) return t.form();
    return 0;
  }
  template <class Real, std::size_t Form>
  [[gnu::always_inline]] static auto kernel(T& t, const StepInfo& step) {
    if constexpr (forms > 1) {
      return t.template kernel<Real, Form>(step);
    } else {
      return t.template kernel<Real>(step);
    }
  }
};

template <class T>
struct StateOf {
  using type = NoState;
};
template <class T>
requires TransformTraits<T>::whole struct StateOf<T> {
  using type = typename T::State;
};

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_TRANSFORM_HPP
