#include "support/optimizers.hpp"

namespace descent_test {

const std::vector<OptimizerRow>& optimizer_rows() {
  static const std::vector<OptimizerRow> rows = [] {
    std::vector<OptimizerRow> all;
    visit_optimizers([&](const auto& t) {
      all.push_back({t.name, t.optimizer, t.slots, t.decays(),
                     [t] { return AnyOptimizer<double>(t.template make<Eigen::VectorXd>()); },
                     [t] { return AnyOptimizer<float>(t.template make<Eigen::VectorXf>()); }});
    });
    return all;
  }();
  return rows;
}

}  // namespace descent_test
