// What an optimizer does besides stepping: out of place, restored, made for another type. (Copies, resets, sizes and
// views are laws of every optimizer: tests/optimizer/laws.test.cpp.)
#include <descent/engine/stepper.hpp>

#include "support/bits.hpp"
#include "support/catch.hpp"
#include "support/laws.hpp"

#include <descent/optimizer/adam.hpp>
#include <descent/optimizer/sgd.hpp>
#include <descent/transform/clip_by_global_norm.hpp>
#include <descent/transform/scale_by_adam.hpp>
#include <descent/transform/scale_by_learning_rate.hpp>
#include <descent/transform/trace.hpp>

#include <Eigen/Core>

#include <concepts>
#include <limits>
#include <string>
#include <type_traits>

using namespace descent;
using descent_test::Numbers;
using descent_test::refusal;
using descent_test::same_bits;
using Eigen::VectorXd;

TEST_CASE("advance is step, out of place", "[stepper]") {
  descent_test::for_each_optimizer([](const auto& row, auto real) {
    using Real = decltype(real);
    const descent_test::TrialGradients<Real> gradients(37);
    auto in_place = row.template make<Real>(), out_of_place = in_place;
    auto x = gradients.start, y = x, next = x;
    bool same = true;
    for (int t = 0; t < 20; ++t) {
      const auto g = gradients(t, x);
      const auto before = y;
      in_place.step(x, g);
      const auto outcome = out_of_place.advance(y, g, next);
      same = same && outcome.taken && outcome.finite && same_bits(y, before) &&
             same_bits(x, next) && in_place.bits() == out_of_place.bits();
      y = next;
    }
    CAPTURE(row.name, sizeof real);
    CHECK(same);
  });
}

TEST_CASE("advance sees one coefficient that is not finite, at each position", "[stepper]") {
  for (Eigen::Index n = 1; n <= 33; ++n) {
    for (Eigen::Index i = 0; i < n; ++i) {
      SGD sgd({.learning_rate = 1});
      VectorXd x = VectorXd::Ones(n), g = VectorXd::Zero(n), next(n);
      bool good = sgd.advance(x, g, next, 0).finite;
      g[i] = std::numeric_limits<double>::infinity();
      good = good && !sgd.advance(x, g, next, 0).finite && next[i] == -g[i];
      g[i] = std::numeric_limits<double>::quiet_NaN();
      good = good && !sgd.advance(x, g, next, 0).finite;
      g[i] = -std::numeric_limits<double>::max();
      x[i] = -g[i];
      good = good && !sgd.advance(x, g, next, 0).finite;  // the sum overflows
      CAPTURE(n, i);
      CHECK(good);
    }
  }
}

TEST_CASE("a state of other options is refused, and nothing changes", "[stepper]") {
  Adam<> plain, largest({.amsgrad = true});
  SGD<> none, momentum({.momentum = 0.9});
  VectorXd x = VectorXd::Ones(5);
  const VectorXd g = x;
  for (int t = 0; t < 3; ++t) {
    plain.step(x, g);
    largest.step(x, g);
    none.step(x, g);
    momentum.step(x, g);
  }
  const auto check = [](auto& to, const auto& from, int has, int needs) {
    const auto before = to.state();
    CHECK(refusal([&] { to.restore(from.state()); }) ==
          "restore: state must be of the same options, with " + std::to_string(needs) +
              " slots, got " + std::to_string(has) + " slots");
    CHECK(to.state() == before);
  };
  check(plain, largest, 3, 2);
  check(largest, plain, 2, 3);
  check(none, momentum, 1, 0);
  check(momentum, none, 0, 1);
  // Before its first step an optimizer has no slots yet: that state fits any options.
  const Adam<> fresh;
  largest.restore(fresh.state());
  CHECK(largest.steps() == 0);
  largest.step(x, g);
  CHECK(largest.largest_second_moment().size() == 5);
}

TEST_CASE("a state of another size is restored with its size", "[stepper]") {
  auto make = [] {
    return chain(clip_by_global_norm(1), clip_by_global_norm(0.5), trace({.momentum = 0.5}),
                 scale_by_learning_rate(0.1));
  };
  auto a = make(), b = make();
  VectorXd x = VectorXd::Ones(5), y = VectorXd::Ones(300);
  a.step(x, x.eval());
  b.step(y, y.eval());
  a.restore(b.state());
  VectorXd z = y;
  b.step(y, y.eval());
  a.step(z, z.eval());
  CHECK(same_bits(y, z));
  CHECK_THROWS_AS(a.step(x, x.eval()), std::invalid_argument);
}

TEST_CASE("an optimizer is made for another type, with its options and rate", "[stepper]") {
  Adam<> adam({.learning_rate = 0.25, .beta1 = 0.5, .amsgrad = true});
  auto in_float = adam.rebind<Eigen::Vector3f>();
  STATIC_REQUIRE(std::is_same_v<decltype(in_float)::Vector, Eigen::Vector3f>);
  CHECK(in_float.learning_rate() == 0.25);
  Adam<Eigen::Vector3f> direct({.learning_rate = 0.25, .beta1 = 0.5, .amsgrad = true});
  Eigen::Vector3f x(1, 2, 3), y = x;
  for (int t = 0; t < 5; ++t) {
    in_float.step(x, x.eval());
    direct.step(y, y.eval());
  }
  CHECK(same_bits(x, y));

  VectorXd z = VectorXd::Ones(3);
  adam.step(z, z.eval());
  CHECK(refusal([&] { (void)adam.rebind<Eigen::Vector3f>(); }) ==
        "minimize: optimizer must be fresh, or made for the type of x0, to take on another vector "
        "type, got one after 1 steps");
  adam.reset();
  CHECK(adam.rebind<Eigen::Vector3f>().steps() == 0);
}

TEST_CASE("the gradient's limit is that of the strictest transform", "[stepper]") {
  const auto limit = [](const auto& optimizer) { return optimizer.gradient_limit(); };
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(limit(chain(scale_by_learning_rate(1))) == infinity);
  CHECK(limit(chain(trace({}), scale_by_learning_rate(1))) == infinity);
  CHECK(limit(chain(scale_by_adam(), scale_by_learning_rate(1))) ==
        ScaleByAdam::gradient_limit<double>());
  // Clipping tames what Adam could not hold, unless it clips to more than that.
  CHECK(limit(descent::chain(descent::clip_by_global_norm(1.0), descent::scale_by_adam(),
                             descent::scale_by_learning_rate(0.1))) ==
        std::numeric_limits<double>::infinity());
  CHECK(limit(descent::chain(descent::clip_by_global_norm(1e200), descent::scale_by_adam(),
                             descent::scale_by_learning_rate(0.1))) ==
        ScaleByAdam::gradient_limit<double>());
}

TEST_CASE("fixed sizes are checked before the first step", "[stepper]") {
  Adam<Eigen::Vector3d> adam;
  VectorXd x = VectorXd::Ones(4);
  CHECK(refusal([&] { adam.step(x, x.eval()); }) ==
        "step: x must be of 3 coefficients, as the optimizer's state (reset() forgets it), got 4 x "
        "1");
  CHECK((x.array() == 1).all());
  CHECK(adam.steps() == 0);
  VectorXd three = VectorXd::Ones(3);
  adam.step(three, three.eval());
  CHECK(adam.steps() == 1);
}

TEST_CASE("a step without coefficients is one, and sets the size", "[stepper]") {
  SGD sgd;
  VectorXd none, x = VectorXd::Ones(4);
  sgd.step(none, VectorXd());
  CHECK(sgd.steps() == 1);
  CHECK(refusal([&] { sgd.step(x, x.eval()); }) ==
        "step: x must be of 0 coefficients, as the optimizer's state (reset() forgets it), got 4 x "
        "1");
}
