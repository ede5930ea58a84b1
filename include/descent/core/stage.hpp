// The stages of an update: gradient -> direction -> step -> point.
//
// A transform says which stages it takes (`accepts`) and which one it makes (`yields`); a chain that does not make
// exactly one step is refused at compile time with a sentence that says what to do. Averages, projections and proximal
// steps take the point: the new parameters x + step, which the engine forms once, in front of the first of them.
#ifndef DESCENT_CORE_STAGE_HPP
#define DESCENT_CORE_STAGE_HPP

#include "descent/core/version.hpp"

namespace descent::inline v0 {

/// What an update is between two transforms. `step` is what is added to the parameters, `point` is their sum. Values
/// combine with `|`.
enum class Stage : unsigned {
  unchanged = 0,
  gradient = 1,
  direction = 2,
  step = 4,
  point = 8,
};

constexpr Stage operator|(Stage a, Stage b) {
  return Stage(unsigned(a) | unsigned(b));
}
/// Whether two sets of stages have one in common.
constexpr bool overlap(Stage a, Stage b) {
  return (unsigned(a) & unsigned(b)) != 0;
}

}  // namespace descent::inline v0

#endif  // DESCENT_CORE_STAGE_HPP
