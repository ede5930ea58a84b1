#include <descent/transform/trace.hpp>

#include "support/bits.hpp"
#include "support/catch.hpp"

#include <descent/engine/stepper.hpp>
#include <descent/transform/scale_by_learning_rate.hpp>

#include <Eigen/Core>

#include <cmath>
#include <limits>
#include <vector>

using descent::TraceOptions;
using descent_test::Numbers;
using descent_test::same_bits;

namespace {

template <class Real>
void check_loop(const TraceOptions& o) {
  using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
  auto chain = descent::chain<V>(descent::trace(o), descent::scale_by_learning_rate(0.5));
  V x = Numbers(1).vector<Real>(37), y = x, b = V::Zero(37);
  Numbers numbers(2);
  bool same = true;
  for (int t = 1; t <= 50; ++t) {
    const V g = numbers.vector<Real>(37);
    chain.step(x, g);
    const auto mu = static_cast<Real>(o.momentum),
               gain = static_cast<Real>(t == 1 ? 1 : 1 - o.dampening);
    for (Eigen::Index i = 0; i < 37; ++i) {
      b[i] = mu * b[i] + gain * g[i];
      const Real update = o.momentum == 0 ? g[i] : o.nesterov ? g[i] + mu * b[i] : b[i];
      y[i] = y[i] + Real(-0.5) * update;
    }
    same = same && same_bits(x, y);
  }
  CAPTURE(o.momentum, o.dampening, o.nesterov, sizeof(Real));
  CHECK(same);
  CHECK(chain.passes == 1);
  CHECK(chain.slot_bytes() == (o.momentum == 0 ? 0 : 37 * sizeof(Real)));
  CHECK(chain.template slot<0>(0).size() == (o.momentum == 0 ? 0 : 37));
  CHECK(chain.template slot<0>(1).size() == 0);
  if (o.momentum != 0) CHECK(same_bits(chain.template slot<0>(0), b));
}

}  // namespace

TEST_CASE("trace is a decaying sum of gradients", "[transform]") {
  const std::vector<TraceOptions> all{{},
                                      {.momentum = 0},
                                      {.momentum = 0, .dampening = 0.5},
                                      {.momentum = 0.5, .dampening = 0.25},
                                      {.momentum = 0.5, .dampening = 1},
                                      {.momentum = 0.9, .nesterov = true}};
  for (const TraceOptions& o : all) {
    check_loop<double>(o);
    check_loop<float>(o);
  }
}

TEST_CASE("with constant gradients the trace is a geometric sum", "[transform]") {
  auto chain =
      descent::chain(descent::trace({.momentum = 0.5}), descent::scale_by_learning_rate(1));
  Eigen::VectorXd x = Eigen::VectorXd::Zero(3);
  for (int t = 1; t <= 40; ++t) {
    chain.step(x, Eigen::VectorXd::Ones(3).eval());
    CHECK(chain.slot<0>(0)[1] == 2 - std::ldexp(1.0, 1 - t));
  }
}

TEST_CASE("the trace is flushed below the smallest normal, NaN and infinity stay", "[transform]") {
  using Limits = std::numeric_limits<double>;
  auto chain =
      descent::chain(descent::trace({.momentum = 0.5}), descent::scale_by_learning_rate(1));
  Eigen::VectorXd x = Eigen::VectorXd::Zero(4);
  const Eigen::VectorXd g{
      {Limits::min(), 2 * Limits::min(), Limits::quiet_NaN(), -Limits::infinity()}};
  chain.step(x, g);
  CHECK(chain.slot<0>(0)[0] == Limits::min());
  chain.step(x, Eigen::VectorXd::Zero(4).eval());
  CHECK(chain.slot<0>(0)[0] == 0);
  CHECK(chain.slot<0>(0)[1] == Limits::min());
  CHECK(std::isnan(chain.slot<0>(0)[2]));
  CHECK(chain.slot<0>(0)[3] == -Limits::infinity());
}
