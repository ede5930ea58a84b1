// Extreme gradients (row 21 of the trials): x stays finite, or the step says that it did not; no other coefficient is
// touched; and where a second moment cannot hold the square, gradient_limit() says so beforehand.
#include "support/any_optimizer.hpp"
#include "support/bits.hpp"
#include "support/catch.hpp"
#include "support/laws.hpp"

#include <descent/optimizer/adam.hpp>

#include <Eigen/Core>

#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

using namespace descent_test;

namespace {

template <class Real>
std::vector<Real> extremes() {
  using Limits = std::numeric_limits<Real>;
  std::vector<Real> values{0, Real(-0.0), Limits::denorm_min(), Limits::min(), Limits::max()};
  if constexpr (std::is_same_v<Real, double>) {
    values.insert(values.end(), {1e-310, 1e-162, 1e-155, 1e154, 1e155, 1e200, 1e308});
  } else {
    values.insert(values.end(), {1e-40f, 1e-23f, 1e-19f, 1e18f, 1.9e19f, 1e30f, 3e38f});
  }
  return values;
}

bool finite(const auto& slots) {
  for (const auto& slot : slots)
    if (!slot.allFinite()) return false;
  return true;
}

// What an optimizer's state can hold of |g|, over the root of the largest number; infinite where it holds no squares.
double limit_of(const OptimizerRow& row) {
  const std::set<std::string> no_squares{
      "ASGD",  "AdaMax", "GradientDescent", "Lion",       "OptimisticDescent", "QHM",
      "Rprop", "SGD",    "ScheduleFreeSGD", "SignDescent"};
  if (no_squares.contains(row.optimizer)) return std::numeric_limits<double>::infinity();
  if (row.optimizer == "Adagrad" || row.optimizer == "SM3" || row.optimizer == "MADGRAD")
    return 0x1p-20;  // sums of squares
  if (row.optimizer == "AdaBelief" || row.optimizer == "Yogi") return 0.5;
  return row.optimizer == "Adan" ? 0.25 : 1;
}

// Whether infinity is as good as any number of its sign.
bool takes_signs(const OptimizerRow& row) {
  return row.optimizer == "Lion" || row.optimizer == "Rprop" || row.optimizer == "SignDescent";
}

}  // namespace

TEST_CASE("an extreme gradient leaves x finite, or is reported", "[extreme]") {
  int trials = 0, overflows = 0, beyond = 0;
  for_each_optimizer([&](const OptimizerRow& row, auto real) {
    using Real = decltype(real);
    using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
    for (const Real extreme : extremes<Real>()) {
      for (const Real g0 : {extreme, Real(-extreme)}) {
        auto optimizer = row.make<Real>(), usual = row.make<Real>();
        const Real limit = optimizer.gradient_limit();
        const bool fits = std::abs(g0) <= limit;
        V x = V::Ones(9), y = x, next(9), g = V::Constant(9, Real(0.5)), other = g;
        bool reported = false;
        CAPTURE(row.name, sizeof real, g0);
        for (int t = 0; t < 12 && !reported; ++t) {
          g[4] = t < 4 ? g0 : Real(1);
          const auto outcome = optimizer.advance(x, g, next);
          usual.step(y, other);
          CHECK(outcome.taken);
          CHECK(outcome.finite == next.allFinite());
          reported = !outcome.finite;
          // What does not fit is found before the step by whoever asks, as minimize does; what fits never harms
          // the state without being seen in x.
          if (fits && !finite(optimizer.slots())) CHECK(reported);
          if (!reported) CHECK_FALSE(next.hasNaN());
          V without = next;
          without[4] = y[4];
          CHECK(same_bits(without, y));
          x = next;
        }
        ++trials;
        overflows += reported;
        if (fits) continue;
        // The documented harm: the coordinate is frozen, and nothing else shows it (the largest numbers overflow in
        // the correction of m, too, and infinity over infinity is reported). AdaBound's bounds keep it moving.
        ++beyond;
        if (limit_of(row) == 1) {
          CHECK_FALSE(finite(optimizer.slots()));
          if (!row.decays && !reported && row.optimizer != "AdaBound") CHECK(x[4] == 1);
        }
        if (row.optimizer.starts_with("Adam") &&
            std::abs(g0) < std::numeric_limits<Real>::max() / 2)
          CHECK_FALSE(reported);
      }
    }
  });
  CHECK(trials == 2 * 2 * 12 * static_cast<int>(optimizer_rows().size()));
  CHECK(overflows > 0);  // momentum of 1e308 after 1e308
  CHECK(beyond > 0);
}

TEST_CASE("the largest gradient that fits does, for ever, and the next does not", "[extreme]") {
  for_each_optimizer([](const OptimizerRow& row, auto real) {
    using Real = decltype(real);
    using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
    auto optimizer = row.make<Real>();
    const Real limit = optimizer.gradient_limit();
    CAPTURE(row.name, sizeof real);
    CHECK(limit == Real(limit_of(row)) * std::sqrt(std::numeric_limits<Real>::max()));
    if (std::isinf(limit)) return;
    V x = V::Zero(3);
    const V g(V::Constant(3, limit));
    for (int t = 0; t < 30'000; ++t) optimizer.step(x, g);
    CHECK(finite(optimizer.slots()));
    CHECK(x.allFinite());
    CHECK((x.array() < 0).all());
    // (With decay the gradient of the penalty may bring it back.)
    if (limit_of(row) != 1 || (row.decays && !row.optimizer.starts_with("Adam"))) return;
    optimizer.step(x,
                   V::Constant(3, std::nextafter(limit, std::numeric_limits<Real>::max())).eval());
    CHECK_FALSE(finite(optimizer.slots()));
  });
}

TEST_CASE("with an epsilon of zero a gradient of zero is 0/0, as in PyTorch, and is reported",
          "[extreme]") {
  descent::Adam adam({.epsilon = 0});
  const Eigen::VectorXd x = Eigen::VectorXd::Ones(5);
  Eigen::VectorXd next(5), g = x;
  g[3] = 0;
  const auto outcome = adam.advance(x, g, next, 0);
  CHECK_FALSE(outcome.finite);
  CHECK(std::isnan(next[3]));
}

TEST_CASE("NaN and infinity follow IEEE in step, coefficient by coefficient", "[extreme]") {
  for_each_optimizer([](const OptimizerRow& row, auto real) {
    using Real = decltype(real);
    using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
    using Limits = std::numeric_limits<Real>;
    for (const Real bad : {Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity()}) {
      for (Index n = 1; n <= 33; ++n) {
        for (Index i = 0; i < n; ++i) {
          auto optimizer = row.make<Real>();
          V x = V::Ones(n), g = V::Constant(n, Real(0.5)), next(n);
          g[i] = bad;
          const auto outcome = optimizer.advance(x, g, next);
          // Reported at each position (Adam's infinity over infinity is NaN), unless infinity is a sign like others.
          if (takes_signs(row) && std::isinf(bad)) {
            CHECK(outcome.finite);
            CHECK((next[i] < 1) == (bad > 0));
          } else if (outcome.finite || std::isfinite(next[i])) {
            CAPTURE(row.name, sizeof real, bad, n, i);
            CHECK_FALSE(outcome.finite);
            CHECK_FALSE(std::isfinite(next[i]));
          }
          next[i] = 0;
          if (!next.allFinite()) {
            CAPTURE(row.name, sizeof real, bad, n, i);
            CHECK(next.allFinite());
          }
        }
      }
    }
  });
}
