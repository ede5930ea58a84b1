#include <descent/transform/skip_if_not_finite.hpp>

#include "support/bits.hpp"
#include "support/catch.hpp"

#include <descent/engine/stepper.hpp>
#include <descent/transform/clip_by_global_norm.hpp>
#include <descent/transform/scale_by_adam.hpp>
#include <descent/transform/scale_by_learning_rate.hpp>
#include <descent/transform/trace.hpp>

#include <Eigen/Core>

#include <cstdint>
#include <limits>

using namespace descent;
using descent_test::Numbers;
using descent_test::same_bits;

namespace {

template <class Real>
auto guarded() {
  return chain<Eigen::Matrix<Real, Eigen::Dynamic, 1>>(skip_if_not_finite(), scale_by_adam(),
                                                       scale_by_learning_rate(0.01));
}

// One bad coefficient at each position of each size.
template <class Real>
int check_positions() {
  using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
  using Limits = std::numeric_limits<Real>;
  int positions = 0;
  for (Eigen::Index n = 1; n <= 33; ++n) {
    auto optimizer = guarded<Real>();
    V x = Numbers(1).vector<Real>(n), next = x;
    optimizer.step(x, V::Ones(n).eval());
    const auto state = optimizer.state();
    const V before = x;
    bool good = true;
    for (Eigen::Index i = 0; i < n; ++i, ++positions) {
      for (const Real bad : {Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity()}) {
        V g = V::Ones(n);
        g[i] = bad;
        optimizer.step(x, g);
        good = good && same_bits(x, before) && optimizer.state() == state;
        next.setConstant(7);
        const auto outcome = optimizer.advance(x, g, next, 0);
        good = good && !outcome.taken && outcome.finite && same_bits(next, before) &&
               optimizer.state() == state && optimizer.steps() == 1;
      }
    }
    CAPTURE(n, sizeof(Real));
    CHECK(good);
  }
  return positions;
}

}  // namespace

TEST_CASE("a step with one NaN or infinity is not taken, and changes nothing", "[transform]") {
  CHECK(check_positions<double>() == 561);
  CHECK(check_positions<float>() == 561);
}

TEST_CASE("of a matrix, all of it stays where a step is not taken", "[transform]") {
  auto optimizer = chain<Eigen::MatrixXd>(skip_if_not_finite(), scale_by_learning_rate(1));
  const Eigen::MatrixXd x = Eigen::MatrixXd::Random(3, 5);
  Eigen::MatrixXd g = x, next = Eigen::MatrixXd::Constant(3, 5, 7);
  g(2, 4) = std::numeric_limits<double>::quiet_NaN();
  CHECK_FALSE(optimizer.advance(x, g, next, 0).taken);
  CHECK(same_bits(next, x));
}

TEST_CASE("finite steps pass the gate with the same bits as without", "[transform]") {
  auto with = guarded<double>();
  auto without = chain(scale_by_adam(), scale_by_learning_rate(0.01));
  Eigen::VectorXd x = Numbers(1).vector<double>(37), y = x;
  Numbers numbers(2);
  for (int t = 0; t < 50; ++t) {
    const Eigen::VectorXd g = numbers.vector<double>(37);
    with.step(x, g);
    without.step(y, g);
    if (t % 7 == 3) with.step(x, (g * std::numeric_limits<double>::infinity()).eval());
  }
  CHECK(same_bits(x, y));
  CHECK(with.steps() == 50);
  CHECK(same_bits(with.slot<1>(1), without.slot<0>(1)));
}

TEST_CASE("large finite gradients pass, though their sum would overflow", "[transform]") {
  auto optimizer = chain(skip_if_not_finite(), scale_by_learning_rate(1e-300));
  Eigen::VectorXd x = Eigen::VectorXd::Zero(40);
  optimizer.step(x, Eigen::VectorXd::Constant(40, 1.7e308).eval());
  CHECK(optimizer.steps() == 1);
  CHECK(x[0] == -1e-300 * 1.7e308);
}

TEST_CASE("a skipped step does not advance the schedule", "[transform]") {
  auto optimizer = chain(skip_if_not_finite(), trace({.momentum = 0.9}),
                         scale_by_learning_rate([](std::int64_t k) { return double(k + 1); }));
  Eigen::VectorXd x = Eigen::VectorXd::Zero(3);
  const Eigen::VectorXd bad =
      Eigen::VectorXd::Constant(3, std::numeric_limits<double>::quiet_NaN());
  optimizer.step(x, bad);
  optimizer.step(x, bad);
  CHECK(optimizer.learning_rate() == 1);
  optimizer.step(x, Eigen::VectorXd::Ones(3).eval());
  CHECK(x[0] == -1);  // the first step: no dampening, rate 1
  CHECK(optimizer.learning_rate() == 2);
}

TEST_CASE("the gate and clipping share one pass", "[transform]") {
  constexpr auto passes = [](const auto& optimizer) { return optimizer.passes; };
  CHECK(passes(chain(scale_by_learning_rate(1))) == 1);
  CHECK(passes(chain(skip_if_not_finite(), scale_by_learning_rate(1))) == 2);
  CHECK(passes(chain(clip_by_global_norm(1), scale_by_learning_rate(1))) == 2);
  CHECK(passes(chain(skip_if_not_finite(), clip_by_global_norm(1), scale_by_learning_rate(1))) ==
        2);

  // Together they do what each does.
  auto both = chain(skip_if_not_finite(), clip_by_global_norm(0.5), scale_by_learning_rate(1));
  auto clip = chain(clip_by_global_norm(0.5), scale_by_learning_rate(1));
  Eigen::VectorXd x = Eigen::VectorXd::Zero(37), y = x, g = Numbers(3).vector<double>(37);
  both.step(x, g);
  clip.step(y, g);
  CHECK(same_bits(x, y));
  g[36] = -std::numeric_limits<double>::infinity();
  both.step(x, g);
  CHECK(same_bits(x, y));
  CHECK(both.steps() == 1);
}
