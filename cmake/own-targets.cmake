# What our tests, examples and benchmarks have in common, and the library's users never see.

include(ProcessorCount)
ProcessorCount(DESCENT_PROCESSORS)
if(DESCENT_PROCESSORS EQUAL 0)
  set(DESCENT_PROCESSORS 1)
endif()

set(DESCENT_WARNINGS
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wdouble-promotion)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # Its own AVX-512 intrinsics set these off (GCC bug 105593), in Eigen too; clang still warns.
  list(APPEND DESCENT_WARNINGS -Wno-maybe-uninitialized -Wno-uninitialized -Wno-array-bounds)
endif()
if(DESCENT_WARNINGS_AS_ERRORS)
  list(APPEND DESCENT_WARNINGS -Werror)
endif()

# An executable or object library of ours: standard C++20, our warnings.
function(descent_own_target name)
  set_target_properties(${name} PROPERTIES CXX_EXTENSIONS OFF)
  target_compile_options(${name} PRIVATE ${DESCENT_WARNINGS})
  target_link_libraries(${name} PRIVATE descent::descent)
endfunction()

# A ctest that runs a target and compares what it prints with the regexes in a file, if that is there;
# see expect-output.cmake.
function(descent_test_output test target expect_file)
  add_test(NAME "${test}"
    COMMAND "${CMAKE_COMMAND}"
      "-DPROGRAM=$<TARGET_FILE:${target}>"
      "-DEXPECT=${expect_file}"
      -P "${PROJECT_SOURCE_DIR}/cmake/expect-output.cmake"
    WORKING_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}")
endfunction()
