#include <descent/observe/reduce_on_plateau.hpp>

#include <descent/minimize.hpp>
#include <descent/objective/callable.hpp>
#include <descent/observe/history.hpp>
#include <descent/optimizer/gradient_descent.hpp>
#include <descent/optimizer/sgd.hpp>
#include <descent/schedule/step_decay.hpp>

#include "support/catch.hpp"
#include "support/laws.hpp"
#include "support/problems.hpp"
#include "support/reference.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace descent;
using namespace descent_test;
using Eigen::VectorXd;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Losses from a list, one a look; the last one again and again.
struct Listed {
  std::vector<double> losses;
  mutable std::size_t looks = 0;
  double loss(const VectorXd&) const { return losses[std::min(looks++, losses.size() - 1)]; }
};

/// The same as a training loss; x falls by the rate.
struct ListedLoss {
  std::vector<double> losses;
  mutable std::size_t looks = 0;
  double loss_and_gradient(const VectorXd& x, VectorXd& g) const {
    g.setOnes(x.size());
    return losses[std::min(looks++, losses.size() - 1)];
  }
};

/// The factors that a rule gives for a list of metrics, at a rate of 1 that follows them.
std::vector<double> rates(const ReduceOnPlateauOptions& options, const std::vector<double>& list) {
  Plateau plateau(options);
  std::vector<double> result;
  double rate = 1;
  for (const double metric : list) result.push_back(rate *= plateau(metric, rate));
  return result;
}

}  // namespace

TEST_CASE("PyTorch's ReduceLROnPlateau, step by step", "[reference]") {
  std::set<std::string> files;
  for (const std::string& name : list("sched")) {
    const auto reference = load_schedule(name);
    if (reference.scheduler != "ReduceLROnPlateau") continue;
    const Record& a = reference.arguments;
    Plateau plateau({.factor = a.number("factor", 0.1),
                     .patience = a.integer("patience", 10),
                     .threshold = a.number("threshold", 1e-4),
                     .threshold_mode = a.text("threshold_mode", "rel") == "abs"
                                           ? ThresholdMode::absolute
                                           : ThresholdMode::relative,
                     .cooldown = a.integer("cooldown", 0),
                     .min_learning_rate = a.number("min_lr", 0.0),
                     .epsilon = a.number("eps", 1e-8),
                     .maximize = a.text("mode", "min") == "max"});
    a.expect_all_read();
    SGD<> sgd({.learning_rate = reference.base_learning_rate});
    std::set<double> seen;
    for (Eigen::Index k = 0; k < 200; ++k) {
      CAPTURE(name, k);
      CHECK(sgd.learning_rate() == Approx(reference.learning_rate[k]).epsilon(1e-12));
      seen.insert(sgd.learning_rate());
      sgd.scale_learning_rate(plateau(reference.metric[k], sgd.learning_rate()));
    }
    CHECK(seen.size() >= 2);
    files.insert(name);
  }
  CHECK(files.size() == 4);
}

TEST_CASE("a plateau is more than `patience` looks without improvement") {
  CHECK(rates({.factor = 0.5, .patience = 0}, {3, 3, 2, 2, 2}) ==
        std::vector<double>{1, 0.5, 0.5, 0.25, 0.125});
  CHECK(rates({.factor = 0.5, .patience = 1}, {3, 3, 3, 3, 3, 2, 4, 4, 1}) ==
        std::vector<double>{1, 1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125});
}

TEST_CASE("during a cooldown nothing counts") {
  CHECK(rates({.factor = 0.5, .patience = 0, .cooldown = 2}, {3, 3, 3, 3, 3, 3}) ==
        std::vector<double>{1, 0.5, 0.5, 0.5, 0.25, 0.25});
}

TEST_CASE("the threshold is a part of the best, or a difference from it, in both directions") {
  using List = std::vector<double>;
  const auto improves = [](ReduceOnPlateauOptions options, double best, double metric) {
    options.factor = 0.5;
    options.patience = 0;
    return rates(options, List{best, metric}).back() == 1;
  };
  ReduceOnPlateauOptions o{.threshold = 0.25};
  CHECK(improves(o, 8, 5.9));
  CHECK(!improves(o, 8, 6));
  CHECK(improves(o, -8, -10.1));  // PyTorch takes -8 and even -6.1 for an improvement of -8
  CHECK(!improves(o, -8, -10));
  CHECK(!improves(o, -8, -8));
  o.maximize = true;
  CHECK(improves(o, 8, 10.1));
  CHECK(!improves(o, 8, 10));
  CHECK(improves(o, -8, -5.9));
  CHECK(!improves(o, -8, -6));
  o.threshold_mode = ThresholdMode::absolute;
  CHECK(improves(o, 8, 8.26));
  CHECK(!improves(o, 8, 8.25));
  o.maximize = false;
  CHECK(improves(o, 8, 7.74));
  CHECK(!improves(o, 8, 7.75));
  o.threshold = 0;
  CHECK(improves(o, 8, std::nextafter(8, 0)));
  CHECK(!improves(o, 8, 8));
}

TEST_CASE("a metric that is not finite") {
  const double nan = std::nan("");
  CHECK(rates({.factor = 0.5, .patience = 0}, {nan, 3, nan, infinity, 2, -infinity, -infinity}) ==
        std::vector<double>{0.5, 0.5, 0.25, 0.125, 0.125, 0.125, 0.0625});
  CHECK(rates({.factor = 0.5, .patience = 0, .maximize = true}, {-infinity, 1, infinity, 5}) ==
        std::vector<double>{0.5, 0.5, 0.5, 0.25});
}

TEST_CASE("the rate stays above its minimum, and a tiny reduction is left out") {
  const std::vector<double> flat(6, 1.0);
  CHECK(rates({.factor = 0.5, .patience = 0, .min_learning_rate = 0.2}, flat) ==
        std::vector<double>{1, 0.5, 0.25, 0.2, 0.2, 0.2});
  CHECK(rates({.factor = 0.5, .patience = 0, .epsilon = 0.25}, flat) ==
        std::vector<double>{1, 0.5, 0.5, 0.5, 0.5, 0.5});  // 0.25 is not more than 0.25
  CHECK(rates({.factor = 0.5, .patience = 0, .min_learning_rate = 2}, flat) ==
        std::vector<double>(6, 1.0));  // below the minimum already: left alone
  Plateau plateau({.factor = 0.5, .patience = 0});
  CHECK(plateau(1, 1) == 1);
  CHECK(plateau(1, 0) == 1);
  CHECK(plateau.best() == 1);
  plateau.reset();
  CHECK(plateau.best() == infinity);
  CHECK(plateau(1, 1) == 1);
}

TEST_CASE("minimize reduces the rate when the training loss stalls") {
  const ListedLoss f{{5, 4, 3, 3, 3, 3, 3, 2, 2}};  // the first at x0, which no observer sees
  History before, after;
  GradientDescent<> optimizer({.learning_rate = 1});
  auto plateau = reduce_on_plateau({.factor = 0.5, .patience = 1});
  const auto result = minimize(f, VectorXd::Zero(1), optimizer, {.max_iterations = 8},
                               history(before), plateau, history(after));
  // Looks: 4, 3, 3, 3 -> reduced, 3, 3 -> reduced, 2, 2.
  const std::vector<double> expected{1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.25};
  REQUIRE(before.rows.size() == 8);
  for (std::size_t i = 0; i < 8; ++i) {
    CAPTURE(i);
    CHECK(after.rows[i].learning_rate == expected[i]);
    CHECK(before.rows[i].learning_rate == (i == 0 ? 1 : expected[i - 1]));
    CHECK(after.rows[i].rate_factor == 1);
  }
  CHECK(optimizer.learning_rate() == 0.25);
  CHECK(optimizer.state().rate_scale == 0.25);
  CHECK(result.iterations == 8);
  CHECK(plateau.best() == 2);

  // It is the steps that shrink: 4 · 1 + 2 · 0.5 + 0.25, at the best point, the seventh.
  CHECK(result.x[0] == -5.25);

  // A warm start keeps the rate; a fresh one does not. The plateau begins anew in both.
  const ListedLoss falling{{9, 8, 7, 6}};
  (void)minimize(falling, VectorXd::Zero(1), optimizer, {.max_iterations = 3, .warm_start = true},
                 plateau);
  CHECK(optimizer.learning_rate() == 0.25);
  CHECK(plateau.best() == 6);
  falling.looks = 0;
  (void)minimize(falling, VectorXd::Zero(1), optimizer, {.max_iterations = 3}, plateau);
  CHECK(optimizer.learning_rate() == 1);
}

TEST_CASE("it scales a schedule") {
  const ListedLoss f{{5}};
  GradientDescent<> optimizer(
      {.learning_rate = step_decay({.initial = 1, .rate = 0.5, .steps = 2})});
  History log;
  (void)minimize(f, VectorXd::Zero(1), optimizer, {.max_iterations = 4},
                 reduce_on_plateau({.factor = 0.25, .patience = 0}), history(log));
  const double expected[] = {1, 0.125, 0.03125, 0.25 * 0.015625};
  for (std::size_t i = 0; i < 4; ++i) CHECK(log.rows[i].learning_rate == expected[i]);
}

TEST_CASE("a validation objective is watched instead, without the training loss") {
  static_assert(!decltype(reduce_on_plateau(Listed()))::uses_loss);
  static_assert(decltype(reduce_on_plateau())::uses_loss);
  const Listed validation{{5, 4, 4, 4, 4}};
  GradientDescent<> optimizer({.learning_rate = 0.01});
  auto plateau = reduce_on_plateau(validation, {.factor = 0.5, .patience = 1, .every = 2});
  const auto result =
      minimize(SeparateBowl{}, VectorXd::Zero(2), optimizer, {.max_iterations = 11}, plateau);
  CHECK(validation.looks == 5);
  CHECK(optimizer.learning_rate() == 0.005);
  CHECK(result.loss_evaluations == 1);
  CHECK(plateau.best() == 4);
  (void)minimize(Bowl{}, VectorXd::Zero(2), optimizer, {.max_iterations = 4},
                 reduce_on_plateau(Bowl{}));
}

TEST_CASE("on mini-batches the rate is reduced at the end of an epoch") {
  const Line line{Eigen::ArrayXd::LinSpaced(10, -1, 1), Eigen::ArrayXd::LinSpaced(10, 0, 4)};
  History log;
  const Listed validation{{3, 3, 2, 2}};
  SGD<> sgd({.learning_rate = 0.25});
  (void)minimize(line, VectorXd::Zero(2), sgd, {.max_epochs = 4, .batch_size = 5},
                 reduce_on_plateau(validation, {.factor = 0.5, .patience = 0}), history(log));
  REQUIRE(log.rows.size() == 4);
  const double expected[] = {0.25, 0.125, 0.125, 0.0625};
  for (std::size_t i = 0; i < 4; ++i) CHECK(log.rows[i].learning_rate == expected[i]);

  // The training loss is that of the full sum, and the same bits as a loop by hand.
  History trained;
  SGD<> by_run({.learning_rate = 0.5}), by_hand({.learning_rate = 0.5});
  const auto result =
      minimize(line, VectorXd::Zero(2), by_run, {.max_epochs = 30, .batch_size = 2, .seed = 3},
               reduce_on_plateau({.factor = 0.5, .patience = 1}), history(trained));
  CHECK(by_run.learning_rate() < 0.5);
  Batches batches(10, 2, Sampling::shuffled, 3);
  Plateau plateau({.factor = 0.5, .patience = 1});
  VectorXd x = VectorXd::Zero(2), g(2);
  for (std::size_t epoch = 0; epoch < 30; ++epoch) {
    do {
      line.gradient(x, batches.next(), g);
      by_hand.step(x, g);
    } while (!batches.epoch_ended());
    const double loss = line.loss(x);
    by_hand.scale_learning_rate(plateau(loss, by_hand.learning_rate()));
    CHECK(trained.rows[epoch].loss == loss);
    CHECK(trained.rows[epoch].learning_rate == by_hand.learning_rate());
  }
  CHECK(result.x == x);
}

TEST_CASE("any observer may scale the rate; a bad factor is refused") {
  GradientDescent<> optimizer({.learning_rate = 1});
  (void)minimize(ListedLoss{{5}}, VectorXd::Zero(2), optimizer, {.max_iterations = 3},
                 [](const Progress& p) { p.scale_learning_rate(0.5); });
  CHECK(optimizer.learning_rate() == 0.125);
  for (const double bad : {-1.0, std::nan(""), infinity}) {
    CHECK(refusal([&] {
            (void)minimize(ListedLoss{{5}}, VectorXd::Zero(2), optimizer, {.max_iterations = 3},
                           [&](const Progress& p) { p.scale_learning_rate(bad); });
          }) == "scale_learning_rate: factor must be in [0, inf), got " + to_text(bad));
  }
}

TEST_CASE("an optimizer whose rate cannot be scaled is refused when an observer asks for it") {
  struct Fixed {
    using Vector = VectorXd;
    std::int64_t count = 0;
    void step(Vector& x, const Vector& g) { x -= 0.1 * g, ++count; }
    void reset() { count = 0; }
    std::int64_t steps() const { return count; }
    double learning_rate() const { return 0.1; }
  };
  Fixed fixed;
  CHECK(refusal([&] {
          (void)minimize(Bowl{}, VectorXd::Zero(2), fixed, {.max_iterations = 5},
                         [](const Progress& p) {
                           if (p.iterations == 3) p.scale_learning_rate(0.5);
                         });
        }) ==
        "minimize: optimizer must be one with void scale_learning_rate(double factor), which an "
        "observer asks for, got one whose learning rate cannot be scaled");
  CHECK(fixed.count == 3);
  CHECK(minimize(Bowl{}, VectorXd::Zero(2), fixed, {.max_iterations = 5}, [](const Progress&) {
        }).iterations == 5);
}
