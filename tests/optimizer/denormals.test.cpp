// After the gradient stops, averages decay to zero and not to denormals, which would slow every later step (row 22 of
// the trials; asserted by what the state holds, as times are noise).
#include "support/any_optimizer.hpp"
#include "support/catch.hpp"
#include "support/laws.hpp"

#include <Eigen/Core>

#include <cmath>
#include <limits>
#include <set>
#include <string>

using namespace descent_test;

namespace {

bool keeps_sums(const OptimizerRow& row) {
  const std::set<std::string> names{"ASGD", "Adagrad", "MADGRAD", "SM3", "ScheduleFreeSGD"};
  return names.contains(row.optimizer);
}

}  // namespace

TEST_CASE("no denormal stays in the state once the gradient stops", "[denormal]") {
  for_each_optimizer([](const OptimizerRow& row, auto real) {
    using Real = decltype(real);
    using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
    // Gradients whose averages, or whose squares' averages, are just above the denormals.
    const Real least = std::numeric_limits<Real>::min();
    for (const Real g : {Real(8 * least), std::sqrt(64 * least), Real(1e-3)}) {
      auto optimizer = row.make<Real>();
      V x = V::Zero(9);
      for (int t = 0; t < 20; ++t) optimizer.step(x, V::Constant(9, t % 2 ? g : -g).eval());
      const V zero = V::Zero(9);
      bool denormal = false;
      for (int t = 0; t < 5000; ++t) {
        optimizer.step(x, zero);
        // The average of x, and the point that goes ahead of it, are as small as x.
        if (row.optimizer == "ASGD" || row.optimizer.starts_with("ScheduleFree")) continue;
        for (const V& slot : optimizer.slots())
          for (const Real value : slot)
            denormal = denormal || std::fpclassify(value) == FP_SUBNORMAL;
      }
      CAPTURE(row.name, sizeof real, g);
      CHECK_FALSE(denormal);
      CHECK(x.allFinite());
      // The averages of g itself have gone: 0.9^5000 of it is no number of this scalar, or near none. Sums stay.
      if (keeps_sums(row)) continue;
      for (const V& slot : optimizer.slots())
        if (g < Real(1e-20) && &slot == &optimizer.slots().front())
          CHECK((slot.array() == 0).all());
    }
  });
}

TEST_CASE("denormals are flushed in the state alone, and never in x", "[denormal]") {
  for_each_optimizer([](const OptimizerRow& row, auto real) {
    using Real = decltype(real);
    using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
    auto optimizer = row.make<Real>();
    const Real tiny = 3 * std::numeric_limits<Real>::denorm_min();
    V x = V::Constant(9, tiny);
    const V zero = V::Zero(9);
    optimizer.step(x, zero);
    CAPTURE(row.name, sizeof real);
    CHECK((x.array() == tiny).all());
  });
}
