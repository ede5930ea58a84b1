// Row 15 of the trials: whichever method, however often and on however many threads, the same bits.
#include <descent/minimize.hpp>
#include <descent/objective/all_cores.hpp>
#include <descent/objective/l2.hpp>
#include <descent/objective/logistic_regression.hpp>
#include <descent/optimizer/adam.hpp>
#include <descent/optimizer/gradient_descent.hpp>
#include <descent/optimizer/sgd.hpp>
#include <descent/solver/barzilai_borwein.hpp>
#include <descent/solver/conjugate_gradient.hpp>
#include <descent/solver/hogwild.hpp>
#include <descent/solver/lbfgs.hpp>
#include <descent/solver/lbfgsb.hpp>
#include <descent/solver/proximal_gradient.hpp>
#include <descent/solver/saga.hpp>
#include <descent/solver/svrg.hpp>
#include <descent/solver/truncated_newton.hpp>
#include <descent/transform/proximal.hpp>

#include "support/catch.hpp"
#include "support/problems.hpp"

#include <Eigen/Core>

#include <string>

using namespace descent;
using namespace descent_test;
using Eigen::Index;
using Eigen::VectorXd;

namespace {

// Three chunks, the last one short.
constexpr Index n = 2 * 4096 + 1001, d = 7;

struct Data {
  Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> X =
      Uniform(1).matrix(n, d);
  VectorXd y = ((X * Uniform(2).vector(d)).array() > 0).cast<double>();
};

template <class Visit>
void visit_methods(const Visit& visit) {
  visit("LBFGS", LBFGS());
  visit("LBFGSB", LBFGSB());
  visit("ConjugateGradient", ConjugateGradient());
  visit("BarzilaiBorwein", BarzilaiBorwein());
  visit("TruncatedNewton", TruncatedNewton());
  visit("FISTA", FISTA(proximal_l1(1e-3)));
  visit("Adam", Adam({.learning_rate = 0.1}));
  visit("GradientDescent", GradientDescent({.learning_rate = 1, .momentum = 0.9}));
  visit("SGD, batches", SGD({.learning_rate = 0.5}));
  visit("SVRG", SVRG({.learning_rate = 0.1, .inner_steps = 100}));
  visit("SAGA", SAGA({.learning_rate = 0.1, .inner_steps = 100}));
}

VectorXd after(const auto& f, const std::string& name, const auto& fresh) {
  auto method = fresh;
  MinimizeOptions options{.max_iterations = 4, .gradient_tolerance = 0};
  if (name == "SGD, batches") options.batch_size = 2000;
  return minimize(f, VectorXd::Zero(d), method, options).x;
}

}  // namespace

TEST_CASE("each method takes the same path on any number of threads", "[determinism]") {
  const Data data;
  const LogisticRegression model(data.X, data.y);
  visit_methods([&](const std::string& name, const auto& method) {
    CAPTURE(name);
    const VectorXd expected = after(l2(model, 1e-3), name, method);
    CHECK(expected.norm() > 0.01);
    for (const int threads : {1, 2, 4, 8}) {
      CAPTURE(threads);
      const auto shared = l2(all_cores(model, {.threads = threads}), 1e-3);
      bool equal = true;
      for (int repeat = 0; repeat < 20; ++repeat) {
        equal = equal && after(shared, name, method) == expected;
      }
      CHECK(equal);
    }
  });
  // Steps that threads make together.
  VectorXd expected;
  for (const int threads : {1, 2, 4, 8}) {
    Hogwild hogwild({.threads = threads, .sharing = Sharing::synchronous});
    bool equal = true;
    for (int repeat = 0; repeat < 20; ++repeat) {
      hogwild.reset();
      const VectorXd x = minimize(l2(model, 1e-3), VectorXd::Zero(d), hogwild,
                                  {.max_iterations = 2, .batch_size = 500})
                             .x;
      if (expected.size() == 0) expected = x;
      equal = equal && x == expected;
    }
    CHECK(expected.norm() > 0.01);
    CHECK(equal);
  }
}
