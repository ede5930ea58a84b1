// What holds for every optimizer that looks at sums over all parameters: the laws of laws.test.cpp and its neighbors, but
// for those that ask for one coefficient's independence of the others.
#include "support/optimizers/sums.hpp"

#include "support/allocations.hpp"
#include "support/any_optimizer.hpp"
#include "support/bits.hpp"
#include "support/catch.hpp"
#include "support/laws.hpp"

#include <Eigen/Core>

#include <algorithm>
#include <any>
#include <cmath>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <vector>

using namespace descent_test;

namespace {

template <class Real>
using VectorX = Eigen::Matrix<Real, Eigen::Dynamic, 1>;

const std::vector<OptimizerRow>& rows() {
  static const std::vector<OptimizerRow> all = sums_rows();
  return all;
}

template <class Check>
void for_each(const Check& check) {
  for (const OptimizerRow& row : rows()) {
    check(row, 0.0);
    check(row, 0.0f);
  }
}

}  // namespace

TEST_CASE("every optimizer of sums is enrolled, and no row twice", "[law][sums]") {
  std::set<std::string> names, optimizers;
  for (const OptimizerRow& row : rows()) {
    CHECK(names.insert(row.name).second);
    optimizers.insert(row.optimizer);
  }
  const std::set<std::string> library{"Adafactor", "DAdaptAdam", "LAMB",   "LARS",
                                      "NovoGrad",  "PolyakStep", "Prodigy"};
  CHECK(optimizers == library);
}

TEST_CASE("sums: a zero gradient leaves x where it is", "[law][sums]") {
  for_each([](const OptimizerRow& row, auto real) {
    using Real = decltype(real);
    auto optimizer = row.make<Real>();
    VectorX<Real> x = Numbers(1).vector<Real>(19);
    x[3] = 0;
    x[4] = Real(-0.0);
    const VectorX<Real> start = x, zero = VectorX<Real>::Zero(19);
    for (int t = 0; t < 20; ++t) optimizer.step(x, zero);
    CAPTURE(row.name, sizeof real);
    CHECK((x == start) == !row.decays);
    CHECK(x[3] == 0);
    CHECK(optimizer.steps() == 20);
    CHECK((x.array().abs() <= start.array().abs()).all());
  });
}

TEST_CASE("sums: the state holds what the table says, in two passes", "[law][sums]") {
  for_each([](const OptimizerRow& row, auto real) {
    using Real = decltype(real);
    auto optimizer = row.make<Real>();
    CAPTURE(row.name, sizeof real);
    CHECK(optimizer.slot_bytes() == 0);
    run(optimizer, TrialGradients<Real>(37), 3);
    CHECK(optimizer.slots().size() == row.slots);
    CHECK(optimizer.slot_bytes() == row.slots * 37 * sizeof(Real));
    for (const auto& slot : optimizer.slots()) CHECK((slot.array() != 0).all());
    CHECK(optimizer.passes() == 2);
  });
}

TEST_CASE("sums: a copy, and a restored state, go on with the same bits from every step",
          "[law][sums]") {
  for_each([](const OptimizerRow& row, auto real) {
    using Real = decltype(real);
    const TrialGradients<Real> gradients(13);
    auto optimizer = row.make<Real>();
    VectorX<Real> x = gradients.start;
    std::vector<VectorX<Real>> points;
    std::vector<AnyOptimizer<Real>> copies;
    std::vector<std::any> states;
    for (int t = 0; t <= 60; ++t) {
      points.push_back(x);
      copies.push_back(optimizer);
      states.push_back(optimizer.save());
      optimizer.step(x, gradients(t, x));
    }
    bool good = !(x == gradients.start);
    for (int k = 0; k <= 50; ++k) {
      auto restored = row.make<Real>();
      if (k % 2 == 1) {  // what was there before must not matter
        VectorX<Real> other = VectorX<Real>::Ones(13);
        restored.step(other, other);
      }
      restored.restore(states[std::size_t(k)]);
      for (AnyOptimizer<Real>* resumes : {&copies[std::size_t(k)], &restored}) {
        VectorX<Real> y = points[std::size_t(k)];
        for (int t = k; t <= 60; ++t) resumes->step(y, gradients(t, y));
        good =
            good && same_bits(x, y) && resumes->bits() == optimizer.bits() && *resumes == optimizer;
      }
    }
    CAPTURE(row.name, sizeof real);
    CHECK(good);
  });
}

TEST_CASE("sums: after reset an optimizer is as new", "[law][sums]") {
  for_each([](const OptimizerRow& row, auto real) {
    using Real = decltype(real);
    const TrialGradients<Real> gradients(13);
    auto used = row.make<Real>(), fresh = row.make<Real>();
    run(used, TrialGradients<Real>(21), 7);
    used.reset();
    CAPTURE(row.name, sizeof real);
    CHECK(same_bits(run(used, gradients, 9), run(fresh, gradients, 9)));
    CHECK(used.bits() == fresh.bits());
  });
}

TEST_CASE("sums: float follows double", "[law][sums]") {
  for (const OptimizerRow& row : rows()) {
    auto in_double = row.make<double>();
    auto in_float = row.make<float>();
    const TrialGradients<double> gradients(21);
    const TrialGradients<float> rounded(21);
    VectorX<double> x = gradients.start;
    VectorX<float> y = rounded.start;
    double worst = 0;
    for (int t = 0; t < 60; ++t) {
      in_double.step(x, gradients(t, x));
      in_float.step(y, rounded(t, y));
      worst = std::max(worst, (x - y.cast<double>()).cwiseAbs().maxCoeff());
    }
    CAPTURE(row.name, worst);
    // What finds its rate grows it from almost nothing, and the rounding with it.
    const bool finds_rate = row.optimizer == "Prodigy" || row.optimizer == "DAdaptAdam";
    CHECK(worst > 0);
    CHECK(worst < (finds_rate ? 1e-2 : 2e-5));
  }
}

TEST_CASE("sums: dynamic, fixed and cut-out vectors agree up to the rounding of sums",
          "[law][sums]") {
  visit_sums([](const auto& trial) {
    using V6 = Eigen::Matrix<double, 6, 1>;
    const TrialGradients<double> gradients(6);
    auto dynamic = trial.template make<Eigen::VectorXd>();
    auto fixed = trial.template make<V6>();
    auto mapped = trial.template make<Eigen::VectorXd>();
    Eigen::VectorXd x = gradients.start, longer = Eigen::VectorXd::Ones(20);
    longer.segment<6>(5) = x;
    V6 x6 = x;
    for (int t = 0; t < 12; ++t) {
      const Eigen::VectorXd g = gradients(t, x);
      dynamic.step(x, g);
      fixed.step(x6, V6(gradients(t, x6)));
      mapped.step(longer.segment(5, 6), gradients(t, Eigen::VectorXd(longer.segment(5, 6))));
    }
    CAPTURE(trial.name);
    CHECK(x6.isApprox(x, 1e-12));
    CHECK(same_bits(x, Eigen::VectorXd(longer.segment(5, 6))));
    CHECK((longer.array() == 1).count() == 14);

    Eigen::Matrix<double, 0, 1> nothing;
    auto none = trial.template make<Eigen::VectorXd>();
    none.step(nothing, nothing);
    CHECK(none.steps() == 1);
  });
}

TEST_CASE("sums: every size, with its tail, is its coefficients", "[law][sums]") {
  // Repeating parameters and gradients k times multiplies all sums by k or norms by √k: rules that divide one by another
  // do the same to each copy.
  for (const OptimizerRow& row : rows()) {
    // (Adafactor's means do not see k; a sum of squares in Polyak's quotient and in NovoGrad's does.)
    if (row.optimizer == "PolyakStep" || row.optimizer == "NovoGrad" || row.name == "LAMB, all on")
      continue;
    for (const Index n : {1, 2, 3, 5, 8, 13, 67}) {
      const TrialGradients<double> gradients(n);
      auto once = row.make<double>(), thrice = row.make<double>();
      Eigen::VectorXd x = gradients.start, y = x.replicate(3, 1);
      for (int t = 0; t < 10; ++t) {
        const Eigen::VectorXd g = gradients(t, x);
        once.step(x, g);
        thrice.step(y, Eigen::VectorXd(g.replicate(3, 1)));
      }
      CAPTURE(row.name, n);
      CHECK(y.isApprox(x.replicate(3, 1), 1e-11));
    }
  }
}

TEST_CASE("sums: NaN and infinity are reported, wherever they stand", "[extreme][sums]") {
  for_each([](const OptimizerRow& row, auto real) {
    using Real = decltype(real);
    using Limits = std::numeric_limits<Real>;
    for (const Real bad : {Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity()}) {
      for (Index n = 1; n <= 17; ++n) {
        for (Index i = 0; i < n; ++i) {
          auto optimizer = row.make<Real>();
          VectorX<Real> x = VectorX<Real>::Ones(n), g = VectorX<Real>::Constant(n, Real(0.5)),
                        next(n);
          g[i] = bad;
          const auto outcome = optimizer.advance(x, g, next);
          if (outcome.finite || std::isfinite(next[i])) {
            CAPTURE(row.name, sizeof real, bad, n, i);
            CHECK_FALSE(outcome.finite);
            CHECK_FALSE(std::isfinite(next[i]));
          }
        }
      }
    }
  });
}

TEST_CASE("sums: an extreme gradient leaves x finite, or is reported", "[extreme][sums]") {
  for_each([](const OptimizerRow& row, auto real) {
    using Real = decltype(real);
    using V = VectorX<Real>;
    using Limits = std::numeric_limits<Real>;
    const double root = std::sqrt(static_cast<double>(Limits::max()));
    auto at_start = row.make<Real>();
    const Real limit = at_start.gradient_limit();
    for (const double magnitude :
         {0.0, static_cast<double>(Limits::denorm_min()), static_cast<double>(Limits::min()),
          std::sqrt(static_cast<double>(Limits::min())), 1e-8, 1e8, root / 64, root}) {
      for (const double sign : {1.0, -1.0}) {
        auto optimizer = row.make<Real>();
        V x = V::Ones(9), next(9), g = V::Constant(9, Real(0.5));
        CAPTURE(row.name, sizeof real, magnitude);
        bool reported = false;
        for (int t = 0; t < 12 && !reported; ++t) {
          g[4] = t < 4 ? static_cast<Real>(sign * magnitude) : Real(1);
          if (std::abs(g[4]) > limit) g[4] = limit;
          const auto outcome = optimizer.advance(x, g, next);
          reported = !outcome.finite;
          CHECK(outcome.finite == next.allFinite());
          if (magnitude <= 1e8) CHECK(outcome.finite);
          x = next;
        }
      }
    }
  });
}

TEST_CASE("sums: no denormal stays in the state once the gradient stops", "[denormal][sums]") {
  for_each([](const OptimizerRow& row, auto real) {
    using Real = decltype(real);
    using V = VectorX<Real>;
    const Real least = std::numeric_limits<Real>::min();
    for (const Real g : {Real(8 * least), std::sqrt(64 * least), Real(1e-3)}) {
      auto optimizer = row.make<Real>();
      V x = V::Zero(9);
      for (int t = 0; t < 20; ++t) optimizer.step(x, V::Constant(9, t % 2 ? g : -g).eval());
      const V zero = V::Zero(9);
      bool denormal = false;
      for (int t = 0; t < 5000; ++t) {
        optimizer.step(x, zero);
        const auto slots = optimizer.slots();
        // The first slot of Prodigy is the point where it began.
        for (std::size_t k = row.optimizer == "Prodigy" ? 1 : 0; k < slots.size(); ++k)
          for (const Real value : slots[k])
            denormal = denormal || std::fpclassify(value) == FP_SUBNORMAL;
      }
      CAPTURE(row.name, sizeof real, g);
      CHECK_FALSE(denormal);
      CHECK(x.allFinite());
    }
  });
}

TEST_CASE("sums: steps after the first allocate nothing, with fixed sizes none does",
          "[allocation][sums]") {
  visit_sums([](const auto& trial) {
    const auto steps = [&](auto x) {
      const decltype(x) g = x;
      auto optimizer = trial.template make<decltype(x)>();
      if (x.SizeAtCompileTime == Eigen::Dynamic) optimizer.step(x, g);
      return allocated_by([&] {
        for (int t = 0; t < 20; ++t) optimizer.step(x, g);
      });
    };
    CAPTURE(trial.name);
    CHECK(steps(Eigen::VectorXd::Ones(37).eval()) == Allocations{});
    CHECK(steps(Eigen::VectorXf::Ones(1000).eval()) == Allocations{});
    CHECK(steps(Eigen::Vector3d::Ones().eval()) == Allocations{});
  });
}

TEST_CASE("sums: a counter goes on from wherever it was restored", "[long][sums]") {
  for_each([](const OptimizerRow& row, auto real) {
    using Real = decltype(real);
    for (const std::int64_t steps :
         {std::int64_t{1} << 24, std::int64_t{1} << 31, (std::int64_t{1} << 53) - 1}) {
      const TrialGradients<Real> gradients(5);
      auto optimizer = row.make<Real>();
      auto x = run(optimizer, gradients, 3);
      optimizer.set_learning_rate(0.01);
      optimizer.set_steps(steps);
      optimizer.step(x, gradients(3, x));
      CAPTURE(row.name, sizeof real, steps);
      CHECK(optimizer.steps() == steps + 1);
      CHECK(optimizer.learning_rate() == 0.01);
      CHECK(x.allFinite());
    }
  });
}
