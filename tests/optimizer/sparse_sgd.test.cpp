// SparseSGD against the dense update, where every coefficient shrinks at every step.
#include "support/allocations.hpp"
#include "support/catch.hpp"

#include <descent/core/random.hpp>
#include <descent/optimizer/sparse_sgd.hpp>

#include <Eigen/Core>
#include <Eigen/SparseCore>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

using namespace descent;
using Eigen::Index;
using Eigen::VectorXd;

namespace {

const Schedule falling = [](std::int64_t k) { return 0.5 / (1 + 0.01 * double(k)); };
const Schedule on_and_off = [](std::int64_t k) { return k % 7 == 0 ? 0.0 : 0.1; };

struct Sample {
  std::vector<int> indices;
  std::vector<double> values;
};
Sample draw(Random& random, Index n) {
  Sample sample;
  for (Index i = 0; i < n; ++i) {
    if (random.below(8) != 0) continue;
    sample.indices.push_back(int(i));
    sample.values.push_back(random.normal());
  }
  return sample;
}

double soft_by_hand(double x, double t) {
  return std::copysign(std::max(std::abs(x) - t, 0.0), x);
}

// Steps on (aᵀx − 1)² / 2 for random sparse a, dense and lazily; both look at x at every tenth step.
template <class Real>
void compare(SparseSGDOptions options, int steps, double precision) {
  using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
  const Index n = 24;
  Random random(1);
  VectorXd dense(n);
  for (double& xi : dense) xi = random.normal();
  V lazy = dense.cast<Real>();
  SparseSGD<V> sgd(options);
  double largest = 1, error = 0;
  int zeros = 0;
  for (int t = 0; t < steps; ++t) {
    const Sample a = draw(random, n);
    const double rate = options.learning_rate(t);

    double z = -1;
    for (std::size_t k = 0; k < a.indices.size(); ++k) z += a.values[k] * dense[a.indices[k]];
    dense *= 1 - rate * options.l2;
    for (std::size_t k = 0; k < a.indices.size(); ++k) {
      dense[a.indices[k]] -= rate * 0.1 * z * a.values[k];
    }
    for (double& xi : dense) xi = soft_by_hand(xi, rate * options.l1);

    sgd.catch_up(lazy, a.indices);
    double lazy_z = -1;
    std::vector<Real> g;
    for (std::size_t k = 0; k < a.indices.size(); ++k) {
      lazy_z += a.values[k] * double(lazy[a.indices[k]]);
    }
    for (const double value : a.values) g.push_back(Real(0.1 * lazy_z * value));
    sgd.step(lazy, SparseGradient(a.indices, g));
    for (const int i : a.indices) error = std::max(error, std::abs(double(lazy[i]) - dense[i]));
    if (t % 10 == 9) {
      V all = lazy;
      SparseSGD<V> copy = sgd;
      copy.catch_up(all);
      error = std::max(error, (all.template cast<double>() - dense).cwiseAbs().maxCoeff());
      for (Index i = 0; i < n; ++i) zeros += all[i] == 0;
    }
    largest = std::max(largest, dense.cwiseAbs().maxCoeff());
  }
  sgd.catch_up(lazy);
  error = std::max(error, (lazy.template cast<double>() - dense).cwiseAbs().maxCoeff());
  CHECK(error <= precision * largest);
  CHECK(sgd.steps() == steps);
  if (options.l1 == 0.1) CHECK(zeros > 0);
}

}  // namespace

TEST_CASE("SparseSGD comes to what the dense update comes to", "[sparse]") {
  for (const Schedule& rate : {Schedule(0.1), falling, on_and_off}) {
    for (const double l2 : {0.0, 1e-3, 1.5}) {
      for (const double l1 : {0.0, 1e-3, 0.1}) {
        CAPTURE(l2, l1, rate(0), rate(1));
        compare<double>({.learning_rate = rate, .l2 = l2, .l1 = l1}, 1000, 1e-13);
        compare<float>({.learning_rate = rate, .l2 = l2, .l1 = l1}, 100, 2e-6);
      }
    }
  }
}

TEST_CASE("SparseSGD loses no digits in long runs, nor where little is left of x after a step",
          "[sparse]") {
  compare<double>({.learning_rate = 0.01, .l1 = 1e-2}, 150'000, 1e-13);
  compare<double>({.learning_rate = 0.9, .l2 = 1.1, .l1 = 1e-4}, 1000, 1e-13);

  // Much was subtracted before, and little is from now on.
  SparseSGD sgd(
      {.learning_rate = [](std::int64_t k) { return k < 100'000 ? 1.0 : 3e-7; }, .l1 = 1});
  VectorXd x = VectorXd::Zero(2);
  const std::vector<int> first{0}, second{1};
  const std::vector<double> g{-1.0}, jump{-1.5};
  for (int t = 0; t < 100'000; ++t) {
    const bool last = t == 99'999;
    sgd.step(x, SparseGradient(last ? second : first, last ? jump : g));
  }
  CHECK(x[1] == 0.5);
  double dense = 0.5;
  for (int t = 0; t < 1000; ++t) {
    sgd.step(x, SparseGradient(first, g));
    dense -= 3e-7;
  }
  sgd.catch_up(x);
  CHECK(std::abs(x[1] - dense) <= 1e-13);
}

TEST_CASE("SparseSGD leaves what is not named alone until it is looked at", "[sparse]") {
  SparseSGD sgd({.learning_rate = 0.5, .l2 = 0.5, .l1 = 0.25});
  VectorXd x(3);
  x << 4, 4, -0.25;
  Eigen::SparseVector<double> g(3);
  g.insert(0) = 2;
  sgd.step(x, g);
  CHECK(x[0] == 0.75 * 4 - 1 - 0.125);
  CHECK(x[1] == 4);
  CHECK(x[2] == -0.25);
  const std::vector<int> second{1};
  sgd.catch_up(x, second);
  CHECK(x[1] == 0.75 * 4 - 0.125);
  sgd.catch_up(x, second);  // once is enough
  CHECK(x[1] == 0.75 * 4 - 0.125);
  sgd.catch_up(x);
  CHECK(x[2] == -(0.75 * 0.25 - 0.125));
  sgd.step(x, Eigen::SparseVector<double>(3));
  sgd.catch_up(x);
  CHECK(x[2] == 0);
  CHECK(x[1] == 0.75 * (0.75 * 4 - 0.125) - 0.125);
}

TEST_CASE("SparseSGD sums what is named twice, and starts again", "[sparse]") {
  SparseSGD<Eigen::Vector3d> sgd({.learning_rate = 0.5, .l2 = 1});
  Eigen::Vector3d x(1, 2, 3);
  const std::vector<Index> indices{2, 0, 2};
  const std::vector<double> values{1, 2, 3};
  sgd.step(x, SparseGradient(indices, values));
  CHECK(x == Eigen::Vector3d(-0.5, 2, -0.5));
  sgd.scale_learning_rate(0.5);
  CHECK(sgd.learning_rate() == 0.25);
  sgd.set_learning_rate(0.125);
  CHECK(sgd.learning_rate() == 0.0625);
  sgd.reset();
  CHECK(sgd.steps() == 0);
  CHECK(sgd.learning_rate() == 0.125);
  sgd.catch_up(x);
  CHECK(x == Eigen::Vector3d(-0.5, 2, -0.5));
}

TEST_CASE("SparseSGD allocates nothing after the first step", "[sparse]") {
  SparseSGD sgd({.learning_rate = 0.5, .l2 = 1.5, .l1 = 0.1});
  VectorXd x = VectorXd::Ones(50);
  const std::vector<int> indices{3, 40};
  const std::vector<double> values{1, 2};
  sgd.step(x, SparseGradient(indices, values));
  const auto steps = [&] {
    for (int t = 0; t < 100; ++t) {
      sgd.catch_up(x, indices);
      sgd.step(x, SparseGradient(indices, values));
    }
  };
  CHECK(descent_test::allocated_by(steps).count == 0);
}

TEST_CASE("SparseSGD refuses what lies outside of its ranges, and changes nothing", "[sparse]") {
  CHECK_THROWS_WITH(SparseSGD({.learning_rate = -1.0}),
                    "SparseSGD: learning_rate must be in [0, inf), got -1");
  CHECK_THROWS_WITH(SparseSGD({.l2 = -1}), "SparseSGD: l2 must be in [0, inf), got -1");
  CHECK_THROWS_WITH(SparseSGD({.l1 = std::nan("")}), "SparseSGD: l1 must be in [0, inf), got nan");
  SparseSGD sgd(
      {.learning_rate = [](std::int64_t k) { return k == 0 ? 0.1 : 0.5; }, .l2 = 2, .l1 = 1});
  VectorXd x = VectorXd::Ones(2);
  const std::vector<int> outside{2}, inside{1};
  const std::vector<double> one{1};
  CHECK_THROWS_WITH(sgd.step(x, SparseGradient(outside, one)),
                    "step: index 0 of the sparse gradient must be in [0, 2), got 2");
  CHECK_THROWS_WITH(sgd.catch_up(x, outside), "catch_up: index must be in [0, 2), got 2");
  CHECK(x == VectorXd::Ones(2));
  CHECK(sgd.steps() == 0);
  sgd.step(x, SparseGradient(inside, one));
  const VectorXd before = x;
  CHECK_THROWS_WITH(sgd.step(x, SparseGradient(inside, one)),
                    "SparseSGD: learning_rate must be in [0, 0.5), got 0.5");
  VectorXd longer = VectorXd::Ones(3);
  sgd.set_learning_rate(0.1);
  CHECK_THROWS_WITH(sgd.step(longer, SparseGradient(inside, one)),
                    "step: x must be of 2, as before (reset() forgets it), got 3 coefficients");
  CHECK(x == before);
  CHECK(sgd.steps() == 1);
}
