// What holds for every optimizer: each row of the table goes through all of it.
#include "support/laws.hpp"
#include "support/any_optimizer.hpp"
#include "support/bits.hpp"
#include "support/catch.hpp"

#include <Eigen/Core>

#include <algorithm>
#include <any>
#include <cmath>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

using namespace descent_test;

namespace {

template <class Real>
using VectorX = Eigen::Matrix<Real, Eigen::Dynamic, 1>;

std::vector<Index> sizes() {
  std::vector<Index> all;
  for (Index n = 0; n <= 33; ++n) all.push_back(n);
  all.insert(all.end(), {63, 65, 1023});
  return all;
}

}  // namespace

TEST_CASE("every optimizer of the library is enrolled, and no row twice", "[law]") {
  std::set<std::string> names, optimizers;
  for (const OptimizerRow& row : optimizer_rows()) {
    CHECK(names.insert(row.name).second);
    optimizers.insert(row.optimizer);
  }
  const std::set<std::string> library{"ADOPT",
                                      "ASGD",
                                      "AdEMAMix",
                                      "AdaBelief",
                                      "AdaBound",
                                      "AdaMax",
                                      "Adadelta",
                                      "Adagrad",
                                      "Adam",
                                      "AdamW",
                                      "Adan",
                                      "Lion",
                                      "MADGRAD",
                                      "NAdam",
                                      "GradientDescent",
                                      "QHAdam",
                                      "QHM",
                                      "OptimisticDescent",
                                      "RAdam",
                                      "RMSprop",
                                      "Rprop",
                                      "SGD",
                                      "SM3",
                                      "ScheduleFreeAdamW",
                                      "ScheduleFreeSGD",
                                      "SignDescent",
                                      "Yogi"};
  CHECK(optimizers == library);
}

TEST_CASE("a zero gradient leaves x where it is", "[law]") {
  for_each_optimizer([](const OptimizerRow& row, auto real) {
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

TEST_CASE("the state holds what the table says, and views of it are n coefficients", "[law]") {
  for_each_optimizer([](const OptimizerRow& row, auto real) {
    using Real = decltype(real);
    auto optimizer = row.make<Real>();
    CAPTURE(row.name, sizeof real);
    CHECK(optimizer.slot_bytes() == 0);
    CHECK(optimizer.slots().empty());
    run(optimizer, TrialGradients<Real>(37), 3);
    CHECK(optimizer.slots().size() == row.slots);
    CHECK(optimizer.slot_bytes() == row.slots * 37 * sizeof(Real));
    for (const auto& slot : optimizer.slots()) {
      CHECK(slot.size() == 37);
      // Rprop forgets gradients that change their signs.
      if (row.optimizer != "Rprop") CHECK((slot.array() != 0).all());
    }
    CHECK(optimizer.passes() == 1);
  });
}

TEST_CASE("a copy, and a restored state, go on with the same bits from every step", "[law]") {
  int resumed = 0;
  for_each_optimizer([&](const OptimizerRow& row, auto real) {
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
    bool good = true;
    for (int k = 0; k <= 50; ++k) {
      auto restored = row.make<Real>();
      if (k % 2 == 1) {  // what was there before must not matter
        VectorX<Real> other = VectorX<Real>::Ones(13);
        restored.step(other, other);
      }
      restored.restore(states[std::size_t(k)]);
      for (AnyOptimizer<Real>* resumes : {&copies[std::size_t(k)], &restored}) {
        VectorX<Real> y = points[std::size_t(k)];
        good = good && resumes->steps() == k;
        for (int t = k; t <= 60; ++t) resumes->step(y, gradients(t, y));
        good =
            good && same_bits(x, y) && resumes->bits() == optimizer.bits() && *resumes == optimizer;
        ++resumed;
      }
    }
    CAPTURE(row.name, sizeof real);
    CHECK(good);
  });
  CHECK(resumed == 2 * 51 * 2 * static_cast<int>(optimizer_rows().size()));
}

TEST_CASE("copies and saved states do not alias", "[law]") {
  for_each_optimizer([](const OptimizerRow& row, auto real) {
    using Real = decltype(real);
    const TrialGradients<Real> gradients(13);
    auto optimizer = row.make<Real>();
    run(optimizer, gradients, 5);
    const std::string bits = optimizer.bits();
    const std::any state = optimizer.save();
    auto copy = optimizer;
    run(copy, gradients, 3);
    CAPTURE(row.name, sizeof real);
    CHECK(optimizer.bits() == bits);
    CHECK(copy.bits() != bits);
    copy.restore(state);
    CHECK(copy.bits() == bits);
    run(copy, gradients, 1);
    copy.restore(state);
    CHECK(copy.bits() == bits);
    auto moved = std::move(copy);
    CHECK(moved.bits() == bits);
  });
}

TEST_CASE("a reset optimizer is as new, for parameters of another size too", "[law]") {
  for_each_optimizer([](const OptimizerRow& row, auto real) {
    using Real = decltype(real);
    for (const Index size : {Index(13), Index(5), Index(40)}) {
      auto used = row.make<Real>(), fresh = row.make<Real>();
      run(used, TrialGradients<Real>(13), 7);
      used.scale_learning_rate(0.5);
      used.reset();
      CAPTURE(row.name, sizeof real, size);
      CHECK(used.steps() == 0);
      CHECK(used == fresh);
      CHECK(used.learning_rate() == fresh.learning_rate());
      const TrialGradients<Real> gradients(size);
      CHECK(same_bits(run(used, gradients, 9), run(fresh, gradients, 9)));
      CHECK(used.bits() == fresh.bits());
    }
  });
}

TEST_CASE("another size after the first step is refused, and nothing changes", "[law]") {
  for_each_optimizer([](const OptimizerRow& row, auto real) {
    using Real = decltype(real);
    auto optimizer = row.make<Real>();
    run(optimizer, TrialGradients<Real>(13), 2);
    const std::string bits = optimizer.bits();
    CAPTURE(row.name, sizeof real);
    for (const Index size : {Index(0), Index(12), Index(14), Index(16)}) {
      VectorX<Real> x = VectorX<Real>::Ones(size);
      const VectorX<Real> g = x;
      CHECK(refusal([&] { optimizer.step(x, g); }) ==
            "step: x must be of 13 coefficients, as the optimizer's state (reset() forgets it), "
            "got " +
                std::to_string(size) + " x 1");
      CHECK((x.array() == 1).all());
    }
    VectorX<Real> x = VectorX<Real>::Ones(13);
    for (const Index size : {Index(0), Index(12), Index(14)}) {
      CHECK(refusal([&] { optimizer.step(x, VectorX<Real>::Ones(size).eval()); }) ==
            "step: g must be of the shape of x, 13 x 1, got " + std::to_string(size) + " x 1");
    }
    CHECK((x.array() == 1).all());
    CHECK(optimizer.bits() == bits);
  });
}

TEST_CASE("float follows double", "[law]") {
  for (const OptimizerRow& row : optimizer_rows()) {
    auto in_double = row.make<double>();
    auto in_float = row.make<float>();
    Eigen::VectorXd x = TrialGradients<double>(37).start;
    Eigen::VectorXf y = x.cast<float>();
    Numbers numbers(5);
    double worst = 0;
    for (int t = 0; t < 200; ++t) {
      const Eigen::VectorXd noise = numbers.vector<double>(37);
      in_double.step(x, (0.5 * x + noise).eval());
      in_float.step(y, (0.5f * y + noise.cast<float>()).eval());
      worst = std::max(worst, (x - y.cast<double>()).cwiseAbs().maxCoeff());
    }
    CAPTURE(row.name, worst);
    // A step of Adam turns a rounding error of g of 6e-8 into one of at most 6e-8 / |g| of its size;
    // the errors of 200 steps, of 1e-7 each, add up to less than this.
    CHECK(worst > 0);
    CHECK(worst < 2e-5);
    CHECK(in_float.learning_rate() == in_double.learning_rate());
  }
}

TEST_CASE("where a vector is cut, and where it lies in memory, does not change a bit", "[law]") {
  // Row 16 of the trials: every size, every cut, 8 offsets. The long one is cut at every place with
  // one offset each.
  std::int64_t cuts = 0;
  for_each_optimizer([&](const OptimizerRow& row, auto real) {
    using Real = decltype(real);
    constexpr int steps = 3;
    for (const Index n : sizes()) {
      const TrialGradients<Real> gradients(n);
      auto whole = row.make<Real>();
      const VectorX<Real> expected = run(whole, gradients, steps);
      bool good = whole.steps() == steps;
      VectorX<Real> x(n + 16), g(n + 16);
      for (Index cut = 0; cut <= n; ++cut) {
        for (Index offset = n < 1000 ? 0 : cut % 8; offset < 8; offset += n < 1000 ? 1 : 8) {
          auto head = row.make<Real>(), tail = row.make<Real>();
          const Index other = 7 - offset;  // g lies elsewhere than x
          x.setConstant(77);
          x.segment(offset, n) = gradients.start;
          for (int t = 0; t < steps; ++t) {
            g.segment(other, n) = gradients(t, x.segment(offset, n).eval());
            head.step(x.segment(offset, cut), g.segment(other, cut));
            tail.step(x.segment(offset + cut, n - cut), g.segment(other + cut, n - cut));
          }
          good = good && same_bits(x.segment(offset, n), expected) &&
                 (x.head(offset).array() == 77).all() && (x.tail(16 - offset).array() == 77).all();
          ++cuts;
        }
      }
      CAPTURE(row.name, sizeof real, n);
      CHECK(good);
    }
  });
  CHECK(cuts == 2 * static_cast<std::int64_t>(optimizer_rows().size()) *
                    (8 * (34 * 35 / 2 + 64 + 66) + 1024));
}

TEST_CASE("a long vector is cut as a short one is", "[law]") {
  constexpr Index n = 1'000'000, cut = 333'333, offset = 3;
  const VectorX<float> start = Numbers(1).vector<float>(n), g = Numbers(2).vector<float>(n);
  for (const OptimizerRow& row : optimizer_rows()) {
    auto whole = row.make<float>(), head = whole, tail = whole;
    VectorX<float> x = start, y(n + 16);
    y.segment(offset, n) = x;
    for (int t = 0; t < 2; ++t) {
      whole.step(x, g);
      head.step(y.segment(offset, cut), g.head(cut));
      tail.step(y.segment(offset + cut, n - cut), g.tail(n - cut));
    }
    CAPTURE(row.name);
    CHECK((x.array() == y.segment(offset, n).array()).all());
  }
}
