// The table of optimizers: those that remember where they began, or average where they were.
#ifndef DESCENT_TESTS_SUPPORT_OPTIMIZERS_AVERAGES_HPP
#define DESCENT_TESTS_SUPPORT_OPTIMIZERS_AVERAGES_HPP

#include "support/trial.hpp"

#include <descent/optimizer/madgrad.hpp>
#include <descent/optimizer/schedule_free_adamw.hpp>
#include <descent/optimizer/schedule_free_sgd.hpp>

#include <cstddef>

namespace descent_test {

/// Calls visit(trial) for each row.
template <class Visit>
void visit_averages(const Visit& visit) {
  using namespace descent;
  const auto madgrad = [&](const char* what, std::size_t slots, const MADGRADOptions& o) {
    visit(trial<MADGRAD>("MADGRAD", what, slots, o));
  };
  const auto sgd = [&](const char* what, std::size_t slots, const ScheduleFreeSGDOptions& o) {
    visit(trial<ScheduleFreeSGD>("ScheduleFreeSGD", what, slots, o));
  };
  const auto adamw = [&](const char* what, std::size_t slots, const ScheduleFreeAdamWOptions& o) {
    visit(trial<ScheduleFreeAdamW>("ScheduleFreeAdamW", what, slots, o));
  };
  madgrad("", 3, {.learning_rate = 1e-3});
  madgrad("all on", 3, {.learning_rate = 1e-4, .momentum = 0.5, .weight_decay = 0.01});
  sgd("", 1, {.learning_rate = 0.05});
  sgd("all on", 1,
      {.learning_rate = falling_rate, .beta = 0.5, .weight_decay = 0.01, .step_power = 1});
  adamw("", 2, {.learning_rate = 0.01});
  adamw("all on", 2,
        {.learning_rate = falling_rate, .beta2 = 0.9, .weight_decay = 0.01, .rate_power = 1});
}

}  // namespace descent_test

#endif  // DESCENT_TESTS_SUPPORT_OPTIMIZERS_AVERAGES_HPP
