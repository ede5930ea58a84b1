// The numbers of Adam as a whole are in tests/optimizer/adam.test.cpp; here is what is the transform's own.
#include <descent/transform/scale_by_adam.hpp>

#include "support/bits.hpp"
#include "support/catch.hpp"
#include "support/scalar_loops.hpp"

#include <descent/engine/stepper.hpp>
#include <descent/transform/scale_by_learning_rate.hpp>

#include <Eigen/Core>

#include <cmath>
#include <limits>
#include <vector>

using descent::ScaleByAdam;
using descent::ScaleByAdamOptions;
using descent_test::Numbers;
using descent_test::same_bits;

namespace {

template <class Real>
void check_loop(const ScaleByAdamOptions& o) {
  using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
  auto chain = descent::chain<V>(descent::scale_by_adam(o), descent::scale_by_learning_rate(0.01));
  descent_test::ScalarAdam<Real> loop{.rate = 0.01,
                                      .beta1 = o.beta1,
                                      .beta2 = o.beta2,
                                      .epsilon = o.epsilon,
                                      .amsgrad = o.amsgrad,
                                      .folded = o.folded};
  V x = Numbers(1).vector<Real>(19), y = x;
  Numbers numbers(2);
  bool same = true;
  for (int t = 0; t < 300; ++t) {  // beyond the first power that is found afresh
    const V g = numbers.vector<Real>(19);
    chain.step(x, g);
    loop.step(y, g);
    same = same && same_bits(x, y);
  }
  CAPTURE(o.beta1, o.beta2, o.epsilon, o.amsgrad, o.folded, sizeof(Real));
  CHECK(same);
  CHECK(same_bits(chain.template slot<0>(0), Eigen::Map<V>(loop.m.data(), 19)));
  CHECK(same_bits(chain.template slot<0>(1), Eigen::Map<V>(loop.v.data(), 19)));
  CHECK(chain.template slot<0>(2).size() == (o.amsgrad ? 19 : 0));
  if (o.amsgrad)
    CHECK(same_bits(chain.template slot<0>(2), Eigen::Map<V>(loop.largest.data(), 19)));
}

}  // namespace

TEST_CASE("scale_by_adam is its formula, to the bit", "[transform]") {
  const std::vector<ScaleByAdamOptions> all{{},
                                            {.beta1 = 0},
                                            {.beta2 = 0},
                                            {.epsilon = 0},
                                            {.beta1 = 0.5, .beta2 = 0.25, .epsilon = 0.5},
                                            {.beta2 = 0.5, .amsgrad = true},
                                            {.folded = true},
                                            {.beta2 = 0.5, .amsgrad = true, .folded = true}};
  for (const ScaleByAdamOptions& o : all) {
    check_loop<double>(o);
    check_loop<float>(o);
  }
}

TEST_CASE("1 - beta is subtracted in double and rounded once", "[transform]") {
  auto chain = descent::chain<Eigen::VectorXf>(descent::scale_by_adam(),
                                               descent::scale_by_learning_rate(0.01));
  Eigen::VectorXf x = Eigen::VectorXf::Zero(1);
  chain.step(x, Eigen::VectorXf::Ones(1).eval());
  CHECK(chain.slot<0>(0)[0] == static_cast<float>(1 - 0.9));
  CHECK(chain.slot<0>(1)[0] == static_cast<float>(1 - 0.999));
  CHECK(static_cast<float>(1 - 0.999) != 1 - 0.999f);
}

TEST_CASE("the second moment's limit is the largest number with a finite square", "[transform]") {
  const auto check = [](auto real) {
    using Real = decltype(real);
    const Real limit = ScaleByAdam::gradient_limit<Real>();
    const Real next = std::nextafter(limit, std::numeric_limits<Real>::max());
    const volatile Real square = limit * limit, square_of_next = next * next;
    CHECK(std::isfinite(square));
    CHECK(std::isinf(square_of_next));
  };
  check(0.0);
  check(0.0f);
}

TEST_CASE("the largest second moment keeps a NaN, and drops none", "[transform]") {
  auto chain = descent::chain(descent::scale_by_adam({.amsgrad = true}),
                              descent::scale_by_learning_rate(0.01));
  Eigen::VectorXd x = Eigen::VectorXd::Zero(2), g = Eigen::VectorXd::Ones(2);
  chain.step(x, g);
  g[1] = std::numeric_limits<double>::quiet_NaN();
  chain.step(x, g);
  g[1] = 1;
  chain.step(x, g);
  CHECK(std::isnan(chain.slot<0>(2)[1]));
  CHECK(std::isnan(x[1]));
  CHECK(std::isfinite(x[0]));
}
