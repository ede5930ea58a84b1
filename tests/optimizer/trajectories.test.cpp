// All optimizers against the trajectories of other implementations (tests/reference): one row for each of theirs. Who adds
// an optimizer that has references adds its row; a file that no row claims is in the list at the end, or an error.
//
// covers: adabelief adabound adadelta adagrad adamax adan ademamix adopt asgd lion nadam optimistic_descent qhadam radam
// covers: rmsprop rprop sign_descent sm3 yogi
#include "support/catch.hpp"
#include "support/compare.hpp"
#include "support/reference.hpp"

#include <descent/optimizer/adabelief.hpp>
#include <descent/optimizer/adabound.hpp>
#include <descent/optimizer/adadelta.hpp>
#include <descent/optimizer/adafactor.hpp>
#include <descent/optimizer/adagrad.hpp>
#include <descent/optimizer/adam.hpp>
#include <descent/optimizer/adamax.hpp>
#include <descent/optimizer/adamw.hpp>
#include <descent/optimizer/adan.hpp>
#include <descent/optimizer/ademamix.hpp>
#include <descent/optimizer/adopt.hpp>
#include <descent/optimizer/asgd.hpp>
#include <descent/optimizer/dadapt_adam.hpp>
#include <descent/optimizer/lamb.hpp>
#include <descent/optimizer/lars.hpp>
#include <descent/optimizer/lion.hpp>
#include <descent/optimizer/madgrad.hpp>
#include <descent/optimizer/nadam.hpp>
#include <descent/optimizer/novograd.hpp>
#include <descent/optimizer/optimistic_descent.hpp>
#include <descent/optimizer/polyak_step.hpp>
#include <descent/optimizer/prodigy.hpp>
#include <descent/optimizer/qhadam.hpp>
#include <descent/optimizer/radam.hpp>
#include <descent/optimizer/rmsprop.hpp>
#include <descent/optimizer/rprop.hpp>
#include <descent/optimizer/schedule_free_adamw.hpp>
#include <descent/optimizer/schedule_free_sgd.hpp>
#include <descent/optimizer/sgd.hpp>
#include <descent/optimizer/sign_descent.hpp>
#include <descent/optimizer/sm3.hpp>
#include <descent/optimizer/yogi.hpp>

#include <Eigen/Core>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

using descent_test::Trajectory;
using Eigen::VectorXd;
using namespace descent;

namespace {

// The hyper-parameters of a reference, by the names that they have there.
struct Hyper {
  const Trajectory& reference;

  double operator()(std::string_view name) const { return reference.hyper.number(name); }
  double operator()(std::string_view name, Eigen::Index i) const {
    return reference.hyper.numbers(name)[i];
  }
  double or_zero(std::string_view name) const { return reference.hyper.number(name, 0.0); }
  bool flag(std::string_view name) const { return reference.hyper.flag(name); }
};

// An optimizer of ours at work, and how to read what its reference records besides x ("x_eval", "d").
struct Ours {
  std::function<void(VectorXd& x, const VectorXd& g)> step;
  std::function<VectorXd(std::string_view name, const VectorXd& x)> extra{};
};

template <class O>
Ours ours(O optimizer) {
  return {[optimizer](VectorXd& x, const VectorXd& g) mutable { optimizer.step(x, g); }};
}
// extra(optimizer, name, x)
template <class O, class Extra>
Ours ours(O optimizer, Extra extra) {
  const auto shared = std::make_shared<O>(std::move(optimizer));
  return {[shared](VectorXd& x, const VectorXd& g) { shared->step(x, g); },
          [shared, extra](std::string_view name, const VectorXd& x) {
            return VectorXd(extra(*shared, name, x));
          }};
}

// What a reference records as "d", and as "x_eval".
constexpr auto d_of = [](const auto& optimizer, std::string_view, const VectorXd&) {
  return VectorXd::Constant(1, optimizer.d());
};
constexpr auto averaged_of = [](const auto& optimizer, std::string_view, const VectorXd& x) {
  return optimizer.averaged(x);
};

// A linear rise, then the rate itself.
Schedule warmup(double rate, double steps) {
  return
      [=](std::int64_t k) { return double(k + 1) < steps ? rate * (double(k + 1) / steps) : rate; };
}

struct Row {
  std::string optimizer, folder;  // as the reference has them
  int files, compared;            // how many, and how many coefficients of theirs are not chaotic
  Ours (*make)(const Hyper& h);
};

const std::vector<Row> rows{
    // ---- PyTorch ---------------------------------------------------------------------------------
    {"SGD", "torch", 20, 509,
     [](const Hyper& h) {
       return ours(SGD({.learning_rate = h("lr"),
                        .momentum = h("momentum"),
                        .dampening = h("dampening"),
                        .nesterov = h.flag("nesterov"),
                        .weight_decay = h("weight_decay")}));
     }},
    {"Adam", "torch", 14, 371,
     [](const Hyper& h) {
       return ours(Adam({.learning_rate = h("lr"),
                         .beta1 = h("betas", 0),
                         .beta2 = h("betas", 1),
                         .epsilon = h("eps"),
                         .weight_decay = h("weight_decay"),
                         .amsgrad = h.flag("amsgrad")}));
     }},
    {"SparseAdam", "torch", 2, 96,
     [](const Hyper& h) {
       Adam adam({.learning_rate = h("lr"),
                  .beta1 = h("betas", 0),
                  .beta2 = h("betas", 1),
                  .epsilon = h("eps"),
                  .folded = true});
       return Ours{[adam, f = make_objective(h.reference)](VectorXd& x, const VectorXd&) mutable {
         using Sparse = descent_test::SparseGradientSequence;
         const auto& row = std::get<Sparse>(f.any()).row(adam.steps() + 1);
         adam.step(x, SparseGradient(row.index, row.value));
       }};
     }},
    {"AdamW", "torch", 6, 155,
     [](const Hyper& h) {
       return ours(AdamW({.learning_rate = h("lr"),
                          .beta1 = h("betas", 0),
                          .beta2 = h("betas", 1),
                          .epsilon = h("eps"),
                          .weight_decay = h("weight_decay"),
                          .amsgrad = h.flag("amsgrad")}));
     }},
    {"Adagrad", "torch", 6, 152,
     [](const Hyper& h) {
       return ours(Adagrad({.learning_rate = h("lr"),
                            .learning_rate_decay = h("lr_decay"),
                            .weight_decay = h("weight_decay"),
                            .initial_accumulator_value = h("initial_accumulator_value"),
                            .epsilon = h("eps")}));
     }},
    {"Adadelta", "torch", 4, 107,
     [](const Hyper& h) {
       return ours(Adadelta({.learning_rate = h("lr"),
                             .rho = h("rho"),
                             .epsilon = h("eps"),
                             .weight_decay = h("weight_decay")}));
     }},
    {"RMSprop", "torch", 11, 281,
     [](const Hyper& h) {
       return ours(RMSprop({.learning_rate = h("lr"),
                            .alpha = h("alpha"),
                            .epsilon = h("eps"),
                            .weight_decay = h("weight_decay"),
                            .momentum = h("momentum"),
                            .centered = h.flag("centered")}));
     }},
    {"Adamax", "torch", 5, 131,
     [](const Hyper& h) {
       return ours(AdaMax({.learning_rate = h("lr"),
                           .beta1 = h("betas", 0),
                           .beta2 = h("betas", 1),
                           .epsilon = h("eps"),
                           .weight_decay = h("weight_decay")}));
     }},
    {"NAdam", "torch", 4, 112,
     [](const Hyper& h) {
       return ours(NAdam({.learning_rate = h("lr"),
                          .beta1 = h("betas", 0),
                          .beta2 = h("betas", 1),
                          .epsilon = h("eps"),
                          .weight_decay = h("weight_decay"),
                          .momentum_decay = h("momentum_decay")}));
     }},
    {"RAdam", "torch", 4, 104,
     [](const Hyper& h) {
       return ours(RAdam({.learning_rate = h("lr"),
                          .beta1 = h("betas", 0),
                          .beta2 = h("betas", 1),
                          .epsilon = h("eps"),
                          .weight_decay = h("weight_decay")}));
     }},
    {"Rprop", "torch", 5, 136,
     [](const Hyper& h) {
       return ours(Rprop({.learning_rate = h("lr"),
                          .eta_minus = h("etas", 0),
                          .eta_plus = h("etas", 1),
                          .step_min = h("step_sizes", 0),
                          .step_max = h("step_sizes", 1)}));
     }},
    {"ASGD", "torch", 4, 104,
     [](const Hyper& h) {
       return ours(ASGD({.learning_rate = h("lr"),
                         .lambda = h("lambd"),
                         .alpha = h("alpha"),
                         .start = std::int64_t(h("t0")),
                         .weight_decay = h("weight_decay")}));
     }},
    // ---- newer methods, numpy --------------------------------------------------------------------
    {"NAdamOptax", "numpy", 2, 40,
     [](const Hyper& h) {
       return ours(NAdam({.learning_rate = h("lr"),
                          .beta1 = h("b1"),
                          .beta2 = h("b2"),
                          .epsilon = h("eps"),
                          .weight_decay = h("weight_decay"),
                          .momentum_decay = 1e6}));
     }},
    {"AdaBelief", "numpy", 3, 64,
     [](const Hyper& h) {
       return ours(AdaBelief({.learning_rate = h("lr"),
                              .beta1 = h("b1"),
                              .beta2 = h("b2"),
                              .epsilon = h("eps"),
                              .epsilon_root = h("eps_root"),
                              .weight_decay = h("weight_decay")}));
     }},
    {"Yogi", "numpy", 3, 64,
     [](const Hyper& h) {
       return ours(Yogi({.learning_rate = h("lr"),
                         .beta1 = h("b1"),
                         .beta2 = h("b2"),
                         .epsilon = h("eps"),
                         .initial_accumulator_value = h("initial_accumulator")}));
     }},
    {"Lion", "numpy", 3, 96,
     [](const Hyper& h) {
       return ours(Lion({.learning_rate = h("lr"),
                         .beta1 = h("b1"),
                         .beta2 = h("b2"),
                         .weight_decay = h("weight_decay")}));
     }},
    {"Signum", "numpy", 1, 24,
     [](const Hyper& h) {
       return ours(SignDescent({.learning_rate = h("lr"), .momentum = h("beta")}));
     }},
    {"AdaBound", "numpy", 3, 64,
     [](const Hyper& h) {
       return ours(AdaBound({.learning_rate = h("lr"),
                             .beta1 = h("b1"),
                             .beta2 = h("b2"),
                             .final_learning_rate = h("final_lr"),
                             .gamma = h("gamma"),
                             .epsilon = h("eps"),
                             .weight_decay = h("weight_decay"),
                             .amsbound = h.flag("amsbound")}));
     }},
    {"Adan", "numpy", 4, 99,
     [](const Hyper& h) {
       return ours(Adan({.learning_rate = h("lr"),
                         .beta1 = h("b1"),
                         .beta2 = h("b2"),
                         .beta3 = h("b3"),
                         .epsilon = h("eps"),
                         .weight_decay = h("weight_decay"),
                         .proximal = !h.flag("no_prox")}));
     }},
    {"AdEMAMix", "numpy", 3, 64,
     [](const Hyper& h) {
       return ours(AdEMAMix({.learning_rate = h("lr"),
                             .beta1 = h("b1"),
                             .beta2 = h("b2"),
                             .beta3 = h("b3"),
                             .alpha = h("alpha"),
                             .epsilon = h("eps"),
                             .weight_decay = h("weight_decay")}));
     }},
    {"ADOPT", "numpy", 3, 64,
     [](const Hyper& h) {
       return ours(ADOPT({.learning_rate = h("lr"),
                          .beta1 = h("b1"),
                          .beta2 = h("b2"),
                          .epsilon = h("eps"),
                          .clip = h.flag("clip")}));
     }},
    {"OptimisticGD", "numpy", 2, 40,
     [](const Hyper& h) {
       return ours(
           OptimisticDescent({.learning_rate = h("lr"), .alpha = h("alpha"), .beta = h("beta")}));
     }},
    {"QHAdam", "numpy", 4, 96,
     [](const Hyper& h) {
       return ours(QHAdam({.learning_rate = h("lr"),
                           .beta1 = h("b1"),
                           .beta2 = h("b2"),
                           .nu1 = h("nu1"),
                           .nu2 = h("nu2"),
                           .epsilon = h("eps"),
                           .weight_decay = h("weight_decay"),
                           .decoupled_weight_decay = h.flag("decouple_weight_decay")}));
     }},
    {"SM3", "numpy", 2, 48,
     [](const Hyper& h) {
       return ours(SM3({.learning_rate = h("lr"), .momentum = h("momentum"), .epsilon = h("eps")}));
     }},
    {"LAMB", "numpy", 3, 124,
     [](const Hyper& h) {
       return ours(LAMB({.learning_rate = h("lr"),
                         .beta1 = h("b1"),
                         .beta2 = h("b2"),
                         .epsilon = h("eps"),
                         .weight_decay = h("weight_decay")}));
     }},
    {"LARS", "numpy", 3, 124,
     [](const Hyper& h) {
       return ours(LARS({.learning_rate = h("lr"),
                         .momentum = h("momentum"),
                         .nesterov = h.flag("nesterov"),
                         .trust_coefficient = h("trust_coefficient"),
                         .epsilon = h("eps"),
                         .weight_decay = h("weight_decay")}));
     }},
    {"NovoGrad", "numpy", 3, 136,
     [](const Hyper& h) {
       return ours(NovoGrad({.learning_rate = h("lr"),
                             .beta1 = h("b1"),
                             .beta2 = h("b2"),
                             .epsilon = h("eps"),
                             .weight_decay = h("weight_decay")}));
     }},
    {"MADGRAD", "numpy", 3, 64,
     [](const Hyper& h) {
       return ours(MADGRAD({.learning_rate = h("lr"),
                            .momentum = h("momentum"),
                            .epsilon = h("eps"),
                            .weight_decay = h("weight_decay")}));
     }},
    {"DAdaptAdamW", "numpy", 2, 56,
     [](const Hyper& h) {
       return ours(DAdaptAdam({.learning_rate = h("lr"),
                               .beta1 = h("b1"),
                               .beta2 = h("b2"),
                               .epsilon = h("eps"),
                               .weight_decay = h("weight_decay"),
                               .initial_d = h("d0")}),
                   d_of);
     }},
    {"Prodigy", "numpy", 4, 120,
     [](const Hyper& h) {
       return ours(Prodigy({.learning_rate = h("lr"),
                            .beta1 = h("b1"),
                            .beta2 = h("b2"),
                            .epsilon = h("eps"),
                            .weight_decay = h("weight_decay"),
                            .initial_d = h("d0"),
                            .d_coefficient = h("d_coef"),
                            .bias_correction = h.flag("use_bias_correction"),
                            .safeguard_warmup = h.flag("safeguard_warmup")}),
                   d_of);
     }},
    {"ScheduleFreeSGD", "numpy", 3, 128,
     [](const Hyper& h) {
       return ours(ScheduleFreeSGD({.learning_rate = warmup(h("lr"), h("warmup_steps")),
                                    .beta = h("beta"),
                                    .weight_decay = h("weight_decay"),
                                    .step_power = h("r"),
                                    .rate_power = h("weight_lr_power")}),
                   averaged_of);
     }},
    {"ScheduleFreeAdamW", "numpy", 3, 128,
     [](const Hyper& h) {
       return ours(ScheduleFreeAdamW({.learning_rate = warmup(h("lr"), h("warmup_steps")),
                                      .beta1 = h("beta"),
                                      .beta2 = h("b2"),
                                      .epsilon = h("eps"),
                                      .weight_decay = h("weight_decay"),
                                      .step_power = h("r"),
                                      .rate_power = h("weight_lr_power")}),
                   averaged_of);
     }},
    {"PolyakSGD", "numpy", 2, 34,
     [](const Hyper& h) {
       PolyakStep polyak(
           {.learning_rate = h("max_lr"), .lowest_loss = h("f_min"), .epsilon = h("eps")});
       return Ours{[polyak, f = make_objective(h.reference)](
                       VectorXd& x, const VectorXd& g) mutable { polyak.step(x, g, f.loss(x)); }};
     }},
    {"Adafactor", "numpy", 4, 266,
     [](const Hyper& h) {
       CHECK(h("decay_offset") == 0);
       CHECK(h.flag("factored"));
       const AdafactorOptions options{.learning_rate = h("lr"),
                                      .decay_power = h("decay_rate"),
                                      .epsilon = h("eps"),
                                      .clipping_threshold = h("clipping_threshold"),
                                      .scale_by_parameters = h.flag("multiply_by_parameter_scale"),
                                      .momentum = h.or_zero("momentum"),
                                      .weight_decay = h.or_zero("weight_decay_rate"),
                                      .min_dim_to_factor = h.reference.hyper.integer("min_dim")};
       const auto& shape = h.reference.shape;
       if (shape.size() == 1) return ours(Adafactor(options));
       using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
       return Ours{
           [adafactor = Adafactor<Rows>(options), shape](VectorXd& x, const VectorXd& g) mutable {
             adafactor.step(Eigen::Map<Rows>(x.data(), shape[0], shape[1]),
                            Eigen::Map<const Rows>(g.data(), shape[0], shape[1]));
           }};
     }},
};

// References that no row claims: by optimizer, or a single file, and why.
const std::map<std::string, std::string> unclaimed{
    {"LBFGS", "not in the library yet"},
    {"EMA", "an average around an optimizer: tests/transform/averages.test.cpp"},
    {"Lookahead", "around an optimizer: tests/transform/averages.test.cpp"},
    {"Muon", "not in the library yet"},
    {"MuonOptax", "not in the library yet"},
    {"SAM", "an objective around another: tests/objective/sam.test.cpp"},
    {"SOAP", "not in the library yet"},
    {"Shampoo", "not in the library yet"},
    {"sm3__default__matls4x3",
     "covers a matrix by its rows and columns; ours is the rule for vectors"},
    {"AMSGradOptax", "the largest of the corrected v; ours is PyTorch's, the largest v, corrected"},
    {"AdanOptax",
     "weights differences by 1 - beta2 in place of beta2: a defect, google-deepmind/optax#1715"},
};

}  // namespace

TEST_CASE("optimizers follow the trajectories of other implementations", "[reference]") {
  for (const Row& row : rows) {
    int files = 0, compared = 0;
    CAPTURE(row.folder, row.optimizer);
    for (const std::string& name : descent_test::list(row.folder)) {
      const Trajectory reference = descent_test::load_trajectory(name);
      if (reference.optimizer != row.optimizer || unclaimed.contains(reference.id)) continue;
      const Ours optimizer = row.make({reference});
      const VectorXd* now = nullptr;
      const auto step = [&](std::int64_t, VectorXd& x, const VectorXd& g) {
        optimizer.step(x, g);
        now = &x;
      };
      const auto report =
          optimizer.extra ? descent_test::compare(
                                reference, step,
                                [&](std::string_view what) { return optimizer.extra(what, *now); })
                          : descent_test::compare(reference, step);
      reference.hyper.expect_all_read();
      INFO(report.first_failure);
      CHECK(report.passed());
      ++files;
      compared += report.compared;
    }
    CHECK(files == row.files);
    CHECK(compared == row.compared);
  }
}

TEST_CASE("every reference is claimed by one row, or it says why not", "[reference]") {
  std::map<std::string, int> claims;
  for (const Row& row : rows) ++claims[row.folder + "/" + row.optimizer];
  std::set<std::string> met;
  for (const std::string folder : {"torch", "numpy"}) {
    for (const std::string& name : descent_test::list(folder)) {
      const Trajectory reference = descent_test::load_trajectory(name);
      CAPTURE(name, reference.optimizer);
      const bool listed =
          unclaimed.contains(reference.optimizer) || unclaimed.contains(reference.id);
      const auto claim = claims.find(folder + "/" + reference.optimizer);
      const bool claimed = claim != claims.end() && !unclaimed.contains(reference.id);
      CHECK(listed != claimed);
      CHECK((!claimed || claim->second == 1));
      met.insert(reference.optimizer);
      met.insert(reference.id);
    }
  }
  for (const auto& [name, why] : unclaimed) {
    CAPTURE(name, why);
    CHECK(met.contains(name));
  }
}
