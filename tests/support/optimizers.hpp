// The table of optimizers: what is enrolled here with one row goes through every generated trial
// (laws, long runs, extremes, denormals, allocations, bits).
//
//     visit_optimizers([](const auto& trial) {                // types kept, for vectors of any type
//       auto optimizer = trial.template make<Eigen::Vector3f>();
//     });
//
// Its rows stand in parts (optimizers/), so that each is compiled by itself; who forgets the types, and most tests do,
// includes any_optimizer.hpp instead.
#ifndef DESCENT_TESTS_SUPPORT_OPTIMIZERS_HPP
#define DESCENT_TESTS_SUPPORT_OPTIMIZERS_HPP

#include "support/optimizers/averages.hpp"
#include "support/optimizers/moments.hpp"
#include "support/optimizers/signs.hpp"
#include "support/optimizers/spine.hpp"
#include "support/optimizers/squares.hpp"

namespace descent_test {

/// Calls visit(trial) for each row of the table but the spine's, which show every feature of the engine.
template <class Visit>
void visit_others(const Visit& visit) {
  visit_squares(visit);
  visit_moments(visit);
  visit_signs(visit);
  visit_averages(visit);
}

/// Calls visit(trial) for each row of the table.
template <class Visit>
void visit_optimizers(const Visit& visit) {
  visit_spine(visit);
  visit_others(visit);
}

}  // namespace descent_test

#endif  // DESCENT_TESTS_SUPPORT_OPTIMIZERS_HPP
