// expect: descent needs Eigen 3\.4\.0 or newer
// flags: -I${DIR}/old_eigen
#include <descent/core/version.hpp>
