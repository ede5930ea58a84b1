// expect: ok
// flags: -ffast-math -fno-finite-math-only
#include <descent/core/version.hpp>
