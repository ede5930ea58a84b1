// expect: -ffast-math \(or -ffinite-math-only\) removes the checks for NaN and infinity
// flags: -ffast-math
#include <descent/core/version.hpp>
