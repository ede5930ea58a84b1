// The clock: seconds that never run backwards. (Not <chrono>, whose text every program would pay for at compile time.)
#ifndef DESCENT_CORE_CLOCK_HPP
#define DESCENT_CORE_CLOCK_HPP

#include <ctime>

#include "descent/core/version.hpp"

#if !defined(CLOCK_MONOTONIC)
#include <chrono>
#endif

namespace descent::inline v0 {

/// Seconds since some moment in the past.
inline double now_in_seconds() {
#if defined(CLOCK_MONOTONIC)
  std::timespec now{};
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
#else
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
#endif
}

}  // namespace descent::inline v0

#endif  // DESCENT_CORE_CLOCK_HPP
