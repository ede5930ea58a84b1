// A right gradient raises no alarm, anywhere; a wrong one is always found.
#include <descent/objective/check_gradient.hpp>

#include <descent/objective/callable.hpp>
#include <descent/objective/l2.hpp>
#include <descent/objective/linear_regression.hpp>

#include "support/catch.hpp"
#include "support/objectives.hpp"
#include "support/problems.hpp"

#include <Eigen/Core>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <variant>
#include <vector>

using namespace descent;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

using descent_test::Uniform;

/// f = Σ cᵢ (cos xᵢ + xᵢ x₍ᵢ₊₁₎ + xᵢ³/6): every coefficient of its own size and shape, n of them.
struct Wavy {
  template <class V>
  double loss_and_gradient(const V& x, V& g) const {
    using Scalar = typename V::Scalar;
    const Index n = x.size();
    double loss = 0;
    g.setZero();
    for (Index i = 0; i < n; ++i) {
      const Scalar c = Scalar(1 + i % 5), next = x[(i + 1) % n];
      loss += static_cast<double>(c) *
              (std::cos(static_cast<double>(x[i])) + static_cast<double>(x[i] * next) +
               std::pow(static_cast<double>(x[i]), 3) / 6);
      g[i] += c * (-std::sin(x[i]) + next + x[i] * x[i] / 2);
      g[(i + 1) % n] += c * x[i];
    }
    return loss;
  }
};

/// Ten ways to get a gradient wrong, g being right at x with the loss of Wavy.
using Mistake = std::function<void(const VectorXd& x, VectorXd& g)>;
std::vector<std::pair<std::string, Mistake>> mistakes() {
  return {{"the sign", [](auto&, auto& g) { g = -g; }},
          {"twice as long", [](auto&, auto& g) { g *= 2; }},
          {"half as long", [](auto&, auto& g) { g /= 2; }},
          {"divided by n", [](auto&, auto& g) { g /= static_cast<double>(g.size() + 1); }},
          {"zero", [](auto&, auto& g) { g.setZero(); }},
          {"one coefficient 3e-6 too long", [](auto&, auto& g) { g[g.size() / 2] *= 1 + 3e-6; }},
          {"the last coefficient zero", [](auto&, auto& g) { g[g.size() - 1] = 0; }},
          {"one coefficient never written",
           [](auto&, auto& g) { g[0] = std::numeric_limits<double>::quiet_NaN(); }},
          {"the cosine for the sine",
           [](auto& x, auto& g) { g[0] += std::sin(x[0]) - std::cos(x[0]); }},
          {"weight decay of 1e-3 in the gradient alone", [](auto& x, auto& g) { g += 1e-3 * x; }}};
}

}  // namespace

TEST_CASE("a right gradient passes and ten wrong ones are found, at every size from 1 to 50") {
  int found = 0;
  for (Index n = 1; n <= 50; ++n) {
    VectorXd x = Uniform(static_cast<std::uint64_t>(n)).vector(n);
    x.array() += x.array().sign() * 0.5;  // no coefficient near 0, so that every mistake is one
    CAPTURE(n);
    const auto right = check_gradient(Wavy{}, x);
    INFO(right.message());
    CHECK(right.ok());
    for (const auto& row : mistakes()) {
      INFO(row.first);
      const Mistake& mistake = row.second;
      const auto wrong = objective([&](const VectorXd& at, VectorXd& g) {
        const double loss = Wavy{}.loss_and_gradient(at, g);
        mistake(at, g);
        return loss;
      });
      const auto result = check_gradient(wrong, x);
      INFO(result.message());
      CHECK_FALSE(result.ok());
      CHECK_FALSE(static_cast<bool>(result));
      found += !result.ok();
    }
  }
  CHECK(found == 500);
}

TEST_CASE("the worst coefficient is named") {
  for (Index n = 1; n <= 33; ++n) {
    const Index k = (7 * n) % n;
    const auto wrong = objective([&](const VectorXd& x, VectorXd& g) {
      const double loss = Wavy{}.loss_and_gradient(x, g);
      g[k] += 0.5;
      return loss;
    });
    const auto result = check_gradient(wrong, Uniform(3).vector(n));
    CHECK(result.index == k);
    CHECK(result.analytic - result.numeric == Approx(0.5).epsilon(1e-5));
    CHECK_THAT(result.message(), StartsWith("the gradient differs from central differences: worst "
                                            "coefficient " +
                                            std::to_string(k) + ", gradient "));
  }
}

TEST_CASE("no false alarm in 1000 random points over the reference objectives") {
  using namespace descent_test;
  Uniform uniform(17);
  const MatrixXd half = uniform.matrix(5, 5);
  const Quadratic quadratic{half.transpose() * half + MatrixXd::Identity(5, 5), uniform.vector(5)};
  VectorXd labels = (uniform.vector(8).array() > 0).cast<double>();
  const Logistic logistic{uniform.matrix(8, 3), labels, 0.01};
  const MatrixLeastSquares matrix{uniform.matrix(4, 3), uniform.matrix(4, 2)};
  const auto points = [&](const auto& f, Index n, int count, double size) {
    for (int i = 0; i < count; ++i) {
      const VectorXd x = size * uniform.vector(n);
      const auto result = check_gradient(f, x);
      INFO(result.message() << " at " << x.transpose());
      CHECK(result.ok());
    }
  };
  points(Rosenbrock2{}, 2, 150, 3);
  points(quadratic, 5, 150, 10);
  points(logistic, 3, 150, 5);
  points(matrix, 6, 150, 4);
  points(Beale{}, 2, 150, 3);
  points(Himmelblau{}, 2, 150, 6);
  points(Wavy{}, 9, 100, 3);
}

TEST_CASE("no false alarm where the scales are bad, and mistakes are found there, too") {
  const std::vector<VectorXd> scales{VectorXd{{1e6, 1e-6, 1.0}}, VectorXd{{1e4, 1.0, 1e-4}},
                                     VectorXd{{1e-8, 1e-8, 1e-8}}, VectorXd{{1e8, 1e8, 1e8}}};
  Uniform uniform(5);
  for (const VectorXd& scale : scales) {
    const auto f = [&](double error) {
      return objective([&scale, error](const VectorXd& x, VectorXd& g) {
        const Eigen::ArrayXd u = x.array() * scale.array();
        g = scale.array() * (2 * u - u.sin());
        g[1] *= 1 + error;
        return (u.square() + u.cos()).sum();
      });
    };
    for (int i = 0; i < 50; ++i) {
      const VectorXd x = uniform.vector(3).array() / scale.array() + 0.5 / scale.array();
      const auto right = check_gradient(f(0), x);
      INFO(scale.transpose() << ": " << right.message());
      CHECK(right.ok());
    }
  }
  // Where all coefficients have one scale, a mistake in one of them stands out as anywhere.
  for (const double size : {1e-8, 1e8}) {
    const VectorXd x = VectorXd{{0.7, -1.3, 0.4}} / size;
    const auto wrong = objective([size](const VectorXd& at, VectorXd& g) {
      const Eigen::ArrayXd u = at.array() * size;
      g = size * (2 * u - u.sin());
      g[1] *= 1.01;
      return (u.square() + u.cos()).sum();
    });
    CHECK_FALSE(check_gradient(wrong, x).ok());
    CHECK(check_gradient(wrong, x).index == 1);
  }
}

TEST_CASE("floats: a right gradient passes, a wrong one does not") {
  Uniform uniform(8);
  for (Index n = 1; n <= 50; ++n) {
    const Eigen::VectorXf x = (2 * uniform.vector(n)).cast<float>();
    CAPTURE(n);
    const auto right = check_gradient(Wavy{}, x);
    INFO(right.message());
    CHECK(right.ok());
    CHECK(right.tolerance == 1e-2);
    const auto wrong = objective([](const Eigen::VectorXf& at, Eigen::VectorXf& g) {
      const double loss = Wavy{}.loss_and_gradient(at, g);
      g[g.size() / 2] += 0.5f;
      return loss;
    });
    CHECK_FALSE(check_gradient(wrong, x).ok());
  }
}

TEST_CASE("matrices, expressions and fixed sizes") {
  const auto f = objective([](const auto& x, auto& g) {
    g = x;
    return 0.5 * x.squaredNorm();
  });
  CHECK(check_gradient(f, Eigen::Matrix3d::Random()).ok());
  CHECK(check_gradient(f, Eigen::Vector2d(1, 2)).ok());
  CHECK(check_gradient(f, 2 * VectorXd::Ones(3)).ok());
  CHECK(check_gradient(f, VectorXd::Zero(3)).ok());
  CHECK(check_gradient(f, VectorXd(0)).ok());
  CHECK(check_gradient(f, VectorXd(0)).message() == "the gradient has no coefficients");
}

TEST_CASE("a linear function, whose differences are exact, and a constant") {
  const auto linear = objective([](const VectorXd& x, VectorXd& g) {
    g.setConstant(3);
    return 3 * x.sum() + 100;
  });
  CHECK(check_gradient(linear, VectorXd::Ones(4)).ok());
  const auto constant = objective([](const VectorXd&, VectorXd& g) {
    g.setZero();
    return 7.0;
  });
  CHECK(check_gradient(constant, VectorXd::Ones(4)).ok());
  CHECK(check_gradient(constant, VectorXd::Ones(4)).error == 0);
  CHECK(check_gradient(constant, VectorXd::Ones(4)).message() ==
        "the gradient agrees with central differences to all their digits");
  const auto nearly = objective([](const VectorXd&, VectorXd& g) {
    g.setConstant(1e-7);
    return 7.0;
  });
  const auto result = check_gradient(nearly, VectorXd::Ones(4), {.tolerance = 1});
  CHECK_THAT(result.message(), StartsWith("the gradient agrees with central differences: worst "
                                          "coefficient 0, gradient 1e-07, differences 0, relative "
                                          "error "));
}

TEST_CASE("what `minimize` calls is what is checked, and so is what it might call") {
  // Three members, one of them wrong.
  struct Three {
    int wrong;
    double loss(const VectorXd& x) const { return (wrong == 0 ? 2 : 1) * 0.5 * x.squaredNorm(); }
    void gradient(const VectorXd& x, VectorXd& g) const { g = (wrong == 1 ? 2 : 1) * x; }
    double loss_and_gradient(const VectorXd& x, VectorXd& g) const {
      g = (wrong == 2 ? 2 : 1) * x;
      return (wrong == 3 ? 2 : 1) * 0.5 * x.squaredNorm();
    }
  };
  const VectorXd x = VectorXd::Ones(3);
  CHECK(check_gradient(Three{-1}, x).ok());
  for (const int wrong : {0, 1, 2, 3}) {
    CAPTURE(wrong);
    CHECK_FALSE(check_gradient(Three{wrong}, x).ok());
  }
}

TEST_CASE("mini-batches that are summed, or divided by the number of all samples, are found") {
  enum class Slip { none, summed, divided_by_all, no_penalty };
  struct Sum : descent_test::Line {
    Slip slip;
    Sum(const descent_test::Line& line, Slip s) : Line(line), slip(s) {}
    double loss(const VectorXd& w) const { return Line::loss(w) + 0.5 * w.squaredNorm(); }
    void gradient(const VectorXd& w, VectorXd& g) const {
      Line::gradient(w, g);
      g += w;
    }
    void gradient(const VectorXd& w, Batch batch, VectorXd& g) const {
      Line::gradient(w, batch, g);
      if (slip == Slip::summed) g *= static_cast<double>(batch.size());
      if (slip == Slip::divided_by_all) g *= static_cast<double>(batch.size()) / 9;
      if (slip != Slip::no_penalty) g += w;
    }
  };
  const descent_test::Line line{Eigen::ArrayXd::LinSpaced(9, -1, 2), Eigen::ArrayXd::Ones(9)};
  const VectorXd w{{0.5, 3.0}};
  CHECK(check_gradient(Sum(line, Slip::none), w).ok());
  for (const Slip slip : {Slip::summed, Slip::divided_by_all, Slip::no_penalty}) {
    const auto result = check_gradient(Sum(line, slip), w);
    CHECK_FALSE(result.ok());
    CHECK(result.of_batches);
    CHECK_THAT(result.message(), ContainsSubstring("differs from the mean over mini-batches"));
  }
  const descent_test::Line one{Eigen::ArrayXd::Ones(1), Eigen::ArrayXd::Ones(1)};
  CHECK(check_gradient(one, w).ok());
}

TEST_CASE("options and shapes are checked") {
  const auto f = objective([](const VectorXd& x, VectorXd& g) {
    g = VectorXd::Zero(x.size() + 1);
    return 0.0;
  });
  CHECK_THROWS_AS(check_gradient(f, VectorXd::Ones(2)), std::invalid_argument);
  for (const double bad : {-1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    CHECK_THROWS_WITH(check_gradient(Wavy{}, VectorXd::Ones(2), {.tolerance = bad}),
                      ContainsSubstring("check_gradient: tolerance must be in [0, inf)"));
  }
  const auto slightly = objective([](const VectorXd& x, VectorXd& g) {
    const double loss = Wavy{}.loss_and_gradient(x, g);
    g *= 1 + 1e-3;
    return loss;
  });
  CHECK_FALSE(check_gradient(slightly, VectorXd::Ones(2)).ok());
  CHECK(check_gradient(slightly, VectorXd::Ones(2), {.tolerance = 2e-3}).ok());
}

TEST_CASE("a loss that is not finite nearby is no agreement") {
  const auto f = objective([](const VectorXd& x, VectorXd& g) {
    g = x.cwiseInverse();
    return x.array().log().sum();
  });
  CHECK(check_gradient(f, VectorXd::Ones(2)).ok());
  CHECK_FALSE(check_gradient(f, VectorXd::Zero(2)).ok());
  const auto nan = objective([](const VectorXd& x, VectorXd& g) {
    g = x;
    return std::numeric_limits<double>::quiet_NaN();
  });
  CHECK_FALSE(check_gradient(nan, VectorXd::Ones(2)).ok());
}

TEST_CASE("the sentence guesses at the cause where the numbers allow it") {
  const auto guess = [](const auto& f, double at) {
    const std::string text = check_gradient(f, VectorXd::Constant(2, at)).message();
    const auto begin = text.find(" (");
    return begin == std::string::npos ? std::string() : text.substr(begin + 1);
  };
  const auto times = [](double factor) {
    return objective([factor](const VectorXd& x, VectorXd& g) {
      g = factor * x;
      return 0.5 * x.squaredNorm();
    });
  };
  CHECK(guess(times(1), 3).empty());
  CHECK(guess(times(-1), 3) == "(the wrong sign?)");
  CHECK(guess(times(-1.1), 3).empty());  // opposite, but not as large
  CHECK(guess(times(2), 3).empty());
  CHECK(guess(times(-2), 3).empty());
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(guess(times(1), nan) == "(the loss is not finite here: look at x and at the data)");
  CHECK(guess(objective([](const VectorXd& x, VectorXd& g) {
                g[0] = x[0];
                return 0.5 * x.squaredNorm();
              }),
              3) == "(was every coefficient written?)");
  CHECK(guess(objective([](const VectorXd& x, VectorXd& g) {
                g.setOnes();
                return x.array().sqrt().sum();
              }),
              0) == "(the loss is not finite nearby)");

  struct Batched {
    double factor;  // of a batch's gradient; NaN leaves it unwritten
    Eigen::Index size() const { return 4; }
    double loss_and_gradient(const VectorXd& x, VectorXd& g) const {
      g = x;
      return 0.5 * x.squaredNorm();
    }
    void gradient(const VectorXd& x, Batch, VectorXd& g) const {
      if (factor == factor) g = factor * x;
    }
  };
  CHECK(guess(Batched{1}, 3).empty());
  CHECK(guess(Batched{2}, 3) == "(a batch's loss and gradient are means over the batch)");
  CHECK(guess(Batched{nan}, 3) == "(was every coefficient written?)");
}
