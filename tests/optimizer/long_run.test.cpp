// Long runs: counters beyond what a float, an int or a double's every second number can hold (row 20 of the trials).
#include "support/allocations.hpp"
#include "support/any_optimizer.hpp"
#include "support/catch.hpp"
#include "support/laws.hpp"
#include "support/scalar_loops.hpp"

#include <descent/optimizer/adam.hpp>

#include <Eigen/Core>

#include <cmath>
#include <cstdint>
#include <vector>

using namespace descent_test;

namespace {

const std::vector<std::int64_t> counters{(1 << 24) - 1, 1 << 24, std::int64_t{1} << 31,
                                         1'000'000'000, (std::int64_t{1} << 53) - 1};

}  // namespace

TEST_CASE("a counter goes on from wherever it was restored", "[long]") {
  for_each_optimizer([](const OptimizerRow& row, auto real) {
    using Real = decltype(real);
    for (const std::int64_t steps : counters) {
      const TrialGradients<Real> gradients(5);
      auto optimizer = row.make<Real>();
      auto x = run(optimizer, gradients, 3);
      std::vector<std::int64_t> asked;
      auto* const log = &asked;
      optimizer.set_learning_rate([log](std::int64_t k) {
        log->push_back(k);
        return 0.01;
      });
      optimizer.set_steps(steps);
      CAPTURE(row.name, sizeof real, steps);
      CHECK(optimizer.steps() == steps);
      asked.clear();
      optimizer.step(x, gradients(3, x));
      CHECK(optimizer.steps() == steps + 1);
      CHECK(asked == std::vector<std::int64_t>{steps});
      optimizer.step(x, gradients(4, x));
      CHECK(optimizer.steps() == steps + 2);
      CHECK(asked == std::vector<std::int64_t>{steps, steps + 1});
      CHECK(x.allFinite());
    }
  });
}

TEST_CASE("Adam's corrections are right to 1e-15 after any number of steps", "[long]") {
  // A state of zeros that has come far: the first gradient then shows the correction alone,
  // x = -rate (1 - beta1)/(1 - beta1^t) / sqrt((1 - beta2)/(1 - beta2^t)).
  using V1 = Eigen::Matrix<double, 1, 1>;
  const auto check = [](double beta1, double beta2, std::int64_t t) {
    descent::Adam<V1> adam({.learning_rate = 1, .beta1 = beta1, .beta2 = beta2, .epsilon = 0});
    auto state = adam.state();
    state.steps = t - 1;
    adam.restore(state);
    V1 x(0.0);
    adam.step(x, V1(1.0));
    const double expected = (1 - beta1) / one_minus_power(beta1, t) /
                            std::sqrt((1 - beta2) / one_minus_power(beta2, t));
    CAPTURE(beta1, beta2, t, x[0], expected);
    CHECK(std::abs(-x[0] / expected - 1) <= 1e-15);
    CHECK(adam.steps() == t);
  };
  std::vector<std::int64_t> times{1, 2, 10, 1000};
  for (const std::int64_t steps : counters) times.insert(times.end(), {steps, steps + 1});
  for (const std::int64_t t : times)
    for (const double beta1 : {0.0, 0.9, 0.999, 1 - 0x1p-40, 1 - 0x1p-53})
      for (const double beta2 : {0.0, 0.999, 0.9999, 1 - 0x1p-40}) check(beta1, beta2, t);
}

TEST_CASE("ten million steps in constant memory", "[long]") {
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  constexpr std::int64_t steps = 10'000'000;
#else
  constexpr std::int64_t steps = 300'000;
#endif
  using V1 = Eigen::Matrix<double, 1, 1>;
  descent::Adam<V1> adam({.learning_rate = 0x1p-20, .epsilon = 0});
  V1 x(0.0);
  const V1 g(-3.0);
  const Allocations allocated = allocated_by([&] {
    for (std::int64_t t = 0; t < steps; ++t) adam.step(x, g);
  });
  CHECK(allocated == Allocations{});
  CHECK(adam.steps() == steps);
  CHECK(std::abs(adam.first_moment()[0] / -3 - 1) <= 1e-13);
  CHECK(std::abs(adam.second_moment()[0] / 9 - 1) <= 1e-13);
  CHECK(std::abs(x[0] / (0x1p-20 * double(steps)) - 1) <= 1e-12);
}
