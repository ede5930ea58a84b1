// What each of the elementwise rules is made for, and its edges: what its formula alone (scalar_rules.test.cpp) does not say.
#include "support/bits.hpp"
#include "support/catch.hpp"

#include <descent/optimizer/adabelief.hpp>
#include <descent/optimizer/adabound.hpp>
#include <descent/optimizer/adadelta.hpp>
#include <descent/optimizer/adagrad.hpp>
#include <descent/optimizer/adam.hpp>
#include <descent/optimizer/adamax.hpp>
#include <descent/optimizer/adan.hpp>
#include <descent/optimizer/ademamix.hpp>
#include <descent/optimizer/adopt.hpp>
#include <descent/optimizer/asgd.hpp>
#include <descent/optimizer/lion.hpp>
#include <descent/optimizer/nadam.hpp>
#include <descent/optimizer/optimistic_descent.hpp>
#include <descent/optimizer/qhadam.hpp>
#include <descent/optimizer/qhm.hpp>
#include <descent/optimizer/radam.hpp>
#include <descent/optimizer/rmsprop.hpp>
#include <descent/optimizer/rprop.hpp>
#include <descent/optimizer/sgd.hpp>
#include <descent/optimizer/sign_descent.hpp>
#include <descent/optimizer/sm3.hpp>
#include <descent/optimizer/yogi.hpp>

#include <Eigen/Core>

#include <cmath>
#include <cstdint>
#include <vector>

using namespace descent;
using descent_test::Numbers;
using Eigen::Vector2d;
using Eigen::Vector3d;
using Eigen::VectorXd;
using Eigen::VectorXf;

namespace {

// The distance of two optimizers after some steps with gradients that depend on each one's x.
template <class A, class B>
double distance(A ours, B theirs, int steps) {
  VectorXd x = Numbers(3).vector<double>(8), y = x;
  Numbers numbers(4);
  for (int t = 0; t < steps; ++t) {
    const VectorXd noise = numbers.vector<double>(8);
    ours.step(x, (x + noise).eval());
    theirs.step(y, (y + noise).eval());
  }
  return (x - y).cwiseAbs().maxCoeff();
}

}  // namespace

TEST_CASE("sign descent and Lion move by the rate exactly, and sign(0) is 0", "[rules]") {
  const Vector3d g(1e-300, 0, -1e300);
  SignDescent<Vector3d> sign({.learning_rate = 0.25});
  Lion<Vector3d> lion({.learning_rate = 0.25});
  Vector3d x(1, 2, 3), y = x;
  sign.step(x, g);
  lion.step(y, g);
  CHECK(x == Vector3d(0.75, 2, 3.25));
  CHECK(y == x);
  CHECK(sign.momentum_buffer().size() == 0);
  CHECK(sign.slot_bytes() == 0);
  // Lion looks at the interpolation with beta1, then stores the one with beta2.
  Lion<Eigen::Matrix<double, 1, 1>> two({.learning_rate = 1, .beta1 = 0.5, .beta2 = 0.75});
  Eigen::Matrix<double, 1, 1> z(0.0);
  two.step(z, Eigen::Matrix<double, 1, 1>(4));
  CHECK(two.momentum_buffer()[0] == 1);
  two.step(z, Eigen::Matrix<double, 1, 1>(-1));  // 0.5 - 0.5: stays
  CHECK(z[0] == -1);
  CHECK(two.momentum_buffer()[0] == 0.5);
}

TEST_CASE("a momentum of signs ends at zero when gradients do, and not before", "[rules]") {
  // What a denormal average says is its sign, as long as gradients come; then it would say so for ever.
  Lion<VectorXd> lion({.learning_rate = 1});
  SignDescent<VectorXd> sign({.learning_rate = 1, .momentum = 0.5});
  VectorXd x = VectorXd::Zero(5), y = x;
  const VectorXd tiny = VectorXd::Constant(5, 1e-310), zero = VectorXd::Zero(5);
  for (int t = 0; t < 3; ++t) {
    lion.step(x, tiny);
    sign.step(y, tiny);
  }
  CHECK((x.array() == -3).all());
  CHECK((y.array() == -3).all());
  lion.step(x, zero);
  sign.step(y, zero);
  CHECK((lion.momentum_buffer().array() == 0).all());
  CHECK((sign.momentum_buffer().array() == 0).all());
}

TEST_CASE("Rprop: a sign that stays grows the step, one that changes shrinks it and skips",
          "[rules]") {
  Rprop<Vector2d> rprop({.learning_rate = 0.5, .step_min = 0.25, .step_max = 0.75});
  Vector2d x(0, 0);
  rprop.step(x, Vector2d(3, 0));
  CHECK(x == Vector2d(-0.5, 0));
  rprop.step(x, Vector2d(1e-3, 0));  // 0.5 · 1.2
  CHECK(x[0] == -0.5 - 0.5 * 1.2);
  rprop.step(x, Vector2d(1, 0));  // 0.72, ...
  rprop.step(x, Vector2d(1, 0));  // ... and no more than 0.75
  CHECK(rprop.step_sizes()[0] == 0.75);
  const double before = x[0];
  rprop.step(x, Vector2d(-1, 0));  // overshot: half of it, and stay
  CHECK(x[0] == before);
  CHECK(rprop.step_sizes()[0] == 0.375);
  CHECK(rprop.last_gradient()[0] == 0);
  rprop.step(x, Vector2d(-1, 0));  // the sign that was forgotten changes nothing
  CHECK(rprop.step_sizes()[0] == 0.375);
  CHECK(x[0] == before + 0.375);
  for (const double g : {1.0, 1.0, -1.0, -1.0, 1.0, 1.0}) rprop.step(x, Vector2d(g, 0));
  CHECK(rprop.step_sizes()[0] == 0.25);  // and no less
  CHECK(x[1] == 0);
  // Another rate scales the steps beside them.
  const double at = x[0];
  rprop.scale_learning_rate(0.5);
  rprop.step(x, Vector2d(1, 0));
  CHECK(x[0] == at - 0.5 * rprop.step_sizes()[0]);
  CHECK(rprop.learning_rate() == 0.25);
}

TEST_CASE("centered RMSprop takes no root of a negative number", "[rules]") {
  // With constant gradients E[g²] - E[g]² is rounding alone, of either sign; PyTorch's step is NaN then.
  RMSprop<VectorXf> centered({.learning_rate = 1e-10, .alpha = 0.9, .centered = true});
  VectorXf x = VectorXf::Zero(64);
  const VectorXf g = VectorXf::LinSpaced(64, 0.013f, 1.7f);
  int negative = 0;
  for (int t = 0; t < 1000; ++t) {
    centered.step(x, g);
    negative += (centered.mean_square().array() < centered.mean_gradient().array().square()).any();
  }
  CHECK(x.allFinite());
  CHECK(negative > 0);
  CHECK(centered.momentum_buffer().size() == 0);
}

TEST_CASE("RMSprop's momentum is a sum of scaled gradients, without the rate", "[rules]") {
  RMSprop<Eigen::Matrix<double, 1, 1>> rmsprop(
      {.learning_rate = [](std::int64_t k) { return k == 0 ? 0.5 : 0.25; },
       .alpha = 0,
       .epsilon = 0,
       .momentum = 0.5});
  Eigen::Matrix<double, 1, 1> x(0.0);
  rmsprop.step(x, Eigen::Matrix<double, 1, 1>(3));
  CHECK(x[0] == -0.5);
  rmsprop.step(x, Eigen::Matrix<double, 1, 1>(5));  // b = 0.5 + 1
  CHECK(rmsprop.momentum_buffer()[0] == 1.5);
  CHECK(x[0] == -0.5 - 0.25 * 1.5);
  CHECK(rmsprop.mean_gradient().size() == 0);
}

TEST_CASE("what is measured by the first rate stands a rate that begins at 0", "[rules]") {
  const Schedule rate = [](std::int64_t k) { return k == 0 ? 0.0 : 0.01; };
  VectorXd x = VectorXd::Ones(3);
  const VectorXd g = x;
  AdaBound bounded({.learning_rate = rate, .final_learning_rate = 0.1, .gamma = 1e6});
  bounded.step(x, g);
  CHECK(x == g);
  bounded.step(x, g);  // m = 0.19, and the bounds have closed in
  CHECK(x.isApproxToConstant(1 - 0.1 * 0.19, 1e-6));
  x = g;
  Rprop rprop({.learning_rate = rate});  // by the smallest step
  rprop.step(x, g);
  CHECK(x.isApproxToConstant(1 - 1e-6, 1e-14));
}

TEST_CASE("AMSBound's largest second moment never falls, and closes in as AdaBound's bounds do",
          "[rules]") {
  AdaBound<> bound({.beta2 = 0.5, .amsbound = true}), plain({.beta2 = 0.5});
  VectorXd x = VectorXd::Zero(4), y = x, largest = x;
  for (const double g : {1.0, 8.0, 0.25, 0.125, 0.0, 4.0}) {
    bound.step(x, VectorXd::Constant(4, g).eval());
    plain.step(y, VectorXd::Constant(4, g).eval());
    largest = largest.cwiseMax(VectorXd(plain.second_moment()));
    CHECK(VectorXd(bound.largest_second_moment()) == largest);
  }
  CHECK(plain.largest_second_moment().size() == 0);
  // The bounds: with a huge gamma they have closed at once, and what remains is the rate of SGD; so far away, Adam's.
  const AdaBoundOptions closed{
      .learning_rate = 0.01, .beta1 = 0, .final_learning_rate = 0.125, .gamma = 1e300};
  CHECK(distance(AdaBound<>(closed), SGD<>({.learning_rate = 0.125}), 50) == 0);
  CHECK(distance(AdaBound<>({.learning_rate = 0.01, .gamma = 1e-300, .epsilon = 0}),
                 Adam<>({.learning_rate = 0.01, .epsilon = 0}), 50) <= 1e-14);
  // They follow the rate, whoever changes it.
  AdaBound<> halved(closed);
  halved.scale_learning_rate(0.5);
  CHECK(distance(halved, SGD<>({.learning_rate = 0.0625}), 50) <= 1e-15);
}

TEST_CASE("ADOPT's first step fills v alone; each later one divides by the v before", "[rules]") {
  ADOPT<Vector2d> adopt({.learning_rate = 0.5, .beta1 = 0.5, .beta2 = 0.5});
  Vector2d x(1, 2);
  adopt.step(x, Vector2d(2, -4));
  CHECK(x == Vector2d(1, 2));
  CHECK(Vector2d(adopt.second_moment()) == Vector2d(4, 16));
  CHECK(Vector2d(adopt.first_moment()) == Vector2d(0, 0));
  adopt.step(x, Vector2d(1, 8));  // (1/2, 8/4 clipped to 1), halved by beta1
  CHECK(Vector2d(adopt.first_moment()) == Vector2d(0.25, 0.5));
  CHECK(x == Vector2d(1 - 0.125, 2 - 0.25));
  CHECK(Vector2d(adopt.second_moment()) == Vector2d(2.5, 40));
}

TEST_CASE("Adagrad: step t of a constant gradient is rate/sqrt(t)", "[rules]") {
  Adagrad<> adagrad({.learning_rate = 0.5, .epsilon = 0});
  SM3<> sm3({.learning_rate = 0.5, .momentum = 0, .epsilon = 0});
  VectorXd x = VectorXd::Zero(3), y = x;
  double sum = 0;
  for (int t = 1; t <= 100; ++t) {
    adagrad.step(x, VectorXd::Constant(3, 7).eval());
    sm3.step(y, VectorXd::Constant(3, 7).eval());
    sum += 0.5 / std::sqrt(double(t));
    CHECK(x[0] == Approx(-sum).epsilon(1e-14));
    CHECK(y[0] == Approx(-sum).epsilon(1e-14));
    CHECK(adagrad.accumulator()[1] == 49 * t);
  }
  // Where there never was a gradient SM3 stays, even with an epsilon of 0.
  sm3.reset();
  sm3.step(y, VectorXd::Zero(3).eval());
  CHECK(y[0] == Approx(-sum).epsilon(1e-14));
}

TEST_CASE("Adadelta's step has the unit of x: gradients of any size move it alike", "[rules]") {
  Adadelta<> small({.epsilon = 0}), large({.epsilon = 0});
  // Without epsilon nothing moves, ...
  VectorXd x = VectorXd::Zero(3);
  small.step(x, VectorXd::Ones(3).eval());
  CHECK((x.array() == 0).all());
  // ... with one, the first step is sqrt(epsilon/((1 - rho) g² + epsilon)) g.
  Adadelta<> first({.rho = 0.75, .epsilon = 1});
  first.step(x, VectorXd::Constant(3, 2 * std::sqrt(3.0)).eval());
  CHECK(x[0] == Approx(-std::sqrt(3.0)).epsilon(1e-15));
  CHECK(first.mean_square()[0] == Approx(3).epsilon(1e-15));
  CHECK(first.mean_square_update()[0] == Approx(0.75).epsilon(1e-15));
}

TEST_CASE("AdaMax's first step is the rate, and its norm remembers the largest gradient",
          "[rules]") {
  AdaMax<Vector2d> adamax({.learning_rate = 0.5, .beta2 = 0.5, .epsilon = 0});
  Vector2d x(0, 0);
  adamax.step(x, Vector2d(8, -1e-9));
  CHECK(std::abs(x[0] + 0.5) <= 1e-15);
  CHECK(std::abs(x[1] - 0.5) <= 1e-15);
  adamax.step(x, Vector2d(1, 1));
  CHECK(Vector2d(adamax.infinity_norm()) == Vector2d(4, 1));
}

TEST_CASE("relatives of Adam are Adam where their additions vanish", "[rules]") {
  const Adam<> adam({.learning_rate = 0.01, .beta2 = 0.99});
  CHECK(distance(AdEMAMix<>({.learning_rate = 0.01, .beta2 = 0.99, .alpha = 0}), adam, 100) == 0);
  CHECK(distance(QHAdam<>({.learning_rate = 0.01, .beta1 = 0.9, .beta2 = 0.99, .nu1 = 1, .nu2 = 1}),
                 adam, 100) <= 1e-13);
  // A huge momentum decay leaves NAdam with a constant momentum; beta1 = 0 leaves nothing of it.
  CHECK(distance(NAdam<>({.learning_rate = 0.01, .beta1 = 0, .beta2 = 0.99}),
                 Adam<>({.learning_rate = 0.01, .beta1 = 0, .beta2 = 0.99}), 100) <= 1e-13);
  // RAdam begins as momentum, without the denominator: at beta2 = 0.999 for five steps.
  RAdam<> radam({.learning_rate = 1, .beta1 = 0});
  VectorXd x = VectorXd::Zero(1);
  for (int t = 1; t <= 6; ++t) {
    const double before = x[0];
    radam.step(x, VectorXd::Constant(1, 1e-3).eval());
    CAPTURE(t);
    if (t <= 5) CHECK(before - x[0] == Approx(1e-3).epsilon(1e-12));
    if (t == 6) CHECK(before - x[0] > 0.01);
  }
  // AdaBelief: gradients that do not surprise make large steps.
  AdaBelief<> belief({.learning_rate = 1e-3});
  Adam<> other({.learning_rate = 1e-3});
  VectorXd y = VectorXd::Zero(1), z = y;
  for (int t = 0; t < 200; ++t) {
    belief.step(y, VectorXd::Ones(1).eval());
    other.step(z, VectorXd::Ones(1).eval());
  }
  CHECK(y[0] < 2 * z[0]);
}

TEST_CASE("Yogi's second moment changes by (1 - beta2) g² at most", "[rules]") {
  Yogi<Eigen::Matrix<double, 1, 1>> yogi({.beta2 = 0.5, .initial_accumulator_value = 1});
  Eigen::Matrix<double, 1, 1> x(0.0);
  CHECK(yogi.second_moment().size() == 0);
  yogi.step(
      x, Eigen::Matrix<double, 1, 1>(0.5));  // v = 1 > 1/4: down by 1/8, Adam's would fall to 5/8
  CHECK(yogi.second_moment()[0] == 0.875);
  yogi.step(x, Eigen::Matrix<double, 1, 1>(4));
  CHECK(yogi.second_moment()[0] == 8.875);
}

TEST_CASE("QHM between SGD and momentum; optimistic descent converges where descent spirals",
          "[rules]") {
  CHECK(distance(QHM<>({.learning_rate = 0.1, .nu = 0}), SGD<>({.learning_rate = 0.1}), 50) <=
        1e-15);
  CHECK(distance(QHM<>({.learning_rate = 0.1, .momentum = 0.75, .nu = 1}),
                 SGD<>({.learning_rate = 0.025, .momentum = 0.75}), 50) <= 1e-14);
  CHECK(distance(OptimisticDescent<>({.learning_rate = 0.1, .beta = 0}),
                 SGD<>({.learning_rate = 0.1}), 50) == 0);
  // min over x, max over y of x·y: plain descent and ascent leave the saddle, the optimistic ones reach it.
  OptimisticDescent<Vector2d> optimistic({.learning_rate = 0.25});
  SGD<Vector2d> plain({.learning_rate = 0.1});
  Vector2d p(1, 1), q(1, 1);
  for (int t = 0; t < 2000; ++t) {
    optimistic.step(p, Vector2d(p[1], -p[0]));
    plain.step(q, Vector2d(q[1], -q[0]));
  }
  CHECK(p.norm() < 1e-6);
  CHECK(q.norm() > 1e3);
}

TEST_CASE("Adan: the proximal step divides, the other subtracts", "[rules]") {
  Adan<> proximal({.learning_rate = 0.5, .weight_decay = 0.5});
  Adan<> decoupled({.learning_rate = 0.5, .weight_decay = 0.5, .proximal = false});
  VectorXd x = VectorXd::Ones(3), y = x;
  const VectorXd zero = VectorXd::Zero(3);
  proximal.step(x, zero);
  decoupled.step(y, zero);
  CHECK((x.array() == 1 / 1.25).all());
  CHECK((y.array() == 0.75).all());
  // The first difference of gradients is 0, whatever the first gradient.
  Adan<> first({.learning_rate = 0.5});
  first.step(x, VectorXd::Constant(3, 5).eval());
  CHECK((first.mean_difference().array() == 0).all());
  CHECK((first.last_gradient().array() == 5).all());
  first.step(x, VectorXd::Constant(3, 4).eval());
  CHECK(first.mean_difference()[0] == Approx(-0.08).epsilon(1e-13));
}

TEST_CASE("ASGD averages what comes after its start, and its rate falls", "[rules]") {
  for (const std::int64_t start : {0, 3}) {
    ASGD<> asgd({.learning_rate = 0.5, .lambda = 0.25, .alpha = 1, .start = start});
    VectorXd x = Numbers(1).vector<double>(5), sum = VectorXd::Zero(5), y = x;
    Numbers numbers(2);
    CHECK(asgd.averaged(x) == x);
    for (int t = 1; t <= 20; ++t) {
      const VectorXd g = numbers.vector<double>(5);
      asgd.step(x, g);
      const double eta = 0.5 / (1 + 0.25 * 0.5 * (t - 1));
      y = (1 - 0.25 * eta) * y - eta * g;
      CHECK((x - y).norm() <= 1e-14);
      if (t > start) sum += x;
      CAPTURE(t, start);
      const VectorXd expected = t > start ? VectorXd(sum / double(t - start)) : x;
      CHECK((asgd.averaged(x) - expected).norm() <= 1e-14);
    }
  }
}

TEST_CASE("defaults are those of PyTorch, else of the authors", "[rules]") {
  const auto rate = [](const auto& options) { return options.learning_rate(0); };
  CHECK(rate(AdagradOptions()) == 1e-2);
  CHECK(AdagradOptions().epsilon == 1e-10);
  CHECK(AdagradOptions().initial_accumulator_value == 0);
  CHECK(rate(AdadeltaOptions()) == 1);
  CHECK(AdadeltaOptions().rho == 0.9);
  CHECK(AdadeltaOptions().epsilon == 1e-6);
  CHECK(rate(RMSpropOptions()) == 1e-2);
  CHECK(RMSpropOptions().alpha == 0.99);
  CHECK(RMSpropOptions().epsilon == 1e-8);
  CHECK(rate(AdaMaxOptions()) == 2e-3);
  CHECK(rate(NAdamOptions()) == 2e-3);
  CHECK(NAdamOptions().momentum_decay == 4e-3);
  CHECK(rate(RAdamOptions()) == 1e-3);
  CHECK(rate(RpropOptions()) == 1e-2);
  CHECK(RpropOptions().eta_minus == 0.5);
  CHECK(RpropOptions().eta_plus == 1.2);
  CHECK(RpropOptions().step_min == 1e-6);
  CHECK(RpropOptions().step_max == 50);
  CHECK(rate(ASGDOptions()) == 1e-2);
  CHECK(ASGDOptions().lambda == 1e-4);
  CHECK(ASGDOptions().alpha == 0.75);
  CHECK(ASGDOptions().start == 1'000'000);
  CHECK(rate(LionOptions()) == 1e-4);
  CHECK(LionOptions().beta1 == 0.9);
  CHECK(LionOptions().beta2 == 0.99);
  CHECK(AdaBeliefOptions().epsilon == 1e-16);
  CHECK(AdaBeliefOptions().epsilon_root == 1e-16);
  CHECK(YogiOptions().epsilon == 1e-3);
  CHECK(AdaBoundOptions().final_learning_rate == 0.1);
  CHECK(AdaBoundOptions().gamma == 1e-3);
  CHECK(AdanOptions().beta1 == 0.98);
  CHECK(AdanOptions().beta2 == 0.92);
  CHECK(AdanOptions().beta3 == 0.99);
  CHECK(AdanOptions().proximal);
  CHECK(AdEMAMixOptions().beta3 == 0.9999);
  CHECK(AdEMAMixOptions().alpha == 5);
  CHECK(ADOPTOptions().beta2 == 0.9999);
  CHECK(ADOPTOptions().epsilon == 1e-6);
  CHECK(QHMOptions().nu == 0.7);
  CHECK(QHMOptions().momentum == 0.999);
  const auto no_decay = [](const auto&... options) { return ((options.weight_decay == 0) && ...); };
  CHECK(no_decay(AdagradOptions(), AdadeltaOptions(), RMSpropOptions(), AdaMaxOptions(),
                 NAdamOptions(), RAdamOptions(), ASGDOptions(), LionOptions(), AdaBeliefOptions(),
                 AdaBoundOptions(), AdanOptions(), AdEMAMixOptions(), ADOPTOptions(), QHMOptions(),
                 QHAdamOptions(), SignDescentOptions(), AdamOptions(), SGDOptions()));
  CHECK(RMSpropOptions().momentum == 0);
  CHECK_FALSE(RMSpropOptions().centered);
}
