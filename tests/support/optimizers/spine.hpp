// The table of optimizers: SGD, Adam and their kin.
#ifndef DESCENT_TESTS_SUPPORT_OPTIMIZERS_SPINE_HPP
#define DESCENT_TESTS_SUPPORT_OPTIMIZERS_SPINE_HPP

#include "support/trial.hpp"

#include <descent/optimizer/adam.hpp>
#include <descent/optimizer/adamw.hpp>
#include <descent/optimizer/gradient_descent.hpp>
#include <descent/optimizer/sgd.hpp>

#include <cstddef>

namespace descent_test {

/// Calls visit(trial) for each row.
template <class Visit>
void visit_spine(const Visit& visit) {
  using namespace descent;
  const auto gd = [&](const char* what, std::size_t slots, const GradientDescentOptions& o) {
    visit(trial<GradientDescent>("GradientDescent", what, slots, o));
  };
  const auto sgd = [&](const char* what, std::size_t slots, const SGDOptions& o) {
    visit(trial<SGD>("SGD", what, slots, o));
  };
  const auto adam = [&](const char* what, std::size_t slots, const AdamOptions& o) {
    visit(trial<Adam>("Adam", what, slots, o));
  };
  const auto adamw = [&](const char* what, std::size_t slots, const AdamWOptions& o) {
    visit(trial<AdamW>("AdamW", what, slots, o));
  };
  gd("", 0, {.learning_rate = 0.05});
  gd("momentum", 1, {.learning_rate = 0.02, .momentum = 0.9});
  gd("Nesterov", 1, {.learning_rate = 0.02, .momentum = 0.9, .nesterov = true});
  sgd("", 0, {.learning_rate = 0.05});
  sgd("schedule", 0, {.learning_rate = falling_rate});
  sgd("weight decay", 0, {.learning_rate = 0.05, .weight_decay = 0.01});
  sgd("dampening", 1, {.learning_rate = 0.05, .momentum = 0.8, .dampening = 0.3});
  sgd("all on", 1,
      {.learning_rate = falling_rate, .momentum = 0.7, .nesterov = true, .weight_decay = 0.01});
  adam("", 2, {.learning_rate = 0.01});
  adam("schedule", 2, {.learning_rate = falling_rate, .beta1 = 0.5, .beta2 = 0.9});
  adam("weight decay", 2, {.learning_rate = 0.01, .weight_decay = 0.01});
  adam("amsgrad", 3, {.learning_rate = 0.01, .beta2 = 0.9, .amsgrad = true});
  adam("folded", 2, {.learning_rate = 0.01, .folded = true});
  adamw("", 2, {.learning_rate = 0.01});
  adamw("no decay", 2, {.learning_rate = 0.01, .weight_decay = 0});
  adamw("amsgrad", 3, {.learning_rate = falling_rate, .beta2 = 0.9, .amsgrad = true});
}

}  // namespace descent_test

#endif  // DESCENT_TESTS_SUPPORT_OPTIMIZERS_SPINE_HPP
