// ScheduleFreeAdamW: its first step, and where its weight decay acts.
#include <descent/optimizer/schedule_free_adamw.hpp>

#include "support/bits.hpp"
#include "support/catch.hpp"

#include <Eigen/Core>

using descent::ScheduleFreeAdamW;
using descent_test::same_bits;
using Eigen::VectorXd;

static_assert(ScheduleFreeAdamW<>::passes == 1);

TEST_CASE("the first step of ScheduleFreeAdamW is the rate, whatever the gradient",
          "[schedule_free]") {
  ScheduleFreeAdamW optimizer({.learning_rate = 0.25, .epsilon = 0});
  CHECK(optimizer.second_moment().size() == 0);
  VectorXd x = VectorXd::Zero(3);
  optimizer.step(x, VectorXd{{1e-100, -3, 1e100}});
  CHECK(x.isApprox(VectorXd{{-0.25, 0.25, -0.25}}, 1e-14));
  CHECK(same_bits(optimizer.base_point(), x));
  CHECK(optimizer.averaged(x).isApprox(x, 1e-14));
  CHECK(optimizer.second_moment()[1] == Approx(9e-3));
}

TEST_CASE("the weight decay of ScheduleFreeAdamW is decoupled", "[schedule_free]") {
  ScheduleFreeAdamW optimizer({.learning_rate = 0.5, .weight_decay = 0.25});
  VectorXd x{{4, -8}};
  optimizer.step(x, VectorXd::Zero(2).eval());
  CHECK(x.isApprox(VectorXd{{3.5, -7}}, 1e-15));
  CHECK((optimizer.second_moment().array() == 0).all());
}

TEST_CASE("defaults of ScheduleFreeAdamW are those of the authors", "[schedule_free]") {
  const auto options = descent::ScheduleFreeAdamWOptions();
  CHECK(options.learning_rate(0) == 0.0025);
  CHECK(options.beta1 == 0.9);
  CHECK(options.beta2 == 0.999);
  CHECK(options.epsilon == 1e-8);
  CHECK(options.weight_decay == 0);
  CHECK(options.step_power == 0);
  CHECK(options.rate_power == 2);
}
