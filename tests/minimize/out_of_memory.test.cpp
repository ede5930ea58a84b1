// Each allocation of a run fails in its turn (row 17 of the trials), those of the objective and of the observers among
// them: bad_alloc passes through, nothing is lost, and the optimizer runs as if nothing had been.
#include <descent/minimize.hpp>
#include <descent/objective/check_gradient.hpp>
#include <descent/objective/l2.hpp>
#include <descent/objective/linear_regression.hpp>
#include <descent/observe/early_stopping.hpp>
#include <descent/observe/history.hpp>
#include <descent/observe/progress_bar.hpp>
#include <descent/optimizer/adam.hpp>
#include <descent/optimizer/sgd.hpp>

#include "support/allocations.hpp"
#include "support/any_optimizer.hpp"
#include "support/catch.hpp"
#include "support/problems.hpp"

#include <Eigen/Core>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace descent;
using namespace descent_test;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

/// Least squares as one writes it first: with a vector of residuals for each evaluation.
struct Wasteful {
  MatrixXd X;
  VectorXd y;

  Eigen::Index size() const { return X.rows(); }
  double loss_and_gradient(const VectorXd& w, VectorXd& g) const {
    const VectorXd residual = X * w - y;
    g = X.transpose() * residual / static_cast<double>(size());
    return 0.5 * residual.squaredNorm() / static_cast<double>(size());
  }
  double loss_and_gradient(const VectorXd& w, Batch batch, VectorXd& g) const {
    const std::vector<Eigen::Index> rows(batch.begin(), batch.end());
    return Wasteful{X(rows, Eigen::all), y(rows)}.loss_and_gradient(w, g);
  }
};

/// Calls `run()`, and again with its first, second, ... allocation failing. What it returns must not change. Says how
/// many failures there were.
template <class Run>
std::int64_t fail_each(const Run& run) {
  const auto expected = run();
  for (std::int64_t k = 1;; ++k) {
    const std::int64_t in_use = blocks_in_use();
    {
      decltype(run()) result{};
      const Ending ending = out_of_memory(k, [&] { result = run(); });
      if (ending != Ending::thrown) {
        CHECK(ending == Ending::untouched);
        CHECK(result == expected);
        return k - 1;
      }
      CHECK(run() == expected);
    }
    CHECK(blocks_in_use() == in_use);
  }
}

/// Where nothing is drawn.
std::unique_ptr<std::FILE, int (*)(std::FILE*)> nowhere() {
  return {std::fopen("/dev/null", "w"), &std::fclose};
}

}  // namespace

TEST_CASE("a run survives each allocation that fails", "[out_of_memory]") {
  if (!counts_malloc()) return;
  const RegressionData data(24, 5, 0.1, 3);
  const Wasteful f{data.X, data.y};
  const auto null = nowhere();
  REQUIRE(null);
  for (const OptimizerRow& row : optimizer_rows()) {
    auto optimizer = row.make<double>();
    for (const bool batches : {false, true}) {
      CAPTURE(row.name, batches);
      MinimizeOptions options{.max_iterations = 40};
      if (batches) options.batch_size = 4;
      History log;
      auto bar = progress_bar({.stream = null.get(), .always = true, .interval = 0});
      const std::int64_t failures = fail_each([&] {
        log.clear();
        auto stopping = early_stopping(f, {.patience = 100, .restore_best = true});
        return minimize(f, VectorXd::Zero(5), optimizer, options, history(log), stopping, bar).x;
      });
      CHECK(failures >= 100);
    }
  }
}

TEST_CASE("a temporary optimizer is lost with the run, and nothing else", "[out_of_memory]") {
  if (!counts_malloc()) return;
  const RegressionData data(24, 5, 0.1, 3);
  const LinearRegression f(data.X, data.y);
  const auto run = [&](const auto& x0, const auto& optimizer, const MinimizeOptions& options) {
    return fail_each([&] {
      auto temporary = optimizer;
      return VectorXd(minimize(f, x0, std::move(temporary), options).x);
    });
  };
  CHECK(run(VectorXd::Ones(5).eval(), Adam(), {.max_iterations = 5}) >= 5);
  CHECK(run(VectorXd::Ones(5).eval(), SGD({.momentum = 0.5}),
            {.max_iterations = 5, .loss_tolerance = 1e-9, .step_tolerance = 1e-9}) >= 5);
  CHECK(run(Eigen::Matrix<double, 5, 1>::Ones().eval(), Adam(), {.max_iterations = 5}) >=
        1);  // the copy of x alone
}

TEST_CASE("what is made beside a run survives, too", "[out_of_memory]") {
  if (!counts_malloc()) return;
  const RegressionData data(24, 5, 0.1, 3);
  const VectorXd w = VectorXd::LinSpaced(5, -1, 1);
  CHECK(fail_each([&] {
          const auto model = l2(LinearRegression(MatrixXd(data.X), VectorXd(data.y)), 0.5);
          VectorXd g = w;
          return model.loss_and_gradient(w, g) + g.sum();
        }) >= 3);
  CHECK(fail_each([&] {
          const LinearRegression model(2 * data.X, data.y.array() + 1);
          return check_gradient(model, w).message();
        }) >= 8);
  CHECK(fail_each([&] {
          Batches batches(24, 7, Sampling::shuffled, 3);
          const Batch batch = batches.next();
          return std::vector<Eigen::Index>(batch.begin(), batch.end());
        }) >= 2);
  CHECK(fail_each([&] {
          Result<VectorXd> result;
          result.status = Status::NonFinite;
          result.trouble = {.where = Trouble::Where::gradient, .index = 3, .value = 1e200};
          return result.message();
        }) >= 1);
  History log;
  log.rows.resize(30, Progress{.loss = 0.1, .gradient_norm = 1.0 / 3});
  CHECK(fail_each([&] { return log.csv(); }) >= 4);
  const std::string path = "out_of_memory.csv";
  CHECK(fail_each([&] {
          log.write_csv(path);
          return true;
        }) >= 4);
  CHECK(std::remove(path.c_str()) == 0);
}

TEST_CASE("the sentence of a refusal needs memory, too", "[out_of_memory]") {
  // Without it the refusal is a bad_alloc, and nothing has changed either.
  if (!counts_malloc()) return;
  Adam adam;
  VectorXd x = VectorXd::Ones(4), g = x;
  adam.step(x, g);
  const auto before = adam.state();
  const VectorXd x_before = x;
  std::int64_t failures = 0;
  const auto refused = [&](const auto& act) {
    for (std::int64_t k = 1;; ++k) {
      bool by_name = false;
      const Ending ending = out_of_memory(k, [&] {
        try {
          act();
        } catch (const std::invalid_argument&) {
          by_name = true;
        }
      });
      CHECK(adam.state() == before);
      CHECK(x == x_before);
      CHECK(by_name == (ending == Ending::untouched));
      if (ending != Ending::thrown) break;
      ++failures;
    }
  };
  const Bowl bowl;
  refused([&] { adam.scale_learning_rate(-1); });
  refused([&] { adam.set_learning_rate(-1); });
  refused([&] { adam.step(x, g.head(3)); });
  refused([&] { (void)minimize(bowl, x, adam, {.max_iterations = -1}); });
  CHECK(failures >= 8);
}
