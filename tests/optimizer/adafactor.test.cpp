// Adafactor: its paper's loop, factored and not, and what its clip and its scale do.
#include <descent/optimizer/adafactor.hpp>

#include "support/allocations.hpp"
#include "support/bits.hpp"
#include "support/catch.hpp"

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

using descent::Adafactor;
using descent::AdafactorOptions;
using descent_test::Numbers;
using descent_test::same_bits;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

double rms(const auto& x) {
  return x.norm() / std::sqrt(double(x.size()));
}

}  // namespace

// One pass for v and u, with the sums of u and x; one for the step.
static_assert(Adafactor<>::passes == 2);
// Matrix code makes u; what it makes is summed, and scaled.
static_assert(Adafactor<MatrixXd>::passes == 3);

TEST_CASE("Adafactor is its paper's Algorithm 5, in float and double", "[adafactor]") {
  const auto check = [](auto real, const AdafactorOptions& o, double tolerance) {
    using Real = decltype(real);
    using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
    Adafactor<V> adafactor(o);
    V x = Numbers(1).vector<Real>(37);
    VectorXd y = x.template cast<double>(), v = VectorXd::Zero(37), m = v;
    Numbers numbers(2);
    for (int t = 1; t <= 60; ++t) {
      const V noise = numbers.vector<Real>(37);
      const V g = x + noise;
      adafactor.step(x, g);
      const VectorXd h = y + noise.template cast<double>();
      const double beta = 1 - std::pow(double(t), -o.decay_power);
      v = beta * v.array() + (1 - beta) * (h.array().square() + o.epsilon);
      VectorXd u = h.array() / v.array().sqrt();
      u /= std::max(1.0, rms(u) / o.clipping_threshold);
      u *= o.learning_rate(t - 1);
      if (o.scale_by_parameters) u *= std::max(rms(y), o.min_scale);
      m = o.momentum * m + (1 - o.momentum) * u;
      y -= m + o.weight_decay * y;
    }
    CAPTURE(sizeof real, o.momentum, o.weight_decay, o.clipping_threshold);
    CHECK((x.template cast<double>() - y).cwiseAbs().maxCoeff() <= tolerance);
  };
  for (const AdafactorOptions& o :
       {AdafactorOptions{},
        AdafactorOptions{.learning_rate = 0.1, .scale_by_parameters = false, .momentum = 0.5},
        AdafactorOptions{.learning_rate = 0.1, .decay_power = 0.5, .clipping_threshold = 0.25},
        AdafactorOptions{.epsilon = 0.5, .min_scale = 10, .weight_decay = 0.01}}) {
    check(0.0, o, 1e-13);
    check(0.0f, o, 5e-5);
  }
}

TEST_CASE("Adafactor's clip bounds the step, and lets short ones pass", "[adafactor]") {
  const auto length = [](double threshold) {
    Adafactor adafactor(
        {.learning_rate = 1, .clipping_threshold = threshold, .scale_by_parameters = false});
    VectorXd x = VectorXd::Zero(16);
    adafactor.step(x, VectorXd::Constant(16, 1e-3).eval());
    CHECK(rms(x) == Approx(std::min(threshold, 1.0)));  // the first u has an RMS of 1
    const VectorXd before = x;
    adafactor.step(x, VectorXd::Constant(16, 1e3).eval());  // and this one of about √2
    return rms(VectorXd(x - before));
  };
  CHECK(length(1) == Approx(1));
  CHECK(length(0.125) == Approx(0.125));
  CHECK(length(100) == Approx(std::sqrt(1 / std::pow(2.0, -0.8))).epsilon(1e-5));
}

TEST_CASE("Adafactor's step is relative to the parameters, but for small ones", "[adafactor]") {
  const auto length = [](double size) {
    Adafactor adafactor({.learning_rate = 0.5});
    const VectorXd start = VectorXd::Constant(9, size);
    VectorXd x = start;
    adafactor.step(x, VectorXd::Ones(9).eval());
    return rms(VectorXd(x - start));
  };
  CHECK(length(4) == Approx(2));
  CHECK(length(0x1p40) == Approx(0x1p39));
  CHECK(length(0) == Approx(0.5e-3));
}

TEST_CASE("the default rate of Adafactor is the paper's", "[adafactor]") {
  const AdafactorOptions o;
  CHECK(o.learning_rate(0) == 1e-2);
  CHECK(o.learning_rate(9'999) == 1e-2);
  CHECK(o.learning_rate(1'000'000 - 1) == 1e-3);
}

TEST_CASE("Adafactor treats a matrix alike by rows and by columns", "[adafactor]") {
  for (const std::int64_t min_dim : {2, 128}) {
    const AdafactorOptions o{.learning_rate = 0.1, .momentum = 0.5, .min_dim_to_factor = min_dim};
    Adafactor<Rows> of_rows(o);
    Adafactor<MatrixXd> of_columns(o);
    Rows x = Rows::Ones(4, 3);
    MatrixXd y = x, g(4, 3);
    Numbers numbers(7);
    for (int t = 0; t < 20; ++t) {
      numbers.fill(g);
      of_rows.step(x, Rows(g));
      of_columns.step(y, g);
    }
    CHECK(x.isApprox(y, 1e-12));
    CHECK_FALSE(y.isApproxToConstant(1, 1e-2));
  }
}

TEST_CASE("a second moment of rank one has the factors that it is made of", "[adafactor]") {
  // g_ij = a_i b_j: the factored form is the form itself.
  const VectorXd a = Numbers(3).vector<double>(5), b = Numbers(4).vector<double>(7);
  const MatrixXd g = a * b.transpose();
  Adafactor<MatrixXd> factored({.min_dim_to_factor = 2}), itself;
  MatrixXd x = MatrixXd::Ones(5, 7), y = x;
  for (int t = 0; t < 10; ++t) {
    factored.step(x, g);
    itself.step(y, g);
  }
  CHECK(x.isApprox(y, 1e-12));
  CHECK(factored.slot_bytes() == 0);
}

TEST_CASE("the state of a factored second moment is rows and columns, a value, and no more",
          "[adafactor]") {
  Adafactor<MatrixXd> one({.momentum = 0.9, .min_dim_to_factor = 2});
  MatrixXd x = MatrixXd::Ones(4, 3), g(4, 3);
  Numbers(5).fill(g);
  one.step(x, g);
  auto other = one;
  CHECK(other.state() == one.state());
  MatrixXd y = x;
  one.step(x, g);
  CHECK_FALSE(other.state() == one.state());
  other.step(y, g);
  CHECK(other.state() == one.state());
  CHECK(same_bits(x, y));
  const auto allocated = descent_test::allocated_by([&] {
    for (int t = 0; t < 10; ++t) one.step(x, g);
  });
  CHECK(allocated == descent_test::Allocations{});
  one.reset();
  CHECK(one.state() == Adafactor<MatrixXd>().state());
}

TEST_CASE("a matrix is factored where both its sides are long enough", "[adafactor]") {
  const auto factored = [](Eigen::Index rows, Eigen::Index cols) {
    Adafactor<MatrixXd> adafactor({.min_dim_to_factor = 3});
    MatrixXd x = MatrixXd::Ones(rows, cols);
    adafactor.step(x, x);
    const auto& state = std::get<0>(adafactor.state().matrices);
    CHECK(Eigen::Index(state.all.size()) == (state.rows.empty() ? rows * cols : 0));
    return Eigen::Index(state.rows.size()) == rows && Eigen::Index(state.cols.size()) == cols;
  };
  CHECK(factored(3, 5));
  CHECK(factored(5, 3));
  CHECK(factored(3, 3));
  CHECK_FALSE(factored(2, 5));
  CHECK_FALSE(factored(5, 2));
}

TEST_CASE("a zero gradient moves nothing, in vectors and matrices", "[adafactor]") {
  Adafactor of_vector;
  VectorXd x = Numbers(6).vector<double>(9);
  const VectorXd start = x;
  for (int t = 0; t < 3; ++t) of_vector.step(x, VectorXd::Zero(9).eval());
  CHECK(same_bits(x, start));
  Adafactor<MatrixXd> of_matrix({.min_dim_to_factor = 1});
  MatrixXd y = MatrixXd::Ones(3, 3);
  for (int t = 0; t < 3; ++t) of_matrix.step(y, MatrixXd::Zero(3, 3).eval());
  CHECK((y.array() == 1).all());
}

TEST_CASE("NaN in one coefficient stays visible", "[adafactor]") {
  Adafactor adafactor;
  VectorXd x = VectorXd::Ones(5);
  adafactor.step(x, VectorXd{{1, 1, std::numeric_limits<double>::quiet_NaN(), 1, 1}});
  CHECK(std::isnan(x[2]));
}
