# shellcheck shell=bash
# What the scripts share; sourced, never run. Leaves the shell in the top folder of the repository.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

jobs=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
export CMAKE_BUILD_PARALLEL_LEVEL="${CMAKE_BUILD_PARALLEL_LEVEL:-$jobs}"
export CTEST_PARALLEL_LEVEL="${CTEST_PARALLEL_LEVEL:-$jobs}"

# The presets name no generator, as they must work without ninja; with it, take it.
if [[ -z ${CMAKE_GENERATOR:-} ]] && command -v ninja >/dev/null; then
  export CMAKE_GENERATOR=Ninja
fi

have() { command -v "$1" >/dev/null 2>&1; }

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# heading TEXT: what comes next, and how many seconds into the run
heading() { printf '\n=== %s (%ss)\n' "$*" "$SECONDS"; }

# run_preset NAME [OPTION OF CTEST...]: configures, builds and tests
run_preset() {
  local preset=$1
  shift
  heading "$preset: configure"
  cmake --preset "$preset"
  heading "$preset: build"
  cmake --build --preset "$preset"
  heading "$preset: test"
  ctest --preset "$preset" "$@"
}
