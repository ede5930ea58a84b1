// The three stages of an update: gradient -> direction -> step.
//
// A transform says which stages it takes (`accepts`) and which one it makes (`yields`); a chain that does not end in
// exactly one step is refused at compile time with a sentence that says what to do.
#ifndef DESCENT_CORE_STAGE_HPP
#define DESCENT_CORE_STAGE_HPP

#include "descent/core/version.hpp"

namespace descent::inline v0 {

/// What an update is between two transforms. `step` is what is added to the parameters. Values combine with `|`.
enum class Stage : unsigned {
  unchanged = 0,
  gradient = 1,
  direction = 2,
  step = 4,
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
