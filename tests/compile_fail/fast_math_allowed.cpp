// expect: ok
// flags: -ffast-math -DDESCENT_ALLOW_FAST_MATH
#include <descent/core/version.hpp>
