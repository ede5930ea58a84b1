// What keeps a second set of parameters beside the first: against outside trajectories, and plain loops.
//
// covers: ema lookahead swa weight_ema
#include <descent/transform/lookahead.hpp>
#include <descent/transform/swa.hpp>
#include <descent/transform/weight_ema.hpp>

#include "support/allocations.hpp"
#include "support/bits.hpp"
#include "support/catch.hpp"
#include "support/compare.hpp"
#include "support/reference.hpp"

#include <descent/engine/stepper.hpp>
#include <descent/transform/ema.hpp>
#include <descent/transform/scale_by_adam.hpp>
#include <descent/transform/scale_by_learning_rate.hpp>
#include <descent/transform/trace.hpp>

#include <Eigen/Core>

#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

using namespace descent;
using descent_test::Numbers;
using descent_test::same_bits;
using Eigen::VectorXd;
using Eigen::VectorXf;

namespace {

// Calls run(transforms...) with the optimizer that a reference puts inside of another.
template <class Run>
void with_inner(const descent_test::Record& hyper, const Run& run) {
  const double rate = hyper.number("inner.lr");
  if (hyper.text("inner.name") == "adam") {
    run(scale_by_adam({.beta1 = hyper.number("inner.b1"),
                       .beta2 = hyper.number("inner.b2"),
                       .epsilon = hyper.number("inner.eps")}),
        scale_by_learning_rate(rate));
  } else {
    REQUIRE(hyper.text("inner.name") == "sgd");
    run(trace({.momentum = hyper.number("inner.momentum", 0.0)}), scale_by_learning_rate(rate));
  }
}

}  // namespace

TEST_CASE("look-ahead follows the outside trajectories, fast and slow", "[reference]") {
  int files = 0, compared = 0, reset = 0;
  for (const std::string& name : descent_test::list("numpy")) {
    const auto reference = descent_test::load_trajectory(name);
    if (reference.optimizer != "Lookahead") continue;
    const auto& hyper = reference.hyper;
    with_inner(hyper, [&](auto direction, auto rate) {
      auto optimizer = chain(direction, rate,
                             lookahead({.sync_period = hyper.integer("sync_period"),
                                        .slow_step_size = hyper.number("slow_step_size"),
                                        .reset_state = hyper.flag("reset_state")}));
      VectorXd x_now;
      const auto report = descent_test::compare(
          reference,
          [&](std::int64_t, VectorXd& x, const VectorXd& g) {
            optimizer.step(x, g);
            x_now = x;
          },
          [&](std::string_view extra) {
            REQUIRE(extra == "x_slow");
            return optimizer.averaged(x_now);
          });
      hyper.expect_all_read();
      INFO(report.first_failure);
      CHECK(report.passed());
      compared += report.compared;
    });
    ++files;
    reset += hyper.flag("reset_state");
  }
  CHECK(files == 4);
  CHECK(reset == 1);
  CHECK(compared == 176);
}

TEST_CASE("averages of the parameters follow the outside trajectories", "[reference]") {
  int files = 0, compared = 0;
  for (const std::string& name : descent_test::list("numpy")) {
    const auto reference = descent_test::load_trajectory(name);
    if (reference.optimizer != "EMA") continue;
    const auto& hyper = reference.hyper;
    with_inner(hyper, [&](auto direction, auto rate) {
      const double decay = hyper.number("decay");
      auto debiased = chain(direction, rate, weight_ema({.decay = decay}));
      auto plain = chain(direction, rate, weight_ema({.decay = decay, .debias = false}));
      auto mean = chain(direction, rate, swa());
      VectorXd x_now;
      const auto report = descent_test::compare(
          reference,
          [&](std::int64_t, VectorXd& x, const VectorXd& g) {
            VectorXd y = x, z = x;
            debiased.step(y, g);
            plain.step(z, g);
            mean.step(x, g);
            x_now = x;
            REQUIRE(same_bits(x, y));  // the parameters themselves pass unchanged
            REQUIRE(same_bits(x, z));
          },
          [&](std::string_view extra) {
            if (extra == "x_ema") return plain.averaged(x_now);
            if (extra == "x_ema_debiased") return debiased.averaged(x_now);
            REQUIRE(extra == "x_swa");
            return mean.averaged(x_now);
          });
      hyper.expect_all_read();
      INFO(report.first_failure);
      CHECK(report.passed());
      compared += report.compared;
    });
    ++files;
  }
  CHECK(files == 2);
  CHECK(compared == 160);
}

TEST_CASE("look-ahead is a plain loop, to the bit", "[lookahead]") {
  const auto check = [](auto real) {
    using Real = decltype(real);
    using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
    auto fast = chain<V>(scale_by_learning_rate(0.125));
    auto ahead = chain<V>(scale_by_learning_rate(0.125),
                          lookahead({.sync_period = 3, .slow_step_size = 0.3}));
    V x = Numbers(1).vector<Real>(37), y = x, slow = x;
    Numbers numbers(2);
    for (int t = 1; t <= 20; ++t) {
      const V g = numbers.vector<Real>(37);
      ahead.step(x, g);
      fast.step(y, g);
      if (t % 3 == 0) {
        for (Eigen::Index i = 0; i < 37; ++i) {
          slow[i] = slow[i] + Real(0.3) * (y[i] - slow[i]);
          y[i] = slow[i];
        }
      }
      CAPTURE(t, sizeof(Real));
      CHECK(same_bits(x, y));
      CHECK(same_bits(ahead.averaged(x), slow));
    }
  };
  check(0.0);
  check(0.0f);
}

TEST_CASE("look-ahead that resets begins its chain afresh", "[lookahead]") {
  // Adam's first step has the size of the rate whatever the gradient: after each jump it is a first one again.
  auto adam = chain(scale_by_adam({.epsilon = 0}), scale_by_learning_rate(0.5),
                    lookahead({.sync_period = 2, .slow_step_size = 1, .reset_state = true}));
  VectorXd x = VectorXd::Zero(5);
  Numbers numbers(3);
  for (int t = 1; t <= 9; ++t) {
    const VectorXd before = x, g = numbers.vector<double>(5) * std::pow(10.0, t);
    adam.step(x, g);
    CHECK(adam.steps() == t);
    if (t % 2 == 1) CHECK((x - before).cwiseAbs().isApproxToConstant(0.5, 1e-14));
    if (t == 2) CHECK_FALSE((x - before).cwiseAbs().isApproxToConstant(0.5, 1e-3));
  }
  auto saved = adam;
  VectorXd y = x;
  saved.restore(adam.state());
  CHECK(saved.state() == adam.state());
  const VectorXd g = numbers.vector<double>(5);
  adam.step(x, g);
  saved.step(y, g);
  CHECK(same_bits(x, y));
  adam.reset();
  CHECK(adam.state().restarted_at == 0);
}

namespace {
// x ← x + t
struct AddTime {
  static constexpr Stage accepts = Stage::point;
  template <class Real>
  auto kernel(const StepInfo& step) const {
    const auto t = static_cast<Real>(step.t);
    return [=](auto& x, const auto&) { x = x + t; };
  }
};
}  // namespace

TEST_CASE("what stands behind the rate goes on counting beside a look-ahead that resets",
          "[lookahead]") {
  const auto check = [](auto optimizer) {
    VectorXd x = VectorXd::Zero(1);
    for (int t = 1; t <= 9; ++t) {
      optimizer.step(x, VectorXd::Zero(1).eval());
      CHECK(x[0] == t * (t + 1) / 2);
    }
  };
  const auto resets = lookahead({.sync_period = 2, .slow_step_size = 1, .reset_state = true});
  check(chain(scale_by_learning_rate(1), resets, AddTime()));
  check(chain(scale_by_learning_rate(1), AddTime(), resets));
}

TEST_CASE("stochastic weight averaging begins late and takes every third", "[swa]") {
  auto optimizer = chain(scale_by_learning_rate(1), swa({.start = 4, .every = 3}));
  VectorXd x = VectorXd::Zero(3), mean = VectorXd::Zero(3);
  CHECK(same_bits(optimizer.averaged(x), x));  // before the first step
  int n = 0;
  for (int t = 1; t <= 30; ++t) {
    optimizer.step(x, (VectorXd(3) << -t, 1, 0.5 * t).finished());
    if (t > 4 && (t - 4) % 3 == 0) mean += (x - mean) / ++n;
    CAPTURE(t);
    CHECK(optimizer.averaged(x).isApprox(n == 0 ? x : mean, 1e-14));
  }
  CHECK(n == 8);
}

TEST_CASE("an average of one point is that point, for every size and type", "[average]") {
  for (const Eigen::Index n : {1, 2, 3, 7, 8, 16, 33, 1000}) {
    auto optimizer = chain<VectorXf>(scale_by_learning_rate(0), weight_ema({.decay = 0.75}), swa());
    VectorXf x = Numbers(std::uint64_t(n)).vector<float>(n);
    for (int t = 0; t < 5; ++t) optimizer.step(x, VectorXf::Zero(n).eval());
    CHECK(optimizer.averaged(x).isApprox(x, 1e-6f));
    CHECK_THROWS_AS(optimizer.averaged(VectorXf::Zero(n + 1)), std::invalid_argument);
  }
  using M = Eigen::Matrix<double, 2, 3, Eigen::RowMajor>;
  auto fixed = chain<M>(scale_by_learning_rate(1), swa());
  M x = M::Zero(), g;
  g << 1, 2, 3, 4, 5, 6;
  fixed.step(x, g);
  fixed.step(x, g);
  CHECK(fixed.averaged(x).isApprox(-1.5 * g));
}

TEST_CASE("an exponential moving average of gradients", "[ema]") {
  const double beta = 0.75;
  auto optimizer = chain(ema({.decay = beta}), scale_by_learning_rate(1)),
       biased = chain(ema({.decay = beta, .debias = false}), scale_by_learning_rate(1));
  VectorXd x = VectorXd::Zero(4), y = x, m = x;
  Numbers numbers(5);
  for (int t = 1; t <= 50; ++t) {
    const VectorXd g = numbers.vector<double>(4), x0 = x, y0 = y;
    m = beta * m + (1 - beta) * g;
    optimizer.step(x, g);
    biased.step(y, g);
    CHECK((x0 - x).isApprox(m / (1 - std::pow(beta, t)), 1e-12));
    CHECK((y0 - y).isApprox(m, 1e-12));
  }
}

TEST_CASE("averages allocate at the first step alone", "[allocation]") {
  auto optimizer = chain(scale_by_adam(), scale_by_learning_rate(1e-3),
                         lookahead({.sync_period = 2, .reset_state = true}), weight_ema(), swa());
  VectorXd x = VectorXd::Ones(100);
  const VectorXd g = x;
  optimizer.step(x, g);
  CHECK(descent_test::allocated_by([&] {
          for (int t = 0; t < 10; ++t) optimizer.step(x, g);
        }) == descent_test::Allocations{});
}
