// Steps by sparse gradients: the named coordinates as in a dense step, the others not at all.
#include "support/allocations.hpp"
#include "support/catch.hpp"

#include <descent/core/random.hpp>
#include <descent/optimizer/adagrad.hpp>
#include <descent/optimizer/adam.hpp>
#include <descent/optimizer/adan.hpp>
#include <descent/optimizer/lion.hpp>
#include <descent/optimizer/madgrad.hpp>
#include <descent/optimizer/sgd.hpp>
#include <descent/transform/add_decayed_weights.hpp>
#include <descent/transform/clip_by_value.hpp>
#include <descent/transform/ema.hpp>
#include <descent/transform/project_on_box.hpp>
#include <descent/transform/proximal.hpp>
#include <descent/transform/scale_by_adam.hpp>
#include <descent/transform/scale_by_learning_rate.hpp>
#include <descent/transform/trace.hpp>

#include <Eigen/Core>
#include <Eigen/SparseCore>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

using namespace descent;
using Eigen::Index;
using Eigen::VectorXd;

namespace {

const Schedule falling = [](std::int64_t k) { return 0.1 / (1.0 + double(k)); };

// Calls visit(name, optimizer) for each of them.
template <class V, class Visit>
void each_optimizer(const Visit& visit) {
  visit("SGD", SGD<V>({.learning_rate = falling}));
  visit("momentum", SGD<V>({.learning_rate = 0.1, .momentum = 0.9}));
  visit("Nesterov", SGD<V>({.learning_rate = 0.1, .momentum = 0.9, .nesterov = true}));
  visit("Adagrad", Adagrad<V>({.learning_rate = 0.1, .initial_accumulator_value = 0.5}));
  visit("Adam", Adam<V>({.learning_rate = falling}));
  visit("AMSGrad", Adam<V>({.learning_rate = 0.1, .amsgrad = true}));
  visit("Lion", Lion<V>({.learning_rate = 0.1}));
  visit("clipped", chain<V>(clip_by_value(0.5), scale_by_adam(), scale_by_learning_rate(0.1)));
  visit("two with state",
        chain<V>(ema({.decay = 0.5}), trace({.momentum = 0.75}), scale_by_learning_rate(0.1)));
  visit("in a box", chain<V>(scale_by_learning_rate(0.5), project_on_box(-0.75, 0.75)));
}

template <class V>
V draw(Random& random, Index n) {
  V v(n);
  for (auto& vi : v) vi = static_cast<typename V::Scalar>(random.normal());
  return v;
}

template <class Real>
void all_named() {
  using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
  for (const Index n : {1, 2, 3, 7, 16, 37}) {
    each_optimizer<V>([&](const char* name, auto optimizer) {
      CAPTURE(name, n);
      auto dense = optimizer;
      Random random(5);
      V x = draw<V>(random, n), y = x;
      std::vector<int> all(static_cast<std::size_t>(n));
      for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int>(i);
      for (int t = 0; t < 6; ++t) {
        const V g = draw<V>(random, n);
        optimizer.step(x, SparseGradient(all, g));
        dense.step(y, g);
        CHECK(x == y);
        CHECK(optimizer.state() == dense.state());
      }
    });
  }
}

// The slots of an optimizer.
template <class O>
Eigen::MatrixXd slots(const O& optimizer, Index n) {
  const auto& s = optimizer.state().slots;
  Eigen::MatrixXd all(n, static_cast<Index>(s.count()));
  for (Index k = 0; k < all.cols(); ++k)
    all.col(k) = Eigen::Map<const VectorXd>(s.column(static_cast<std::size_t>(k)), n);
  return all;
}

}  // namespace

TEST_CASE("a sparse gradient that names all coordinates makes the dense step, to the bit",
          "[sparse]") {
  all_named<double>();
  all_named<float>();
}

TEST_CASE("what a sparse gradient does not name is not touched", "[sparse]") {
  const Index n = 23;
  each_optimizer<VectorXd>([&](const char* name, auto optimizer) {
    CAPTURE(name);
    Random random(9);
    VectorXd x = draw<VectorXd>(random, n);
    std::vector<Index> touched;
    std::vector<double> values;
    for (int t = 0; t < 20; ++t) {
      touched.clear();
      values.clear();
      for (Index i = 0; i < n; ++i) {
        if (random.below(3) != 0) continue;
        touched.push_back(i);
        values.push_back(random.normal());
      }
      const VectorXd x_before = x;
      const Eigen::MatrixXd slots_before = t == 0 ? Eigen::MatrixXd() : slots(optimizer, n);
      optimizer.step(x, SparseGradient(touched, values));
      CHECK(optimizer.steps() == t + 1);
      const Eigen::MatrixXd slots_after = slots(optimizer, n);
      for (Index i = 0, k = 0; i < n; ++i) {
        const bool named = k < Index(touched.size()) && touched[std::size_t(k)] == i;
        k += named ? 1 : 0;
        if (named && std::string(name) != "in a box") CHECK(x[i] != x_before[i]);
        if (named) continue;
        CHECK(x[i] == x_before[i]);
        if (t > 0 && slots_after.cols() > 0) CHECK(slots_after.row(i) == slots_before.row(i));
      }
    }
  });
}

TEST_CASE("where zeros move nothing, a sparse step is the dense one, to the bit", "[sparse]") {
  const Index n = 300;
  const auto check = [&](auto lazy) {
    auto dense = lazy;
    Random random(3);
    VectorXd x = draw<VectorXd>(random, n), y = x;
    for (int t = 0; t < 30; ++t) {
      Eigen::SparseVector<double> g(n);
      for (int k = 0; k < 40; ++k) g.coeffRef(Index(random.below(n))) = random.normal();
      lazy.step(x, g);
      const VectorXd full = g;
      dense.step(y, full);
      REQUIRE(x == y);
      REQUIRE(lazy.state() == dense.state());
    }
  };
  check(SGD({.learning_rate = falling}));
  check(Adagrad({.learning_rate = falling, .learning_rate_decay = 0.01}));
}

TEST_CASE("lazy Adam corrects its bias by the number of the step", "[sparse]") {
  // Coordinate 0 is named at every step, 1 at the third one only; twice there, and by halves.
  Adam adam({.learning_rate = 0.1, .beta1 = 0.5, .beta2 = 0.75, .epsilon = 0});
  VectorXd x = VectorXd::Zero(2);
  const std::vector<int> one{0}, three{1, 0, 1};
  const std::vector<double> g{1}, g3{-1, 1, -1};
  adam.step(x, SparseGradient(one, g));
  adam.step(x, SparseGradient(one, g));
  CHECK(x[1] == 0);
  adam.step(x, SparseGradient(three, g3));
  CHECK(x[0] == Approx(-0.3).epsilon(1e-14));
  const double m = (0.5 * -2) / (1 - 0.125), v = (0.25 * 4) / (1 - 0.421875);
  CHECK(x[1] == Approx(-0.1 * m / std::sqrt(v)).epsilon(1e-14));
}

TEST_CASE("a sparse step changes x in place, whatever holds it", "[sparse]") {
  const std::vector<int> indices{1, 5};
  const std::vector<float> values{1, -2};
  SGD<Eigen::MatrixXf> sgd({.learning_rate = 0.5});
  Eigen::MatrixXf x = Eigen::MatrixXf::Zero(3, 2);
  sgd.step(x, SparseGradient(indices, values));
  CHECK(x(1, 0) == -0.5f);
  CHECK(x(2, 1) == 1);
  CHECK(x.sum() == 0.5f);
  SGD<Eigen::VectorXf> other({.learning_rate = 0.5});
  Eigen::VectorXf y = Eigen::VectorXf::Zero(10);
  other.step(y.segment(2, 6), SparseGradient(indices, values));
  CHECK(y[3] == -0.5f);
  CHECK(y[7] == 1);
  SGD<Eigen::Vector3f> fixed({.learning_rate = 1});
  Eigen::Vector3f z(1, 2, 3);
  fixed.step(z, Eigen::SparseVector<float>(3));  // names nothing
  CHECK(z == Eigen::Vector3f(1, 2, 3));
  CHECK(fixed.steps() == 1);
}

TEST_CASE("a sparse step allocates nothing after the first, while indices ascend", "[sparse]") {
  Adam adam({.learning_rate = 0.1});
  VectorXd x = VectorXd::Zero(100);
  const std::vector<int> indices{3, 50, 99};
  const std::vector<double> values{1, 2, 3};
  adam.step(x, SparseGradient(indices, values));
  const descent_test::Allocations before = descent_test::allocations();
  for (int t = 0; t < 5; ++t) adam.step(x, SparseGradient(indices, values));
  CHECK((descent_test::allocations() - before).count == 0);
}

TEST_CASE("sparse steps that would differ from the dense ones are refused", "[sparse]") {
  const std::vector<int> indices{0}, outside{2};
  const std::vector<double> values{1};
  const auto refuses = [&](auto optimizer) {
    VectorXd x = VectorXd::Ones(2);
    CHECK_THROWS_WITH(
        optimizer.step(x, SparseGradient(indices, values)),
        "step: optimizer must be one whose coefficients may miss steps, for a sparse gradient: "
        "without weight decay (SparseSGD applies l2 and l1 exactly), or step with a dense g, got "
        "one that moves coefficients without a gradient or compares with the step before");
    CHECK(x == VectorXd::Ones(2));
    CHECK(optimizer.steps() == 0);
    optimizer.step(x, VectorXd(VectorXd::Ones(2)));
    CHECK(optimizer.steps() == 1);
  };
  refuses(SGD({.weight_decay = 0.1}));
  refuses(Adan());
  refuses(MADGRAD());
  refuses(chain(scale_by_learning_rate(0.1), proximal_l1(0.1)));
  refuses(
      chain(add_decayed_weights(0.1, VectorXd(VectorXd::Ones(2))), scale_by_learning_rate(0.1)));

  Adam adam;
  VectorXd x = VectorXd::Ones(2);
  CHECK_THROWS_WITH(adam.step(x, SparseGradient(outside, values)),
                    "step: index 0 of the sparse gradient must be in [0, 2), got 2");
  CHECK(adam.steps() == 0);
  CHECK(adam.state() == Adam().state());
  adam.step(x, SparseGradient(indices, values));
  VectorXd longer = VectorXd::Ones(3);
  CHECK_THROWS_WITH(adam.step(longer, SparseGradient(outside, values)),
                    "step: x must be of 2 coefficients, as the optimizer's state (reset() forgets "
                    "it), got 3 x 1");
}
