// Bad arguments are refused with name, value and range, and change nothing; the edges of the ranges are accepted.
// Generated from the table of parameters (row 10 of the trials).
#include "support/any_optimizer.hpp"
#include "support/catch.hpp"
#include "support/laws.hpp"
#include "support/parameters.hpp"

#include <descent/optimizer/adam.hpp>
#include <descent/optimizer/adamw.hpp>
#include <descent/optimizer/gradient_descent.hpp>
#include <descent/optimizer/sgd.hpp>
#include <descent/schedule/cosine_decay.hpp>
#include <descent/schedule/exponential_decay.hpp>
#include <descent/schedule/one_cycle.hpp>
#include <descent/schedule/step_decay.hpp>
#include <descent/schedule/warmup_cosine.hpp>
#include <descent/schedule/warmup_stable_decay.hpp>
#include <descent/transform/clip_by_global_norm.hpp>

#include <Eigen/Core>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

using namespace descent_test;

namespace {

using Limits = std::numeric_limits<double>;
constexpr double infinity = Limits::infinity(), not_a_number = Limits::quiet_NaN();

std::string text(double value) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

// Outside of a row's range: just, and far.
std::vector<double> bad_values(const ParameterRow& row) {
  std::vector<double> values{not_a_number, -not_a_number, Limits::signaling_NaN(),
                             infinity,     -infinity,     Limits::lowest()};
  if (row.lower_open) values.push_back(row.lower);
  double below = row.lower;
  for (int k = 0; k < 8; ++k) values.push_back(below = std::nextafter(below, -infinity));
  for (int e = -323; e <= 308; e += 20) values.push_back(row.lower - std::pow(10.0, e));
  for (const double v : {0.001, 0.1, 0.5, 1.0, 2.0, 10.0}) values.push_back(row.lower - v);
  if (row.upper < infinity) {
    if (row.upper_open) values.push_back(row.upper);
    double above = row.upper;
    for (int k = 0; k < 8; ++k) values.push_back(above = std::nextafter(above, infinity));
    for (int e = 1; e <= 308; e += 20) values.push_back(row.upper + std::pow(10.0, e));
    values.push_back(Limits::max());
  }
  std::erase_if(values, [&](double v) { return v == row.lower && !row.lower_open; });
  return values;
}

std::vector<double> good_values(const ParameterRow& row) {
  std::vector<double> values;
  if (!row.lower_open) values.push_back(row.lower);
  if (!row.lower_open && row.lower == 0) values.push_back(-0.0);
  double above = row.lower;
  for (int k = 0; k < 4; ++k) values.push_back(above = std::nextafter(above, infinity));
  if (!row.upper_open) values.push_back(row.upper);
  const double most = row.upper < infinity ? row.upper : Limits::max();
  double below = row.upper < infinity ? most : std::nextafter(most, infinity);
  for (int k = 0; k < 4; ++k) values.push_back(below = std::nextafter(below, -infinity));
  for (const double part : {1e-300, 1e-20, 1e-5, 0.25, 0.5, 0.75}) values.push_back(part * most);
  return values;
}

}  // namespace

TEST_CASE("every parameter outside of its range is refused with name, value and range",
          "[arguments]") {
  int refused = 0;
  std::set<std::string> rows;
  for (const ParameterRow& row : parameter_rows()) {
    CHECK(rows.insert(row.who + row.name).second);
    for (const double value : bad_values(row)) {
      const std::string message = refusal([&] { row.make(value); });
      const std::string expected =
          row.who + ": " + row.name + " must be in " + row.range + ", got " + text(value);
      if (message != expected) {
        CAPTURE(message);
        CHECK(message == expected);
      }
      ++refused;
    }
  }
  CHECK(refused >= 1900);
}

TEST_CASE("every parameter inside of its range is accepted, its edges too", "[arguments]") {
  int accepted = 0;
  for (const ParameterRow& row : parameter_rows()) {
    for (const double value : good_values(row)) {
      CAPTURE(row.who, row.name, value);
      // What is used once with it: a schedule or an optimizer may overflow, and then says so.
      const std::string message = refusal([&] { row.make(value); });
      if (message != "accepted") CHECK(message == "accepted");
      ++accepted;
    }
  }
  CHECK(accepted >= 500);
}

TEST_CASE("every count below its least is refused, with name, value and least", "[arguments]") {
  for (const CountRow& row : count_rows()) {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max(),
                           lowest = std::numeric_limits<std::int64_t>::min();
    for (const std::int64_t value :
         {row.least - 1, row.least - 2, std::int64_t{-1}, std::int64_t{-1000}, -most, lowest}) {
      CHECK(refusal([&] { row.make(value); }) == row.who + ": " + row.name + " must be at least " +
                                                     std::to_string(row.least) + ", got " +
                                                     std::to_string(value));
    }
    for (const std::int64_t value :
         {row.least, row.least + 1, row.least + 1000, most / 2, most - 1}) {
      CAPTURE(row.who, row.name, value);
      CHECK(refusal([&] { row.make(value); }) == "accepted");
    }
  }
}

TEST_CASE("arguments that do not go together are refused", "[arguments]") {
  using namespace descent;
  const struct {
    const char* message;
    std::function<void()> act;
  } rows[] = {
      {"SGD: momentum must be in (0, 1) with nesterov, got 0", [] { SGD({.nesterov = true}); }},
      {"SGD: momentum must be in (0, 1) with nesterov, got 0",
       [] { SGD({.momentum = 0, .dampening = 0.5, .nesterov = true}); }},
      {"SGD: dampening must be 0 with nesterov, got 0.5",
       [] { SGD({.momentum = 0.9, .dampening = 0.5, .nesterov = true}); }},
      {"SGD: dampening must be 0 with nesterov, got 5e-324",
       [] { SGD({.momentum = 0.9, .dampening = 5e-324, .nesterov = true}); }},
      {"SGD: dampening must be 0 with nesterov, got 1",
       [] { SGD({.momentum = 0.9, .dampening = 1, .nesterov = true}); }},
      {"SGD: momentum must be in [0, 1), got 1", [] { SGD({.momentum = 1, .nesterov = true}); }},
      {"SGD: dampening must be in [0, 1], got -1",
       [] { SGD({.momentum = 0.9, .dampening = -1, .nesterov = true}); }},
      {"SGD: weight_decay must be in [0, inf), got -1",
       [] { SGD({.momentum = 2, .weight_decay = -1}); }},
      {"GradientDescent: momentum must be in (0, 1) with nesterov, got 0",
       [] { GradientDescent({.nesterov = true}); }},
      {"GradientDescent: momentum must be in [0, 1), got nan",
       [] { GradientDescent({.learning_rate = -1, .momentum = not_a_number, .nesterov = true}); }},
      {"trace: momentum must be in (0, 1) with nesterov, got 0",
       [] { trace({.momentum = 0, .nesterov = true}); }},
      {"trace: dampening must be 0 with nesterov, got 0.25",
       [] { trace({.dampening = 0.25, .nesterov = true}); }},
      {"trace: momentum must be in [0, 1), got -0.5",
       [] { trace({.momentum = -0.5, .dampening = 2}, "trace"); }},
      {"Mine: momentum must be in [0, 1), got -0.5", [] { trace({.momentum = -0.5}, "Mine"); }},
      {"Adam: weight_decay must be in [0, inf), got -1",
       [] { Adam({.beta1 = 1, .weight_decay = -1}); }},
      {"Adam: beta1 must be in [0, 1), got 1",
       [] { Adam({.beta1 = 1, .beta2 = 1, .epsilon = -1}); }},
      {"Adam: beta2 must be in [0, 1), got 1", [] { Adam({.beta2 = 1, .epsilon = -1}); }},
      {"Adam: epsilon must be in [0, inf), got -1",
       [] { Adam({.epsilon = -1, .amsgrad = true, .folded = true}); }},
      {"AdamW: beta1 must be in [0, 1), got 1", [] { AdamW({.beta1 = 1, .weight_decay = -1}); }},
      {"AdamW: weight_decay must be in [0, inf), got -1",
       [] { AdamW({.learning_rate = -1, .weight_decay = -1}); }},
      {"warmup_cosine: peak must be in [0, inf), got -1",
       [] { warmup_cosine({.peak = -1, .warmup_steps = -1}); }},
      {"warmup_cosine: total_steps must be more than warmup_steps, 100, got 1",
       [] { warmup_cosine({.warmup_steps = 100, .total_steps = 1}); }},
      {"warmup_cosine: total_steps must be more than warmup_steps, 0, got 0",
       [] { warmup_cosine({.warmup_steps = 0, .total_steps = 0}); }},
      {"warmup_cosine: total_steps must be more than warmup_steps, 9223372036854775807, got "
       "9223372036854775807",
       [] {
         constexpr auto most = std::numeric_limits<std::int64_t>::max();
         warmup_cosine({.warmup_steps = most, .total_steps = most});
       }},
      {"warmup_cosine: total_steps must be more than warmup_steps, 100, got 100",
       [] { warmup_cosine({.warmup_steps = 100, .total_steps = 100}); }},
      {"warmup_cosine: total_steps must be more than warmup_steps, 10000, got 10000",
       [] { warmup_cosine({.warmup_steps = 10000}); }},
      {"cosine_decay: initial must be in [0, inf), got inf",
       [] { cosine_decay({.initial = infinity, .total_steps = 0}); }},
      {"cosine_decay: total_steps must be at least 1, got 0",
       [] { cosine_decay({.total_steps = 0, .final = -1}); }},
      {"step_decay: rate must be in (0, inf), got 0", [] { step_decay({.rate = 0, .steps = 0}); }},
      {"exponential_decay: rate must be in (0, inf), got -0",
       [] { exponential_decay({.rate = -0.0, .steps = 0}); }},
      {"one_cycle: rise must be in [0, 0.5] with three_phases, got 0.75",
       [] { one_cycle({.rise = 0.75, .three_phases = true}); }},
      {"warmup_stable_decay: total_steps must be at least warmup_steps + decay_steps, got 2099",
       [] { warmup_stable_decay({.total_steps = 2099}); }},
      {"warmup_stable_decay: total_steps must be at least warmup_steps + decay_steps, got 1",
       [] {
         constexpr auto most = std::numeric_limits<std::int64_t>::max();
         warmup_stable_decay({.warmup_steps = most, .total_steps = 1, .decay_steps = most});
       }},
      {"clip_by_global_norm: max_norm must be in (0, inf), got 0", [] { clip_by_global_norm(0); }},
      {"Mine: learning_rate must be in [0, inf), got -1",
       [] { scale_by_learning_rate(-1, "Mine"); }},
      {"Mine: weight_decay must be in [0, inf), got -1", [] { add_decayed_weights(-1, "Mine"); }},
      {"Mine: epsilon must be in [0, inf), got nan",
       [] { scale_by_adam({.epsilon = not_a_number}, "Mine"); }},
  };
  CHECK(std::size(rows) >= 30);
  for (const auto& row : rows) CHECK(refusal(row.act) == row.message);
}

TEST_CASE(
    "a learning rate that turns bad during the run is refused at its step, and nothing changes",
    "[arguments]") {
  const std::vector<double> bad{not_a_number, -not_a_number,        infinity, -infinity,
                                -1,           -Limits::denorm_min()};
  for_each_optimizer([&](const OptimizerRow& row, auto real) {
    using Real = decltype(real);
    const TrialGradients<Real> gradients(13);
    for (const int k : {0, 1, 2, 9}) {
      for (const double value : bad) {
        auto optimizer = row.make<Real>();
        optimizer.set_learning_rate([=](std::int64_t t) { return t == k ? value : 0.125; });
        auto x = gradients.start;
        for (int t = 0; t < k; ++t) optimizer.step(x, gradients(t, x));
        auto expected = optimizer;
        auto y = x;
        CAPTURE(row.name, sizeof real, k, value);
        for (int again = 0; again < 2; ++again)
          CHECK(refusal([&] { optimizer.step(x, gradients(k, x)); }) ==
                "step: learning_rate of step " + std::to_string(k + 1) +
                    " must be in [0, inf), got " + text(value));
        CHECK(same_bits(x, y));
        CHECK(optimizer.bits() == expected.bits());
        CHECK(optimizer.steps() == k);

        // The same by a setter: refused at once.
        CHECK(refusal([&] { optimizer.set_learning_rate(value); }) ==
              "set_learning_rate: learning_rate must be in [0, inf), got " + text(value));
        CHECK(refusal([&] { optimizer.scale_learning_rate(value); }) ==
              "scale_learning_rate: factor must be in [0, inf), got " + text(value));
        CHECK(optimizer.bits() == expected.bits());

        // And it goes on as if nothing had been.
        optimizer.set_learning_rate(0.125);
        expected.set_learning_rate(0.125);
        optimizer.step(x, gradients(k, x));
        expected.step(y, gradients(k, y));
        CHECK(same_bits(x, y));
        CHECK(optimizer.bits() == expected.bits());
      }
    }
  });
}

TEST_CASE("an exception of a schedule keeps its type, and nothing changes", "[arguments]") {
  struct Mine {
    int value;
  };
  for_each_optimizer([](const OptimizerRow& row, auto real) {
    using Real = decltype(real);
    const TrialGradients<Real> gradients(13);
    auto optimizer = row.make<Real>();
    optimizer.set_learning_rate([](std::int64_t t) -> double {
      if (t == 2) throw Mine{7};
      return 0.125;
    });
    auto x = gradients.start;
    for (int t = 0; t < 2; ++t) optimizer.step(x, gradients(t, x));
    const auto before = x;
    const std::string bits = optimizer.bits();
    CAPTURE(row.name, sizeof real);
    CHECK_THROWS_AS(optimizer.step(x, gradients(2, x)), Mine);
    CHECK_THROWS_AS(optimizer.learning_rate(), Mine);
    CHECK(same_bits(x, before));
    CHECK(optimizer.bits() == bits);
  });
}

TEST_CASE("the rate is the schedule's times what it was scaled by", "[arguments]") {
  for_each_optimizer([](const OptimizerRow& row, auto real) {
    using Real = decltype(real);
    auto optimizer = row.make<Real>();
    CAPTURE(row.name, sizeof real);
    optimizer.set_learning_rate([](std::int64_t t) { return 0.5 / static_cast<double>(t + 1); });
    optimizer.scale_learning_rate(0.5);
    optimizer.scale_learning_rate(0.25);
    CHECK(optimizer.learning_rate() == 0.0625);
    run(optimizer, TrialGradients<Real>(5), 3);
    CHECK(optimizer.learning_rate() == 0.0625 / 4);
    optimizer.set_learning_rate(1.0);
    CHECK(optimizer.learning_rate() == 0.125);

    // A rate of zero changes nothing but the state, and an overflow is no rate. (Where x follows another point, it goes on
    // to do so.)
    auto x = TrialGradients<Real>(5).start;
    const auto before = x;
    optimizer.scale_learning_rate(0);
    optimizer.step(x, x.eval());
    if (row.optimizer == "MADGRAD" || row.optimizer.starts_with("ScheduleFree")) {
      x = before;
    }
    CHECK((x == before));
    auto large = row.make<Real>();
    large.set_learning_rate(1e308);
    large.scale_learning_rate(1e10);
    CHECK(refusal([&] { large.step(x, before); }) ==
          "step: learning_rate of step 1 must be in [0, inf), got inf");
    CHECK((x == before));
  });
}
