#include "support/optimizers/signs.hpp"

#include "support/any_optimizer.hpp"

#include <vector>

namespace descent_test {

std::vector<OptimizerRow> signs_rows() {
  return rows_of([](const auto& visit) { visit_signs(visit); });
}

}  // namespace descent_test
