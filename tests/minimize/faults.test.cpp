// Every fault, in every place, at every evaluation, with every method: generated from the table
// below, where a new optimizer enrolls with one row.
#include "support/faults.hpp"

#include <descent/minimize.hpp>
#include <descent/objective/importance.hpp>
#include <descent/objective/linear_regression.hpp>
#include <descent/optimizer/adam.hpp>
#include <descent/optimizer/adamw.hpp>
#include <descent/optimizer/gradient_descent.hpp>
#include <descent/optimizer/sgd.hpp>
#include <descent/schedule/exponential_decay.hpp>
#include <descent/transform/clip_by_global_norm.hpp>
#include <descent/transform/scale_by_adam.hpp>
#include <descent/transform/scale_by_learning_rate.hpp>
#include <descent/transform/skip_if_not_finite.hpp>
#include <descent/transform/trace.hpp>

#include "support/catch.hpp"
#include "support/problems.hpp"

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace descent;
using namespace descent_test;
using Eigen::VectorXd;

namespace {

constexpr std::int64_t most_iterations = 40;
constexpr double gradient_tolerance = 1e-2;

struct Tally {
  int runs = 0, struck = 0, exceptions = 0, non_finite = 0, successes = 0;
};

struct Method {
  std::string name;
  bool clips;  // so that a wrong gradient of 1e200 goes unnoticed
  std::function<void(const FaultPlan&, Tally&)> run;
};

VectorXd start() {
  return VectorXd{{3.0, -2.0, 0.5, 4.0, -1.5}};
}

const RegressionData& data() {
  static const RegressionData data(24, 5, 0.1, 3);
  return data;
}

double true_norm(const auto& f, const VectorXd& x) {
  VectorXd g = x;
  if constexpr (HasGradient<std::remove_cvref_t<decltype(f)>, VectorXd>) {
    f.gradient(x, g);
  } else {
    (void)f.loss_and_gradient(x, g);
  }
  return g.cwiseAbs().maxCoeff();
}
double true_loss(const auto& f, const VectorXd& x) {
  if constexpr (HasLoss<std::remove_cvref_t<decltype(f)>, VectorXd>) {
    return f.loss(x);
  } else {
    VectorXd g = x;
    return f.loss_and_gradient(x, g);
  }
}

/// One run with a fault, and what must hold after it.
template <class F, class O>
void strike(const F& f, const O& fresh, const MinimizeOptions& options, bool clips,
            const Result<VectorXd>& healthy, const FaultPlan& plan, Tally& tally) {
  const Faulty<F> faulty(f, plan);
  const VectorXd x0 = start();
  O optimizer = fresh;
  ++tally.runs;
  bool thrown = false;
  try {
    const auto result = minimize(faulty, x0, optimizer, options);

    CHECK(result.x.allFinite());
    if (result.converged()) {
      ++tally.successes;
      CHECK(result.status == Status::GradientTolerance);
      CHECK(true_norm(f, result.x) <= gradient_tolerance);
      CHECK(std::isfinite(result.loss));
    }
    CHECK(result.iterations <= most_iterations);
    CHECK(result.loss_evaluations == faulty.counts().losses);
    CHECK(result.gradient_evaluations == faulty.counts().gradients);
    const std::int64_t most = most_iterations + result.epochs + 4;
    CHECK(result.gradient_evaluations <= most);
    CHECK(result.loss_evaluations <= most);

    const bool clipped = clips && plan.finite() && plan.part != Part::loss;
    if (!clipped) CHECK(true_loss(f, result.x) <= true_loss(f, x0));
    if (plan.part != Part::loss && result.loss_evaluations > 0) {
      CHECK(result.loss == true_loss(f, result.x));
    }
    if (faulty.counts().faults == 0) {
      CHECK(result.x == healthy.x);
    } else {
      ++tally.struck;
      if (!plan.finite()) {
        ++tally.non_finite;
        CHECK(result.status == Status::NonFinite);
        const auto where =
            plan.part == Part::loss ? Trouble::Where::loss : Trouble::Where::gradient;
        CHECK(result.trouble.where == where);
        if (plan.part != Part::loss) {
          const auto index = plan.part == Part::gradient ? 0 : plan.index;
          CHECK(result.trouble.index == index);
          CHECK_THAT(result.message(),
                     ContainsSubstring("coefficient " + std::to_string(index) + " is"));
        }
      }
    }
  } catch (const InjectedError& error) {
    ++tally.struck;
    ++tally.exceptions;
    thrown = true;
    CHECK(error.evaluation == plan.from);
  }
  CHECK(thrown == (plan.fault == Fault::exception && faulty.counts().faults > 0));

  const auto again =
      minimize(Faulty(f), x0, optimizer, options);  // nothing of the fault is left behind
  CHECK(again.x == healthy.x);
  CHECK(again.loss == healthy.loss);
  CHECK(again.gradient_evaluations == healthy.gradient_evaluations);
}

/// The table: each optimizer with each kind of objective that it works on.
std::vector<Method> methods() {
  static const LinearRegression regression(data().X, data().y);
  static const Line line{data().X.col(0), data().y};
  std::vector<Method> all;
  const auto enroll_on = [&](const std::string& name, const auto& f, const auto& optimizer,
                             MinimizeOptions options, bool clips) {
    options.max_iterations = most_iterations;
    if (!options.batch_size) options.gradient_tolerance = gradient_tolerance;
    auto copy = optimizer;
    const auto healthy = minimize(Faulty(f), start(), copy, options);
    all.push_back({name, clips, [=, &f](const FaultPlan& plan, Tally& tally) {
                     strike(f, optimizer, options, clips, healthy, plan, tally);
                   }});
  };
  static const Bowl bowl;
  static const SeparateBowl separate;
  const auto full = [&](const std::string& name, const auto& optimizer, bool clips = false) {
    enroll_on(name + ", loss with the gradient", bowl, optimizer, {}, clips);
    enroll_on(name + ", loss apart", separate, optimizer, {}, clips);
    enroll_on(name + ", all samples", regression, optimizer, {}, clips);
  };
  const auto sampled = [&](const std::string& name, const auto& optimizer, bool clips = false) {
    enroll_on(name + ", one sample", regression, optimizer, {.batch_size = 1, .seed = 5}, clips);
    enroll_on(name + ", batches of 4", regression, optimizer, {.batch_size = 4}, clips);
    enroll_on(name + ", with replacement", regression, optimizer,
              {.batch_size = 4, .sampling = with_replacement}, clips);
    enroll_on(name + ", full sum at epochs", regression, optimizer,
              {.gradient_tolerance = gradient_tolerance, .batch_size = 6}, clips);
  };
  const auto both = [&](const std::string& name, const auto& optimizer, bool clips = false) {
    full(name, optimizer, clips);
    sampled(name, optimizer, clips);
  };

  full("GradientDescent", GradientDescent({.learning_rate = 0.3}));
  full("GradientDescent, momentum", GradientDescent({.learning_rate = 0.2, .momentum = 0.3}));
  full("GradientDescent, Nesterov",
       GradientDescent({.learning_rate = 0.2, .momentum = 0.3, .nesterov = true}));
  sampled("SGD", SGD({.learning_rate = 0.05}));
  sampled("SGD, momentum", SGD({.learning_rate = 0.02, .momentum = 0.5, .dampening = 0.1}));
  sampled("SGD, Nesterov, decay",
          SGD({.learning_rate = 0.02, .momentum = 0.5, .nesterov = true, .weight_decay = 0.01}));
  sampled("SGD, schedule",
          SGD({.learning_rate = exponential_decay({.initial = 0.05, .rate = 0.5, .steps = 10})}));
  static const auto weighted = importance(regression, lipschitz_probabilities(regression));
  enroll_on("SGD, importance", weighted, SGD({.learning_rate = 0.05}),
            {.batch_size = 4, .sampling = with_replacement}, false);
  enroll_on("SGD, growing batches", regression, SGD({.learning_rate = 0.05}),
            {.batch_size = 5, .drop_last = true, .batch_growth = 1.5}, false);
  both("Adam", Adam({.learning_rate = 0.05}));
  both("Adam, AMSGrad", Adam({.learning_rate = 0.05, .amsgrad = true}));
  both("Adam, folded", Adam({.learning_rate = 0.05, .weight_decay = 0.01, .folded = true}));
  both("AdamW", AdamW({.learning_rate = 0.05}));
  both("clip, momentum",
       chain(clip_by_global_norm(1.0), trace({.momentum = 0.5}), scale_by_learning_rate(0.1)),
       true);
  both("skip, Adam", chain(skip_if_not_finite(), scale_by_adam(), scale_by_learning_rate(0.05)));
  return all;
}

}  // namespace

TEST_CASE("no fault is taken for success, ruins the result or the optimizer") {
  Tally tally;
  const auto table = methods();
  std::set<std::string> names;
  for (const Method& method : table) {
    INFO(method.name);
    CHECK(names.insert(method.name).second);
    for (const Fault fault : {Fault::nan, Fault::infinity, Fault::minus_infinity, Fault::huge,
                              Fault::minus_huge, Fault::exception}) {
      for (const Part part : {Part::loss, Part::coefficient, Part::gradient}) {
        for (const bool once : {true, false}) {
          for (int from = 1; from <= 20; ++from) {
            const FaultPlan plan{
                .fault = fault, .part = part, .from = from, .once = once, .index = from % 5};
            CAPTURE(plan);
            method.run(plan, tally);
          }
        }
      }
    }
  }
  CHECK(tally.runs == 720 * static_cast<int>(table.size()));
  CHECK(tally.runs >= 8000);
  CHECK(tally.struck > tally.runs * 3 / 4);  // the faults did strike
  CHECK(tally.exceptions > tally.runs / 10);
  CHECK(tally.non_finite > tally.runs / 4);
  CHECK(tally.successes > tally.runs / 100);  // so that there is something to be wrong about
}
