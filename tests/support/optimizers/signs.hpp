// The table of optimizers: those that look at signs, and those of plain sums.
#ifndef DESCENT_TESTS_SUPPORT_OPTIMIZERS_SIGNS_HPP
#define DESCENT_TESTS_SUPPORT_OPTIMIZERS_SIGNS_HPP

#include "support/trial.hpp"

#include <descent/optimizer/asgd.hpp>
#include <descent/optimizer/lion.hpp>
#include <descent/optimizer/optimistic_descent.hpp>
#include <descent/optimizer/qhm.hpp>
#include <descent/optimizer/rprop.hpp>
#include <descent/optimizer/sign_descent.hpp>

#include <cstddef>

namespace descent_test {

/// Calls visit(trial) for each row.
template <class Visit>
void visit_signs(const Visit& visit) {
  using namespace descent;
  const auto lion = [&](const char* what, std::size_t slots, const LionOptions& o) {
    visit(trial<Lion>("Lion", what, slots, o));
  };
  const auto sign_descent = [&](const char* what, std::size_t slots, const SignDescentOptions& o) {
    visit(trial<SignDescent>("SignDescent", what, slots, o));
  };
  const auto rprop = [&](const char* what, std::size_t slots, const RpropOptions& o) {
    visit(trial<Rprop>("Rprop", what, slots, o));
  };
  const auto qhm = [&](const char* what, std::size_t slots, const QHMOptions& o) {
    visit(trial<QHM>("QHM", what, slots, o));
  };
  const auto optimistic = [&](const char* what, std::size_t slots,
                              const OptimisticDescentOptions& o) {
    visit(trial<OptimisticDescent>("OptimisticDescent", what, slots, o));
  };
  const auto asgd = [&](const char* what, std::size_t slots, const ASGDOptions& o) {
    visit(trial<ASGD>("ASGD", what, slots, o));
  };
  lion("", 1, {.learning_rate = 0.01});
  lion("all on", 1,
       {.learning_rate = falling_rate, .beta1 = 0.8, .beta2 = 0.9, .weight_decay = 0.01});
  sign_descent("", 0, {.learning_rate = 0.01});
  sign_descent("all on", 1, {.learning_rate = falling_rate, .momentum = 0.9, .weight_decay = 0.01});
  rprop("", 2, {});
  rprop("schedule", 2, {.learning_rate = falling_rate, .step_max = 0.1});
  qhm("", 1, {.learning_rate = 0.05, .momentum = 0.9});
  qhm("all on", 1,
      {.learning_rate = falling_rate, .momentum = 0.8, .nu = 0.5, .weight_decay = 0.01});
  optimistic("", 1, {.learning_rate = 0.02});
  optimistic("schedule", 1, {.learning_rate = falling_rate, .alpha = 0.5, .beta = 2});
  asgd("", 1, {.learning_rate = 0.05, .lambda = 0, .start = 0});
  asgd("all on", 1,
       {.learning_rate = falling_rate, .lambda = 0.01, .start = 1, .weight_decay = 0.01});
}

}  // namespace descent_test

#endif  // DESCENT_TESTS_SUPPORT_OPTIMIZERS_SIGNS_HPP
