// sam: the reference's trajectories, the point where the gradient is taken, and what is forwarded.
#include <descent/objective/sam.hpp>

#include <descent/minimize.hpp>
#include <descent/objective/callable.hpp>
#include <descent/objective/linear_regression.hpp>
#include <descent/optimizer/gradient_descent.hpp>
#include <descent/optimizer/sgd.hpp>

#include "support/catch.hpp"
#include "support/compare.hpp"
#include "support/problems.hpp"
#include "support/reference.hpp"

#include <Eigen/Core>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

using namespace descent;
using namespace descent_test;
using Eigen::Index;
using Eigen::VectorXd;

TEST_CASE("sam follows the reference's trajectories", "[reference][sam]") {
  int files = 0, adaptive = 0, compared = 0;
  for (const std::string& name : descent_test::list("numpy")) {
    const auto reference = load_trajectory(name);
    if (reference.optimizer != "SAM") continue;
    const auto& hyper = reference.hyper;
    CHECK(hyper.text("inner.name") == "sgd");
    const auto f = make_objective(reference);
    const auto sharp = sam(objective([&](const auto& x, auto& g) {
                             f.gradient_at(1, x, g);
                             return f.loss(x);
                           }),
                           {.rho = hyper.number("rho"), .adaptive = hyper.flag("adaptive")});
    SGD sgd(
        {.learning_rate = hyper.number("inner.lr"), .momentum = hyper.number("inner.momentum")});
    VectorXd there(reference.x0.size());
    const auto report = compare(reference, [&](std::int64_t, VectorXd& x, const VectorXd&) {
      CHECK(sharp.loss_and_gradient(x, there) == f.loss(x));
      sgd.step(x, there);
    });
    hyper.expect_all_read();
    INFO(report.first_failure);
    CHECK(report.passed());
    ++files;
    adaptive += hyper.flag("adaptive");
    compared += report.compared;
  }
  CHECK(files == 2);
  CHECK(adaptive == 1);
  CHECK(compared == 40);
}

TEST_CASE("the gradient is taken at the distance rho, uphill", "[sam]") {
  // ∇f(x) = x, so the gradient tells the point.
  const auto parabola = objective([](const auto& x, auto& g) {
    g = x;
    return 0.5 * x.squaredNorm();
  });
  const VectorXd x{{3, 0, -4}};
  VectorXd g(3);
  CHECK(sam(parabola, {.rho = 0.5}).loss_and_gradient(x, g) == 12.5);
  CHECK(g.isApprox(1.1 * x, 1e-12));
  CHECK(sam(parabola).loss_and_gradient(x, g) == 12.5);
  CHECK(g.isApprox(1.01 * x, 1e-12));
  // Adaptive: e = ρ x²g/‖xg‖ = ρ x³/‖x²‖.
  (void)sam(parabola, {.rho = 0.5, .adaptive = true}).loss_and_gradient(x, g);
  const VectorXd e = 0.5 * x.array().cube() / x.array().square().matrix().norm();
  CHECK(g.isApprox(x + e, 1e-12));
  (void)sam(parabola, {.rho = 0}).loss_and_gradient(x, g);
  CHECK(g == x);
}

TEST_CASE("a zero gradient stays where it is, and huge ones have a direction", "[sam]") {
  const auto steep = [](double unit) {
    return objective([=](const auto& x, auto& g) {
      g = unit * x;
      return 0.5 * unit * x.squaredNorm();
    });
  };
  VectorXd g(2);
  const VectorXd zero = VectorXd::Zero(2), x{{3, 4}};
  for (const bool adaptive : {false, true}) {
    (void)sam(steep(1), {.adaptive = adaptive}).loss_and_gradient(zero, g);
    CHECK((g.array() == 0).all());
  }
  (void)sam(steep(1e200), {.rho = 0.5}).loss_and_gradient(x, g);
  CHECK(g.isApprox(1.1e200 * x, 1e-12));
  g = x;
  (void)sam(steep(std::numeric_limits<double>::quiet_NaN())).loss_and_gradient(x, g);
  CHECK(g.hasNaN());
}

TEST_CASE("what the objective inside offers, sam offers, and no more", "[sam]") {
  using Together = decltype(sam(Bowl()));
  using Apart = decltype(sam(SeparateBowl()));
  using Sum = decltype(sam(Line()));
  static_assert(Objective<Together, VectorXd> && Objective<Apart, VectorXd>);
  static_assert(HasLossAndGradient<Together, VectorXd> && !HasLoss<Together, VectorXd>);
  static_assert(!HasLossAndGradient<Apart, VectorXd> && HasLoss<Apart, VectorXd>);
  static_assert(!FiniteSumObjective<Apart, VectorXd> && FiniteSumObjective<Sum, VectorXd>);
  static_assert(!HasBatchLossAndGradient<Sum, VectorXd>);
  const Bowl bowl;
  const SeparateBowl apart;
  const VectorXd x{{2, -1, 4}};
  VectorXd g(3), h(3);
  const double loss = sam(bowl, {.rho = 0.5}).loss_and_gradient(x, g);
  sam(apart, {.rho = 0.5}).gradient(x, h);
  CHECK(g == h);
  CHECK(sam(apart).loss(x) == loss);
}

TEST_CASE("of a batch, sam takes both gradients over that batch", "[sam]") {
  const RegressionData data(10, 3, 0.2, 1);
  const LinearRegression model(data.X, data.y);
  const auto sharp = sam(model, {.rho = 0.25});
  CHECK(sharp.size() == 10);
  const VectorXd w{{1, 2, -3}};
  VectorXd g(3), at_w(3), expected(3), h(3);
  const std::vector<Index> some{1, 4, 4};
  CHECK(sharp.loss_and_gradient(w, Batch(some), g) ==
        model.loss_and_gradient(w, Batch(some), at_w));
  const VectorXd there = w + 0.25 * at_w.normalized();
  (void)model.loss_and_gradient(there, Batch(some), expected);
  CHECK(g.isApprox(expected, 1e-12));
  sharp.gradient(w, Batch(some), h);
  CHECK(g.isApprox(h, 1e-14));
  CHECK(sharp.loss(w, Batch(some)) == model.loss(w, Batch(some)));
}

TEST_CASE("minimize takes a sharpness-aware objective, of any type of parameters", "[sam]") {
  const auto result = minimize(sam(Bowl(), {.rho = 1e-4}), Eigen::Vector3f::Zero().eval(),
                               GradientDescent({.learning_rate = 0.25}), {.max_iterations = 200});
  CHECK((result.x.array() - 1).abs().maxCoeff() < 1e-3f);
}

TEST_CASE("rho is in [0, inf)", "[sam]") {
  for (const double bad : {-1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    CHECK_THROWS_WITH(sam(Bowl(), {.rho = bad}),
                      "sam: rho must be in [0, inf), got " + to_text(bad));
  }
}
