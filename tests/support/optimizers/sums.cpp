#include "support/optimizers/sums.hpp"

#include "support/any_optimizer.hpp"

#include <vector>

namespace descent_test {

std::vector<OptimizerRow> sums_rows() {
  return rows_of([](const auto& visit) { visit_sums(visit); });
}

}  // namespace descent_test
