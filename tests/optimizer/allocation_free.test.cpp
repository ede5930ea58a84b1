// After the first step nothing allocates, and with vectors of fixed size nothing ever does (row 27 of the trials).
#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/laws.hpp"
#include "support/optimizers.hpp"

#include <Eigen/Core>

#include <cstddef>

using namespace descent_test;

namespace {

// Eigen's own watch over its allocations, as long as this lives: it asserts.
struct NoMalloc {
  NoMalloc() { Eigen::internal::set_is_malloc_allowed(false); }
  ~NoMalloc() { Eigen::internal::set_is_malloc_allowed(true); }
  NoMalloc(const NoMalloc&) = delete;
};

template <class V, class T>
void check_fixed(const T& trial) {
  V x = V::Ones(), g = V::Constant(typename V::Scalar(0.5)), next = x;
  std::int64_t steps = 0;
  const Allocations allocated = allocated_by([&] {
    const NoMalloc watch;
    auto optimizer = trial.template make<V>();
    for (int t = 0; t < 100; ++t) {
      optimizer.step(x, g);
      (void)optimizer.advance(x, g, next, 0);
    }
    auto copy = optimizer;
    copy.restore(optimizer.state());
    optimizer.reset();
    copy.step(x, g);
    steps = copy.steps();
  });
  CAPTURE(trial.name, V::SizeAtCompileTime);
  CHECK(allocated == Allocations{});
  CHECK(steps == 201);
}

}  // namespace

TEST_CASE("the counter of allocations counts", "[allocation]") {
  const Allocations one = allocated_by([] {
    int* volatile seen = new int(1);  // or the compiler leaves it out
    delete seen;
  });
  CHECK(one.count == 1);
  if (counts_malloc()) CHECK(allocated_by([] { Eigen::VectorXd::Zero(9).eval(); }).count == 1);
}

TEST_CASE("steps 2 to 100 allocate nothing", "[allocation]") {
  for_each_optimizer([](const OptimizerRow& row, auto real) {
    using Real = decltype(real);
    using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
    for (const Index n : {Index(1), Index(37), Index(5000)}) {
      auto optimizer = row.make<Real>();
      V x = V::Ones(n), g = V::Constant(n, Real(0.5)), next = x;
      const Allocations first = allocated_by([&] { optimizer.step(x, g); });
      const Allocations others = allocated_by([&] {
        const NoMalloc watch;
        for (int t = 2; t <= 100; ++t) optimizer.step(x, g);
        (void)optimizer.advance(x, g, next);
        optimizer.set_learning_rate(0.5);
        optimizer.scale_learning_rate(0.5);
      });
      CAPTURE(row.name, sizeof real, n);
      if (counts_malloc()) {
        CHECK(first.count == (row.slots > 0 ? 1 : 0));
        CHECK(first.bytes >= std::int64_t(row.slots * std::size_t(n) * sizeof(Real)));
        // Padding and distances between columns: at most a page for each column, and one.
        CHECK(first.bytes <=
              std::int64_t((row.slots + 1) * (std::size_t(n) * sizeof(Real) + 8192)));
      }
      CHECK(others == Allocations{});
      CHECK(optimizer.steps() == 101);
    }
  });
}

TEST_CASE("vectors of fixed size never allocate", "[allocation]") {
  visit_spine([](const auto& trial) {
    check_fixed<Eigen::Vector3f>(trial);
    check_fixed<Eigen::Matrix<double, 6, 1>>(trial);
  });
  visit_others([](const auto& trial) { check_fixed<Eigen::Vector3f>(trial); });
}
