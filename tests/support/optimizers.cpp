#include "support/any_optimizer.hpp"

#include <vector>

namespace descent_test {

const std::vector<OptimizerRow>& optimizer_rows() {
  static const std::vector<OptimizerRow> rows = [] {
    std::vector<OptimizerRow> all;
    for (const auto& part :
         {spine_rows(), squares_rows(), moments_rows(), signs_rows(), averages_rows()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return rows;
}

}  // namespace descent_test
