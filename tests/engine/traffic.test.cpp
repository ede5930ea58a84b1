// Passes over memory, counted: a lane that writes down each address that it loads and stores.
//
// Parameters of long double run on the one-coefficient lane like those of any other scalar; here that lane counts. An
// elementwise rule loads gradient, parameters and slots once and stores parameters and slots once; a sum over the whole
// update costs one more look, no more.
#include <descent/engine/lane.hpp>

#include <Eigen/Core>

#include <cmath>
#include <limits>
#include <map>
#include <type_traits>

namespace descent_test {

struct Traffic {
  std::map<const void*, int> loads, stores;
};
inline Traffic traffic;

}  // namespace descent_test

namespace descent {

template <>
class Lane<long double, 1> {
  using Real = long double;
  Real value_;

 public:
  static constexpr int width = 1;
  using Scalar = Real;
  using Mask = bool;

  Lane() = default;
  template <class T>
  requires std::is_arithmetic_v<T> Lane(T value) : value_(static_cast<Real>(value)) {}

  static Lane load(const Real* from) {
    ++descent_test::traffic.loads[from];
    return *from;
  }
  static Lane load(const Real* from, int) { return load(from); }
  void store(Real* to) const {
    ++descent_test::traffic.stores[to];
    *to = value_;
  }
  void store(Real* to, int) const { store(to); }

  friend Lane operator+(Lane a, Lane b) { return a.value_ + b.value_; }
  friend Lane operator-(Lane a, Lane b) { return a.value_ - b.value_; }
  friend Lane operator*(Lane a, Lane b) { return a.value_ * b.value_; }
  friend Lane operator/(Lane a, Lane b) { return a.value_ / b.value_; }
  friend Lane operator-(Lane a) { return -a.value_; }
  Lane& operator+=(Lane b) { return *this = *this + b; }
  Lane& operator-=(Lane b) { return *this = *this - b; }
  Lane& operator*=(Lane b) { return *this = *this * b; }
  Lane& operator/=(Lane b) { return *this = *this / b; }

  friend Lane abs(Lane a) { return std::abs(a.value_); }
  friend Lane max(Lane a, Lane b) { return a.value_ < b.value_ ? b : a; }
  friend Lane min(Lane a, Lane b) { return b.value_ < a.value_ ? b : a; }
  friend Lane sqrt(Lane a) { return std::sqrt(a.value_); }

  friend Mask operator<(Lane a, Lane b) { return a.value_ < b.value_; }
  friend Mask operator<=(Lane a, Lane b) { return a.value_ <= b.value_; }
  friend Mask operator==(Lane a, Lane b) { return a.value_ == b.value_; }
  friend Mask operator>(Lane a, Lane b) { return a.value_ > b.value_; }
  friend Mask operator>=(Lane a, Lane b) { return a.value_ >= b.value_; }
  friend Lane select(Mask mask, Lane a, Lane b) { return mask ? a : b; }
  friend Lane zero_where(Mask mask, Lane a) { return mask ? Lane(0) : a; }
  friend Lane normal_or_zero(Lane a) {
    return abs(a) < Lane((std::numeric_limits<Real>::min)()) ? Lane(0) : a;
  }
  friend Lane multiply_add(Lane a, Lane b, Lane c) { return a.value_ * b.value_ + c.value_; }
  friend double sum(Lane a) { return static_cast<double>(a.value_); }
  friend Real largest(Lane a) { return a.value_; }
};

}  // namespace descent

#include "support/catch.hpp"
#include "support/optimizers.hpp"

#include <descent/engine/stepper.hpp>
#include <descent/transform/accumulate.hpp>
#include <descent/transform/clip_by_global_norm.hpp>
#include <descent/transform/project_on_ball.hpp>
#include <descent/transform/scale_by_adam.hpp>
#include <descent/transform/scale_by_learning_rate.hpp>
#include <descent/transform/skip_if_not_finite.hpp>
#include <descent/transform/weight_ema.hpp>

#include <algorithm>
#include <cstddef>

using namespace descent;
using descent_test::traffic;

namespace {

using V = Eigen::Matrix<long double, Eigen::Dynamic, 1>;
constexpr Eigen::Index n = 5;

struct Counts {
  int gradient_loads, x_loads, x_stores, slot_loads, slot_stores;  // of the busiest coefficient
  std::size_t slots;                                               // that were touched
};

// The second step: the first one writes what slots begin with.
template <class O>
Counts counts_of(O optimizer) {
  V x = V::LinSpaced(n, 1, 2), g = V::LinSpaced(n, -1, 1);
  optimizer.step(x, g);
  traffic = {};
  optimizer.step(x, g);
  Counts c{};
  const auto take = [](std::map<const void*, int>& from, const V& v) {
    int most = 0, least = std::numeric_limits<int>::max();
    for (Eigen::Index i = 0; i < n; ++i) {
      const auto at = from.find(&v[i]);
      const int count = at == from.end() ? 0 : at->second;
      most = std::max(most, count);
      least = std::min(least, count);
      if (at != from.end()) from.erase(at);
    }
    CHECK(most == least);
    return most;
  };
  c.gradient_loads = take(traffic.loads, g);
  c.x_loads = take(traffic.loads, x);
  c.x_stores = take(traffic.stores, x);
  CHECK(take(traffic.stores, g) == 0);
  // What remains is state (and scratch, where a chain has several passes).
  for (const auto& [at, count] : traffic.loads) c.slot_loads = std::max(c.slot_loads, count);
  for (const auto& [at, count] : traffic.stores) c.slot_stores = std::max(c.slot_stores, count);
  c.slots = traffic.loads.size() / n;
  return c;
}

}  // namespace

TEST_CASE("each rule touches each number as often as it has passes", "[traffic]") {
  descent_test::visit_optimizers([](const auto& trial) {
    const auto optimizer = trial.template make<V>();
    const Counts c = counts_of(optimizer);
    const int passes = int(optimizer.passes);
    CAPTURE(trial.name, passes, c.gradient_loads, c.x_loads, c.slot_loads, c.slots);
    if (passes == 1) {
      CHECK(c.gradient_loads == 1);
      CHECK(c.x_loads == 1);
      CHECK(c.slots == trial.slots);
      CHECK(c.slot_loads == (trial.slots > 0 ? 1 : 0));
      CHECK(c.slot_stores == (trial.slots > 0 ? 1 : 0));
    }
    CHECK(c.x_stores == 1);
    CHECK(c.gradient_loads <= passes);
    CHECK(c.x_loads <= passes);
  });
}

TEST_CASE("what a statistic costs", "[traffic]") {
  const auto rate = scale_by_learning_rate(0.1);
  const Counts adam = counts_of(chain<V>(scale_by_adam(), rate, weight_ema()));
  CHECK(adam.gradient_loads == 1);
  CHECK(adam.x_loads == 1);
  CHECK(adam.slots == 3);
  CHECK(adam.slot_loads == 1);

  // A statistic of the gradient reads it once more; two of them share that look.
  const Counts clip = counts_of(chain<V>(clip_by_global_norm(1), scale_by_adam(), rate));
  CHECK(clip.gradient_loads == 2);
  CHECK(clip.slots == 2);
  CHECK(clip.slot_loads == 1);
  CHECK(clip.slot_stores == 1);
  const Counts both =
      counts_of(chain<V>(skip_if_not_finite(), clip_by_global_norm(1), scale_by_adam(), rate));
  CHECK(both.gradient_loads == 2);
  CHECK(both.x_stores == 1);

  // One in mid-chain is collected on the way: gradient once, the update once through scratch.
  const Counts ball = counts_of(chain<V>(scale_by_adam(), rate, project_on_ball(1)));
  CHECK(ball.gradient_loads == 1);
  CHECK(ball.slots == 2 + 1);
  CHECK(ball.slot_loads <= 2);
  CHECK(ball.x_loads == 2);
  CHECK(ball.x_stores == 1);
}

TEST_CASE("accumulation leaves the rest of the chain in peace", "[traffic]") {
  auto optimizer = chain<V>(accumulate(3), scale_by_adam(), scale_by_learning_rate(0.1));
  V x = V::Ones(n), g = V::Ones(n);
  for (int i = 0; i < 3; ++i) optimizer.step(x, g);
  traffic = {};
  optimizer.step(x, g);
  CHECK(traffic.loads.size() == 3 * n);  // gradient, parameters, sum: not the moments
  traffic = {};
  optimizer.step(x, g);
  optimizer.step(x, g);
  CHECK(traffic.loads.size() == 5 * n);
}
