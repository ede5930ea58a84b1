// Concepts that say what is missing: `requirement || needs<"Objective needs: ...">`.
//
// The sentence appears in the compiler's diagnostic, and the concept stays usable in overload resolution.
#ifndef DESCENT_CORE_NEEDS_HPP
#define DESCENT_CORE_NEEDS_HPP

#include <cstddef>

#include "descent/core/version.hpp"

namespace descent::inline v0 {

/// A string that can be a template argument.
template <std::size_t N>
struct Sentence {
  char text[N];
  consteval Sentence(
      const char (&literal)[N]) {  // NOLINT(google-explicit-constructor): written as a literal
    for (std::size_t i = 0; i < N; ++i) text[i] = literal[i];
  }
};

template <Sentence>
inline constexpr bool needs = false;

}  // namespace descent::inline v0

#endif  // DESCENT_CORE_NEEDS_HPP
