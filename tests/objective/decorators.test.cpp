// What holds for each decorator of objectives: a new one enrolls with one row.
#include <descent/objective/check_gradient.hpp>
#include <descent/objective/elastic_net.hpp>
#include <descent/objective/l2.hpp>
#include <descent/objective/logistic_regression.hpp>
#include <descent/objective/sam.hpp>
#include <descent/objective/standardized.hpp>

#include <descent/minimize.hpp>
#include <descent/optimizer/gradient_descent.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/faults.hpp"
#include "support/problems.hpp"

#include <Eigen/Core>

#include <cmath>
#include <stdexcept>
#include <utility>
#include <vector>

using namespace descent;
using namespace descent_test;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

using Model = LogisticRegression<Owned<MatrixXd>, Owned<VectorXd>>;

Model model() {
  MatrixXd X = Uniform(1).matrix(30, 4);
  X.col(1) *= 20;
  X.col(2).array() += 3;
  const VectorXd y = (X.col(0) + 0.3 * Uniform(2).vector(30)).array().sign().max(0);
  return {std::move(X), VectorXd(y), {.intercept = true}};
}

// A model that misbehaves, and is a linear model all the same.
struct FaultyModel : Faulty<Model> {
  const Model& inside;
  explicit FaultyModel(const Model& f, const FaultPlan& plan = {})
      : Faulty<Model>(f, plan), inside(f) {}
  const auto& linear_part() const { return inside.linear_part(); }
  Index parameters() const { return inside.parameters(); }
  template <class F>
  void each_penalized(const F& f) const {
    inside.each_penalized(f);
  }
};

template <class F, class Visit>
void each_decorator(const F& f, const Visit& visit) {
  visit("l2", l2(f, 0.3));
  visit("l1", l1(f, 0.3));
  visit("elastic_net", elastic_net(f, 0.3, 0.6));
  visit("sam", sam(f, {.rho = 1e-9}));  // else its gradient is not that of its loss
  visit("standardized", standardized(f));
  visit("l2 of l1 of sam of standardized", l2(l1(sam(standardized(f), {.rho = 1e-9}), 0.2), 0.1));
  visit("sam of standardized of l2 of l2", sam(standardized(l2(l2(f, 0.2), 0.1)), {.rho = 1e-9}));
}

const VectorXd w{{1.0, -0.5, 0.25, 2.0, -1.0}};

}  // namespace

TEST_CASE("losses and gradients of decorators belong together", "[decorators]") {
  const Model f = model();
  each_decorator(f, [&](const char* name, const auto& g) {
    INFO(name);
    CHECK(check_gradient(g, w).ok());
    CHECK(g.size() == 30);
    CHECK(g.parameters() == 5);
    std::vector<Index> runs;
    g.each_penalized([&](Index begin, Index count) { runs.insert(runs.end(), {begin, count}); });
    CHECK(runs == std::vector<Index>{0, 4});

    VectorXd full(5), some(5), again(5), sum = VectorXd::Zero(5);
    const double loss = g.loss_and_gradient(w, full);
    g.gradient(w, again);
    CHECK(again == full);
    CHECK(g.loss(w) == loss);
    double losses = 0;
    for (Index i = 0; i < 30; i += 3) {
      const std::vector<Index> batch{i, i + 1, i + 2};
      const double part = g.loss_and_gradient(w, Batch(batch), some);
      g.gradient(w, Batch(batch), again);
      CHECK(again == some);
      CHECK(g.loss(w, Batch(batch)) == part);
      sum += some;
      losses += part;
    }
    CHECK((sum / 10 - full).cwiseAbs().maxCoeff() < 1e-7);
    CHECK(losses / 10 == Approx(loss).epsilon(1e-14));

    // Nothing allocates after the first evaluation, and a copy is the same.
    CHECK(allocated_by([&] {
            (void)g.loss_and_gradient(w, some);
            g.gradient(w, some);
            (void)g.loss(w);
          }) == Allocations{});
    const auto copy = g;
    CHECK(copy.loss_and_gradient(w, again) == loss);
    CHECK(again == full);
    CHECK_THROWS_AS(g.loss(VectorXd(VectorXd::Ones(4))), std::invalid_argument);
  });
}

TEST_CASE("faults pass through decorators as they are", "[decorators][faults]") {
  const Model f = model();
  for (const Fault fault : {Fault::nan, Fault::infinity, Fault::exception}) {
    for (const Part part : {Part::loss, Part::coefficient}) {
      const FaultPlan plan{.fault = fault, .part = part, .from = 4, .once = false, .index = 4};
      CAPTURE(plan);
      each_decorator(FaultyModel(f, plan), [&](const char* name, const auto& g) {
        INFO(name);
        const auto run = [&] {
          return minimize(g, w, GradientDescent({.learning_rate = 0.01}), {.max_iterations = 20});
        };
        if (fault == Fault::exception) {
          CHECK_THROWS_AS(run(), InjectedError);
        } else {
          const auto result = run();
          CHECK(result.status == Status::NonFinite);
          CHECK(result.x.allFinite());
        }
      });
    }
  }
  // An evaluation that threw has left nothing behind.
  const FaultyModel once(f, {.fault = Fault::exception, .part = Part::loss, .from = 1});
  each_decorator(once, [&](const char* name, const auto& g) {
    INFO(name);
    VectorXd one(5), two(5);
    try {
      (void)g.loss_and_gradient(w, one);
    } catch (const InjectedError&) {
    }
    const double loss = g.loss_and_gradient(w, one);
    CHECK(g.loss_and_gradient(w, two) == loss);
    CHECK(one == two);
  });
}
