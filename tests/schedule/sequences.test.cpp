// Schedules against PyTorch's sequences of 200 rates (row 2 of the trials). They are functions of the step alone, so a
// run that is resumed at any step goes on exactly.
#include "support/catch.hpp"
#include "support/reference.hpp"

#include <descent/core/schedule.hpp>
#include <descent/schedule/constant.hpp>
#include <descent/schedule/cosine_decay.hpp>
#include <descent/schedule/exponential_decay.hpp>
#include <descent/schedule/step_decay.hpp>
#include <descent/schedule/warmup_cosine.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>

using descent::Schedule;
using descent_test::Record;

namespace {

// What each of PyTorch's schedulers is called here; empty where there is none yet.
Schedule ours(const descent_test::Schedule& reference) {
  const Record& a = reference.arguments;
  const double base = reference.base_learning_rate;
  const std::string& name = reference.scheduler;
  if (name == "StepLR")
    return descent::step_decay(
        {.initial = base, .rate = a.number("gamma", 0.1), .steps = a.integer("step_size")});
  if (name == "ExponentialLR")
    return descent::exponential_decay({.initial = base, .rate = a.number("gamma"), .steps = 1});
  if (name == "CosineAnnealingLR")
    return descent::cosine_decay({.initial = base,
                                  .total_steps = a.integer("T_max"),
                                  .final = a.number("eta_min", 0.0),
                                  .periodic = true});
  if (name == "SequentialLR") {
    REQUIRE(a.text("schedulers") ==
            "LinearLR(start_factor=0.1,total_iters=20), CosineAnnealingLR(T_max=180,eta_min=1e-3)");
    REQUIRE(a.number("milestones") == 20);
    return descent::warmup_cosine({.peak = base,
                                   .warmup_steps = 20,
                                   .total_steps = 200,
                                   .initial = 0.1 * base,
                                   .final = 1e-3});
  }
  throw std::invalid_argument(name);
}

}  // namespace

TEST_CASE("schedules are PyTorch's, to 1e-12", "[reference]") {
  const std::map<std::string, int> expected{
      {"StepLR", 2}, {"ExponentialLR", 2}, {"CosineAnnealingLR", 2}, {"SequentialLR", 1}};
  std::map<std::string, int> files;
  for (const std::string& name : descent_test::list("sched")) {
    const auto reference = descent_test::load_schedule(name);
    if (!expected.contains(reference.scheduler)) continue;
    const Schedule schedule = ours(reference);
    reference.arguments.expect_all_read();
    double worst = 0;
    for (std::int64_t k = 0; k < 200; ++k) {
      const double theirs = reference.learning_rate[k];
      const double relative = std::abs(schedule(k) - theirs) /
                              (theirs == 0 ? 1e-17 * reference.base_learning_rate : theirs);
      worst = std::max(worst, theirs == 0 ? (schedule(k) <= 1e-17 ? 0 : HUGE_VAL) : relative);
    }
    CAPTURE(reference.id, worst);
    CHECK(worst <= 1e-12);
    ++files[reference.scheduler];
  }
  CHECK(files == expected);
}

TEST_CASE("PyTorch's linear warm-up is that of warmup_cosine", "[reference]") {
  const auto reference = descent_test::load_schedule("sched/linearlr__warm40");
  const auto schedule = descent::warmup_cosine({.peak = reference.base_learning_rate,
                                                .warmup_steps = 40,
                                                .total_steps = 100,
                                                .initial = 0.01 * reference.base_learning_rate});
  for (std::int64_t k = 0; k <= 40; ++k)
    CHECK(schedule(k) == Approx(reference.learning_rate[k]).epsilon(1e-12));
}

TEST_CASE("a schedule depends on the step alone, in whatever order it is asked", "[schedule]") {
  const Schedule all[] = {descent::constant(0.5),
                          descent::step_decay({}),
                          descent::exponential_decay({.steps = 7}),
                          descent::cosine_decay({}),
                          descent::cosine_decay({.total_steps = 13, .periodic = true}),
                          descent::warmup_cosine({})};
  for (const Schedule& schedule : all) {
    double forward[200];
    for (int k = 0; k < 200; ++k) forward[k] = schedule(k);
    const Schedule copy = schedule;
    for (int k = 200; k-- > 0;) CHECK(copy(k) == forward[k]);
    for (const std::int64_t k : {std::int64_t{1} << 31, (std::int64_t{1} << 53) - 1}) {
      CHECK(schedule(k) >= 0);
      CHECK(schedule(k) < 1);
    }
  }
}
