#include <descent/core/schedule.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

using descent::Schedule;

namespace {

/// Counts its own births and deaths; `self` tells an object that was copied as bytes.
struct Probe {
  static inline int alive = 0, copies = 0, moves = 0;
  const Probe* self = this;
  double value;

  explicit Probe(double v) : value(v) { ++alive; }
  Probe(const Probe& other) : value(other.value) { ++alive, ++copies; }
  Probe(Probe&& other) noexcept : value(std::exchange(other.value, -1)) { ++alive, ++moves; }
  ~Probe() {
    if (self != this) throw_away();
    --alive;
  }
  double operator()(std::int64_t k) const {
    return self == this ? value + static_cast<double>(k) : -1000;
  }
  static void throw_away() { FAIL("a Probe was moved as bytes"); }
};

double twice(std::int64_t k) {
  return 2 * static_cast<double>(k);
}

}  // namespace

TEST_CASE("a number is a schedule, constant") {
  const Schedule s = 0.25;
  CHECK(s.is_constant());
  CHECK(s(0) == 0.25);
  CHECK(s(std::int64_t{1} << 60) == 0.25);
  CHECK(Schedule(3)(1) == 3);
}

TEST_CASE("any callable of the number of updates is a schedule") {
  CHECK(Schedule(twice)(4) == 8);
  CHECK(Schedule(&twice)(4) == 8);
  CHECK(Schedule([](std::int64_t k) { return static_cast<float>(k) / 2; })(3) == 1.5);
  CHECK_FALSE(Schedule(twice).is_constant());
  const std::array<double, 15> table{0, 1, 2, 3};  // 120 bytes
  CHECK(Schedule([table](std::int64_t k) { return table[std::size_t(k)]; })(2) == 2);
  const auto shared = std::make_shared<double>(5);
  {
    const Schedule s = [shared](std::int64_t) { return *shared; };
    CHECK(shared.use_count() == 2);
    CHECK(s(0) == 5);
  }
  CHECK(shared.use_count() == 1);
}

TEST_CASE("what is no callable of a number is no schedule") {
  static_assert(!std::is_constructible_v<Schedule, const char*>);
  static_assert(!std::is_constructible_v<Schedule, std::vector<double>>);
  static_assert(!std::is_constructible_v<Schedule, void (*)(std::int64_t)>);
  static_assert(!std::is_constructible_v<Schedule, double (*)(std::int64_t, int)>);
  static_assert(std::is_nothrow_move_constructible_v<Schedule>);
}

TEST_CASE("a callable lives as long as its schedule, and each copy has its own") {
  REQUIRE(Probe::alive == 0);
  {
    Schedule a = Probe(10);
    CHECK(Probe::alive == 1);
    CHECK(a(2) == 12);
    Schedule b = a;
    CHECK(Probe::alive == 2);
    CHECK(b(2) == 12);
    const Schedule c = std::move(b);
    CHECK(c(3) == 13);
    b = 0.5;
    CHECK(b(3) == 0.5);
    CHECK(Probe::alive == 2);
    b = c;
    CHECK(b(4) == 14);
    CHECK(Probe::alive == 3);
    a = Probe(20);
    CHECK(a(0) == 20);
    CHECK(b(0) == 10);
    CHECK(Probe::alive == 3);
    std::swap(a, b);
    CHECK(a(0) == 10);
    CHECK(b(0) == 20);
    std::vector<Schedule> many(5, a);
    many.resize(50, b);
    CHECK(many.front()(0) == 10);
    CHECK(many.back()(0) == 20);
  }
  CHECK(Probe::alive == 0);
}

TEST_CASE("a schedule may be assigned to itself") {
  Schedule a = Probe(10), number = 3.0;
  Schedule& same = a;
  a = same;
  CHECK(a(1) == 11);
  a = std::move(same);
  CHECK(a(1) == 11);
  Schedule& same_number = number;
  number = same_number;
  CHECK(number(0) == 3);
}

TEST_CASE("a callable whose copy throws leaves the target as it was") {
  struct Throws {
    Throws() = default;
    Throws(const Throws&) { throw std::runtime_error("copy"); }
    Throws(Throws&&) noexcept {}
    double operator()(std::int64_t) const { return 1; }
  };
  const Schedule source = Throws();
  Schedule target = 0.5;
  CHECK_THROWS_AS(target = source, std::runtime_error);
  CHECK(target(0) == 0.5);
}

TEST_CASE("a schedule is stored inline") {
  double sum = 0;
  CHECK(descent_test::allocated_by([&] {
          std::array<double, 16> table{1};
          Schedule a = [table](std::int64_t k) { return table[std::size_t(k)]; };
          Schedule b = a;
          a = std::move(b);
          sum += a(0);
        }) == descent_test::Allocations{});
  CHECK(sum == 1);
}

TEST_CASE("a plain number is checked at once, a function when it is called") {
  const auto check = [](Schedule s) {
    (void)s.checked("SGD", "learning_rate", descent::range::non_negative);
  };
  CHECK_THROWS_WITH(check(-0.5), "SGD: learning_rate must be in [0, inf), got -0.5");
  CHECK_NOTHROW(check(0.0));
  CHECK_NOTHROW(check([](std::int64_t) { return -1.0; }));
}
