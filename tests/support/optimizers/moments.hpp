// The table of optimizers: the relatives of Adam.
#ifndef DESCENT_TESTS_SUPPORT_OPTIMIZERS_MOMENTS_HPP
#define DESCENT_TESTS_SUPPORT_OPTIMIZERS_MOMENTS_HPP

#include "support/trial.hpp"

#include <descent/optimizer/adabound.hpp>
#include <descent/optimizer/adamax.hpp>
#include <descent/optimizer/adan.hpp>
#include <descent/optimizer/ademamix.hpp>
#include <descent/optimizer/adopt.hpp>
#include <descent/optimizer/nadam.hpp>
#include <descent/optimizer/qhadam.hpp>
#include <descent/optimizer/radam.hpp>

#include <cstddef>

namespace descent_test {

/// Calls visit(trial) for each row.
template <class Visit>
void visit_moments(const Visit& visit) {
  using namespace descent;
  const auto adamax = [&](const char* what, std::size_t slots, const AdaMaxOptions& o) {
    visit(trial<AdaMax>("AdaMax", what, slots, o));
  };
  const auto nadam = [&](const char* what, std::size_t slots, const NAdamOptions& o) {
    visit(trial<NAdam>("NAdam", what, slots, o));
  };
  const auto radam = [&](const char* what, std::size_t slots, const RAdamOptions& o) {
    visit(trial<RAdam>("RAdam", what, slots, o));
  };
  const auto adabound = [&](const char* what, std::size_t slots, const AdaBoundOptions& o) {
    visit(trial<AdaBound>("AdaBound", what, slots, o));
  };
  const auto qhadam = [&](const char* what, std::size_t slots, const QHAdamOptions& o) {
    visit(trial<QHAdam>("QHAdam", what, slots, o));
  };
  const auto adan = [&](const char* what, std::size_t slots, const AdanOptions& o) {
    visit(trial<Adan>("Adan", what, slots, o));
  };
  const auto ademamix = [&](const char* what, std::size_t slots, const AdEMAMixOptions& o) {
    visit(trial<AdEMAMix>("AdEMAMix", what, slots, o));
  };
  const auto adopt = [&](const char* what, std::size_t slots, const ADOPTOptions& o) {
    visit(trial<ADOPT>("ADOPT", what, slots, o));
  };
  adamax("", 2, {.learning_rate = 0.01});
  adamax("all on", 2, {.learning_rate = falling_rate, .beta2 = 0.9, .weight_decay = 0.01});
  nadam("", 2, {.learning_rate = 0.01});
  nadam("weight decay", 2, {.learning_rate = 0.01, .beta1 = 0.8, .weight_decay = 0.01});
  nadam("decoupled", 2,
        {.learning_rate = falling_rate,
         .weight_decay = 0.01,
         .momentum_decay = 0.5,
         .decoupled_weight_decay = true});
  radam("", 2, {.learning_rate = 0.01});
  radam("all on", 2, {.learning_rate = falling_rate, .beta2 = 0.9, .weight_decay = 0.01});
  adabound("", 2, {.learning_rate = 0.01});
  adabound("all on", 3,
           {.learning_rate = falling_rate,
            .beta2 = 0.9,
            .final_learning_rate = 0.05,
            .gamma = 0.1,
            .weight_decay = 0.01,
            .amsbound = true});
  qhadam("", 2, {.learning_rate = 0.01});
  qhadam("weight decay", 2,
         {.learning_rate = 0.01, .beta1 = 0.9, .nu2 = 0.8, .weight_decay = 0.01});
  qhadam("decoupled", 2,
         {.learning_rate = falling_rate, .weight_decay = 0.01, .decoupled_weight_decay = true});
  adan("", 4, {.learning_rate = 0.01});
  adan("proximal", 4, {.learning_rate = 0.01, .beta2 = 0.5, .weight_decay = 0.01});
  adan("decoupled", 4, {.learning_rate = falling_rate, .weight_decay = 0.01, .proximal = false});
  ademamix("", 3, {.learning_rate = 1e-3});
  ademamix("all on", 3,
           {.learning_rate = falling_rate, .beta3 = 0.99, .alpha = 2, .weight_decay = 0.01});
  adopt("", 2, {.learning_rate = 0.01});
  adopt("all on", 2,
        {.learning_rate = falling_rate, .beta2 = 0.9, .weight_decay = 0.01, .clip = false});
}

}  // namespace descent_test

#endif  // DESCENT_TESTS_SUPPORT_OPTIMIZERS_MOMENTS_HPP
