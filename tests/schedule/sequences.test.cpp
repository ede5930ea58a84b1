// Schedules against PyTorch's sequences of 200 rates (row 2 of the trials). They are functions of the step alone, so a
// run that is resumed at any step goes on exactly.
#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/reference.hpp"

#include <descent/core/schedule.hpp>
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

#include <Eigen/Core>

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace descent;
using descent::Schedule;
using descent_test::Record;

namespace {

// What one of PyTorch's schedulers is called here: the file, the rate, and the momentum where it has one.
struct Row {
  std::string file;
  std::function<Schedule(double base, const Record& arguments)> rate;
  std::function<Schedule(const Record& arguments)> momentum{};
};

Schedule step(double base, const Record& a) {
  return step_decay(
      {.initial = base, .rate = a.number("gamma", 0.1), .steps = a.integer("step_size")});
}
Schedule exponential(double base, const Record& a) {
  return exponential_decay({.initial = base, .rate = a.number("gamma")});
}
Schedule line(double base, const Record& a) {
  return linear({.initial = base * a.number("start_factor", 1.0 / 3),
                 .final = base * a.number("end_factor", 1.0),
                 .total_steps = a.integer("total_iters", 5)});
}
Schedule polynomial(double base, const Record& a) {
  return polynomial_decay(
      {.initial = base, .total_steps = a.integer("total_iters"), .power = a.number("power", 1.0)});
}
Schedule cosine(double base, const Record& a) {
  return cosine_decay({.initial = base,
                       .total_steps = a.integer("T_max"),
                       .final = a.number("eta_min", 0.0),
                       .periodic = true});
}
Schedule restarts(double base, const Record& a) {
  return cosine_restarts({.initial = base,
                          .steps = a.integer("T_0"),
                          .growth = a.integer("T_mult", 1),
                          .final = a.number("eta_min", 0.0)});
}
Schedule cycle(const Record& a, double initial, double peak) {
  const std::string& mode = a.text("mode", "triangular");
  return cyclic({.initial = initial,
                 .peak = peak,
                 .steps_up = a.integer("step_size_up"),
                 .steps_down = a.integer("step_size_down", 0),
                 .cycle_rate = mode == "triangular2" ? 0.5 : 1,
                 .step_rate = mode == "exp_range" ? a.number("gamma") : 1});
}
Schedule cyclic_rate(double, const Record& a) {
  return cycle(a, a.number("base_lr"), a.number("max_lr"));
}
Schedule cyclic_momentum(const Record& a) {
  return cycle(a, a.number("max_momentum", 0.9), a.number("base_momentum", 0.8));
}
Schedule once(const Record& a, double initial, double peak, double final) {
  return one_cycle(
      {.peak = peak,
       .total_steps = a.integer("total_steps"),
       .initial = initial,
       .final = final,
       .rise = a.number("pct_start", 0.3),
       .shape = a.text("anneal_strategy", "cos") == "cos" ? Anneal::cosine : Anneal::linear,
       .three_phases = a.flag("three_phase", false)});
}
Schedule one_cycle_rate(double, const Record& a) {
  const double peak = a.number("max_lr"), initial = peak / a.number("div_factor", 25.0);
  return once(a, initial, peak, initial / a.number("final_div_factor", 1e4));
}
Schedule one_cycle_momentum(const Record& a) {
  const double rest = a.number("max_momentum", 0.95);
  return once(a, rest, a.number("base_momentum", 0.85), rest);
}

const std::vector<Row>& rows() {
  static const std::vector<Row> all{
      {"chainedscheduler__const_exp",
       [](double base, const Record& a) {
         REQUIRE(a.text("schedulers") ==
                 "ConstantLR(factor=0.1,total_iters=10), ExponentialLR(gamma=0.97)");
         return product(joined(0.1, 10, 1), exponential_decay({.initial = base, .rate = 0.97}));
       }},
      {"constantlr__default",
       [](double base, const Record& a) {
         return joined(base * a.number("factor"), a.integer("total_iters"), base);
       }},
      {"cosineannealinglr__T200", cosine},
      {"cosineannealinglr__T30_min", cosine},
      {"cosineannealingwarmrestarts__T10_m2", restarts},
      {"cosineannealingwarmrestarts__T7", restarts},
      {"cycliclr__exp_range", cyclic_rate, cyclic_momentum},
      {"cycliclr__triangular", cyclic_rate, cyclic_momentum},
      {"cycliclr__triangular2", cyclic_rate, cyclic_momentum},
      {"exponentiallr__g1", exponential},
      {"exponentiallr__g95", exponential},
      {"linearlr__default", line},
      {"linearlr__warm40", line},
      {"multisteplr__default",
       [](double base, const Record& a) {
         REQUIRE((a.numbers("milestones") == Eigen::Vector3d(20, 50, 120)));
         return multi_step({.initial = base, .rate = a.number("gamma", 0.1)}, {20, 50, 120});
       }},
      {"multisteplr__dup",
       [](double base, const Record& a) {
         REQUIRE((a.numbers("milestones") == Eigen::Vector4d(10, 10, 11, 150)));
         return multi_step({.initial = base, .rate = a.number("gamma", 0.1)}, {10, 10, 11, 150});
       }},
      {"onecyclelr__default", one_cycle_rate, one_cycle_momentum},
      {"onecyclelr__linear_3ph", one_cycle_rate, one_cycle_momentum},
      {"polynomiallr__p1", polynomial},
      {"polynomiallr__p2", polynomial},
      {"sequentiallr__linear20_cosine180",
       [](double base, const Record& a) {
         REQUIRE(a.text("schedulers") ==
                 "LinearLR(start_factor=0.1,total_iters=20), "
                 "CosineAnnealingLR(T_max=180,eta_min=1e-3)");
         return joined(linear({.initial = 0.1 * base, .final = base, .total_steps = 20}),
                       a.integer("milestones"),
                       cosine_decay({.initial = base, .total_steps = 180, .final = 1e-3}));
       }},
      {"steplr__default", step},
      {"steplr__g50", step},
  };
  return all;
}

// The largest relative difference of 200 values.
double worst(const Schedule& schedule, const Eigen::VectorXd& theirs, double scale) {
  double result = 0;
  for (std::int64_t k = 0; k < 200; ++k) {
    const double difference = std::abs(schedule(k) - theirs[k]);
    const double relative = theirs[k] == 0 ? (schedule(k) <= 1e-17 * scale ? 0 : HUGE_VAL)
                                           : difference / std::abs(theirs[k]);
    if (!(relative <= result)) result = relative;
  }
  return result;
}

}  // namespace

TEST_CASE("schedules are PyTorch's, to 1e-12", "[reference]") {
  std::set<std::string> claimed;
  int momenta = 0;
  for (const Row& row : rows()) {
    CAPTURE(row.file);
    CHECK(claimed.insert("sched/" + row.file).second);
    const auto reference = descent_test::load_schedule("sched/" + row.file);
    const double base = reference.base_learning_rate;
    CHECK(worst(row.rate(base, reference.arguments), reference.learning_rate, base) <= 1e-12);
    CHECK((reference.momentum.size() > 0) == bool(row.momentum));
    if (row.momentum) {
      CHECK(worst(row.momentum(reference.arguments), reference.momentum, 1) <= 1e-12);
      ++momenta;
    }
    reference.arguments.expect_all_read();
  }
  CHECK(momenta == 5);
  // The others react to a metric: tests/observe/reduce_on_plateau.test.cpp.
  int others = 0;
  for (const std::string& name : descent_test::list("sched")) {
    if (claimed.contains(name)) continue;
    CHECK(descent_test::load_schedule(name).scheduler == "ReduceLROnPlateau");
    ++others;
  }
  CHECK(claimed.size() == 22);
  CHECK(others == 4);
}

TEST_CASE("PyTorch's warm-up and cosine is warmup_cosine too", "[reference]") {
  const auto sequential = descent_test::load_schedule("sched/sequentiallr__linear20_cosine180");
  const double base = sequential.base_learning_rate;
  CHECK(worst(warmup_cosine({.peak = base,
                             .warmup_steps = 20,
                             .total_steps = 200,
                             .initial = 0.1 * base,
                             .final = 1e-3}),
              sequential.learning_rate, base) <= 1e-12);
  const auto rise = descent_test::load_schedule("sched/linearlr__warm40");
  const auto schedule = warmup_cosine({.peak = rise.base_learning_rate,
                                       .warmup_steps = 40,
                                       .total_steps = 100,
                                       .initial = 0.01 * rise.base_learning_rate});
  for (std::int64_t k = 0; k <= 40; ++k)
    CHECK(schedule(k) == Approx(rise.learning_rate[k]).epsilon(1e-12));
}

TEST_CASE("a schedule depends on the step alone, in whatever order it is asked", "[schedule]") {
  const auto list = joined(0.25, 7, linear({}), 60, cosine_restarts({.steps = 9, .growth = 3}));
  const Schedule all[] = {
      constant(0.5),
      step_decay({}),
      exponential_decay({.steps = 7}),
      cosine_decay({}),
      cosine_decay({.total_steps = 13, .periodic = true}),
      warmup_cosine({}),
      linear({.initial = 0.01, .final = 0.2, .total_steps = 150}),
      polynomial_decay({.final = 1e-3, .total_steps = 90, .power = 1.7}),
      multi_step({}, {3, 3, 50, 120}),
      cosine_restarts({.steps = 13, .final = 1e-4, .rate = 0.7}),
      cosine_restarts({.steps = 2, .growth = 3}),
      cyclic({.steps_up = 5, .steps_down = 8, .cycle_rate = 0.5, .step_rate = 0.99}),
      one_cycle({.total_steps = 170}),
      one_cycle({.total_steps = 170, .shape = Anneal::square_root, .three_phases = true}),
      inverse_sqrt({.warmup_steps = 20}),
      warmup_stable_decay({.warmup_steps = 20, .total_steps = 180, .decay_steps = 70}),
      list,
      std::cref(list),
      product(0.5, list),
  };
  for (const Schedule& schedule : all) {
    double forward[200];
    for (int k = 0; k < 200; ++k) forward[k] = schedule(k);
    Schedule copy = schedule;
    const Schedule moved = std::move(copy);
    for (int k = 200; k-- > 0;) CHECK(moved(k) == forward[k]);
    for (const std::int64_t k : {std::int64_t{1} << 31, (std::int64_t{1} << 53) - 1,
                                 std::int64_t{1} << 53, std::numeric_limits<std::int64_t>::max()}) {
      CHECK(schedule(k) >= 0);
      CHECK(schedule(k) < 1);
    }
  }
}

TEST_CASE("a schedule allocates nothing, whatever it is made of", "[schedule]") {
  double sum = 0;
  CHECK(descent_test::allocated_by([&] {
          Schedule a = joined(product(0.5, one_cycle({})), 100, 1e-3);
          const Schedule b = a;
          a = multi_step({}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14});
          for (int k = 0; k < 200; ++k) sum += a(k) + b(k);
        }) == descent_test::Allocations{});
  CHECK(sum > 0);
}

TEST_CASE("an optimizer takes the rate of its step from a schedule", "[schedule]") {
  const auto rate = joined(linear({.initial = 0.25, .final = 1, .total_steps = 3}), 3, 0.5);
  SGD<Eigen::Vector2d> sgd({.learning_rate = rate});
  Eigen::Vector2d x(1, 2), expected = x;
  const Eigen::Vector2d g(0.5, -1);
  for (std::int64_t k = 0; k < 6; ++k) {
    CHECK(sgd.learning_rate() == rate(k));
    sgd.step(x, g);
    expected -= rate(k) * g;
    CHECK(x == expected);
  }
}
