// Catch2 of either major version: 2.13 has one header, 3 has many.
#ifndef DESCENT_TESTS_SUPPORT_CATCH_HPP
#define DESCENT_TESTS_SUPPORT_CATCH_HPP

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;  // version 2 has it there
#else
#include <catch2/catch.hpp>
#endif

#endif  // DESCENT_TESTS_SUPPORT_CATCH_HPP
