#include "support/optimizers/moments.hpp"

#include "support/any_optimizer.hpp"

#include <vector>

namespace descent_test {

std::vector<OptimizerRow> moments_rows() {
  return rows_of([](const auto& visit) { visit_moments(visit); });
}

}  // namespace descent_test
