// What bounds or centers a gradient, besides clip_by_global_norm: against PyTorch where it has it, and plain loops.
//
// covers: centralize clip_adaptively clip_by_block_norm clip_by_value
#include <descent/transform/centralize.hpp>
#include <descent/transform/clip_adaptively.hpp>
#include <descent/transform/clip_by_block_norm.hpp>
#include <descent/transform/clip_by_value.hpp>

#include "support/bits.hpp"
#include "support/catch.hpp"
#include "support/reference.hpp"

#include <descent/engine/stepper.hpp>
#include <descent/transform/clip_by_global_norm.hpp>
#include <descent/transform/scale_by_adam.hpp>
#include <descent/transform/scale_by_learning_rate.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

using namespace descent;
using descent_test::Numbers;
using descent_test::same_bits;
using Eigen::Index;
using Eigen::VectorXd;
using Eigen::VectorXf;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

// What a transform makes of g at x = 0: minus a step of rate 1.
template <class T, class V>
V made_of(T transform, const V& g) {
  auto optimizer = chain<V>(std::move(transform), scale_by_learning_rate(1));
  V x = V::Zero(g.size());
  optimizer.step(x, g);
  return -x;
}

}  // namespace

TEST_CASE("clipping by value agrees with PyTorch", "[reference]") {
  int compared = 0;
  const auto record = descent_test::load_record("misc/clip");
  for (const auto& row : record.blocks("case")) {
    if (!row.has("clip_value")) continue;
    const VectorXd g = row.numbers("g"), expected = row.numbers("out");
    const VectorXd ours = made_of(clip_by_value(row.number("clip_value")), g);
    ++compared;
    for (Index i = 0; i < g.size(); ++i) {
      CAPTURE(g[i], ours[i], expected[i]);
      CHECK((ours[i] == expected[i] || (std::isnan(ours[i]) && std::isnan(expected[i]))));
    }
  }
  CHECK(compared >= 2);
}

TEST_CASE("clipping by value leaves what is inside, and NaN, as they are", "[clip]") {
  VectorXd g(8), expected(8);
  g << 0.25, -0.25, 0.5, -3, 7, infinity, -infinity, 0.4999;
  expected << 0.25, -0.25, 0.5, -0.5, 0.5, 0.5, -0.5, 0.4999;
  CHECK(same_bits(made_of(clip_by_value(0.5), g), expected));
  CHECK(std::isnan(made_of(clip_by_value(0.5), VectorXd::Constant(9, not_a_number).eval())[8]));
  // What it lets through, second moments can hold.
  auto guarded = chain(clip_by_value(10), scale_by_adam(), scale_by_learning_rate(1));
  auto open = chain(scale_by_adam(), scale_by_learning_rate(1));
  CHECK(std::isinf(guarded.gradient_limit()));
  CHECK_FALSE(std::isinf(open.gradient_limit()));
}

TEST_CASE("each block is clipped by its own norm", "[clip]") {
  const auto check = [](auto real) {
    using Real = decltype(real);
    using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
    V g = Numbers(3).vector<Real>(30) * Real(4);
    g.segment(11, 4) *= Real(1e-3);
    V expected = g;
    Index begin = 0;
    for (const Index size : {11, 4, 1, 14}) {
      const double norm = g.segment(begin, size).template cast<double>().norm();
      if (norm + 1e-6 > 1.5) expected.segment(begin, size) *= Real(1.5 / (norm + 1e-6));
      begin += size;
    }
    const V ours = made_of(clip_by_block_norm(1.5, {11, 4, 1, 14}), g);
    CHECK(ours.isApprox(expected, 4 * std::numeric_limits<Real>::epsilon()));
    CHECK(same_bits(V(ours.segment(11, 4)), V(g.segment(11, 4))));
    // One block is the global norm.
    CHECK(made_of(clip_by_block_norm(1.5, {30}), g)
              .isApprox(made_of(clip_by_global_norm(1.5), g), Real(1e-6)));
  };
  check(0.0);
  check(0.0f);

  VectorXd g = VectorXd::Constant(4, 1e200);
  g[3] = not_a_number;
  const VectorXd ours = made_of(clip_by_block_norm(1, {2, 2}), g);
  CHECK(ours.head(2).norm() == Approx(1));
  CHECK(std::isnan(ours[2]));
}

TEST_CASE("blocks that do not fit are refused before anything changes", "[clip][arguments]") {
  auto optimizer = chain(clip_by_block_norm(1, {2, 3}), scale_by_learning_rate(1));
  VectorXd x = VectorXd::Ones(6);
  CHECK_THROWS_WITH(
      optimizer.step(x, x),
      "clip_by_block_norm: sizes must be of sum 6, the number of coefficients, got 5");
  CHECK(x == VectorXd::Ones(6));
  VectorXd y = VectorXd::Ones(5);
  optimizer.step(y, VectorXd::Zero(5).eval());
  CHECK(optimizer.steps() == 1);
  CHECK_THROWS_AS(clip_by_block_norm(1, {2, 0}), std::invalid_argument);
  CHECK_THROWS_AS(clip_by_block_norm(0, {2}), std::invalid_argument);
}

TEST_CASE("adaptive clipping compares the gradient with the parameters", "[clip]") {
  const auto check = [](auto real) {
    using Real = decltype(real);
    using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
    for (const double size : {0.0, 1e-6, 1e-3, 1.0, 100.0}) {
      for (const double steepness : {1e-7, 1e-4, 1.0, 1e5}) {
        auto optimizer = chain<V>(clip_adaptively({.clipping = 0.02}), scale_by_learning_rate(1));
        const V x0 = Numbers(1).vector<Real>(23) * Real(size),
                g = Numbers(2).vector<Real>(23) * Real(steepness);
        V x = x0;
        optimizer.step(x, g);
        const double limit = 0.02 * std::max(x0.template cast<double>().norm(), 1e-3),
                     norm = g.template cast<double>().norm();
        const V expected = x0 - g * Real(std::min(1.0, limit / norm));
        CAPTURE(size, steepness, limit, norm);
        CHECK((x - expected).norm() <=
              4 * std::numeric_limits<Real>::epsilon() * (x0.norm() + Real(limit)));
        static_assert(decltype(optimizer)::passes == 2);
      }
    }
  };
  check(0.0);
  check(0.0f);
  CHECK(same_bits(made_of(clip_adaptively(), VectorXd::Zero(3).eval()), VectorXd::Zero(3).eval()) ==
        false);  // -0, as without it
  CHECK(std::isnan(made_of(clip_adaptively(), VectorXd::Constant(3, not_a_number).eval())[0]));
}

TEST_CASE("centralized gradients have no mean", "[centralize]") {
  for (const Index n : {1, 2, 5, 8, 17, 100, 4099}) {
    const VectorXd g = Numbers(std::uint64_t(n)).vector<double>(n).array() + 3;
    const VectorXd ours = made_of(centralize(), g);
    CHECK(std::abs(ours.sum()) <= 1e-15 * 3 * double(n));
    CHECK(ours.isApprox((g.array() - g.mean()).matrix(), 1e-13));
    const VectorXf small = g.cast<float>();
    CHECK(made_of(centralize(), small).isApprox((small.array() - small.mean()).matrix(), 1e-4f));
  }
}
