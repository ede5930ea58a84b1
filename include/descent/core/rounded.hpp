// Keeps the compiler from contracting a product into an FMA behind our back.
#ifndef DESCENT_CORE_ROUNDED_HPP
#define DESCENT_CORE_ROUNDED_HPP

#include <concepts>
#include <type_traits>

#include "descent/core/version.hpp"

namespace descent::inline v0 {

/// `value`, rounded as it stands: `rounded(a * b) + c` has the same bits whatever the compiler, the flags and the
/// instruction set. Costs nothing that can be measured. (Where the compiler has no such barrier: plain `value`.)
template <std::floating_point Real>
[[gnu::always_inline]] inline Real rounded(Real value) {
#if defined(__GNUC__) && (defined(__SSE2__) || defined(__aarch64__))
  if constexpr (!std::is_same_v<Real, long double>) {
#if defined(__AVX512F__)
    asm("" : "+v"(value));
#elif defined(__SSE2__)
    asm("" : "+x"(value));
#else
    asm("" : "+w"(value));
#endif
  }
#endif
  return value;
}

}  // namespace descent::inline v0

#endif  // DESCENT_CORE_ROUNDED_HPP
