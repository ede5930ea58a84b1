// A chain with its state: what every named optimizer is made of, and what `chain(...)` returns.
#ifndef DESCENT_ENGINE_STEPPER_HPP
#define DESCENT_ENGINE_STEPPER_HPP

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/schedule.hpp"
#include "descent/core/sparse_gradient.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/chain.hpp"
#include "descent/engine/columns.hpp"

namespace descent::inline v0 {

/// An optimizer: transforms in their order, and the state that they keep. A value: copies are independent, and a copy
/// resumes with the same bits. `Vector` is the type of the parameters, an Eigen vector or matrix of float or double.
///
/// An optimizer belongs to one thread; its const members may run concurrently. After the first step nothing allocates,
/// and with vectors of fixed size nothing ever does.
template <class V, class... Ts>
class Stepper {
 public:
  /// The type of the parameters.
  using Vector = V;
  /// float or double.
  using Scalar = typename Vector::Scalar;
  static_assert(std::floating_point<Scalar>,
                "descent: parameters are Eigen vectors or matrices of float or double");

 private:
  static constexpr int size_at_compile_time = Vector::SizeAtCompileTime;
  using Steps = Chain<Scalar, size_at_compile_time, Ts...>;
  using Slots = Columns<Scalar, size_at_compile_time, Steps::P::most_slots>;
  using Scratch = Columns<Scalar, size_at_compile_time, Steps::P::needs_scratch ? 1 : 0>;

 public:
  /// Everything that the next step depends on besides the options.
  struct State {
    std::int64_t steps = 0;         ///< taken so far
    std::int64_t restarted_at = 0;  ///< the step at which look-ahead let the chain begin afresh
    double rate_scale = 1;          ///< what `scale_learning_rate` amounts to
    Eigen::Index rows = -1;         ///< of the parameters; -1: no step has been made
    Eigen::Index cols = -1;         ///< of the parameters; -1: no step has been made
    Slots slots;                    ///< the numbers kept for each coefficient
    /// The doubles that transforms keep.
    std::array<double, Steps::P::number_offsets[sizeof...(Ts)]> numbers{};
    /// The matrices of whole transforms.
    typename Steps::States matrices{};

    friend bool operator==(const State&, const State&) = default;
  };

  explicit Stepper(Ts... transforms) : steps_(std::tuple<Ts...>(std::move(transforms)...)) {}
  /// An independent copy.
  Stepper(const Stepper&) = default;
  /// Takes the state over; throws what its transforms do.
  Stepper(Stepper&&) = default;  // NOLINT(performance-noexcept-move-constructor)
  /// Changes nothing when there is no memory for a copy.
  Stepper& operator=(Stepper other) {
    steps_ = std::move(other.steps_);
    state_ = std::move(other.state_);
    scratch_ = std::move(other.scratch_);
    return *this;
  }
  ~Stepper() = default;

  /// One update of x by the gradient g. Both are vectors, matrices, `Map`, `Ref`, columns or segments of one shape that
  /// are contiguous in memory. NaN follows IEEE; guard with `skip_if_not_finite()`. `loss`, where known, reaches the
  /// transforms. Throws `std::invalid_argument` when shapes differ or a view has strides, and changes nothing then.
  template <class X, class G>
  void step(X&& x, const Eigen::DenseBase<G>& g,
            double loss = std::numeric_limits<double>::quiet_NaN()) {
    using Parameters = std::remove_reference_t<X>;
    static_assert(
        requires { []<class D>(const Eigen::DenseBase<D>&) {}(x); },
        "step(x, g): x is an Eigen vector or matrix, or a Map, Ref, column or segment of one");
    static_assert(in_memory<Parameters> && !std::is_const_v<Parameters> &&
                      (Parameters::Flags & Eigen::LvalueBit) != 0,
                  "step(x, g): x must be memory that can be written (a vector, a matrix, or a Map, "
                  "Ref, column or "
                  "segment of one), not an expression");
    static_assert(
        in_memory<G>,
        "step(x, g): g must be memory, not an expression: evaluate it into a vector first");
    static_assert(
        std::is_same_v<typename Parameters::Scalar, Scalar> &&
            std::is_same_v<typename G::Scalar, Scalar>,
        "step(x, g): x, g and the optimizer must have one scalar: Adam<Eigen::VectorXf> for float");
    static_assert(
        Parameters::IsVectorAtCompileTime || G::IsVectorAtCompileTime ||
            bool(Parameters::IsRowMajor) == bool(G::IsRowMajor),
        "step(x, g): x and g must have one storage order: both column-major or both row-major");
    check_contiguous("x", x);
    check_contiguous("g", g.derived());
    if (x.rows() != g.rows() || x.cols() != g.cols()) {
      throw_shape(g.rows(), g.cols(), x.rows(), x.cols());
    }
    const bool transposed = Parameters::IsRowMajor && !Parameters::IsVectorAtCompileTime;
    (void)run(x.data(), g.derived().data(), x.data(), transposed ? x.cols() : x.rows(),
              transposed ? x.rows() : x.cols(), loss, all_passes<false>());
  }

  /// One update by a sparse gradient, a `SparseGradient` or an `Eigen::SparseVector`: the coordinates that it names, places
  /// in the memory of x, are updated as by a dense step, the others and their state are not touched (the lazy variant:
  /// PyTorch's SparseAdam is `Adam({.folded = true})`). What is named twice is summed. Allocates only where indices do not
  /// ascend. For chains that are elementwise; throws `std::invalid_argument`, and changes nothing, where a transform must
  /// not miss a step (weight decay), for an index that is not in x, and as above.
  template <class X, class G>
  requires NamesCoordinates<std::remove_cvref_t<G>>
  void step(X&& x, const G& g, double loss = std::numeric_limits<double>::quiet_NaN()) {
    const SparseGradient named(g);
    using Parameters = std::remove_reference_t<X>;
    static_assert(
        Steps::touchable,
        "step(x, g): a sparse gradient needs a chain that is elementwise: clipping by a norm, "
        "gates, "
        "averages, look-ahead and other transforms that regard all coefficients need a dense g");
    static_assert(in_memory<Parameters> && !std::is_const_v<Parameters> &&
                      (Parameters::Flags & Eigen::LvalueBit) != 0 &&
                      std::is_same_v<typename Parameters::Scalar, Scalar> &&
                      std::is_same_v<typename decltype(named)::Scalar, Scalar>,
                  "step(x, g): x must be memory that can be written, and x, g and the optimizer "
                  "must have one "
                  "scalar: Adam<Eigen::VectorXf> for float");
    if constexpr (Steps::touchable) {
      if (!steps_.lazy()) throw_not_lazy();
      check_contiguous("x", x);
      const bool transposed = Parameters::IsRowMajor && !Parameters::IsVectorAtCompileTime;
      const Coalesced distinct(named, x.size());
      (void)run(x.data(), distinct.view().values.data(), x.data(), transposed ? x.cols() : x.rows(),
                transposed ? x.rows() : x.cols(), loss,
                [&](const StepInfo& info, const typename Steps::Memory& memory) {
                  steps_.touch_all(info, memory, distinct.view());
                  return StepOutcome{};
                });
    }
  }

  /// The same step out of place, for drivers that keep the last good point: next = x + update. Says whether a gate let
  /// the step pass and whether `next` is finite.
  StepOutcome advance(const Vector& x, const Vector& g, Vector& next, double loss) {
    constexpr bool transposed = Vector::IsRowMajor && !Vector::IsVectorAtCompileTime;
    return run(x.data(), g.data(), next.data(), transposed ? x.cols() : x.rows(),
               transposed ? x.rows() : x.cols(), loss, all_passes<true>());
  }

  /// Back to before the first step, as if new; another size may follow.
  void reset() {
    state_.steps = state_.restarted_at = 0;
    state_.rate_scale = 1;
    state_.rows = state_.cols = -1;
    state_.slots.resize(0 * state_.slots.size(), 0);
    state_.numbers.fill(0);
    state_.matrices = {};
  }

  /// The number of steps taken.
  std::int64_t steps() const { return state_.steps; }
  /// The learning rate of the next step.
  double learning_rate() const { return state_.rate_scale * steps_.rate(state_.steps); }
  /// Another learning rate (a number in [0, ∞) or a schedule) from the next step on; the step count goes on.
  void set_learning_rate(Schedule learning_rate) requires(TransformTraits<Ts>::has_rate || ...) {
    learning_rate.checked("set_learning_rate", "learning_rate", range::non_negative);
    steps_.set_rate(std::move(learning_rate));
  }
  /// Multiplies the rate of all later steps by a factor in [0, ∞), on top of the schedule.
  void scale_learning_rate(double factor) {
    state_.rate_scale *= checked("scale_learning_rate", "factor", factor, range::non_negative);
  }

  /// The state, to copy, compare or save.
  const State& state() const { return state_; }
  /// Puts a state back. Throws `std::invalid_argument`, and changes nothing, when it was saved under other options and
  /// has other slots.
  void restore(const State& state) {
    if (state.rows >= 0 && state.slots.count() != steps_.slot_count()) {
      throw_invalid("restore", "state", join({to_text(state.slots.count()), " slots"}),
                    join({"of the same options, with ", to_text(steps_.slot_count()), " slots"}));
    }
    State copy = state;
    if constexpr (Steps::P::needs_scratch) {
      if (state.rows >= 0) scratch_.resize(state.rows * state.cols, 1);
    }
    state_ = std::move(copy);
  }

  /// Slot `k` of transform `I`, n coefficients; empty before the first step and where the slot is off.
  template <std::size_t I>
  Eigen::Map<const Eigen::Matrix<Scalar, Eigen::Dynamic, 1>> slot(std::size_t k) const {
    const bool there = state_.rows >= 0 && k < steps_.slot_offset(I + 1) - steps_.slot_offset(I);
    return {there ? state_.slots.column(steps_.slot_offset(I) + k) : nullptr,
            there ? state_.slots.size() : 0};
  }

  /// Transform `I` of the chain, for what it tells about itself.
  template <std::size_t I>
  const auto& transform() const {
    return std::get<I>(steps_.transforms());
  }

  /// The average of the parameters that a transform of the chain keeps (weight averaging, look-ahead, Schedule-Free): the
  /// point to evaluate, while x, as the last step left it, is the one to go on with. x before the first step.
  Vector averaged(const Vector& x) const requires(TransformTraits<Ts>::averages || ...) {
    Vector result = x;
    if (steps() == 0) return result;
    constexpr bool transposed = Vector::IsRowMajor && !Vector::IsVectorAtCompileTime;
    if ((transposed ? x.cols() : x.rows()) != state_.rows ||
        (transposed ? x.rows() : x.cols()) != state_.cols) {
      throw_size(x.rows(), x.cols(), state_.rows * state_.cols);
    }
    steps_.average(steps(), x.data(), state_.slots.column(0), state_.slots.stride(), x.size(),
                   result.data());
    return result;
  }

  /// Bytes of slots that one step reads and writes.
  std::size_t slot_bytes() const {
    return state_.slots.count() * static_cast<std::size_t>(state_.slots.size()) * sizeof(Scalar);
  }
  /// Passes over memory that one step makes.
  static constexpr std::size_t passes = Steps::P::passes;

  /// The largest |g| that the state can take in (second moments hold its square): infinite for most chains, and where
  /// a transform before bounds what the state sees.
  Scalar gradient_limit() const {
    Scalar limit = std::numeric_limits<Scalar>::infinity();
    double bound = std::numeric_limits<double>::infinity();
    steps_.for_each([&](const auto& t) {
      using T = std::remove_cvref_t<decltype(t)>;
      if constexpr (requires { T::template gradient_limit<Scalar>(); }) {
        const Scalar own = T::template gradient_limit<Scalar>();
        if (!(bound <= static_cast<double>(own))) limit = (std::min)(limit, own);
      }
      if constexpr (requires { t.bound(); }) bound = (std::min)(bound, t.bound());
    });
    return limit;
  }

  /// The same optimizer for parameters of another type, fresh. A temporary that has already stepped cannot change its
  /// type: `std::invalid_argument`.
  template <class Other>
  [[gnu::cold, gnu::noinline]] Stepper<Other, Ts...> rebind() const {
    if (steps() != 0) {
      throw_invalid("minimize", "optimizer", join({"one after ", to_text(steps()), " steps"}),
                    "fresh, or made for the type of x0, to take on another vector type");
    }
    return std::apply([](const Ts&... transforms) { return Stepper<Other, Ts...>(transforms...); },
                      steps_.transforms());
  }

 private:
  Steps steps_;
  State state_;
  Scratch scratch_;

  template <class X>
  static constexpr bool in_memory = (std::remove_cv_t<X>::Flags & Eigen::DirectAccessBit) != 0;

  template <class X>
  static void check_contiguous(std::string_view name, const X& x) {
    const Eigen::Index inner = x.innerStride(), outer = x.outerStride();
    const bool contiguous = x.innerSize() <= 1 || x.size() == 0
                                ? x.outerSize() <= 1 || x.size() == 0 || outer == x.innerSize()
                                : inner == 1 && (x.outerSize() <= 1 || outer == x.innerSize());
    if (!contiguous) throw_strides(name, inner, outer);
  }
  [[noreturn, gnu::cold]] static void throw_strides(std::string_view name, Eigen::Index inner,
                                                    Eigen::Index outer) {
    throw_invalid("step", name,
                  join({"a view with strides ", to_text(inner), " and ", to_text(outer)}),
                  "contiguous in memory (copy it into a vector first)");
  }
  [[noreturn, gnu::cold]] static void throw_shape(Eigen::Index g_rows, Eigen::Index g_cols,
                                                  Eigen::Index rows, Eigen::Index cols) {
    throw_invalid("step", "g", shape_text(g_rows, g_cols),
                  join({"of the shape of x, ", shape_text(rows, cols)}));
  }
  [[noreturn, gnu::cold]] static void throw_size(Eigen::Index rows, Eigen::Index cols,
                                                 Eigen::Index expected) {
    throw_invalid("step", "x", shape_text(rows, cols),
                  join({"of ", to_text(expected),
                        " coefficients, as the optimizer's state (reset() forgets it)"}));
  }

  [[noreturn, gnu::cold]] static void throw_not_lazy() {
    throw_invalid(
        "step", "optimizer",
        "one that moves coefficients without a gradient or compares with the step before",
        "one whose coefficients may miss steps, for a sparse gradient: without weight decay "
        "(SparseSGD applies l2 and l1 exactly), or step with a dense g");
  }

  [[gnu::cold, gnu::noinline]] void prepare(Eigen::Index rows, Eigen::Index cols) {
    const Eigen::Index size = rows * cols;
    if (state_.rows >= 0 ||
        (size_at_compile_time != Eigen::Dynamic && size != size_at_compile_time)) {
      const Eigen::Index expected =
          state_.rows >= 0 ? state_.rows * state_.cols : size_at_compile_time;
      if (size != expected || Steps::P::has_whole) {
        throw_size(rows, cols, expected);
      }
      return;
    }
    steps_.check_size(size);
    auto matrices = steps_.initial_states(rows, cols);
    if constexpr (Steps::P::needs_scratch) scratch_.resize(size, 1);
    state_.slots.resize(size, steps_.slot_count());
    steps_.initialize([&](std::size_t k) { return state_.slots.column(k); }, size);
    state_.matrices = std::move(matrices);
    state_.rows = rows;
    state_.cols = cols;
  }

  // All that stands before the new parameters, as at the first step.
  void begin_afresh() {
    steps_.initialize([&](std::size_t k) { return state_.slots.column(k); }, state_.slots.size(),
                      Steps::P::moves_at);
    state_.numbers.fill(0);
    state_.matrices = steps_.initial_states(state_.rows, state_.cols);
    state_.restarted_at = state_.steps;
  }

  template <bool Check>
  auto all_passes() {
    return [this](const StepInfo& info, const typename Steps::Memory& memory) {
      return steps_.template run<Check>(info, memory);
    };
  }

  // What all steps do, around `go(info, memory)`.
  template <class Go>
  StepOutcome run(const Scalar* x, const Scalar* g, Scalar* out, Eigen::Index rows,
                  Eigen::Index cols, double loss, const Go& go) {
    steps_.for_each([k = state_.steps](const auto& t) {
      if constexpr (requires { t.begin_step(k); }) t.begin_step(k);
    });
    const double rate = learning_rate();
    if (!range::non_negative.contains(rate)) {
      (void)checked("step", join({"learning_rate of step ", to_text(state_.steps + 1)}), rate,
                    range::non_negative);
    }
    if (rows != state_.rows || cols != state_.cols) prepare(rows, cols);
    const StepInfo info{
        .t = state_.steps + 1, .learning_rate = rate, .loss = loss, .size = rows * cols};
    const StepOutcome outcome = go(
        info, {.gradient = g,
               .x = x,
               .out = out,
               // Without slots nothing is read there, but addresses are reckoned: within an array.
               .slots = state_.slots.count() > 0 ? state_.slots.column(0) : out,
               .stride = state_.slots.count() > 0 ? state_.slots.stride() : 0,
               .scratch = Steps::P::needs_scratch ? scratch_.column(0) : nullptr,
               .rows = rows,
               .cols = cols,
               .numbers = state_.numbers.data(),
               .states = &state_.matrices,
               .restarted_at = state_.restarted_at});
    if (outcome.taken) ++state_.steps;
    if constexpr (Steps::P::restarts) {
      if (outcome.taken && steps_.restarts(info)) begin_afresh();
    }
    state_.rate_scale *= outcome.rate_factor;
    return outcome;
  }
};

/// An optimizer composed of transforms, in the order in which they see the gradient:
/// `chain<VectorXf>(clip_by_global_norm(1.0), scale_by_adam(), scale_by_learning_rate(1e-3))`.
template <class Vector = Eigen::VectorXd, class... Ts>
Stepper<Vector, Ts...> chain(Ts... transforms) {
  return Stepper<Vector, Ts...>(std::move(transforms)...);
}

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_STEPPER_HPP
