#include "support/parameters.hpp"

#include <descent/engine/stepper.hpp>
#include <descent/objective/elastic_net.hpp>
#include <descent/objective/l2.hpp>
#include <descent/objective/sam.hpp>
#include <descent/optimizer/adafactor.hpp>
#include <descent/optimizer/dadapt_adam.hpp>
#include <descent/optimizer/lamb.hpp>
#include <descent/optimizer/lars.hpp>
#include <descent/optimizer/madgrad.hpp>
#include <descent/optimizer/novograd.hpp>
#include <descent/optimizer/polyak_step.hpp>
#include <descent/optimizer/prodigy.hpp>
#include <descent/optimizer/schedule_free_adamw.hpp>
#include <descent/optimizer/schedule_free_sgd.hpp>
#include <descent/transform/scale_by_learning_rate.hpp>
#include <descent/transform/scale_by_trust_ratio.hpp>
#include <descent/transform/schedule_free.hpp>

#include <Eigen/Core>

#include <vector>

namespace descent_test {
namespace {

template <class O>
void use(O optimizer) {
  Eigen::VectorXd x = Eigen::VectorXd::Ones(3);
  optimizer.step(x, x, 1.0);
}

struct Nothing {};

}  // namespace

std::vector<ParameterRow> sum_parameters() {
  using namespace descent;
  using V = double;
  return {
      decay_rate("LAMB", "beta1", [](V v) { use(LAMB({.beta1 = v})); }),
      decay_rate("LAMB", "beta2", [](V v) { use(LAMB({.beta2 = v})); }),
      non_negative("LAMB", "learning_rate", [](V v) { use(LAMB({.learning_rate = v})); }),
      non_negative("LAMB", "epsilon", [](V v) { use(LAMB({.epsilon = v})); }),
      non_negative("LAMB", "weight_decay", [](V v) { use(LAMB({.weight_decay = v})); }),
      non_negative("LAMB", "min_norm", [](V v) { use(LAMB({.min_norm = v})); }),
      positive("LAMB", "max_norm", [](V v) { use(LAMB({.max_norm = v})); }),
      non_negative("LARS", "learning_rate", [](V v) { use(LARS({.learning_rate = v})); }),
      non_negative("LARS", "epsilon", [](V v) { use(LARS({.epsilon = v})); }),
      non_negative("LARS", "weight_decay", [](V v) { use(LARS({.weight_decay = v})); }),
      decay_rate("LARS", "momentum", [](V v) { use(LARS({.momentum = v})); }),
      positive("LARS", "trust_coefficient", [](V v) { use(LARS({.trust_coefficient = v})); }),
      non_negative("NovoGrad", "learning_rate", [](V v) { use(NovoGrad({.learning_rate = v})); }),
      non_negative("NovoGrad", "epsilon", [](V v) { use(NovoGrad({.epsilon = v})); }),
      non_negative("NovoGrad", "weight_decay", [](V v) { use(NovoGrad({.weight_decay = v})); }),
      decay_rate("NovoGrad", "beta1", [](V v) { use(NovoGrad({.beta1 = v})); }),
      decay_rate("NovoGrad", "beta2", [](V v) { use(NovoGrad({.beta2 = v})); }),
      non_negative("DAdaptAdam", "learning_rate",
                   [](V v) { use(DAdaptAdam({.learning_rate = v})); }),
      non_negative("DAdaptAdam", "epsilon", [](V v) { use(DAdaptAdam({.epsilon = v})); }),
      non_negative("DAdaptAdam", "weight_decay", [](V v) { use(DAdaptAdam({.weight_decay = v})); }),
      decay_rate("DAdaptAdam", "beta1", [](V v) { use(DAdaptAdam({.beta1 = v})); }),
      decay_rate("DAdaptAdam", "beta2", [](V v) { use(DAdaptAdam({.beta2 = v})); }),
      positive("DAdaptAdam", "initial_d", [](V v) { use(DAdaptAdam({.initial_d = v})); }),
      non_negative("Prodigy", "learning_rate", [](V v) { use(Prodigy({.learning_rate = v})); }),
      non_negative("Prodigy", "epsilon", [](V v) { use(Prodigy({.epsilon = v})); }),
      non_negative("Prodigy", "weight_decay", [](V v) { use(Prodigy({.weight_decay = v})); }),
      decay_rate("Prodigy", "beta1", [](V v) { use(Prodigy({.beta1 = v})); }),
      decay_rate("Prodigy", "beta2", [](V v) { use(Prodigy({.beta2 = v})); }),
      positive("Prodigy", "initial_d", [](V v) { use(Prodigy({.initial_d = v})); }),
      positive("Prodigy", "d_coefficient", [](V v) { use(Prodigy({.d_coefficient = v})); }),
      non_negative("PolyakStep", "learning_rate",
                   [](V v) { use(PolyakStep({.learning_rate = v})); }),
      non_negative("PolyakStep", "epsilon", [](V v) { use(PolyakStep({.epsilon = v})); }),
      non_negative("Adafactor", "learning_rate", [](V v) { use(Adafactor({.learning_rate = v})); }),
      non_negative("Adafactor", "epsilon", [](V v) { use(Adafactor({.epsilon = v})); }),
      non_negative("Adafactor", "min_scale", [](V v) { use(Adafactor({.min_scale = v})); }),
      non_negative("Adafactor", "weight_decay", [](V v) { use(Adafactor({.weight_decay = v})); }),
      positive("Adafactor", "decay_power", [](V v) { use(Adafactor({.decay_power = v})); }),
      positive("Adafactor", "clipping_threshold",
               [](V v) { use(Adafactor({.clipping_threshold = v})); }),
      decay_rate("Adafactor", "momentum", [](V v) { use(Adafactor({.momentum = v})); }),
      non_negative("MADGRAD", "learning_rate", [](V v) { use(MADGRAD({.learning_rate = v})); }),
      non_negative("MADGRAD", "epsilon", [](V v) { use(MADGRAD({.epsilon = v})); }),
      non_negative("MADGRAD", "weight_decay", [](V v) { use(MADGRAD({.weight_decay = v})); }),
      decay_rate("MADGRAD", "momentum", [](V v) { use(MADGRAD({.momentum = v})); }),
      non_negative("ScheduleFreeSGD", "learning_rate",
                   [](V v) { use(ScheduleFreeSGD({.learning_rate = v})); }),
      non_negative("ScheduleFreeSGD", "weight_decay",
                   [](V v) { use(ScheduleFreeSGD({.weight_decay = v})); }),
      non_negative("ScheduleFreeSGD", "step_power",
                   [](V v) { use(ScheduleFreeSGD({.step_power = v})); }),
      non_negative("ScheduleFreeSGD", "rate_power",
                   [](V v) { use(ScheduleFreeSGD({.rate_power = v})); }),
      unit("ScheduleFreeSGD", "beta", [](V v) { use(ScheduleFreeSGD({.beta = v})); }),
      non_negative("ScheduleFreeAdamW", "learning_rate",
                   [](V v) { use(ScheduleFreeAdamW({.learning_rate = v})); }),
      non_negative("ScheduleFreeAdamW", "epsilon",
                   [](V v) { use(ScheduleFreeAdamW({.epsilon = v})); }),
      non_negative("ScheduleFreeAdamW", "weight_decay",
                   [](V v) { use(ScheduleFreeAdamW({.weight_decay = v})); }),
      non_negative("ScheduleFreeAdamW", "step_power",
                   [](V v) { use(ScheduleFreeAdamW({.step_power = v})); }),
      non_negative("ScheduleFreeAdamW", "rate_power",
                   [](V v) { use(ScheduleFreeAdamW({.rate_power = v})); }),
      unit("ScheduleFreeAdamW", "beta1", [](V v) { use(ScheduleFreeAdamW({.beta1 = v})); }),
      decay_rate("ScheduleFreeAdamW", "beta2", [](V v) { use(ScheduleFreeAdamW({.beta2 = v})); }),
      positive("scale_by_trust_ratio", "coefficient",
               [](V v) {
                 use(chain(scale_by_trust_ratio({.coefficient = v}), scale_by_learning_rate(1)));
               }),
      non_negative(
          "scale_by_trust_ratio", "epsilon",
          [](V v) { use(chain(scale_by_trust_ratio({.epsilon = v}), scale_by_learning_rate(1))); }),
      non_negative("scale_by_trust_ratio", "min_norm",
                   [](V v) {
                     use(chain(scale_by_trust_ratio({.min_norm = v}), scale_by_learning_rate(1)));
                   }),
      positive("scale_by_trust_ratio", "max_norm",
               [](V v) {
                 use(chain(scale_by_trust_ratio({.max_norm = v}), scale_by_learning_rate(1)));
               }),
      non_negative("schedule_free", "learning_rate",
                   [](V v) { use(chain(schedule_free({.learning_rate = v}))); }),
      unit("schedule_free", "beta", [](V v) { use(chain(schedule_free({.beta = v}))); }),
      non_negative("schedule_free", "step_power",
                   [](V v) { use(chain(schedule_free({.step_power = v}))); }),
      non_negative("schedule_free", "rate_power",
                   [](V v) { use(chain(schedule_free({.rate_power = v}))); }),
      non_negative("l1", "lambda", [](V v) { (void)l1(Nothing(), v); }),
      non_negative("l2", "lambda", [](V v) { (void)l2(Nothing(), v); }),
      non_negative("elastic_net", "lambda", [](V v) { (void)elastic_net(Nothing(), v, 0.5); }),
      fraction("elastic_net", "l1_ratio", [](V v) { (void)elastic_net(Nothing(), 1, v); }),
      non_negative("sam", "rho", [](V v) { (void)sam(Nothing(), {.rho = v}); }),
  };
}

}  // namespace descent_test
