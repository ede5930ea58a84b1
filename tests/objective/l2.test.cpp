#include <descent/objective/l2.hpp>

#include <descent/objective/callable.hpp>
#include <descent/objective/check_gradient.hpp>
#include <descent/objective/linear_regression.hpp>

#include "support/catch.hpp"
#include "support/problems.hpp"

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

using namespace descent;
using namespace descent_test;
using Eigen::Index;
using Eigen::VectorXd;

TEST_CASE("the penalty is lambda/2 times the square of the norm, in loss and gradient") {
  const Bowl bowl;
  const SeparateBowl apart;
  const auto together = l2(bowl, 0.3);
  const auto separate = l2(apart, 0.3);
  const VectorXd w{{2.0, -1.0, 4.0}};
  VectorXd g(3), plain(3);
  const double loss = bowl.loss_and_gradient(w, plain);
  CHECK(together.loss_and_gradient(w, g) == Approx(loss + 0.15 * 21).epsilon(1e-15));
  CHECK((g - (plain + 0.3 * w)).cwiseAbs().maxCoeff() < 1e-15);
  VectorXd h(3);
  separate.gradient(w, h);
  CHECK(h == g);
  CHECK(separate.loss(w) == Approx(loss + 0.15 * 21).epsilon(1e-15));
  CHECK(check_gradient(together, w).ok());
}

TEST_CASE("what the objective inside offers, l2 offers, and no more") {
  using Together = decltype(l2(Bowl(), 1));
  using Apart = decltype(l2(SeparateBowl(), 1));
  using Sum = decltype(l2(Line(), 1));
  static_assert(Objective<Together, VectorXd> && Objective<Apart, VectorXd>);
  static_assert(HasLossAndGradient<Together, VectorXd> && !HasLoss<Together, VectorXd>);
  static_assert(!HasLossAndGradient<Apart, VectorXd> && HasLoss<Apart, VectorXd>);
  static_assert(!FiniteSumObjective<Apart, VectorXd> && FiniteSumObjective<Sum, VectorXd>);
  static_assert(!HasBatchLossAndGradient<Sum, VectorXd>);
  static_assert(HasLossAndGradient<decltype(l2(std::declval<Together>(), 1)), VectorXd>);
}

TEST_CASE("every batch carries the whole penalty, so that the mean is right") {
  const RegressionData data(10, 3, 0.2, 1);
  const LinearRegression model(data.X, data.y);
  const auto ridge = l2(model, 0.7);
  CHECK(ridge.size() == 10);
  const VectorXd w{{1.0, 2.0, -3.0}};
  VectorXd full(3), g(3), sum = VectorXd::Zero(3);
  const double loss = ridge.loss_and_gradient(w, full);
  double losses = 0;
  for (Index i = 0; i < 10; ++i) {
    const std::vector<Index> one{i};
    losses += ridge.loss_and_gradient(w, Batch(one), g);
    CHECK(ridge.loss(w, Batch(one)) == Approx(model.loss(w, Batch(one)) + 0.35 * 14));
    sum += g;
    VectorXd h(3);
    ridge.gradient(w, Batch(one), h);
    CHECK(h == g);
  }
  CHECK((sum / 10 - full).cwiseAbs().maxCoeff() < 1e-14);
  CHECK(losses / 10 == Approx(loss));
}

TEST_CASE("lambda is in [0, inf)") {
  const Bowl bowl;
  for (const double bad : {-1.0, -1e-300, std::nan(""), std::numeric_limits<double>::infinity()}) {
    CHECK_THROWS_WITH(l2(bowl, bad), "l2: lambda must be in [0, inf), got " + to_text(bad));
  }
  VectorXd w = VectorXd::Ones(2), g(2), h(2);
  CHECK(l2(bowl, 0).loss_and_gradient(w, g) == bowl.loss_and_gradient(w, h));
  CHECK(g == h);
}

TEST_CASE("an objective given by name is referred to, a temporary is owned") {
  Line line{Eigen::ArrayXd{{1.0, 2.0}}, Eigen::ArrayXd{{1.0, 0.0}}};
  const auto refers = l2(line, 1);
  const auto owns = l2(Line(line), 1);
  const VectorXd w = VectorXd::Ones(2);
  const double before = owns.loss(w);
  CHECK(refers.loss(w) == before);
  line.b.setZero();
  CHECK(refers.loss(w) != before);
  CHECK(owns.loss(w) == before);
}

TEST_CASE("fixed-size and float parameters") {
  const auto f = l2(objective([](const auto& x, auto& g) {
                      g = x;
                      return 0.5 * static_cast<double>(x.squaredNorm());
                    }),
                    0.5);
  const Eigen::Vector2f w(1, 2);
  Eigen::Vector2f g;
  CHECK(f.loss_and_gradient(w, g) == Approx(3.75));
  CHECK(g == 1.5f * w);
}
