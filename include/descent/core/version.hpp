/// \file
/// The one place of the version (CMake reads it here), and the two things that every other header
/// takes for granted: a compiler that keeps NaN and infinity, and an Eigen that is new enough.
#ifndef DESCENT_CORE_VERSION_HPP
#define DESCENT_CORE_VERSION_HPP

// First, before anything that would bury the sentence under errors of its own.
#if defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ && !defined(DESCENT_ALLOW_FAST_MATH)
#error \
    "descent: -ffast-math (or -ffinite-math-only) removes the checks for NaN and infinity; add -fno-finite-math-only, or define DESCENT_ALLOW_FAST_MATH to go without them"
#endif

#include <Eigen/Core>

// Here rather than in find_package(), where asking for 3.4 would refuse Eigen 5.
#if !EIGEN_VERSION_AT_LEAST(3, 4, 0)
#error "descent needs Eigen 3.4.0 or newer"
#endif

/// The first part of the version.
#define DESCENT_VERSION_MAJOR 0
/// The second part: below 1.0.0, another one may be another interface.
#define DESCENT_VERSION_MINOR 1
/// The third part: repairs.
#define DESCENT_VERSION_PATCH 0

#define DESCENT_QUOTE_EXPANDED(major, minor, patch) #major "." #minor "." #patch
#define DESCENT_QUOTE(major, minor, patch) DESCENT_QUOTE_EXPANDED(major, minor, patch)

namespace descent::inline v0 {

/// The version as "major.minor.patch".
inline constexpr const char* version =
    DESCENT_QUOTE(DESCENT_VERSION_MAJOR, DESCENT_VERSION_MINOR, DESCENT_VERSION_PATCH);

}  // namespace descent::inline v0

#undef DESCENT_QUOTE
#undef DESCENT_QUOTE_EXPANDED

#endif  // DESCENT_CORE_VERSION_HPP
