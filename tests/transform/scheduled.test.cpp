#include <descent/transform/scheduled.hpp>

#include "support/allocations.hpp"
#include "support/bits.hpp"
#include "support/catch.hpp"
#include "support/laws.hpp"
#include "support/problems.hpp"

#include <descent/engine/power.hpp>
#include <descent/engine/stepper.hpp>
#include <descent/minimize.hpp>
#include <descent/optimizer/asgd.hpp>
#include <descent/optimizer/sign_descent.hpp>
#include <descent/schedule/cosine_decay.hpp>
#include <descent/schedule/joined.hpp>
#include <descent/schedule/linear.hpp>
#include <descent/transform/add_decayed_weights.hpp>
#include <descent/transform/clip_by_global_norm.hpp>
#include <descent/transform/scale_by_adam.hpp>
#include <descent/transform/scale_by_learning_rate.hpp>
#include <descent/transform/skip_if_not_finite.hpp>
#include <descent/transform/trace.hpp>

#include <Eigen/Core>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

using namespace descent;
using descent_test::Numbers;
using descent_test::refusal;
using descent_test::same_bits;

namespace {

template <class Real>
using VectorOf = Eigen::Matrix<Real, Eigen::Dynamic, 1>;

// Makers that own nothing, so that optimizers made of them have types with names.
constexpr auto adam = [](double beta1, double beta2, double epsilon) {
  return scale_by_adam({.beta1 = beta1, .beta2 = beta2, .epsilon = epsilon});
};
constexpr auto decay = [](double lambda) { return add_decayed_weights(lambda); };
constexpr auto heavy_ball = [](double momentum, double dampening) {
  return trace({.momentum = momentum, .dampening = dampening});
};
constexpr auto nesterov = [](double momentum) {
  return trace({.momentum = momentum, .nesterov = true});
};

// Whether two optimizers go through the same numbers, NaN and gates included.
template <class A, class B>
bool alike(A a, B b, int steps = 60) {
  using V = typename A::Vector;
  Numbers numbers(7);
  V x = numbers.vector<typename A::Scalar>(37), y = x;
  bool same = true;
  for (int t = 0; t < steps; ++t) {
    V g = numbers.vector<typename A::Scalar>(37);
    if (t == 5) g[3] = std::numeric_limits<typename A::Scalar>::quiet_NaN();
    if (t == 5 && !A::Vector::IsVectorAtCompileTime) g[3] = 0;
    a.step(x, g);
    b.step(y, g);
    same = same && same_bits(x, y) && a.steps() == b.steps();
  }
  return same && a.slot_bytes() == b.slot_bytes() && A::passes == B::passes &&
         a.gradient_limit() == b.gradient_limit();
}

template <class Real>
void check_adamw() {
  using V = VectorOf<Real>;
  const auto beta1 = linear({.initial = 0.5, .final = 0.95, .total_steps = 30});
  const auto lambda = joined(0, 4, linear({.initial = 0, .final = 0.1, .total_steps = 20}));
  auto optimizer = chain<V>(scheduled(adam, beta1, 0.99, 1e-8), scheduled(decay, lambda),
                            scale_by_learning_rate(0.5));
  V x = Numbers(1).vector<Real>(37), y = x, m = V::Zero(37), v = V::Zero(37);
  Numbers numbers(2);
  bool same = true;
  for (int t = 1; t <= 60; ++t) {
    const V g = numbers.vector<Real>(37);
    optimizer.step(x, g);
    const double b1 = beta1(t - 1);
    OneMinusPower power1(b1), power2(0.99);
    const double root = std::sqrt(power2(t));
    const auto k = static_cast<Real>(root / power1(t)), epsilon = static_cast<Real>(1e-8 * root);
    const auto a1 = static_cast<Real>(1 - b1), a2 = static_cast<Real>(1 - 0.99),
               r1 = static_cast<Real>(b1), r2 = static_cast<Real>(0.99),
               l = static_cast<Real>(lambda(t - 1));
    for (Eigen::Index i = 0; i < 37; ++i) {
      m[i] = r1 * m[i] + a1 * g[i];
      v[i] = r2 * v[i] + a2 * (g[i] * g[i]);
      const Real direction = (k * m[i]) / (std::sqrt(v[i]) + epsilon);
      y[i] = y[i] + Real(-0.5) * (direction + l * y[i]);
    }
    same = same && same_bits(x, y);
    CHECK(optimizer.template transform<0>().values() == std::array{b1, 0.99, 1e-8});
    CHECK(optimizer.template transform<1>().values()[0] == lambda(t - 1));
  }
  CAPTURE(sizeof(Real));
  CHECK(same);
  CHECK(same_bits(optimizer.template slot<0>(0), m));
  CHECK(same_bits(optimizer.template slot<0>(1), v));
  CHECK(optimizer.passes == 1);
}

// A mean of updates, as whole transforms are written.
struct Mean {
  static constexpr Stage yields = Stage::direction;
  using State = Eigen::MatrixXd;
  double weight = 0;
  State init(Eigen::Index rows, Eigen::Index cols) const { return State::Zero(rows, cols); }
  void apply(WholeUpdate<double> update, const WholeParameter<double>&, State& mean,
             const StepInfo&) const {
    mean = weight * mean + update;
    update = mean;
  }
};

}  // namespace

TEST_CASE("AdamW with a scheduled decay and beta1 is the loop by hand, to the bit", "[scheduled]") {
  check_adamw<double>();
  check_adamw<float>();
}

TEST_CASE("constant schedules give the bits of plain numbers", "[scheduled]") {
  const auto check = [](auto zero) {
    using V = VectorOf<decltype(zero)>;
    const auto rate = scale_by_learning_rate(0.125);
    CHECK(alike(chain<V>(scheduled(adam, 0.9, 0.99, 1e-8), rate),
                chain<V>(scale_by_adam({.beta2 = 0.99}), rate)));
    CHECK(alike(chain<V>(scheduled(decay, 0.25), scheduled(adam, 0.9, 0.99, 1e-8), rate),
                chain<V>(add_decayed_weights(0.25), scale_by_adam({.beta2 = 0.99}), rate)));
    CHECK(alike(chain<V>(scheduled(heavy_ball, 0.9, 0), rate), chain<V>(trace({}), rate)));
    CHECK(alike(chain<V>(scheduled(heavy_ball, 0.9, 0.25), rate),
                chain<V>(trace({.dampening = 0.25}), rate)));
    CHECK(
        alike(chain<V>(scheduled(nesterov, 0.9), rate), chain<V>(trace({.nesterov = true}), rate)));
    // Reducing, with a gate in front, and two passes.
    const auto clip = [](double c) { return clip_by_global_norm(c); };
    const auto gate = [](double) { return skip_if_not_finite(); };
    CHECK(alike(chain<V>(scheduled(clip, 1), scheduled(adam, 0.9, 0.99, 1e-8), rate),
                chain<V>(clip_by_global_norm(1), scale_by_adam({.beta2 = 0.99}), rate)));
    CHECK(alike(chain<V>(scheduled(gate, 1), scheduled(clip, 1), trace({}), rate),
                chain<V>(skip_if_not_finite(), clip_by_global_norm(1), trace({}), rate)));
  };
  check(0.0);
  check(0.0f);
}

TEST_CASE("an option that is off at first comes on", "[scheduled]") {
  using V = Eigen::Vector2d;
  const Schedule late = joined(0, 2, 0.5);
  const auto rate = scale_by_learning_rate(1);
  V x(8, -8);
  const V none(0, 0);
  auto decays = chain<V>(scheduled(decay, late), rate);
  for (int t = 0; t < 2; ++t) decays.step(x, none);
  CHECK(x == V(8, -8));
  for (int t = 0; t < 2; ++t) decays.step(x, none);
  CHECK(x == V(2, -2));

  const auto moves = [&](auto optimizer, std::array<double, 4> steps) {
    V at(0, 0);
    const V g(-1, 0);
    for (const double step : steps) {
      const double before = at[0];
      optimizer.step(at, g);
      CHECK(at[0] - before == step);
    }
  };
  moves(chain<V>(scheduled(heavy_ball, late, 0), rate), {1, 1, 1.5, 1.75});
  moves(chain<V>(scheduled(heavy_ball, 0.5, joined(0, 2, 0.75)), rate), {1, 1.5, 1, 0.75});
  moves(chain<V>(scheduled(heavy_ball, late, joined(0, 3, 0.5)), rate), {1, 1, 1.5, 1.25});
}

TEST_CASE("a form that a schedule cannot serve is refused, at the step it is for", "[scheduled]") {
  auto optimizer = chain<Eigen::Vector2d>(
      scheduled([](double on) { return scale_by_adam({.amsgrad = on > 0.5}); }, joined(0, 2, 1)),
      scale_by_learning_rate(1));
  Eigen::Vector2d x(1, 1);
  const Eigen::Vector2d g(1, 2);
  for (int t = 0; t < 2; ++t) optimizer.step(x, g);
  CHECK(
      refusal([&] { optimizer.step(x, g); }) ==
      "scheduled: a schedule must not switch an option on or off (a number that is 0 at the first "
      "step, for one), at step 3");
}

TEST_CASE("a value outside of its range is refused before anything is changed", "[scheduled]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto check = [&](double bad, const std::string& text) {
    // Behind a transform with state and in front of another pass.
    auto optimizer =
        chain(trace({}), scheduled(decay, [bad](std::int64_t k) { return k == 3 ? bad : 0.5; }),
              scale_by_learning_rate(0.5));
    Eigen::VectorXd x = Eigen::VectorXd::Ones(5), next = x;
    const Eigen::VectorXd g = Eigen::VectorXd::Constant(5, 0.25);
    for (int t = 0; t < 3; ++t) optimizer.step(x, g);
    const Eigen::VectorXd before = x;
    const auto state = optimizer.state();
    for (int again = 0; again < 2; ++again) {
      const std::string message =
          "add_decayed_weights: weight_decay must be in [0, inf), got " + text + ", at step 4";
      CHECK(refusal([&] { optimizer.step(x, g); }) == message);
      CHECK(refusal([&] { optimizer.advance(x, g, next, 0); }) == message);
    }
    CHECK(same_bits(x, before));
    CHECK(optimizer.state() == state);
    CHECK(optimizer.transform<1>().values()[0] == 0.5);
  };
  check(-1, "-1");
  check(nan, "nan");
  CHECK(refusal([] { scheduled(decay, -1); }) ==
        "add_decayed_weights: weight_decay must be in [0, inf), got -1");
  CHECK(refusal([] { scheduled(nesterov, linear({.initial = 0, .final = 0.9})); }) ==
        "trace: momentum must be in (0, 1) with nesterov, got 0");
  // What is no complaint about an argument passes as it is.
  struct Mine {};
  auto throws = chain(scheduled(decay,
                                [](std::int64_t k) -> double {
                                  if (k == 1) throw Mine();
                                  return 0.5;
                                }),
                      scale_by_learning_rate(0.5));
  Eigen::VectorXd x = Eigen::VectorXd::Ones(2);
  throws.step(x, x.eval());
  CHECK_THROWS_AS(throws.step(x, x.eval()), Mine);
  CHECK(throws.steps() == 1);
}

TEST_CASE("the transform is made anew only where a value changes", "[scheduled]") {
  int made = 0;
  const auto make = [&made](double a, double b) {
    ++made;
    return add_decayed_weights(a * b);
  };
  auto optimizer = chain(scheduled(make, joined(1, 5, 0.5), joined(0.5, 5, 0.25, 8, 0.125)),
                         scale_by_learning_rate(0.5));
  Eigen::VectorXd x = Eigen::VectorXd::Ones(3);
  const Eigen::VectorXd g = x;
  CHECK(made == 1);
  for (int t = 0; t < 20; ++t) optimizer.step(x, g);
  CHECK(made == 3);
}

TEST_CASE("the values of a step can be read", "[scheduled]") {
  const auto lambda = linear({.initial = 1, .final = 0, .total_steps = 4});
  auto optimizer = chain(scheduled(decay, lambda), scale_by_learning_rate(0.5));
  const auto& values = optimizer.transform<0>();
  Eigen::VectorXd x = Eigen::VectorXd::Ones(3);
  CHECK(values.values()[0] == 1);
  for (std::int64_t k = 0; k < 6; ++k) {
    CHECK(values.values(optimizer.steps())[0] == lambda(k));  // of the next step
    optimizer.step(x, x.eval());
    CHECK(values.values()[0] == lambda(k));  // of the last one
  }
  CHECK(values.values(2)[0] == 0.5);
}

TEST_CASE("the values follow the count of steps: copies, restored states, reset, skipped steps",
          "[scheduled]") {
  using V = Eigen::VectorXd;
  const auto make = [] {
    return chain(skip_if_not_finite(),
                 scheduled(adam, cosine_decay({.initial = 0.9, .total_steps = 40, .final = 0.5}),
                           linear({.initial = 0.9, .final = 0.99, .total_steps = 30}), 1e-8),
                 scheduled(decay, linear({.initial = 0, .final = 0.5, .total_steps = 20})),
                 scale_by_learning_rate(0.125));
  };
  const auto run = [](auto& optimizer, V& x, int from, int to) {
    for (int t = from; t < to; ++t)
      optimizer.step(x, Numbers(static_cast<std::uint64_t>(t)).vector<double>(5));
  };
  auto whole = make();
  V x = V::Ones(5);
  run(whole, x, 0, 50);
  for (const int cut : {0, 1, 7, 49}) {
    auto first = make();
    V y = V::Ones(5);
    run(first, y, 0, cut);
    auto copy = first, restored = make();
    V z = y, w = y;
    run(restored, w, 0, 33);  // somewhere else
    restored.restore(first.state());
    w = y;
    run(copy, z, cut, 50);
    run(restored, w, cut, 50);
    CAPTURE(cut);
    CHECK(same_bits(z, x));
    CHECK(same_bits(w, x));
    CHECK(copy.state() == whole.state());
    restored.reset();
    w = V::Ones(5);
    run(restored, w, 0, 50);
    CHECK(same_bits(w, x));
  }
  auto skips = make();
  V y = V::Ones(5);
  run(skips, y, 0, 10);
  const V infinite = V::Constant(5, std::numeric_limits<double>::infinity());
  skips.step(y, infinite);
  CHECK(skips.steps() == 10);
  run(skips, y, 10, 50);
  CHECK(same_bits(y, x));
}

TEST_CASE("a whole transform of one's own may be scheduled, with its state", "[scheduled]") {
  auto optimizer = chain<Eigen::Vector2d>(
      scheduled([](double w) { return Mean{w}; }, joined(0, 2, 0.5)), scale_by_learning_rate(1));
  Eigen::Vector2d x(0, 0);
  double sum = 0;
  for (const double update : {1.0, 1.0, 1.5, 1.75}) {
    optimizer.step(x, Eigen::Vector2d(-1, -2));
    sum += update;
    CHECK(x == Eigen::Vector2d(sum, 2 * sum));
  }
}

TEST_CASE("a transform that carries the rate may be scheduled; the rate can still be set",
          "[scheduled]") {
  using V = Eigen::Vector2d;
  const V g(1, -1);
  // A rate and a power of t of one's own.
  struct Maker {
    ASGDOptions options{.learning_rate = [](std::int64_t k) { return 0.5 / double(k + 1); },
                        .lambda = 0.25};
    DecayingStep operator()(double alpha) const {
      ASGDOptions o = options;
      o.alpha = alpha;
      return DecayingStep(o);
    }
  };
  const Maker make;
  auto optimizer = chain<V>(scheduled(make, joined(0.75, 3, 0.5)));
  V x(1, 1), y = x;
  for (int t = 1; t <= 8; ++t) {
    const double rate = t <= 5 ? 0.5 / t : 0.25;
    if (t == 6) optimizer.set_learning_rate(0.25);
    CHECK(optimizer.learning_rate() == rate);
    optimizer.step(x, g);
    const double growth = 1 + 0.25 * rate * (t - 1), root = std::sqrt(growth);
    const double eta = rate / (t <= 3 ? root * std::sqrt(root) : std::pow(growth, 0.5));
    for (int i = 0; i < 2; ++i) y[i] = y[i] + (-0.25 * eta * y[i] + -eta * g[i]);
    CHECK(same_bits(x, y));
  }
  // The rate itself, behind its own name, and the rate of the next step where values change.
  auto by_number = chain<V>(scheduled([](double rate) { return scale_by_learning_rate(rate); },
                                      linear({.initial = 0.5, .final = 0, .total_steps = 4})));
  for (const double rate : {0.5, 0.375, 0.25}) {
    CHECK(by_number.learning_rate() == rate);
    x = y;
    by_number.step(x, g);
    CHECK(x == y - rate * g);
  }
  by_number.set_learning_rate(0.5);
  for (int t = 0; t < 2; ++t) {
    CHECK(by_number.learning_rate() == 0.5);
    x = y;
    by_number.step(x, g);
    CHECK(x == y - 0.5 * g);
  }
  auto bad = chain<V>(scheduled([](double rate) { return scale_by_learning_rate(rate); },
                                [](std::int64_t k) { return k == 1 ? -1.0 : 0.5; }));
  bad.step(x, g);
  CHECK(refusal([&] { bad.step(x, g); }) ==
        "scale_by_learning_rate: learning_rate must be in [0, inf), got -1, at step 2");
}

TEST_CASE("the average of the sign comes on", "[scheduled]") {
  auto optimizer = chain<Eigen::Vector2d>(
      scheduled([](double momentum) { return scale_by_signum({.momentum = momentum}); },
                joined(0, 2, 0.75)),
      scale_by_learning_rate(1));
  Eigen::Vector2d x(0, 0);
  const double gradients[] = {-1, -4, 1, 20}, expected[] = {1, 2, 3, 2};
  for (int t = 0; t < 4; ++t) {
    optimizer.step(x, Eigen::Vector2d(gradients[t], 0));
    CHECK(x == Eigen::Vector2d(expected[t], 0));
  }
}

TEST_CASE("nothing allocates, whatever changes", "[scheduled]") {
  const auto make = [](auto vector) {
    return chain<decltype(vector)>(
        clip_by_global_norm(1),
        scheduled(adam, cosine_decay({.initial = 0.9}), 0.99, linear({.initial = 1e-3})),
        scheduled(decay, linear({})), scale_by_learning_rate(0.125));
  };
  CHECK(descent_test::allocated_by([&] {
          auto optimizer = make(Eigen::Vector3d());
          Eigen::Vector3d x(1, 2, 3);
          for (int t = 0; t < 100; ++t) optimizer.step(x, x.eval());
          auto copy = optimizer;
          copy.step(x, x.eval());
        }) == descent_test::Allocations{});
  auto optimizer = make(Eigen::VectorXf());
  Eigen::VectorXf x = Eigen::VectorXf::Ones(100);
  const Eigen::VectorXf g = x;
  optimizer.step(x, g);
  CHECK(descent_test::allocated_by([&] {
          for (int t = 0; t < 100; ++t) optimizer.step(x, g);
        }) == descent_test::Allocations{});
}

TEST_CASE("minimize takes a scheduled optimizer, and makes it over for the type of x0",
          "[scheduled]") {
  const auto beta1 = linear({.initial = 0.5, .final = 0.9, .total_steps = 50});
  const auto result = minimize(descent_test::Bowl{}, Eigen::Vector2d(0, 0),
                               chain(scheduled(adam, beta1, 0.99, 1e-8),
                                     scale_by_learning_rate(cosine_decay({.initial = 0.1}))),
                               {.max_iterations = 1000});
  CHECK(result.converged());
}
