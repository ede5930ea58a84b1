#include "support/parameters.hpp"

#include <descent/engine/stepper.hpp>
#include <descent/line_search/fixed_step.hpp>
#include <descent/objective/finite_difference.hpp>
#include <descent/observe/reduce_on_plateau.hpp>
#include <descent/optimizer/adam.hpp>
#include <descent/optimizer/adamw.hpp>
#include <descent/optimizer/asgd.hpp>
#include <descent/optimizer/gradient_descent.hpp>
#include <descent/optimizer/sgd.hpp>
#include <descent/schedule/constant.hpp>
#include <descent/schedule/cosine_decay.hpp>
#include <descent/schedule/cosine_restarts.hpp>
#include <descent/schedule/cyclic.hpp>
#include <descent/schedule/exponential_decay.hpp>
#include <descent/schedule/inverse_sqrt.hpp>
#include <descent/schedule/joined.hpp>
#include <descent/schedule/linear.hpp>
#include <descent/schedule/multi_step.hpp>
#include <descent/schedule/one_cycle.hpp>
#include <descent/schedule/polynomial_decay.hpp>
#include <descent/schedule/product.hpp>
#include <descent/schedule/step_decay.hpp>
#include <descent/schedule/warmup_cosine.hpp>
#include <descent/schedule/warmup_stable_decay.hpp>
#include <descent/solver/barzilai_borwein.hpp>
#include <descent/solver/coordinate_descent.hpp>
#include <descent/solver/proximal_gradient.hpp>
#include <descent/solver/saga.hpp>
#include <descent/solver/sarah.hpp>
#include <descent/solver/svrg.hpp>
#include <descent/solver/truncated_newton.hpp>
#include <descent/transform/add_decayed_weights.hpp>
#include <descent/transform/clip_by_global_norm.hpp>
#include <descent/transform/proximal.hpp>
#include <descent/transform/scale_by_adam.hpp>
#include <descent/transform/scale_by_learning_rate.hpp>
#include <descent/transform/trace.hpp>

#include <Eigen/Core>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace descent_test {
namespace {

template <class O>
void use(O optimizer) {
  Eigen::VectorXd x = Eigen::VectorXd::Ones(3);
  optimizer.step(x, x);
}
template <class S>
void use_schedule(const S& schedule) {
  (void)schedule(1);
}

std::vector<ParameterRow> with_rules(std::vector<ParameterRow> rows) {
  for (const auto& rules : {rule_parameters(), sum_parameters(), transform_parameters()})
    rows.insert(rows.end(), rules.begin(), rules.end());
  return rows;
}

}  // namespace

const std::vector<ParameterRow>& parameter_rows() {
  using namespace descent;
  using V = double;
  static const std::vector<ParameterRow> rows = with_rules({
      non_negative("GradientDescent", "learning_rate",
                   [](V v) { use(GradientDescent({.learning_rate = v})); }),
      decay_rate("GradientDescent", "momentum", [](V v) { use(GradientDescent({.momentum = v})); }),
      non_negative("SGD", "learning_rate", [](V v) { use(SGD({.learning_rate = v})); }),
      positive("fixed_step", "step", [](V v) { (void)fixed_step({.step = v}); }),
      fraction("BarzilaiBorwein", "threshold",
               [](V v) { (void)BarzilaiBorwein({.threshold = v}); }),
      non_negative("ProximalGradient", "step",
                   [](V v) { (void)ProximalGradient(proximal_l1(0.1), {.step = v}); }),
      non_negative("FISTA", "step", [](V v) { (void)FISTA(proximal_l1(0.1), {.step = v}); }),
      non_negative("TruncatedNewton", "radius", [](V v) { (void)TruncatedNewton({.radius = v}); }),
      non_negative("SVRG", "learning_rate", [](V v) { (void)SVRG({.learning_rate = v}); }),
      non_negative("SAGA", "learning_rate", [](V v) { (void)SAGA({.learning_rate = v}); }),
      non_negative("SARAH", "learning_rate", [](V v) { (void)SARAH({.learning_rate = v}); }),
      decay_rate("SARAH", "stop_ratio", [](V v) { (void)SARAH({.stop_ratio = v}); }),
      non_negative("CoordinateDescent", "l1", [](V v) { (void)CoordinateDescent({.l1 = v}); }),
      non_negative("CoordinateDescent", "l2", [](V v) { (void)CoordinateDescent({.l2 = v}); }),
      decay_rate("finite_difference", "relative_step",
                 [](V v) {
                   (void)finite_difference([](const Eigen::VectorXd& x) { return x.sum(); },
                                           {.relative_step = v});
                 }),
      decay_rate("SGD", "momentum", [](V v) { use(SGD({.momentum = v})); }),
      fraction("SGD", "dampening", [](V v) { use(SGD({.dampening = v})); }),
      non_negative("SGD", "weight_decay", [](V v) { use(SGD({.weight_decay = v})); }),
      non_negative("Adam", "learning_rate", [](V v) { use(Adam({.learning_rate = v})); }),
      decay_rate("Adam", "beta1", [](V v) { use(Adam({.beta1 = v})); }),
      decay_rate("Adam", "beta2", [](V v) { use(Adam({.beta2 = v})); }),
      non_negative("Adam", "epsilon", [](V v) { use(Adam({.epsilon = v})); }),
      non_negative("Adam", "weight_decay", [](V v) { use(Adam({.weight_decay = v})); }),
      non_negative("AdamW", "learning_rate", [](V v) { use(AdamW({.learning_rate = v})); }),
      decay_rate("AdamW", "beta1", [](V v) { use(AdamW({.beta1 = v})); }),
      decay_rate("AdamW", "beta2", [](V v) { use(AdamW({.beta2 = v})); }),
      non_negative("AdamW", "epsilon", [](V v) { use(AdamW({.epsilon = v})); }),
      non_negative("AdamW", "weight_decay", [](V v) { use(AdamW({.weight_decay = v})); }),

      non_negative("set_learning_rate", "learning_rate",
                   [](V v) {
                     SGD sgd;
                     sgd.set_learning_rate(v);
                     use(sgd);
                   }),
      non_negative("scale_learning_rate", "factor",
                   [](V v) {
                     SGD sgd;
                     sgd.scale_learning_rate(v);
                     use(sgd);
                   }),

      non_negative("add_decayed_weights", "weight_decay",
                   [](V v) { use(chain(add_decayed_weights(v), scale_by_learning_rate(1))); }),
      positive("clip_by_global_norm", "max_norm",
               [](V v) { use(chain(clip_by_global_norm(v), scale_by_learning_rate(1))); }),
      decay_rate("scale_by_adam", "beta1",
                 [](V v) { use(chain(scale_by_adam({.beta1 = v}), scale_by_learning_rate(1))); }),
      decay_rate("scale_by_adam", "beta2",
                 [](V v) { use(chain(scale_by_adam({.beta2 = v}), scale_by_learning_rate(1))); }),
      non_negative(
          "scale_by_adam", "epsilon",
          [](V v) { use(chain(scale_by_adam({.epsilon = v}), scale_by_learning_rate(1))); }),
      non_negative("scale_by_learning_rate", "learning_rate",
                   [](V v) { use(chain(scale_by_learning_rate(v))); }),
      decay_rate("trace", "momentum",
                 [](V v) { use(chain(trace({.momentum = v}), scale_by_learning_rate(1))); }),
      fraction("trace", "dampening",
               [](V v) { use(chain(trace({.dampening = v}), scale_by_learning_rate(1))); }),

      {"reduce_on_plateau", "factor", "(0, 1)", 0, 1, true, true,
       [](V v) { reduce_on_plateau({.factor = v})(1, 1); }},
      non_negative("reduce_on_plateau", "threshold",
                   [](V v) { reduce_on_plateau({.threshold = v})(1, 1); }),
      non_negative("reduce_on_plateau", "min_learning_rate",
                   [](V v) { reduce_on_plateau({.min_learning_rate = v})(1, 1); }),
      non_negative("reduce_on_plateau", "epsilon",
                   [](V v) { reduce_on_plateau({.epsilon = v})(1, 1); }),

      non_negative("constant", "value", [](V v) { use_schedule(constant(v)); }),
      non_negative("step_decay", "initial", [](V v) { use_schedule(step_decay({.initial = v})); }),
      positive("step_decay", "rate", [](V v) { use_schedule(step_decay({.rate = v})); }),
      non_negative("exponential_decay", "initial",
                   [](V v) { use_schedule(exponential_decay({.initial = v})); }),
      positive("exponential_decay", "rate",
               [](V v) { use_schedule(exponential_decay({.rate = v})); }),
      non_negative("cosine_decay", "initial",
                   [](V v) { use_schedule(cosine_decay({.initial = v})); }),
      non_negative("cosine_decay", "final", [](V v) { use_schedule(cosine_decay({.final = v})); }),
      non_negative("warmup_cosine", "peak", [](V v) { use_schedule(warmup_cosine({.peak = v})); }),
      non_negative("warmup_cosine", "initial",
                   [](V v) { use_schedule(warmup_cosine({.initial = v})); }),
      non_negative("warmup_cosine", "final",
                   [](V v) { use_schedule(warmup_cosine({.final = v})); }),
      non_negative("linear", "initial", [](V v) { use_schedule(linear({.initial = v})); }),
      non_negative("linear", "final", [](V v) { use_schedule(linear({.final = v})); }),
      non_negative("polynomial_decay", "initial",
                   [](V v) { use_schedule(polynomial_decay({.initial = v})); }),
      non_negative("polynomial_decay", "final",
                   [](V v) { use_schedule(polynomial_decay({.final = v})); }),
      positive("polynomial_decay", "power",
               [](V v) { use_schedule(polynomial_decay({.power = v})); }),
      non_negative("multi_step", "initial",
                   [](V v) { use_schedule(multi_step({.initial = v}, {5})); }),
      positive("multi_step", "rate", [](V v) { use_schedule(multi_step({.rate = v}, {5})); }),
      non_negative("cosine_restarts", "initial",
                   [](V v) { use_schedule(cosine_restarts({.initial = v})); }),
      non_negative("cosine_restarts", "final",
                   [](V v) { use_schedule(cosine_restarts({.final = v})); }),
      positive("cosine_restarts", "rate", [](V v) { use_schedule(cosine_restarts({.rate = v})); }),
      non_negative("cyclic", "initial", [](V v) { use_schedule(cyclic({.initial = v})); }),
      non_negative("cyclic", "peak", [](V v) { use_schedule(cyclic({.peak = v})); }),
      unit("cyclic", "cycle_rate", [](V v) { use_schedule(cyclic({.cycle_rate = v})); }),
      unit("cyclic", "step_rate", [](V v) { use_schedule(cyclic({.step_rate = v})); }),
      non_negative("one_cycle", "peak", [](V v) { use_schedule(one_cycle({.peak = v})); }),
      non_negative("one_cycle", "initial", [](V v) { use_schedule(one_cycle({.initial = v})); }),
      non_negative("one_cycle", "final", [](V v) { use_schedule(one_cycle({.final = v})); }),
      fraction("one_cycle", "rise", [](V v) { use_schedule(one_cycle({.rise = v})); }),
      non_negative("inverse_sqrt", "peak", [](V v) { use_schedule(inverse_sqrt({.peak = v})); }),
      non_negative("warmup_stable_decay", "peak",
                   [](V v) { use_schedule(warmup_stable_decay({.peak = v})); }),
      non_negative("warmup_stable_decay", "initial",
                   [](V v) { use_schedule(warmup_stable_decay({.initial = v})); }),
      non_negative("warmup_stable_decay", "final",
                   [](V v) { use_schedule(warmup_stable_decay({.final = v})); }),
      non_negative("joined", "value", [](V v) { use_schedule(joined(0.5, 1, v)); }),
      non_negative("product", "value", [](V v) { use_schedule(product(0.5, v)); }),
  });
  return rows;
}

const std::vector<CountRow>& count_rows() {
  using namespace descent;
  using N = std::int64_t;
  static const std::vector<CountRow> rows = [] {
    std::vector<CountRow> all{
        {"ASGD", "start", 0, [](N n) { (void)ASGD<>({.start = n}); }},
        {"reduce_on_plateau", "patience", 0, [](N n) { reduce_on_plateau({.patience = n}); }},
        {"reduce_on_plateau", "cooldown", 0, [](N n) { reduce_on_plateau({.cooldown = n}); }},
        {"reduce_on_plateau", "every", 1, [](N n) { reduce_on_plateau({.every = n}); }},
        {"step_decay", "steps", 1, [](N n) { use_schedule(step_decay({.steps = n})); }},
        {"exponential_decay", "steps", 1,
         [](N n) { use_schedule(exponential_decay({.steps = n})); }},
        {"cosine_decay", "total_steps", 1,
         [](N n) { use_schedule(cosine_decay({.total_steps = n})); }},
        {"cosine_decay", "total_steps", 1,
         [](N n) { use_schedule(cosine_decay({.total_steps = n, .periodic = true})); }},
        {"warmup_cosine", "warmup_steps", 0,
         [](N n) {
           use_schedule(warmup_cosine({.warmup_steps = n, .total_steps = n < 100 ? 200 : n + 1}));
         }},
        {"linear", "total_steps", 1, [](N n) { use_schedule(linear({.total_steps = n})); }},
        {"polynomial_decay", "total_steps", 1,
         [](N n) { use_schedule(polynomial_decay({.total_steps = n})); }},
        {"multi_step", "milestone", 0, [](N n) { use_schedule(multi_step({}, {n})); }},
        {"cosine_restarts", "steps", 1, [](N n) { use_schedule(cosine_restarts({.steps = n})); }},
        {"cosine_restarts", "growth", 1, [](N n) { use_schedule(cosine_restarts({.growth = n})); }},
        {"cyclic", "steps_up", 1, [](N n) { use_schedule(cyclic({.steps_up = n})); }},
        {"cyclic", "steps_down", 0, [](N n) { use_schedule(cyclic({.steps_down = n})); }},
        {"one_cycle", "total_steps", 1, [](N n) { use_schedule(one_cycle({.total_steps = n})); }},
        {"inverse_sqrt", "warmup_steps", 1,
         [](N n) { use_schedule(inverse_sqrt({.warmup_steps = n})); }},
        {"warmup_stable_decay", "warmup_steps", 0,
         [](N n) {
           use_schedule(warmup_stable_decay({.warmup_steps = n,
                                             .total_steps = std::numeric_limits<N>::max(),
                                             .decay_steps = 0}));
         }},
        {"warmup_stable_decay", "total_steps", 1,
         [](N n) {
           use_schedule(
               warmup_stable_decay({.warmup_steps = 0, .total_steps = n, .decay_steps = 0}));
         }},
        {"warmup_stable_decay", "decay_steps", 0,
         [](N n) {
           use_schedule(warmup_stable_decay({.warmup_steps = 0,
                                             .total_steps = std::numeric_limits<N>::max(),
                                             .decay_steps = n}));
         }},
        {"joined", "boundary", 1, [](N n) { use_schedule(joined(0.5, n, 0.25)); }},
    };
    for (CountRow& row : transform_counts()) all.push_back(std::move(row));
    return all;
  }();
  return rows;
}

}  // namespace descent_test
