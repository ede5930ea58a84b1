# cmake -DCOMPILER=... -DINCLUDES=... -DSYSTEM_INCLUDES=... -DSOURCE=... -P expect.cmake
#
# Compiles SOURCE and compares with what its comments say:
#   // expect: <regex>   it must not compile, and what the compiler says matches (several may stand)
#   // expect: ok        it must compile
#   // flags: <flags>    added to the command line; ${DIR} is the folder of SOURCE
# The regex is CMake's: no \d, no \b, no {n}; ( ) [ ] + * . ? need a backslash to stand for themselves.

cmake_path(GET SOURCE PARENT_PATH DIR)
file(READ "${SOURCE}" rest)
set(must_compile FALSE)
set(count 0)  # and expectation_0, expectation_1 ...: brackets and semicolons would tear a list apart
set(flags)
while(rest MATCHES "// (expect|flags): ([^\n]*)(.*)$")
  set(kind "${CMAKE_MATCH_1}")
  set(value "${CMAKE_MATCH_2}")
  set(rest "${CMAKE_MATCH_3}")
  if(kind STREQUAL "flags")
    string(CONFIGURE "${value}" value)
    separate_arguments(value UNIX_COMMAND "${value}")
    list(APPEND flags ${value})
  elseif(value STREQUAL "ok")
    set(must_compile TRUE)
  else()
    set(expectation_${count} "${value}")
    math(EXPR count "${count} + 1")
  endif()
endwhile()
if(must_compile AND count OR NOT must_compile AND NOT count)
  message(FATAL_ERROR "${SOURCE} needs lines '// expect: <regex>', or one '// expect: ok'")
endif()

list(TRANSFORM INCLUDES PREPEND "-I")
list(TRANSFORM SYSTEM_INCLUDES PREPEND "-isystem")
execute_process(
  COMMAND "${COMPILER}" -std=c++20 -fsyntax-only ${flags} ${INCLUDES} ${SYSTEM_INCLUDES} "${SOURCE}"
  RESULT_VARIABLE exit_code
  OUTPUT_VARIABLE output
  ERROR_VARIABLE output)

if(must_compile)
  if(NOT exit_code EQUAL 0)
    message(FATAL_ERROR "${SOURCE} must compile, but:\n${output}")
  endif()
  return()
endif()
if(exit_code EQUAL 0)
  message(FATAL_ERROR "${SOURCE} must not compile, but does")
endif()

string(REGEX REPLACE "[ \t\r\n]+" " " said "${output}")  # a sentence may be broken over lines
math(EXPR last "${count} - 1")
foreach(i RANGE ${last})
  if(NOT said MATCHES "${expectation_${i}}")
    message(FATAL_ERROR "${SOURCE} does not compile, as it should, but nothing that the compiler says "
      "matches\n  ${expectation_${i}}\nIt says:\n${output}")
  endif()
endforeach()
