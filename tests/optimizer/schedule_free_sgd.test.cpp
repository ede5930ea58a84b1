// ScheduleFreeSGD: where its weight decay acts, and what the average is good for.
#include <descent/optimizer/schedule_free_sgd.hpp>

#include "support/bits.hpp"
#include "support/catch.hpp"

#include <Eigen/Core>

using descent::ScheduleFreeSGD;
using descent_test::Numbers;
using descent_test::same_bits;
using Eigen::VectorXd;

static_assert(ScheduleFreeSGD<>::passes == 1);

TEST_CASE("the weight decay of ScheduleFreeSGD acts at y", "[schedule_free]") {
  ScheduleFreeSGD decayed({.learning_rate = 0.25, .weight_decay = 0.5}),
      plain({.learning_rate = 0.25});
  VectorXd x = Numbers(1).vector<double>(7), y = x;
  Numbers numbers(2);
  for (int t = 0; t < 30; ++t) {
    const VectorXd g = numbers.vector<double>(7);
    decayed.step(x, g);
    plain.step(y, VectorXd(g + 0.5 * y));
    CHECK(same_bits(x, y));
  }
}

TEST_CASE("the average of ScheduleFreeSGD settles where its noise keeps y astir",
          "[schedule_free]") {
  ScheduleFreeSGD optimizer({.learning_rate = 0.5});
  CHECK(optimizer.base_point().size() == 0);
  VectorXd y = VectorXd::Constant(5, 3);
  Numbers numbers(3);
  for (int t = 0; t < 4000; ++t) optimizer.step(y, VectorXd(y + numbers.vector<double>(5)));
  const double of_z = optimizer.base_point().norm(), of_average = optimizer.averaged(y).norm();
  CHECK(of_average < 0.1 * of_z);
}

TEST_CASE("defaults of ScheduleFreeSGD are those of the authors", "[schedule_free]") {
  const auto options = descent::ScheduleFreeSGDOptions();
  CHECK(options.learning_rate(0) == 1);
  CHECK(options.beta == 0.9);
  CHECK(options.weight_decay == 0);
  CHECK(options.step_power == 0);
  CHECK(options.rate_power == 2);
}
