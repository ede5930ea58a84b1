#include "support/optimizers/squares.hpp"

#include "support/any_optimizer.hpp"

#include <vector>

namespace descent_test {

std::vector<OptimizerRow> squares_rows() {
  return rows_of([](const auto& visit) { visit_squares(visit); });
}

}  // namespace descent_test
