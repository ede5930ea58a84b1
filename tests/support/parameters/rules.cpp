#include "support/parameters.hpp"

#include <descent/optimizer/adabelief.hpp>
#include <descent/optimizer/adabound.hpp>
#include <descent/optimizer/adadelta.hpp>
#include <descent/optimizer/adagrad.hpp>
#include <descent/optimizer/adamax.hpp>
#include <descent/optimizer/adan.hpp>
#include <descent/optimizer/ademamix.hpp>
#include <descent/optimizer/adopt.hpp>
#include <descent/optimizer/asgd.hpp>
#include <descent/optimizer/lion.hpp>
#include <descent/optimizer/nadam.hpp>
#include <descent/optimizer/optimistic_descent.hpp>
#include <descent/optimizer/qhadam.hpp>
#include <descent/optimizer/qhm.hpp>
#include <descent/optimizer/radam.hpp>
#include <descent/optimizer/rmsprop.hpp>
#include <descent/optimizer/rprop.hpp>
#include <descent/optimizer/sign_descent.hpp>
#include <descent/optimizer/sm3.hpp>
#include <descent/optimizer/yogi.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace descent_test {
namespace {

using Kind = ParameterRow (*)(std::string who, std::string name, std::function<void(double)> make);

// One step of an optimizer with the member set to the value and all else at its default.
template <template <class> class O, class Options, class Member>
ParameterRow option(Kind kind, const char* who, const char* name, Member Options::*member) {
  return kind(who, name, [member](double value) {
    Options options;
    options.*member = value;
    O<Eigen::VectorXd> optimizer(options);
    Eigen::VectorXd x = Eigen::VectorXd::Ones(3);
    optimizer.step(x, x);
  });
}
// The same of a transform's factory, which is only called: the optimizer above has used it.
template <class T, class Options>
ParameterRow option(Kind kind, T (*factory)(const Options&, std::string_view), const char* who,
                    const char* name, double Options::*member) {
  return kind(who, name, [=](double value) {
    Options options;
    options.*member = value;
    (void)factory(options, who);
  });
}

}  // namespace

std::vector<ParameterRow> rule_parameters() {
  using namespace descent;
  return {
      option<Adagrad>(non_negative, "Adagrad", "learning_rate", &AdagradOptions::learning_rate),
      option<Adagrad>(non_negative, "Adagrad", "weight_decay", &AdagradOptions::weight_decay),
      option<Adagrad>(non_negative, "Adagrad", "learning_rate_decay",
                      &AdagradOptions::learning_rate_decay),
      option<Adagrad>(non_negative, "Adagrad", "initial_accumulator_value",
                      &AdagradOptions::initial_accumulator_value),
      option<Adagrad>(non_negative, "Adagrad", "epsilon", &AdagradOptions::epsilon),
      option(non_negative, scale_by_adagrad, "scale_by_adagrad", "learning_rate_decay",
             &ScaleByAdagradOptions::learning_rate_decay),
      option(non_negative, scale_by_adagrad, "scale_by_adagrad", "initial_accumulator_value",
             &ScaleByAdagradOptions::initial_accumulator_value),
      option(non_negative, scale_by_adagrad, "scale_by_adagrad", "epsilon",
             &ScaleByAdagradOptions::epsilon),
      option<Adadelta>(non_negative, "Adadelta", "learning_rate", &AdadeltaOptions::learning_rate),
      option<Adadelta>(non_negative, "Adadelta", "weight_decay", &AdadeltaOptions::weight_decay),
      option<Adadelta>(decay_rate, "Adadelta", "rho", &AdadeltaOptions::rho),
      option<Adadelta>(non_negative, "Adadelta", "epsilon", &AdadeltaOptions::epsilon),
      option(decay_rate, scale_by_adadelta, "scale_by_adadelta", "rho",
             &ScaleByAdadeltaOptions::rho),
      option(non_negative, scale_by_adadelta, "scale_by_adadelta", "epsilon",
             &ScaleByAdadeltaOptions::epsilon),
      option<RMSprop>(non_negative, "RMSprop", "learning_rate", &RMSpropOptions::learning_rate),
      option<RMSprop>(non_negative, "RMSprop", "weight_decay", &RMSpropOptions::weight_decay),
      option<RMSprop>(decay_rate, "RMSprop", "momentum", &RMSpropOptions::momentum),
      option<RMSprop>(decay_rate, "RMSprop", "alpha", &RMSpropOptions::alpha),
      option<RMSprop>(non_negative, "RMSprop", "epsilon", &RMSpropOptions::epsilon),
      option(decay_rate, scale_by_rms, "scale_by_rms", "alpha", &ScaleByRmsOptions::alpha),
      option(non_negative, scale_by_rms, "scale_by_rms", "epsilon", &ScaleByRmsOptions::epsilon),
      option<SM3>(non_negative, "SM3", "learning_rate", &SM3Options::learning_rate),
      option<SM3>(decay_rate, "SM3", "momentum", &SM3Options::momentum),
      option<SM3>(non_negative, "SM3", "epsilon", &SM3Options::epsilon),
      option(decay_rate, scale_by_sm3, "scale_by_sm3", "momentum", &ScaleBySm3Options::momentum),
      option(non_negative, scale_by_sm3, "scale_by_sm3", "epsilon", &ScaleBySm3Options::epsilon),
      option<Yogi>(non_negative, "Yogi", "learning_rate", &YogiOptions::learning_rate),
      option<Yogi>(decay_rate, "Yogi", "beta1", &YogiOptions::beta1),
      option<Yogi>(decay_rate, "Yogi", "beta2", &YogiOptions::beta2),
      option<Yogi>(non_negative, "Yogi", "epsilon", &YogiOptions::epsilon),
      option<Yogi>(non_negative, "Yogi", "initial_accumulator_value",
                   &YogiOptions::initial_accumulator_value),
      option(decay_rate, scale_by_yogi, "scale_by_yogi", "beta1", &ScaleByYogiOptions::beta1),
      option(decay_rate, scale_by_yogi, "scale_by_yogi", "beta2", &ScaleByYogiOptions::beta2),
      option(non_negative, scale_by_yogi, "scale_by_yogi", "epsilon", &ScaleByYogiOptions::epsilon),
      option(non_negative, scale_by_yogi, "scale_by_yogi", "initial_accumulator_value",
             &ScaleByYogiOptions::initial_accumulator_value),
      option<AdaBelief>(non_negative, "AdaBelief", "learning_rate",
                        &AdaBeliefOptions::learning_rate),
      option<AdaBelief>(non_negative, "AdaBelief", "weight_decay", &AdaBeliefOptions::weight_decay),
      option<AdaBelief>(decay_rate, "AdaBelief", "beta1", &AdaBeliefOptions::beta1),
      option<AdaBelief>(decay_rate, "AdaBelief", "beta2", &AdaBeliefOptions::beta2),
      option<AdaBelief>(non_negative, "AdaBelief", "epsilon", &AdaBeliefOptions::epsilon),
      option<AdaBelief>(non_negative, "AdaBelief", "epsilon_root", &AdaBeliefOptions::epsilon_root),
      option(decay_rate, scale_by_belief, "scale_by_belief", "beta1", &ScaleByBeliefOptions::beta1),
      option(decay_rate, scale_by_belief, "scale_by_belief", "beta2", &ScaleByBeliefOptions::beta2),
      option(non_negative, scale_by_belief, "scale_by_belief", "epsilon",
             &ScaleByBeliefOptions::epsilon),
      option(non_negative, scale_by_belief, "scale_by_belief", "epsilon_root",
             &ScaleByBeliefOptions::epsilon_root),
      option<AdaMax>(non_negative, "AdaMax", "learning_rate", &AdaMaxOptions::learning_rate),
      option<AdaMax>(non_negative, "AdaMax", "weight_decay", &AdaMaxOptions::weight_decay),
      option<AdaMax>(decay_rate, "AdaMax", "beta1", &AdaMaxOptions::beta1),
      option<AdaMax>(decay_rate, "AdaMax", "beta2", &AdaMaxOptions::beta2),
      option<AdaMax>(non_negative, "AdaMax", "epsilon", &AdaMaxOptions::epsilon),
      option(decay_rate, scale_by_adamax, "scale_by_adamax", "beta1", &ScaleByAdamaxOptions::beta1),
      option(decay_rate, scale_by_adamax, "scale_by_adamax", "beta2", &ScaleByAdamaxOptions::beta2),
      option(non_negative, scale_by_adamax, "scale_by_adamax", "epsilon",
             &ScaleByAdamaxOptions::epsilon),
      option<NAdam>(non_negative, "NAdam", "learning_rate", &NAdamOptions::learning_rate),
      option<NAdam>(non_negative, "NAdam", "weight_decay", &NAdamOptions::weight_decay),
      option<NAdam>(decay_rate, "NAdam", "beta1", &NAdamOptions::beta1),
      option<NAdam>(decay_rate, "NAdam", "beta2", &NAdamOptions::beta2),
      option<NAdam>(non_negative, "NAdam", "epsilon", &NAdamOptions::epsilon),
      option<NAdam>(non_negative, "NAdam", "momentum_decay", &NAdamOptions::momentum_decay),
      option(decay_rate, scale_by_nadam, "scale_by_nadam", "beta1", &ScaleByNadamOptions::beta1),
      option(decay_rate, scale_by_nadam, "scale_by_nadam", "beta2", &ScaleByNadamOptions::beta2),
      option(non_negative, scale_by_nadam, "scale_by_nadam", "epsilon",
             &ScaleByNadamOptions::epsilon),
      option(non_negative, scale_by_nadam, "scale_by_nadam", "momentum_decay",
             &ScaleByNadamOptions::momentum_decay),
      option<RAdam>(non_negative, "RAdam", "learning_rate", &RAdamOptions::learning_rate),
      option<RAdam>(non_negative, "RAdam", "weight_decay", &RAdamOptions::weight_decay),
      option<RAdam>(decay_rate, "RAdam", "beta1", &RAdamOptions::beta1),
      option<RAdam>(decay_rate, "RAdam", "beta2", &RAdamOptions::beta2),
      option<RAdam>(non_negative, "RAdam", "epsilon", &RAdamOptions::epsilon),
      option(decay_rate, scale_by_radam, "scale_by_radam", "beta1", &ScaleByRadamOptions::beta1),
      option(decay_rate, scale_by_radam, "scale_by_radam", "beta2", &ScaleByRadamOptions::beta2),
      option(non_negative, scale_by_radam, "scale_by_radam", "epsilon",
             &ScaleByRadamOptions::epsilon),
      option<AdaBound>(non_negative, "AdaBound", "learning_rate", &AdaBoundOptions::learning_rate),
      option<AdaBound>(non_negative, "AdaBound", "weight_decay", &AdaBoundOptions::weight_decay),
      option<AdaBound>(decay_rate, "AdaBound", "beta1", &AdaBoundOptions::beta1),
      option<AdaBound>(decay_rate, "AdaBound", "beta2", &AdaBoundOptions::beta2),
      option<AdaBound>(non_negative, "AdaBound", "epsilon", &AdaBoundOptions::epsilon),
      option<AdaBound>(non_negative, "AdaBound", "final_learning_rate",
                       &AdaBoundOptions::final_learning_rate),
      option<AdaBound>(positive, "AdaBound", "gamma", &AdaBoundOptions::gamma),
      option<QHAdam>(non_negative, "QHAdam", "learning_rate", &QHAdamOptions::learning_rate),
      option<QHAdam>(non_negative, "QHAdam", "weight_decay", &QHAdamOptions::weight_decay),
      option<QHAdam>(decay_rate, "QHAdam", "beta1", &QHAdamOptions::beta1),
      option<QHAdam>(decay_rate, "QHAdam", "beta2", &QHAdamOptions::beta2),
      option<QHAdam>(non_negative, "QHAdam", "epsilon", &QHAdamOptions::epsilon),
      option<QHAdam>(fraction, "QHAdam", "nu1", &QHAdamOptions::nu1),
      option<QHAdam>(fraction, "QHAdam", "nu2", &QHAdamOptions::nu2),
      option(decay_rate, scale_by_qhadam, "scale_by_qhadam", "beta1", &ScaleByQhadamOptions::beta1),
      option(decay_rate, scale_by_qhadam, "scale_by_qhadam", "beta2", &ScaleByQhadamOptions::beta2),
      option(non_negative, scale_by_qhadam, "scale_by_qhadam", "epsilon",
             &ScaleByQhadamOptions::epsilon),
      option(fraction, scale_by_qhadam, "scale_by_qhadam", "nu1", &ScaleByQhadamOptions::nu1),
      option(fraction, scale_by_qhadam, "scale_by_qhadam", "nu2", &ScaleByQhadamOptions::nu2),
      option<Adan>(non_negative, "Adan", "learning_rate", &AdanOptions::learning_rate),
      option<Adan>(non_negative, "Adan", "weight_decay", &AdanOptions::weight_decay),
      option<Adan>(decay_rate, "Adan", "beta1", &AdanOptions::beta1),
      option<Adan>(decay_rate, "Adan", "beta2", &AdanOptions::beta2),
      option<Adan>(non_negative, "Adan", "epsilon", &AdanOptions::epsilon),
      option<Adan>(decay_rate, "Adan", "beta3", &AdanOptions::beta3),
      option(decay_rate, scale_by_adan, "scale_by_adan", "beta1", &ScaleByAdanOptions::beta1),
      option(decay_rate, scale_by_adan, "scale_by_adan", "beta2", &ScaleByAdanOptions::beta2),
      option(non_negative, scale_by_adan, "scale_by_adan", "epsilon", &ScaleByAdanOptions::epsilon),
      option(decay_rate, scale_by_adan, "scale_by_adan", "beta3", &ScaleByAdanOptions::beta3),
      option<AdEMAMix>(non_negative, "AdEMAMix", "learning_rate", &AdEMAMixOptions::learning_rate),
      option<AdEMAMix>(non_negative, "AdEMAMix", "weight_decay", &AdEMAMixOptions::weight_decay),
      option<AdEMAMix>(decay_rate, "AdEMAMix", "beta1", &AdEMAMixOptions::beta1),
      option<AdEMAMix>(decay_rate, "AdEMAMix", "beta2", &AdEMAMixOptions::beta2),
      option<AdEMAMix>(non_negative, "AdEMAMix", "epsilon", &AdEMAMixOptions::epsilon),
      option<AdEMAMix>(decay_rate, "AdEMAMix", "beta3", &AdEMAMixOptions::beta3),
      option<AdEMAMix>(non_negative, "AdEMAMix", "alpha", &AdEMAMixOptions::alpha),
      option(decay_rate, scale_by_ademamix, "scale_by_ademamix", "beta1",
             &ScaleByAdemamixOptions::beta1),
      option(decay_rate, scale_by_ademamix, "scale_by_ademamix", "beta2",
             &ScaleByAdemamixOptions::beta2),
      option(non_negative, scale_by_ademamix, "scale_by_ademamix", "epsilon",
             &ScaleByAdemamixOptions::epsilon),
      option(decay_rate, scale_by_ademamix, "scale_by_ademamix", "beta3",
             &ScaleByAdemamixOptions::beta3),
      option(non_negative, scale_by_ademamix, "scale_by_ademamix", "alpha",
             &ScaleByAdemamixOptions::alpha),
      option<ADOPT>(non_negative, "ADOPT", "learning_rate", &ADOPTOptions::learning_rate),
      option<ADOPT>(non_negative, "ADOPT", "weight_decay", &ADOPTOptions::weight_decay),
      option<ADOPT>(decay_rate, "ADOPT", "beta1", &ADOPTOptions::beta1),
      option<ADOPT>(decay_rate, "ADOPT", "beta2", &ADOPTOptions::beta2),
      option<ADOPT>(positive, "ADOPT", "epsilon", &ADOPTOptions::epsilon),
      option(decay_rate, scale_by_adopt, "scale_by_adopt", "beta1", &ScaleByAdoptOptions::beta1),
      option(decay_rate, scale_by_adopt, "scale_by_adopt", "beta2", &ScaleByAdoptOptions::beta2),
      option(positive, scale_by_adopt, "scale_by_adopt", "epsilon", &ScaleByAdoptOptions::epsilon),
      option<Lion>(non_negative, "Lion", "learning_rate", &LionOptions::learning_rate),
      option<Lion>(non_negative, "Lion", "weight_decay", &LionOptions::weight_decay),
      option<Lion>(decay_rate, "Lion", "beta1", &LionOptions::beta1),
      option<Lion>(decay_rate, "Lion", "beta2", &LionOptions::beta2),
      option(decay_rate, scale_by_lion, "scale_by_lion", "beta1", &ScaleByLionOptions::beta1),
      option(decay_rate, scale_by_lion, "scale_by_lion", "beta2", &ScaleByLionOptions::beta2),
      option<SignDescent>(non_negative, "SignDescent", "learning_rate",
                          &SignDescentOptions::learning_rate),
      option<SignDescent>(non_negative, "SignDescent", "weight_decay",
                          &SignDescentOptions::weight_decay),
      option<SignDescent>(decay_rate, "SignDescent", "momentum", &SignDescentOptions::momentum),
      option(decay_rate, scale_by_signum, "scale_by_signum", "momentum",
             &ScaleBySignumOptions::momentum),
      option<QHM>(non_negative, "QHM", "learning_rate", &QHMOptions::learning_rate),
      option<QHM>(non_negative, "QHM", "weight_decay", &QHMOptions::weight_decay),
      option<QHM>(decay_rate, "QHM", "momentum", &QHMOptions::momentum),
      option<QHM>(fraction, "QHM", "nu", &QHMOptions::nu),
      option(decay_rate, scale_by_qhm, "scale_by_qhm", "momentum", &ScaleByQhmOptions::momentum),
      option(fraction, scale_by_qhm, "scale_by_qhm", "nu", &ScaleByQhmOptions::nu),
      option<OptimisticDescent>(non_negative, "OptimisticDescent", "learning_rate",
                                &OptimisticDescentOptions::learning_rate),
      option<OptimisticDescent>(non_negative, "OptimisticDescent", "alpha",
                                &OptimisticDescentOptions::alpha),
      option<OptimisticDescent>(non_negative, "OptimisticDescent", "beta",
                                &OptimisticDescentOptions::beta),
      option(non_negative, scale_by_optimism, "scale_by_optimism", "alpha",
             &ScaleByOptimismOptions::alpha),
      option(non_negative, scale_by_optimism, "scale_by_optimism", "beta",
             &ScaleByOptimismOptions::beta),
      option<ASGD>(non_negative, "ASGD", "learning_rate", &ASGDOptions::learning_rate),
      option<ASGD>(non_negative, "ASGD", "weight_decay", &ASGDOptions::weight_decay),
      option<ASGD>(non_negative, "ASGD", "lambda", &ASGDOptions::lambda),
      option<ASGD>(non_negative, "ASGD", "alpha", &ASGDOptions::alpha),

      option<Rprop>(non_negative, "Rprop", "learning_rate", &RpropOptions::learning_rate),
      {"Rprop", "eta_minus", "(0, 1)", 0, 1, true, true,
       [](double v) { (void)Rprop<>({.eta_minus = v}); }},
      {"Rprop", "eta_plus", "(1, inf)", 1, HUGE_VAL, true, true,
       [](double v) { (void)Rprop<>({.eta_plus = v}); }},
      non_negative("Rprop", "step_min",
                   [](double v) { (void)Rprop<>({.step_min = v, .step_max = std::max(v, 50.0)}); }),
      {"Rprop", "step_max", "[1e-06, inf)", 1e-6, HUGE_VAL, false, true,
       [](double v) { (void)Rprop<>({.step_max = v}); }},
  };
}

}  // namespace descent_test
