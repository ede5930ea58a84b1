// The plan of a chain, settled at compile time: that its stages fit, which passes it makes, where its slots lie.
//
// Neighboring elementwise transforms share a pass. A pass begins at each reducing transform (it needs a sum over the
// whole update first) and around each whole one; gates share the pass, and the sums, of what follows them.
#ifndef DESCENT_ENGINE_PLAN_HPP
#define DESCENT_ENGINE_PLAN_HPP

#include <array>
#include <cstddef>

#include "descent/core/stage.hpp"
#include "descent/engine/transform.hpp"

namespace descent::inline v0 {

template <class... Ts>
struct Plan {
  static constexpr std::size_t count = sizeof...(Ts);
  static_assert(count > 0, "descent::chain needs at least one transform");

  // ---- stages: gradient -> direction -> step -> point --------------------------------------------
  enum class Flaw { none, no_rate, two_rates, after_rate, after_point, needs_gradient, needs_step };
  struct Stages {
    Flaw flaw = Flaw::none;
    std::size_t moves_at = count;
  };
  static constexpr Stages stages = []() -> Stages {
    constexpr Stage accepts[] = {TransformTraits<Ts>::accepts...};
    constexpr Stage yields[] = {TransformTraits<Ts>::yields...};
    Stage stage = Stage::gradient;
    std::size_t moves_at = count;
    for (std::size_t i = 0; i < count; ++i) {
      if (stage == Stage::step && accepts[i] == Stage::point) {
        stage = Stage::point;
        moves_at = i;
      }
      if (!overlap(accepts[i], stage)) {
        const bool moved = overlap(stage, Stage::step | Stage::point);
        if (moved && yields[i] == Stage::step) return {Flaw::two_rates};
        if (moved) return {accepts[i] == Stage::step ? Flaw::after_point : Flaw::after_rate};
        return {overlap(accepts[i], Stage::gradient) ? Flaw::needs_gradient : Flaw::needs_step};
      }
      if (yields[i] != Stage::unchanged) stage = yields[i];
    }
    return {overlap(stage, Stage::step | Stage::point) ? Flaw::none : Flaw::no_rate, moves_at};
  }();
  static constexpr Flaw flaw = stages.flaw;
  /// The first transform that takes the new parameters; in front of it they are formed.
  static constexpr std::size_t moves_at = stages.moves_at;
  static_assert(flaw != Flaw::no_rate,
                "descent::chain: no learning rate: end the chain with scale_by_learning_rate(...), "
                "or with a rule that has a rate of its own");
  static_assert(flaw != Flaw::two_rates,
                "descent::chain: two learning rates: exactly one transform makes the step, so "
                "remove one of them");
  static_assert(flaw != Flaw::after_rate,
                "descent::chain: a transform of gradients or directions (clipping, momentum, "
                "scale_by_*, weight decay) stands after the learning rate: move it before "
                "scale_by_learning_rate(...)");
  static_assert(flaw != Flaw::needs_gradient,
                "descent::chain: a transform that takes the gradient (clipping, for one) stands "
                "after one that made a direction of it (momentum, scale_by_*): move it to the head "
                "of the chain");
  static_assert(flaw != Flaw::needs_step,
                "descent::chain: averaging, projections and proximal steps take the finished step: "
                "move them behind scale_by_learning_rate(...)");
  static_assert(flaw != Flaw::after_point,
                "descent::chain: a transform of the step stands behind one that makes the new "
                "parameters (averaging, projections, proximal steps): move it in front of that");

  // ---- passes ----------------------------------------------------------------------------------
  static constexpr std::array<bool, count> whole = {TransformTraits<Ts>::whole...};
  static constexpr std::array<bool, count> reducing = {TransformTraits<Ts>::reducing...};
  static constexpr std::array<bool, count> gate = {TransformTraits<Ts>::gate...};
  static constexpr std::array<bool, count> detour = {TransformTraits<Ts>::detour...};
  static constexpr std::array<std::size_t, count> terms = {TransformTraits<Ts>::reduces.size()...};

  static constexpr bool gates_come_first = [] {
    constexpr std::size_t slots[] = {TransformTraits<Ts>::slots...};
    constexpr std::size_t numbers[] = {TransformTraits<Ts>::numbers...};
    bool stateful = false;
    for (std::size_t i = 0; i < count; ++i) {
      if (gate[i] && stateful) return false;
      // The slots of a gate that refuses in vain stay as they are; its numbers may have been counted on.
      stateful = stateful || whole[i] || numbers[i] > 0 || (slots[i] > 0 && !gate[i]);
    }
    return true;
  }();
  static_assert(gates_come_first,
                "descent::chain: skip_if_not_finite(), accumulate() and others that may end a step "
                "must come before the transforms that keep state, since such a step leaves them as "
                "they are: move them to the head of the chain");

  struct Cuts {
    std::size_t begin[count + 1]{};
    std::size_t segments = 1;
  };
  static constexpr Cuts cuts = [] {
    Cuts c;
    bool fresh = true;  // nothing but gates without a kernel since the segment began
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0 && (whole[i] || whole[i - 1] || (reducing[i] && !fresh))) {
        c.begin[c.segments++] = i;
        fresh = true;
      }
      fresh = fresh && gate[i] && !detour[i];
    }
    c.begin[c.segments] = count;
    return c;
  }();
  static constexpr std::size_t segments = cuts.segments;
  static constexpr std::size_t first(std::size_t segment) { return cuts.begin[segment]; }
  static constexpr std::size_t last(std::size_t segment) { return cuts.begin[segment + 1]; }
  static constexpr bool is_whole(std::size_t segment) { return whole[first(segment)]; }

  /// The sums of all reducing transforms stand in one array, in the order of the chain.
  static constexpr std::size_t term_begin(std::size_t transform) {
    std::size_t k = 0;
    for (std::size_t j = 0; j < transform; ++j) k += terms[j];
    return k;
  }
  static constexpr std::size_t all_terms = term_begin(count);
  static constexpr std::size_t terms_in(std::size_t segment) {
    return segment < segments ? term_begin(last(segment)) - term_begin(first(segment)) : 0;
  }
  /// The sums of segment s are collected by the pass before it, unless there is none that can.
  static constexpr bool measured_apart(std::size_t segment) {
    return terms_in(segment) > 0 && (segment == 0 || is_whole(segment - 1));
  }
  /// Between two passes the update waits in a scratch column.
  static constexpr bool needs_scratch = segments > 1 || whole[0];
  static constexpr bool restarts = (TransformTraits<Ts>::restarts || ...);
  static constexpr bool has_whole = (TransformTraits<Ts>::whole || ...);
  static constexpr std::size_t passes = [] {
    std::size_t n = segments;
    for (std::size_t s = 0; s < segments; ++s) n += measured_apart(s);
    return n;
  }();

  // ---- forms and slots: form numbers the combinations of the transforms' forms -------------------
  static constexpr std::array<std::size_t, count> form_counts = {TransformTraits<Ts>::forms...};
  static constexpr std::size_t all_forms = (std::size_t(1) * ... * TransformTraits<Ts>::forms);
  static constexpr std::size_t form_of(std::size_t form, std::size_t transform) {
    for (std::size_t j = 0; j < transform; ++j) form /= form_counts[j];
    return form % form_counts[transform];
  }
  /// [i] is the column of transform i's first slot, [count] the number of columns.
  using Offsets = std::array<std::size_t, count + 1>;
  static constexpr Offsets offsets(std::size_t form) {
    Offsets o{};
    std::size_t i = 0;
    ((o[i + 1] = o[i] + TransformTraits<Ts>::slots_in(form_of(form, i)), ++i), ...);
    return o;
  }
  static constexpr std::size_t most_slots = (std::size_t(0) + ... + TransformTraits<Ts>::slots);
  static constexpr Offsets number_offsets = [] {
    Offsets o{};
    std::size_t i = 0;
    ((o[i + 1] = o[i] + TransformTraits<Ts>::numbers, ++i), ...);
    return o;
  }();
};

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_PLAN_HPP
