#include <descent/transform/clip_by_global_norm.hpp>

#include "support/bits.hpp"
#include "support/catch.hpp"
#include "support/reference.hpp"

#include <descent/engine/stepper.hpp>
#include <descent/transform/scale_by_learning_rate.hpp>

#include <Eigen/Core>

#include <cmath>
#include <limits>

using namespace descent;
using descent_test::Numbers;
using Eigen::Index;

namespace {

// What clipping makes of g: a step of -1 from zero.
template <class Real>
Eigen::Matrix<Real, Eigen::Dynamic, 1> clipped(const Eigen::Matrix<Real, Eigen::Dynamic, 1>& g,
                                               double max_norm) {
  using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
  auto optimizer = chain<V>(clip_by_global_norm(max_norm), scale_by_learning_rate(1));
  V x = V::Zero(g.size());
  optimizer.step(x, g);
  return -x;
}

}  // namespace

TEST_CASE("clipping by the global norm agrees with PyTorch", "[reference]") {
  int compared = 0, overflowed = 0, others = 0;
  const auto record = descent_test::load_record("misc/clip");
  for (const auto& row : record.blocks("case")) {
    if (!row.has("norm_type") || row.number("norm_type") != 2) {
      ++others;  // other norms, and clipping by value, are not this transform's
      continue;
    }
    const Eigen::VectorXd g = row.numbers("g"), expected = row.numbers("out");
    const double max_norm = row.number("max_norm");
    const Eigen::VectorXd ours = clipped<double>(g, max_norm);
    CAPTURE(g.transpose(), max_norm, ours.transpose(), expected.transpose());
    REQUIRE(ours.size() == expected.size());
    if (std::isinf(row.number("total_norm")) && g.allFinite()) {
      // PyTorch's norm overflows here and its update vanishes; ours is clipped as it should be.
      ++overflowed;
      CHECK((expected.array() == 0).all());
      CHECK(ours.norm() == Approx(max_norm).epsilon(1e-12));
      CHECK(ours.isApprox(g / g.stableNorm() * max_norm, 1e-12));
      continue;
    }
    ++compared;
    for (Index i = 0; i < g.size(); ++i) {
      if (std::isnan(expected[i])) {
        CHECK(std::isnan(ours[i]));
      } else {
        CHECK(std::abs(ours[i] - expected[i]) <= 1e-12 * std::abs(expected[i]));
      }
    }
  }
  CAPTURE(compared, overflowed, others);
  CHECK(compared + overflowed + others == 75);
  CHECK(compared + overflowed == 15);
}

TEST_CASE("clipping shortens to the norm and keeps the direction, at any magnitude",
          "[transform]") {
  const auto check = [](auto real, double magnitude, double max_norm) {
    using Real = decltype(real);
    using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
    const double tolerance = 8 * static_cast<double>(std::numeric_limits<Real>::epsilon());
    for (const Index n : {1, 2, 3, 7, 8, 9, 31, 64, 1000, 5000}) {
      Eigen::VectorXd exact = Numbers(std::uint64_t(n)).vector<double>(n);
      exact.array() += 0.25;
      const V g = (magnitude * exact).template cast<Real>();
      const Eigen::VectorXd in_double = g.template cast<double>();
      const double norm = in_double.stableNorm();
      const V ours = clipped<Real>(g, max_norm);
      const double scale = std::min(1.0, max_norm / (norm + 1e-6));
      CAPTURE(sizeof real, magnitude, max_norm, n);
      CHECK(ours.allFinite());
      // A factor below the smallest normal number has fewer digits, and so has what it scales.
      if (scale < static_cast<double>(std::numeric_limits<Real>::min())) continue;
      CHECK(ours.template cast<double>().stableNorm() <= max_norm * (1 + tolerance));
      CHECK(((ours.template cast<double>() - scale * in_double).array().abs() <=
             tolerance * (scale * in_double).array().abs())
                .all());
    }
  };
  for (const double magnitude : {1e-300, 1e-170, 1e-8, 1.0, 1e8, 1e200, 1e305}) {
    for (const double max_norm : {1e-3, 1.0, 1e10}) check(0.0, magnitude, max_norm);
  }
  check(0.0, 1e-170, 1e-172);
  check(0.0, 1e-300, 1e-305);
  for (const float magnitude : {1e-30f, 1e-15f, 1.0f, 1e15f, 1e30f, 1e35f}) {
    for (const double max_norm : {1e-3, 1.0, 1e10}) check(0.0f, double(magnitude), max_norm);
  }
}

TEST_CASE("a gradient within the norm passes unchanged, to the bit", "[transform]") {
  const Eigen::VectorXd g = Numbers(1).vector<double>(37);
  CHECK(descent_test::same_bits(clipped<double>(g, g.norm() + 2e-6), g));
  CHECK_FALSE(descent_test::same_bits(clipped<double>(g, g.norm()), g));
  CHECK((clipped<double>(Eigen::VectorXd::Zero(5), 1e-300).array() == 0).all());
  CHECK(clipped<double>(Eigen::VectorXd(0), 1).size() == 0);
}

TEST_CASE("clipping keeps NaN and infinity visible", "[transform]") {
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    for (Index n = 1; n <= 17; ++n) {
      for (Index i = 0; i < n; ++i) {
        Eigen::VectorXd g = Eigen::VectorXd::Ones(n);
        g[i] = bad;
        if (clipped<double>(g, 1).allFinite()) {
          CAPTURE(n, i, bad);
          CHECK_FALSE(clipped<double>(g, 1).allFinite());
        }
      }
    }
  }
}

TEST_CASE("clipping works on matrices and fixed sizes, by the norm over all coefficients",
          "[transform]") {
  const Eigen::MatrixXd g = Eigen::MatrixXd::Constant(4, 9, 0.5);
  auto of_matrix = chain<Eigen::MatrixXd>(clip_by_global_norm(1), scale_by_learning_rate(1));
  Eigen::MatrixXd x = Eigen::MatrixXd::Zero(4, 9);
  of_matrix.step(x, g);
  CHECK(x.norm() == Approx(1 / (1 + 1e-6 / 3)).epsilon(1e-14));

  auto fixed = chain<Eigen::Vector3f>(clip_by_global_norm(1), scale_by_learning_rate(1));
  Eigen::Vector3f y = Eigen::Vector3f::Zero();
  fixed.step(y, Eigen::Vector3f(0, 3, 4));
  CHECK(y[1] == Approx(-0.6).epsilon(1e-6));
  CHECK(y[2] == Approx(-0.8).epsilon(1e-6));
}
