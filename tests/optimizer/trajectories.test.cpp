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
#include <descent/optimizer/adagrad.hpp>
#include <descent/optimizer/adam.hpp>
#include <descent/optimizer/adamax.hpp>
#include <descent/optimizer/adamw.hpp>
#include <descent/optimizer/adan.hpp>
#include <descent/optimizer/ademamix.hpp>
#include <descent/optimizer/adopt.hpp>
#include <descent/optimizer/asgd.hpp>
#include <descent/optimizer/lion.hpp>
#include <descent/optimizer/nadam.hpp>
#include <descent/optimizer/optimistic_descent.hpp>
#include <descent/optimizer/qhadam.hpp>
#include <descent/optimizer/radam.hpp>
#include <descent/optimizer/rmsprop.hpp>
#include <descent/optimizer/rprop.hpp>
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
};

// References that no row claims: by optimizer, or a single file, and why.
const std::map<std::string, std::string> unclaimed{
    {"LBFGS", "not in the library yet"},
    {"SparseAdam", "not in the library yet"},
    {"Adafactor", "not in the library yet"},
    {"DAdaptAdamW", "not in the library yet"},
    {"EMA", "an average around an optimizer: tests/transform/averages.test.cpp"},
    {"LAMB", "not in the library yet"},
    {"LARS", "not in the library yet"},
    {"Lookahead", "around an optimizer: tests/transform/averages.test.cpp"},
    {"MADGRAD", "not in the library yet"},
    {"Muon", "not in the library yet"},
    {"MuonOptax", "not in the library yet"},
    {"NovoGrad", "not in the library yet"},
    {"PolyakSGD", "not in the library yet"},
    {"Prodigy", "not in the library yet"},
    {"SAM", "not in the library yet"},
    {"SOAP", "not in the library yet"},
    {"ScheduleFreeAdamW", "not in the library yet"},
    {"ScheduleFreeSGD", "not in the library yet"},
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
