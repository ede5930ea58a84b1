// The table of optimizers: those that divide by sums and averages of squares.
#ifndef DESCENT_TESTS_SUPPORT_OPTIMIZERS_SQUARES_HPP
#define DESCENT_TESTS_SUPPORT_OPTIMIZERS_SQUARES_HPP

#include "support/trial.hpp"

#include <descent/optimizer/adabelief.hpp>
#include <descent/optimizer/adadelta.hpp>
#include <descent/optimizer/adagrad.hpp>
#include <descent/optimizer/rmsprop.hpp>
#include <descent/optimizer/sm3.hpp>
#include <descent/optimizer/yogi.hpp>

#include <cstddef>

namespace descent_test {

/// Calls visit(trial) for each row.
template <class Visit>
void visit_squares(const Visit& visit) {
  using namespace descent;
  const auto adagrad = [&](const char* what, std::size_t slots, const AdagradOptions& o) {
    visit(trial<Adagrad>("Adagrad", what, slots, o));
  };
  const auto adadelta = [&](const char* what, std::size_t slots, const AdadeltaOptions& o) {
    visit(trial<Adadelta>("Adadelta", what, slots, o));
  };
  const auto rmsprop = [&](const char* what, std::size_t slots, const RMSpropOptions& o) {
    visit(trial<RMSprop>("RMSprop", what, slots, o));
  };
  const auto sm3 = [&](const char* what, std::size_t slots, const SM3Options& o) {
    visit(trial<SM3>("SM3", what, slots, o));
  };
  const auto yogi = [&](const char* what, std::size_t slots, const YogiOptions& o) {
    visit(trial<Yogi>("Yogi", what, slots, o));
  };
  const auto adabelief = [&](const char* what, std::size_t slots, const AdaBeliefOptions& o) {
    visit(trial<AdaBelief>("AdaBelief", what, slots, o));
  };
  adagrad("", 1, {.learning_rate = 0.05});
  adagrad("all on", 1,
          {.learning_rate = falling_rate,
           .learning_rate_decay = 0.01,
           .weight_decay = 0.01,
           .initial_accumulator_value = 0.1});
  adadelta("", 2, {});
  adadelta("all on", 2, {.learning_rate = falling_rate, .rho = 0.8, .weight_decay = 0.01});
  rmsprop("", 1, {.learning_rate = 0.01});
  rmsprop("momentum", 2, {.learning_rate = 2e-3, .momentum = 0.9});
  rmsprop("centered", 2, {.learning_rate = 2e-3, .alpha = 0.9, .centered = true});
  rmsprop("all on", 3,
          {.learning_rate = 2e-3, .weight_decay = 0.01, .momentum = 0.5, .centered = true});
  sm3("", 2, {.learning_rate = 0.05});
  sm3("schedule", 2, {.learning_rate = falling_rate, .momentum = 0.5, .epsilon = 0});
  yogi("", 2, {.learning_rate = 0.01, .initial_accumulator_value = 0});  // else x moves by it
  yogi("schedule", 2,
       {.learning_rate = falling_rate, .beta2 = 0.9, .initial_accumulator_value = 0});
  adabelief("", 2, {.learning_rate = 1e-3});
  adabelief("all on", 2,
            {.learning_rate = falling_rate, .beta2 = 0.9, .epsilon = 1e-4, .weight_decay = 0.01});
}

}  // namespace descent_test

#endif  // DESCENT_TESTS_SUPPORT_OPTIMIZERS_SQUARES_HPP
