#include "support/optimizers/averages.hpp"

#include "support/any_optimizer.hpp"

#include <vector>

namespace descent_test {

std::vector<OptimizerRow> averages_rows() {
  return rows_of([](const auto& visit) { visit_averages(visit); });
}

}  // namespace descent_test
