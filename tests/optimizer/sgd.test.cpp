// SGD: plain loops, and the slips of some texts.
#include <descent/optimizer/sgd.hpp>

#include "support/bits.hpp"
#include "support/catch.hpp"
#include "support/scalar_loops.hpp"

#include <Eigen/Core>

#include <cmath>
#include <cstdint>
#include <vector>

using descent::SGD;
using descent::SGDOptions;
using descent_test::Numbers;
using descent_test::same_bits;
using descent_test::ScalarSgd;
using descent_test::SgdSlip;
using Eigen::VectorXd;

TEST_CASE("SGD is a plain loop, to the bit", "[sgd]") {
  const std::vector<SGDOptions> all{
      {.learning_rate = 0.01},
      {.learning_rate = 0.01, .weight_decay = 0.25},
      {.learning_rate = 0.01, .momentum = 0.9},
      {.learning_rate = 0.01, .momentum = 0.9, .dampening = 0.3},
      {.learning_rate = 0.01, .momentum = 0.9, .dampening = 1},
      {.learning_rate = 0.01, .dampening = 0.5},
      {.learning_rate = 0.01, .momentum = 0.9, .nesterov = true, .weight_decay = 0.25}};
  for (const SGDOptions& o : all) {
    const auto check = [&](auto real) {
      using Real = decltype(real);
      using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
      SGD<V> sgd(o);
      ScalarSgd<Real> loop{.rate = 0.01,
                           .momentum = o.momentum,
                           .dampening = o.dampening,
                           .decay = o.weight_decay,
                           .nesterov = o.nesterov};
      V x = Numbers(1).vector<Real>(37), y = x;
      Numbers numbers(2);
      bool same = true;
      for (int t = 0; t < 300; ++t) {
        const V noise = numbers.vector<Real>(37);
        sgd.step(x, (x + noise).eval());
        loop.step(y, (y + noise).eval());
        same = same && same_bits(x, y);
      }
      CAPTURE(o.momentum, o.dampening, o.nesterov, o.weight_decay, sizeof real);
      CHECK(same);
      CHECK(sgd.momentum_buffer().size() == (o.momentum == 0 ? 0 : 37));
      if (o.momentum != 0)
        CHECK(same_bits(sgd.momentum_buffer(), Eigen::Map<V>(loop.b.data(), 37)));
    };
    check(0.0);
    check(0.0f);
  }
}

TEST_CASE("each slip of some texts gives other numbers than SGD's", "[sgd][slip]") {
  const auto distance = [](const SGDOptions& o, SgdSlip slip, int steps) {
    SGD sgd(o);
    ScalarSgd<double> loop{.momentum = o.momentum,
                           .dampening = o.dampening,
                           .nesterov = o.nesterov,
                           .slip = slip,
                           .samples = 8};
    VectorXd x = Numbers(3).vector<double>(8), y = x;
    Numbers numbers(4);
    for (int t = 0; t < steps; ++t) {
      const VectorXd noise = numbers.vector<double>(8);
      loop.rate = o.learning_rate(t);
      sgd.step(x, (x + noise).eval());
      loop.step(y, (y + noise).eval());
    }
    return (x - y).cwiseAbs().maxCoeff();
  };
  const descent::Schedule falling = [](std::int64_t k) { return 0.1 / (1.0 + double(k)); };
  const SGDOptions plain{.learning_rate = 0.1}, momentum{.learning_rate = 0.1, .momentum = 0.9},
      changing{.learning_rate = falling, .momentum = 0.9},
      dampened{.learning_rate = 0.1, .momentum = 0.9, .dampening = 0.5},
      nesterov{.learning_rate = 0.1, .momentum = 0.9, .nesterov = true};
  for (const SGDOptions& o : {plain, momentum, changing, dampened, nesterov})
    CHECK(distance(o, SgdSlip::none, 50) == 0);
  // The gradient of one sample divided by n = 8 moves x by an eighth.
  CHECK(distance(plain, SgdSlip::divided_by_n, 1) > 0.05);
  CHECK(distance(momentum, SgdSlip::divided_by_n, 50) > 0.05);
  // The rate inside of the sum is the same as long as the rate is, and no longer.
  CHECK(distance(momentum, SgdSlip::rate_inside, 50) < 1e-14);
  CHECK(distance(changing, SgdSlip::rate_inside, 50) > 1e-3);
  CHECK(distance(dampened, SgdSlip::dampened_at_once, 1) > 0.01);
  CHECK(distance(nesterov, SgdSlip::nesterov_of_old_buffer, 1) > 0.05);
}

TEST_CASE("SGD's momentum buffer begins as the gradient", "[sgd]") {
  SGD sgd({.learning_rate = 0.5, .momentum = 0.5, .dampening = 0.75});
  CHECK(sgd.momentum_buffer().size() == 0);
  VectorXd x = VectorXd::Zero(3);
  const VectorXd g = VectorXd::Constant(3, 4);
  sgd.step(x, g);
  CHECK((sgd.momentum_buffer().array() == 4).all());
  CHECK((x.array() == -2).all());
  sgd.step(x, g);
  CHECK((sgd.momentum_buffer().array() == 0.5 * 4 + 0.25 * 4).all());
  CHECK((x.array() == -3.5).all());
  sgd.reset();
  sgd.step(x, g);
  CHECK((sgd.momentum_buffer().array() == 4).all());
}

TEST_CASE("a momentum of zero has no buffer, and moves no memory", "[sgd]") {
  SGD plain({.weight_decay = 0.1}), momentum({.momentum = 0.9, .weight_decay = 0.1});
  VectorXd x = VectorXd::Ones(37);
  plain.step(x, x.eval());
  momentum.step(x, x.eval());
  CHECK(plain.slot_bytes() == 0);
  CHECK(plain.momentum_buffer().size() == 0);
  CHECK(plain.state().slots.count() == 0);
  CHECK(momentum.slot_bytes() == 37 * sizeof(double));
  CHECK(momentum.momentum_buffer().size() == 37);
}

TEST_CASE("SGD's defaults", "[sgd]") {
  const SGDOptions o;
  CHECK(o.learning_rate(0) == 1e-3);
  CHECK(o.momentum == 0);
  CHECK(o.dampening == 0);
  CHECK(o.weight_decay == 0);
  CHECK_FALSE(o.nesterov);
  CHECK(SGD<>::gradients == descent::Gradients::sampled);
}
