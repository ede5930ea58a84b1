# Builds and runs the project in this folder with descent taken in one of three WAYs: installed to a
# prefix, fetched by CMake from a folder, or copied and found by -I alone.

file(REMOVE_RECURSE "${WORK_DIR}")
file(MAKE_DIRECTORY "${WORK_DIR}")

function(run)
  execute_process(COMMAND ${ARGV} WORKING_DIRECTORY "${WORK_DIR}" RESULT_VARIABLE exit_code)
  if(NOT exit_code EQUAL 0)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "failed (${exit_code}): ${command}")
  endif()
endfunction()

if(WAY STREQUAL "copied")
  file(COPY "${DESCENT_SOURCE_DIR}/include" DESTINATION "${WORK_DIR}")
  list(TRANSFORM EIGEN_INCLUDES PREPEND "-I")
  run("${COMPILER}" -std=c++20 -Iinclude ${EIGEN_INCLUDES}
    "${CMAKE_CURRENT_LIST_DIR}/main.cpp" "${CMAKE_CURRENT_LIST_DIR}/second_unit.cpp" -o consumer)
  run("${WORK_DIR}/consumer")
  return()
endif()

if(WAY STREQUAL "installed")
  run("${CMAKE_COMMAND}" --install "${DESCENT_BINARY_DIR}" --prefix "${WORK_DIR}/here")
  # An installed package must survive being moved.
  file(RENAME "${WORK_DIR}/here" "${WORK_DIR}/there")
  set(where "-DCMAKE_PREFIX_PATH=${WORK_DIR}/there" "-DDESCENT_VERSION=${DESCENT_VERSION}")
elseif(WAY STREQUAL "fetched")
  set(where "-DDESCENT_SOURCE_DIR=${DESCENT_SOURCE_DIR}")
else()
  message(FATAL_ERROR "unknown WAY: ${WAY}")
endif()

run("${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}" -B build -G "${GENERATOR}"
  "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DEigen3_DIR=${EIGEN_DIR}" -DCMAKE_BUILD_TYPE=Debug
  "-DCMAKE_RUNTIME_OUTPUT_DIRECTORY=${WORK_DIR}/bin" ${where})
run("${CMAKE_COMMAND}" --build build --config Debug)
find_program(consumer consumer PATHS "${WORK_DIR}/bin" "${WORK_DIR}/bin/Debug" NO_DEFAULT_PATH REQUIRED)
run("${consumer}")
