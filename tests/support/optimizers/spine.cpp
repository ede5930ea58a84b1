#include "support/optimizers/spine.hpp"

#include "support/any_optimizer.hpp"

#include <vector>

namespace descent_test {

std::vector<OptimizerRow> spine_rows() {
  return rows_of([](const auto& visit) { visit_spine(visit); });
}

}  // namespace descent_test
