// Catch2 of either major version: 2.13 has one header, 3 has many.
#ifndef DESCENT_TESTS_SUPPORT_CATCH_HPP
#define DESCENT_TESTS_SUPPORT_CATCH_HPP

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;  // version 2 has it there
using Catch::Matchers::ContainsSubstring;
#else
#include <catch2/catch.hpp>
inline auto ContainsSubstring(const std::string& text) {
  return Catch::Matchers::Contains(text);
}
#endif
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

#endif  // DESCENT_TESTS_SUPPORT_CATCH_HPP
