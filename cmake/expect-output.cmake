# Runs PROGRAM; it must exit with 0 and print something for every regex in the file EXPECT, if there is
# one (a line each; empty lines and lines that begin with '#' do not count).

execute_process(COMMAND "${PROGRAM}"
  RESULT_VARIABLE exit_code OUTPUT_VARIABLE output ERROR_VARIABLE errors)
message("${output}${errors}")
if(NOT exit_code EQUAL 0)
  message(FATAL_ERROR "${PROGRAM} ended with ${exit_code}")
endif()

if(EXISTS "${EXPECT}")
  # By lines and not as a list: brackets and semicolons would tear that apart.
  file(READ "${EXPECT}" rest)
  while(rest MATCHES "^([^\n]*)\n?(.*)$")
    set(regex "${CMAKE_MATCH_1}")
    set(rest "${CMAKE_MATCH_2}")
    if(NOT regex STREQUAL "" AND NOT regex MATCHES "^#" AND NOT output MATCHES "${regex}")
      message(FATAL_ERROR "${PROGRAM} printed nothing that matches\n  ${regex}")
    endif()
    if(rest STREQUAL "")
      break()
    endif()
  endwhile()
endif()
