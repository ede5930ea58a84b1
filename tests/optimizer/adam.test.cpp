// Adam: the closed forms of its paper, and the slips of some texts.
#include <descent/optimizer/adam.hpp>

#include "support/bits.hpp"
#include "support/catch.hpp"
#include "support/scalar_loops.hpp"

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <vector>

using descent::Adam;
using descent::AdamOptions;
using descent_test::AdamSlip;
using descent_test::Numbers;
using descent_test::one_minus_power;
using descent_test::same_bits;
using descent_test::ScalarAdam;
using Eigen::VectorXd;
using Eigen::VectorXf;

namespace {

// The distance of two points after some steps with the same gradients, which depend on each one's x.
template <class A, class B>
double distance(A ours, B theirs, int steps, double scale = 1) {
  VectorXd x = Numbers(3).vector<double>(8), y = x;
  Numbers numbers(4);
  for (int t = 0; t < steps; ++t) {
    const VectorXd noise = scale * numbers.vector<double>(8);
    ours.step(x, (scale * x + noise).eval());
    theirs.step(y, (scale * y + noise).eval());
  }
  return (x - y).cwiseAbs().maxCoeff();
}

}  // namespace

TEST_CASE("Adam is its paper's Algorithm 1, to the bit", "[adam]") {
  const std::vector<AdamOptions> all{
      {.learning_rate = 0.01},
      {.learning_rate = 0.1, .beta1 = 0, .beta2 = 0.5},
      {.learning_rate = 0.01, .beta1 = 0.5, .beta2 = 0, .epsilon = 0.125},
      {.learning_rate = 0.01, .weight_decay = 0.1},
      {.learning_rate = 0.01, .beta2 = 0.9, .amsgrad = true},
      {.learning_rate = 0.01, .folded = true},
      {.learning_rate = 0.01, .beta2 = 0.9, .weight_decay = 0.1, .amsgrad = true, .folded = true}};
  for (const AdamOptions& o : all) {
    const auto check = [&](auto real) {
      using Real = decltype(real);
      using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
      Adam<V> adam(o);
      ScalarAdam<Real> loop{.rate = o.learning_rate(0),
                            .beta1 = o.beta1,
                            .beta2 = o.beta2,
                            .epsilon = o.epsilon,
                            .decay = o.weight_decay,
                            .amsgrad = o.amsgrad,
                            .folded = o.folded};
      V x = Numbers(1).vector<Real>(37), y = x;
      Numbers numbers(2);
      bool same = true;
      for (int t = 0; t < 300; ++t) {
        const V noise = numbers.vector<Real>(37);
        adam.step(x, (x + noise).eval());
        loop.step(y, (y + noise).eval());
        same = same && same_bits(x, y);
      }
      CAPTURE(o.beta1, o.beta2, o.epsilon, o.weight_decay, o.amsgrad, o.folded, sizeof real);
      CHECK(same);
      CHECK(same_bits(adam.first_moment(), Eigen::Map<V>(loop.m.data(), 37)));
      CHECK(same_bits(adam.second_moment(), Eigen::Map<V>(loop.v.data(), 37)));
      CHECK(adam.largest_second_moment().size() == (o.amsgrad ? 37 : 0));
    };
    check(0.0);
    check(0.0f);
  }
}

TEST_CASE("Adam's corrected moments are the weighted means of the gradients", "[adam]") {
  // m-hat = sum of beta1^(t-i) g_i / sum of beta1^(t-i), v-hat likewise with beta2 and g_i squared.
  Adam adam({.learning_rate = 1e-3, .epsilon = 0});
  VectorXd x = VectorXd::Zero(3);
  Numbers numbers(7);
  std::vector<VectorXd> gradients;
  for (int t = 1; t <= 1000; ++t) {
    gradients.push_back(numbers.vector<double>(3).array() + 0.25);
    const VectorXd before = x;
    adam.step(x, gradients.back());
    if (t != 1 && t != 2 && t != 10 && t != 1000) continue;
    for (Eigen::Index i = 0; i < 3; ++i) {
      const auto b1 = static_cast<long double>(0.9), b2 = static_cast<long double>(0.999);
      long double m = 0, v = 0, of_m = 0, of_v = 0, w1 = 1, w2 = 1;
      for (int k = t; k-- > 0; w1 *= b1, w2 *= b2) {
        const auto g = static_cast<long double>(gradients[std::size_t(k)][i]);
        m += w1 * g;
        v += w2 * g * g;
        of_m += w1;
        of_v += w2;
      }
      const auto mean = static_cast<double>(m / of_m), square = static_cast<double>(v / of_v);
      CAPTURE(t, i);
      CHECK(std::abs(adam.first_moment()[i] / one_minus_power(0.9, t) - mean) <= 1e-13);
      CHECK(std::abs(adam.second_moment()[i] / one_minus_power(0.999, t) - square) <= 1e-13);
      CHECK(std::abs(x[i] - (before[i] - 1e-3 * mean / std::sqrt(square))) <= 1e-15);
    }
  }
}

TEST_CASE("with a constant gradient Adam's moments are g and g squared", "[adam]") {
  const auto worst = [](auto real) {
    using Real = decltype(real);
    using V = Eigen::Matrix<Real, 4, 1>;
    Adam<V> adam;
    const V g(Real(3), Real(-0.001), Real(1e-5), Real(70));
    V x = V::Zero();
    double of_m = 0, of_v = 0;
    for (int t = 1; t <= 20'000; ++t) {
      adam.step(x, g);
      const double bc1 = one_minus_power(0.9, t), bc2 = one_minus_power(0.999, t);
      for (Eigen::Index i = 0; i < 4; ++i) {
        const double gi = static_cast<double>(g[i]);
        of_m = std::max(of_m, std::abs(static_cast<double>(adam.first_moment()[i]) / bc1 / gi - 1));
        of_v = std::max(
            of_v, std::abs(static_cast<double>(adam.second_moment()[i]) / bc2 / (gi * gi) - 1));
      }
    }
    return std::max(of_m, of_v);
  };
  CHECK(worst(0.0) <= 1e-13);
  CHECK(worst(0.0f) <= 1e-4);
}

TEST_CASE("Adam's first step is the learning rate, up to epsilon", "[adam]") {
  for (const double magnitude : {1e-150, 1e-12, 1e-8, 1e-6, 1e-4, 1.0, 1e5, 1e150}) {
    for (const double g : {magnitude, -magnitude}) {
      Adam<Eigen::Matrix<double, 1, 1>> adam({.learning_rate = 1e-3});
      Eigen::Matrix<double, 1, 1> x(0.0);
      adam.step(x, Eigen::Matrix<double, 1, 1>(g));
      CAPTURE(g);
      CHECK(std::abs(x[0] / (-1e-3 * g / (std::abs(g) + 1e-8)) - 1) <= 1e-15);
      if (magnitude >= 1e-4) CHECK(std::abs(x[0] + std::copysign(1e-3, g)) <= 1e-7);
    }
  }
  // With epsilon inside of the root, or before the correction, the first would be ten times shorter.
  Adam<Eigen::Matrix<double, 1, 1>> adam({.learning_rate = 1e-3});
  Eigen::Matrix<double, 1, 1> x(0.0);
  adam.step(x, Eigen::Matrix<double, 1, 1>(1e-6));
  CHECK(-x[0] == Approx(9.90099e-4).epsilon(1e-5));
}

TEST_CASE("in Adam's folded form epsilon acts stronger, 31.6 times at the first step", "[adam]") {
  // A step with gradients g is alpha g/(|g| + e): what is e?
  const double g = 1e-4, epsilon = 1e-5, rate = 1;
  using V1 = Eigen::Matrix<double, 1, 1>;
  Adam<V1> paper({.learning_rate = rate, .epsilon = epsilon}),
      folded({.learning_rate = rate, .epsilon = epsilon, .folded = true});
  V1 x(0.0), y(0.0);
  for (int t = 1; t <= 1000; ++t) {
    const double x_before = x[0], y_before = y[0];
    paper.step(x, V1(g));
    folded.step(y, V1(g));
    const double of_paper = rate * g / (x_before - x[0]) - g,
                 of_folded = rate * g / (y_before - y[0]) - g;
    CAPTURE(t);
    if (t <= 10 || t % 100 == 0) {
      CHECK(of_paper / epsilon == Approx(1).epsilon(1e-9));
      CHECK(of_folded / epsilon == Approx(1 / std::sqrt(one_minus_power(0.999, t))).epsilon(1e-9));
    }
    if (t == 1) CHECK(of_folded / epsilon == Approx(31.6228).epsilon(1e-5));
    if (t == 10) CHECK(of_folded / epsilon == Approx(10.02).epsilon(1e-3));
    if (t == 100) CHECK(of_folded / epsilon == Approx(3.24).epsilon(1e-3));
    if (t == 1000) CHECK(of_folded / epsilon == Approx(1.257).epsilon(1e-3));
  }
  // Without epsilon they are one method, up to rounding.
  CHECK(distance(Adam({.epsilon = 0}), Adam({.epsilon = 0, .folded = true}), 200) <= 1e-14);
}

TEST_CASE("each slip of some texts gives other numbers than Adam's", "[adam][slip]") {
  const Adam<> adam({.learning_rate = 0.01});
  const auto after = [&](AdamSlip slip, int steps) {
    return distance(adam, ScalarAdam<double>{.rate = 0.01, .slip = slip}, steps);
  };
  for (const int steps : {1, 2, 10, 200}) CHECK(after(AdamSlip::none, steps) == 0);
  // alpha_t upside down and without the root: at t = 1 it is alpha·100, and m/sqrt(v) is sqrt(10) too large.
  CHECK(after(AdamSlip::rate_upside_down, 1) > 1);
  CHECK(after(AdamSlip::rate_upside_down, 10) > 0.1);
  // The correction on top of m-hat and v-hat: the first step is sqrt(0.001)/0.1 = 0.316 of what it should be.
  CHECK(after(AdamSlip::corrected_twice, 1) == Approx(0.01 * (1 - 0.316228)).epsilon(1e-5));
  CHECK(after(AdamSlip::corrected_twice, 200) > 1e-3);
  // m and v that are never stored: the first step is right, the others are not.
  CHECK(after(AdamSlip::moments_not_stored, 1) == 0);
  CHECK(after(AdamSlip::moments_not_stored, 2) > 1e-4);
  CHECK(after(AdamSlip::moments_not_stored, 200) > 1e-2);
  CHECK(after(AdamSlip::not_corrected, 1) == Approx(0.01 * (3.16228 - 1)).epsilon(1e-4));
  CHECK(after(AdamSlip::first_moment_squared, 1) == Approx(0.01 * 9).epsilon(1e-4));
  // Epsilon inside of the root shows where gradients are small.
  CHECK(distance(adam, ScalarAdam<double>{.rate = 0.01, .slip = AdamSlip::epsilon_inside}, 1,
                 1e-4) > 1e-3);
}

TEST_CASE("a residual is no gradient, and a sample's gradient is not divided by n",
          "[adam][slip]") {
  // Least squares with as many samples as parameters, where the slip can be written at all.
  const Eigen::Index n = 5;
  Eigen::MatrixXd X(n, n);
  Numbers(11).fill(X);
  X.diagonal().array() += 2;
  const VectorXd y = Numbers(12).vector<double>(n);
  const auto fit = [&](const auto& gradient, double epsilon) {
    Adam adam({.learning_rate = 0.01, .epsilon = epsilon});
    VectorXd w = VectorXd::Zero(n);
    for (int t = 0; t < 3000; ++t) adam.step(w, gradient(w, t % n));
    return (X * w - y).norm();
  };
  const auto full = [&](const VectorXd& w, Eigen::Index) {
    return VectorXd(X.transpose() * (X * w - y) / double(n));
  };
  const auto residual = [&](const VectorXd& w, Eigen::Index) {
    return VectorXd((X * w - y) / double(n));
  };
  const auto sample = [&](const VectorXd& w, Eigen::Index i) {
    return VectorXd(X.row(i).transpose() * (X.row(i).dot(w) - y[i]));
  };
  const auto divided = [&](const VectorXd& w, Eigen::Index i) {
    return VectorXd(sample(w, i) / double(n));
  };
  CHECK(fit(full, 1e-8) < 1e-6);
  CHECK(fit(residual, 1e-8) != Approx(fit(full, 1e-8)).epsilon(0.1));
  // The mean of the samples' gradients is the full one; that of the divided ones is n times smaller.
  const VectorXd w = Numbers(13).vector<double>(n);
  VectorXd mean = VectorXd::Zero(n);
  for (Eigen::Index i = 0; i < n; ++i) mean += sample(w, i) / double(n);
  CHECK((mean - full(w, 0)).norm() <= 1e-15 * double(n));
  CHECK((residual(w, 0) - full(w, 0)).norm() > 0.1 * full(w, 0).norm());
  // Adam hides a constant factor of the gradient, all but what epsilon sees of it.
  CHECK(std::abs(fit(sample, 1e-2) - fit(divided, 1e-2)) > 1e-3 * fit(sample, 1e-2));
}

TEST_CASE("AMSGrad divides by the largest second moment so far", "[adam]") {
  Adam<> on({.beta2 = 0.5, .amsgrad = true}), off({.beta2 = 0.5});
  VectorXd x = VectorXd::Zero(4), y = x;
  VectorXd largest = VectorXd::Zero(4);
  for (const double g : {1.0, 8.0, 0.25, 0.125, 0.0, 4.0}) {
    on.step(x, VectorXd::Constant(4, g).eval());
    off.step(y, VectorXd::Constant(4, g).eval());
    largest = largest.cwiseMax(VectorXd(off.second_moment()));
    CHECK(same_bits(on.second_moment(), off.second_moment()));
    CHECK(same_bits(on.largest_second_moment(), largest));
    CHECK((on.largest_second_moment().array() >= on.second_moment().array()).all());
  }
  CHECK((x.array() > y.array()).all());  // shorter steps, in the negative direction
}

TEST_CASE("Adam's views are empty before the first step and where a moment is off", "[adam]") {
  Adam<VectorXf> adam;
  CHECK(adam.first_moment().size() == 0);
  CHECK(adam.second_moment().size() == 0);
  CHECK(adam.slot_bytes() == 0);
  VectorXf x = VectorXf::Ones(37);
  adam.step(x, x);
  CHECK(adam.first_moment().size() == 37);
  CHECK(adam.second_moment().size() == 37);
  CHECK(adam.largest_second_moment().size() == 0);
  CHECK(adam.slot_bytes() == 2 * 37 * sizeof(float));
  adam.reset();
  CHECK(adam.first_moment().size() == 0);

  Adam<VectorXf> largest({.amsgrad = true});
  largest.step(x, x);
  CHECK(largest.largest_second_moment().size() == 37);
  CHECK(largest.slot_bytes() == 3 * 37 * sizeof(float));

  Adam<Eigen::Vector3f> fixed;
  CHECK(fixed.first_moment().size() == 0);
  Eigen::Vector3f z = Eigen::Vector3f::Ones();
  fixed.step(z, z);
  CHECK(fixed.first_moment().isApproxToConstant(0.1f));
  CHECK(fixed.slot_bytes() == 2 * 3 * sizeof(float));
}

TEST_CASE("Adam's defaults are PyTorch's", "[adam]") {
  const AdamOptions o;
  CHECK(o.learning_rate(0) == 1e-3);
  CHECK(o.beta1 == 0.9);
  CHECK(o.beta2 == 0.999);
  CHECK(o.epsilon == 1e-8);
  CHECK(o.weight_decay == 0);
  CHECK_FALSE(o.amsgrad);
  CHECK_FALSE(o.folded);
}
