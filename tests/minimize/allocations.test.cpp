// The loop of `minimize` does not allocate, and fixed-size vectors never touch the heap.
#include "support/allocations.hpp"

#include <descent/minimize.hpp>
#include <descent/objective/linear_regression.hpp>
#include <descent/optimizer/adam.hpp>
#include <descent/optimizer/gradient_descent.hpp>
#include <descent/optimizer/sgd.hpp>

#include "support/catch.hpp"
#include "support/problems.hpp"

using namespace descent;
using namespace descent_test;

namespace {

template <class F, class V, class O>
void check_loop(const F& f, const V& x0, const O& fresh, MinimizeOptions options) {
  double seen = 0;
  const auto run = [&](std::int64_t n) {
    O optimizer = fresh;
    options.max_iterations = n;
    options.gradient_tolerance = 0;
    return allocated_by([&] {
      const auto result =
          minimize(f, x0, optimizer, options, [&](const Progress& p) { seen = p.loss; });
      REQUIRE(result.iterations == n);
    });
  };
  const Allocations few = run(10);
  CHECK(run(1000) - few == Allocations{});
  if (V::SizeAtCompileTime != Eigen::Dynamic) {
    // SGD's table of indices is the one thing on the heap.
    CHECK(few.count == (options.batch_size ? 1 : 0));
  } else if (counts_malloc()) {
    CHECK(few.count > 0);
  }
  CHECK(seen > 0);
}

}  // namespace

TEST_CASE("the loop does not allocate", "[allocation]") {
  const Eigen::VectorXd dynamic = Eigen::VectorXd::Zero(3);
  const Eigen::Vector3d fixed = Eigen::Vector3d::Zero();
  const RegressionData data(40, 3, 0.1, 1);
  const LinearRegression model(data.X, data.y);
  const MinimizeOptions full, batches{.batch_size = 8},
      drawn{.batch_size = 8, .sampling = with_replacement},
      all{.loss_tolerance = 0, .step_tolerance = 0};
  SECTION("full gradients") {
    check_loop(Bowl{}, dynamic, GradientDescent({.learning_rate = 1e-4, .momentum = 0.1}), full);
    check_loop(Bowl{}, fixed, Adam<Eigen::Vector3d>({.learning_rate = 1e-6, .amsgrad = true}), all);
    check_loop(SeparateBowl{}, fixed, Adam<Eigen::Vector3d>({.learning_rate = 1e-6}), full);
    check_loop(model, dynamic, Adam({.learning_rate = 1e-5}), all);
    check_loop(model, fixed, GradientDescent<Eigen::Vector3d>({.learning_rate = 1e-5}), full);
  }
  SECTION("mini-batches") {
    check_loop(model, dynamic, SGD({.learning_rate = 1e-5, .momentum = 0.1}), batches);
    check_loop(model, fixed, SGD<Eigen::Vector3d>({.learning_rate = 1e-5}), drawn);
    check_loop(model, fixed, Adam<Eigen::Vector3d>({.learning_rate = 1e-5}), batches);
  }
}
