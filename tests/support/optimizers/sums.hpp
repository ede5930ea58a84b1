// The table of optimizers: those that look at sums over all parameters. The last bits of a sum depend on the width of the
// lanes and on where a vector is cut, so they are no part of visit_optimizers(): their laws are in optimizer/sums.test.cpp.
#ifndef DESCENT_TESTS_SUPPORT_OPTIMIZERS_SUMS_HPP
#define DESCENT_TESTS_SUPPORT_OPTIMIZERS_SUMS_HPP

#include "support/trial.hpp"

#include <descent/optimizer/adafactor.hpp>
#include <descent/optimizer/dadapt_adam.hpp>
#include <descent/optimizer/lamb.hpp>
#include <descent/optimizer/lars.hpp>
#include <descent/optimizer/novograd.hpp>
#include <descent/optimizer/polyak_step.hpp>
#include <descent/optimizer/prodigy.hpp>

#include <cstddef>

namespace descent_test {

/// PolyakStep where the loss is 1 at every step: trials know gradients only.
template <class Vector>
struct PolyakStepAtOne : descent::PolyakStep<Vector> {
  using Base = descent::PolyakStep<Vector>;
  using Base::Base;
  template <class X, class G>
  void step(X&& x, const G& g) {
    Base::step(x, g, 1.0);
  }
  descent::StepOutcome advance(const Vector& x, const Vector& g, Vector& next, double) {
    return Base::advance(x, g, next, 1.0);
  }
};

/// Calls visit(trial) for each row.
template <class Visit>
void visit_sums(const Visit& visit) {
  using namespace descent;
  const auto lamb = [&](const char* what, std::size_t slots, const LAMBOptions& o) {
    visit(trial<LAMB>("LAMB", what, slots, o));
  };
  const auto lars = [&](const char* what, std::size_t slots, const LARSOptions& o) {
    visit(trial<LARS>("LARS", what, slots, o));
  };
  const auto novograd = [&](const char* what, std::size_t slots, const NovoGradOptions& o) {
    visit(trial<NovoGrad>("NovoGrad", what, slots, o));
  };
  const auto dadapt = [&](const char* what, std::size_t slots, const DAdaptAdamOptions& o) {
    visit(trial<DAdaptAdam>("DAdaptAdam", what, slots, o));
  };
  const auto prodigy = [&](const char* what, std::size_t slots, const ProdigyOptions& o) {
    visit(trial<Prodigy>("Prodigy", what, slots, o));
  };
  const auto polyak = [&](const char* what, std::size_t slots, const PolyakStepOptions& o) {
    visit(trial<PolyakStepAtOne>("PolyakStep", what, slots, o));
  };
  const auto adafactor = [&](const char* what, std::size_t slots, const AdafactorOptions& o) {
    visit(trial<Adafactor>("Adafactor", what, slots, o));
  };
  lamb("", 2, {.learning_rate = 0.01});
  lamb("all on", 2,
       {.learning_rate = falling_rate, .beta2 = 0.9, .weight_decay = 0.01, .max_norm = 2});
  lars("", 1, {.learning_rate = 1});
  lars("no momentum", 0, {.learning_rate = 1, .momentum = 0});
  lars("all on", 1, {.learning_rate = falling_rate, .nesterov = true, .weight_decay = 0.01});
  novograd("", 1, {.learning_rate = 0.01});
  novograd("all on", 1,
           {.learning_rate = falling_rate, .beta1 = 0.5, .beta2 = 0.5, .weight_decay = 0.01});
  dadapt("", 3, {});
  dadapt("all on", 3,
         {.learning_rate = 0.5, .beta2 = 0.9, .weight_decay = 0.01, .initial_d = 1e-3});
  prodigy("", 4, {});
  prodigy("all on", 4,
          {.learning_rate = 0.5,
           .beta2 = 0.9,
           .weight_decay = 0.01,
           .initial_d = 1e-3,
           .bias_correction = true,
           .safeguard_warmup = true,
           .growth_rate = 1.5});
  polyak("", 0, {.learning_rate = 0.05});
  adafactor("", 1, {});
  adafactor("all on", 2, {.learning_rate = 0.01, .momentum = 0.9, .weight_decay = 1e-3});
}

}  // namespace descent_test

#endif  // DESCENT_TESTS_SUPPORT_OPTIMIZERS_SUMS_HPP
