// NaN and infinity, wherever they stand: always reported, with the place.
#include <descent/minimize.hpp>
#include <descent/objective/callable.hpp>
#include <descent/objective/linear_regression.hpp>
#include <descent/optimizer/adam.hpp>
#include <descent/optimizer/gradient_descent.hpp>
#include <descent/optimizer/sgd.hpp>

#include "support/catch.hpp"
#include "support/faults.hpp"
#include "support/problems.hpp"

#include <limits>
#include <string>

using namespace descent;
using namespace descent_test;
using Eigen::VectorXd;

namespace {
constexpr double a_nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

template <class V>
void check_found(const Result<V>& result, Trouble::Where where, Eigen::Index index) {
  CHECK(result.status == Status::NonFinite);
  CHECK_FALSE(result.converged());
  CHECK(result.trouble.where == where);
  CHECK(result.trouble.index == index);
  if (index >= 0) {
    CHECK_THAT(result.message(), ContainsSubstring("coefficient " + std::to_string(index) + " is"));
  }
}
}  // namespace

TEMPLATE_TEST_CASE("one NaN or infinity in the gradient is found in each place", "", float,
                   double) {
  using V = Eigen::Matrix<TestType, Eigen::Dynamic, 1>;
  int found = 0;
  for (const Fault fault : {Fault::nan, Fault::infinity, Fault::minus_infinity}) {
    for (Eigen::Index n = 1; n <= 33; ++n) {
      for (Eigen::Index i = 0; i < n; ++i) {
        CAPTURE(n, i);
        const Bowl bowl;
        const Faulty<Bowl> f(bowl,
                             {.fault = fault, .part = Part::coefficient, .from = 3, .index = i});
        const auto result = minimize(f, V::Zero(n), Adam());
        check_found(result, Trouble::Where::gradient, i);
        CHECK(result.x.allFinite());
        CHECK(result.iterations == 2);
        CHECK_THAT(result.message(), ContainsSubstring("after 2 iterations"));
        ++found;
      }
    }
  }
  CHECK(found == 3 * 561);
}

TEST_CASE("one NaN or infinity in x0 is found in each place, before anything is evaluated") {
  const Line line{Eigen::ArrayXd::LinSpaced(4, 0, 1), Eigen::ArrayXd::Ones(4)};
  for (const double bad : {a_nan, infinity, -infinity}) {
    for (Eigen::Index n = 1; n <= 33; ++n) {
      for (Eigen::Index i = 0; i < n; ++i) {
        VectorXd x0 = VectorXd::Zero(n);
        x0[i] = bad;
        const Bowl bowl;
        const Faulty<Bowl> f(bowl);
        const auto result = minimize(f, x0, GradientDescent());
        check_found(result, Trouble::Where::parameters, i);
        CHECK(f.counts().losses == 0);
        CHECK(result.gradient_evaluations == 0);
      }
    }
    const VectorXd x0{{0.0, bad}};
    const auto result = minimize(line, x0, SGD());
    check_found(result, Trouble::Where::parameters, 1);
    CHECK(line.asked.empty());
  }
}

TEST_CASE("one NaN or infinity in the data is found, in each sample's X and y") {
  const RegressionData data(33, 3, 0.1, 1);
  for (const double bad : {a_nan, infinity}) {
    for (Eigen::Index i = 0; i < 33; ++i) {
      for (Eigen::Index column = 0; column < 4; ++column) {
        CAPTURE(i, column, bad);
        Eigen::MatrixXd X = data.X;
        VectorXd y = data.y;
        (column < 3 ? X(i, column) : y[i]) = bad;
        const LinearRegression model(X, y);
        const auto full = minimize(model, VectorXd::Zero(3), GradientDescent());
        CHECK(full.status == Status::NonFinite);
        CHECK(full.x == VectorXd::Zero(3));
        CHECK_THAT(full.message(), ContainsSubstring("at the first evaluation"));
        const auto sampled =
            minimize(model, VectorXd::Zero(3), SGD({.learning_rate = 0.1}), {.max_epochs = 3});
        CHECK(sampled.status == Status::NonFinite);
        CHECK(sampled.x.allFinite());
        CHECK(sampled.iterations < 33);
      }
    }
  }
}

TEST_CASE("a loss that turns NaN or infinite at some step ends the run there") {
  for (const Fault fault : {Fault::nan, Fault::infinity, Fault::minus_infinity}) {
    for (int from = 1; from <= 10; ++from) {
      const Bowl bowl;
      const Faulty<Bowl> f(bowl, {.fault = fault, .part = Part::loss, .from = from});
      const auto result = minimize(f, VectorXd::Zero(4), GradientDescent({.learning_rate = 0.1}));
      check_found(result, Trouble::Where::loss, -1);
      CHECK(result.iterations == from - 1);
      CHECK(result.x.allFinite());
      CHECK(result.trouble.first_evaluation == (from == 1));
      CHECK_THAT(result.message(), StartsWith("the loss is "));
    }
  }
}

TEST_CASE("a point with a bad loss or gradient never becomes the result, not even once") {
  const auto options = [](std::int64_t n) { return MinimizeOptions{.max_iterations = n}; };
  const GradientDescent<VectorXd> gd({.learning_rate = 0.1});
  const Bowl bowl;
  const SeparateBowl apart;
  for (const Part part : {Part::loss, Part::coefficient, Part::gradient}) {
    for (const bool once : {true, false}) {
      for (int from = 2; from <= 10; ++from) {
        CAPTURE(from, once);
        const FaultPlan plan{.fault = Fault::nan, .part = part, .from = from, .once = once};
        const auto check = [&](const auto& f) {
          const Faulty faulty(f, plan);
          const auto result =
              minimize(faulty, VectorXd::Zero(4), GradientDescent<VectorXd>(gd), options(20));
          const auto good =
              minimize(f, VectorXd::Zero(4), GradientDescent<VectorXd>(gd), options(from - 2));
          CHECK(result.status == Status::NonFinite);
          CHECK(result.x == good.x);
          CHECK(result.loss == good.loss);
          CHECK(result.gradient_norm == good.gradient_norm);
          CHECK(result.iterations == from - 1);
        };
        check(bowl);
        if (part != Part::loss) check(apart);
      }
    }
  }
}

TEMPLATE_TEST_CASE("a gradient too large for Adam's second moment is reported as that", "", float,
                   double) {
  using V = Eigen::Matrix<TestType, Eigen::Dynamic, 1>;
  const double too_large = sizeof(TestType) == 4 ? 1e25 : 1e200;
  const auto f = objective([&](const V& x, V& g) {
    g = x;
    if (x[0] < TestType(0.95)) g[4] = static_cast<TestType>(-too_large);
    return 1.0;
  });
  const auto result = minimize(f, V::Ones(7), Adam({.learning_rate = 0.01}));
  CHECK(result.status == Status::NonFinite);
  CHECK(result.trouble.where == Trouble::Where::state);
  CHECK(result.trouble.index == 4);
  CHECK(result.trouble.value == Approx(-too_large));
  CHECK_THAT(result.message(), ContainsSubstring("coefficient 4, -") &&
                                   ContainsSubstring("too large for the optimizer's state"));
  // Gradient descent keeps no squares: it takes the step, and then it is far away.
  const auto plain =
      minimize(f, V::Ones(7), GradientDescent({.learning_rate = 0.01}), {.max_iterations = 10});
  CHECK(plain.trouble.where != Trouble::Where::state);
}

TEST_CASE("a coefficient of the gradient that was never written is not taken for 0") {
  const auto f = objective([](const VectorXd& x, VectorXd& g) {
    for (Eigen::Index i = 0; i < x.size(); ++i) {
      if (i != 2) g[i] = x[i];
    }
    return 0.5 * x.squaredNorm();
  });
  const auto result = minimize(f, VectorXd::Ones(4), Adam());
  check_found(result, Trouble::Where::gradient, 2);
  CHECK(result.message() ==
        "the gradient's coefficient 2 is nan (every coefficient must be written), at the first "
        "evaluation");
}

TEST_CASE("parameters that overflow end the run at the last finite point") {
  const auto f = objective([](const VectorXd&, VectorXd& g) {
    g.setConstant(-1e308);
    return 1.0;
  });
  const auto result = minimize(f, VectorXd::Zero(3), GradientDescent({.learning_rate = 1}));
  CHECK(result.status == Status::Diverged);
  CHECK(result.x.allFinite());
  CHECK(result.iterations == 2);
  CHECK(
      result.message() ==
      "the parameters overflowed at index 0, after 2 iterations: a smaller learning rate may help, "
      "unless the loss has no lower bound");
}

TEST_CASE("a run that strays and did not follow its loss is led back") {
  const RegressionData data(20, 3, 0.1, 2);
  const LinearRegression model(data.X, data.y);
  const VectorXd x0 = VectorXd::Ones(3);
  SECTION("to its start, when its rate is far too large") {
    const auto result =
        minimize(model, x0, SGD({.learning_rate = 3}), {.max_iterations = 60, .batch_size = 5});
    CHECK(result.status == Status::Diverged);
    CHECK(result.x == x0);
    CHECK(result.loss == model.loss(x0));
    CHECK_THAT(result.message(), ContainsSubstring("ended above its start"));
  }
  SECTION("also with full gradients whose loss comes apart") {
    const SeparateBowl f;
    const auto result = minimize(f, VectorXd::Zero(3), GradientDescent({.learning_rate = 3}),
                                 {.max_iterations = 20});
    CHECK(result.status == Status::Diverged);
    CHECK(result.x == VectorXd::Zero(3));
    CHECK(result.loss == 3);
  }
  SECTION("to the point before, when the loss is bad at the last alone") {
    const Faulty f(model, {.fault = Fault::infinity, .part = Part::loss, .from = 8});
    const auto options = [](std::int64_t n) {
      return MinimizeOptions{.max_iterations = n, .batch_size = 5};
    };
    const auto result = minimize(f, x0, SGD({.learning_rate = 0.1}), options(7));
    check_found(result, Trouble::Where::loss, -1);
    CHECK(result.x == minimize(model, x0, SGD({.learning_rate = 0.1}), options(6)).x);
    CHECK(result.loss == model.loss(result.x));
  }
}
