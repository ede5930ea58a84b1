// SDCA: the steps of all losses, the loop by hand, the duality gap as a certificate, the rate of the theory, outside optima.
#include <descent/minimize.hpp>
#include <descent/objective/elastic_net.hpp>
#include <descent/objective/huber_regression.hpp>
#include <descent/objective/l2.hpp>
#include <descent/objective/linear_regression.hpp>
#include <descent/objective/linear_svm.hpp>
#include <descent/objective/logistic_regression.hpp>
#include <descent/objective/poisson_regression.hpp>
#include <descent/objective/quantile_regression.hpp>
#include <descent/solver/lbfgs.hpp>
#include <descent/solver/proximal_gradient.hpp>
#include <descent/solver/sdca.hpp>
#include <descent/transform/proximal.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/problems.hpp"

#include <Eigen/Core>
#include <Eigen/SparseCore>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

using namespace descent;
using namespace descent_test;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

// ℓ and its slope at z, of a loss as models have it.
template <class Loss>
std::pair<double, double> evaluate(const Loss& loss, double z, double y) {
  Eigen::Array<double, 1, 1> slope(z), label(y), value;
  loss.evaluate(slope, label, value);
  return {value[0], slope[0]};
}

struct Data {
  MatrixXd X;
  VectorXd z, y, counts;
  explicit Data(Index n = 60, Index d = 5) : X(Uniform(1).matrix(n, d)) {
    X = (X.array() > -0.6).select(X, 0);
    z = X * Uniform(2).vector(d) + 0.5 * Uniform(3).vector(n);
    y = z.unaryExpr([](double u) { return u > 0 ? 1.0 : 0.0; });
    counts = z.unaryExpr([](double u) { return std::floor(std::exp(u)); });
  }
};

template <class Visit>
void visit_models(const Data& data, const Visit& visit) {
  visit("squared", LinearRegression(data.X, data.z), true);
  visit("Huber", HuberRegression(data.X, data.z, {.delta = 0.3}), true);
  visit("logistic", LogisticRegression(data.X, data.y), true);
  visit("squared hinge", LinearSVM(data.X, data.y), true);
  visit("Poisson", PoissonRegression(data.X, data.counts), true);
  visit("weighted", LogisticRegression(data.X, data.y, {.weights = data.z.cwiseAbs()}), true);
  visit("hinge", LinearSVM(data.X, data.y, {.squared = false}), false);
  visit("pinball", QuantileRegression(data.X, data.z, {.quantile = 0.3}), false);
}

}  // namespace

TEST_CASE("the dual step of each loss is where z + q s = v", "[sdca]") {
  const auto check = [](const auto& loss, const std::vector<double>& labels, bool smooth,
                        double largest) {
    for (const double y : labels) {
      for (const double q : {1e-8, 1e-3, 0.4, 1.0, 30.0, 1e6}) {
        for (const double v :
             {-1e3, -40.0, -3.0, -1.0, -0.2, 0.0, 1e-9, 0.7, 1.0, 2.5, 30.0, 1e3}) {
          if (std::abs(v) > largest) continue;
          CAPTURE(y, q, v);
          const double s = loss.dual_step(v, y, q), z = v - q * s;
          REQUIRE(std::isfinite(s));
          if (smooth) {
            // z is rounded to its terms, and so is its slope.
            const double rounding = 4e-16 * (std::abs(v) + q * (std::abs(s) + std::abs(y)));
            CHECK(std::abs(s - evaluate(loss, z, y).second) <=
                  (1e-13 + rounding) * (1 + std::abs(s) + std::abs(y)));
          } else {
            // s is between the slopes on both sides of z.
            const double h = 1e-12 * (1 + std::abs(v) + q);
            CHECK(evaluate(loss, z - h, y).second <= s + 1e-12);
            CHECK(evaluate(loss, z + h, y).second >= s - 1e-12);
          }
        }
      }
    }
  };
  check(SquaredLoss{}, {-2, 0, 0.5}, true, 1e9);
  check(HuberLoss{0.3}, {-2, 0, 0.5}, true, 1e9);
  check(LogisticLoss{}, {0, 1}, true, 1e9);
  check(HingeLoss{true}, {0, 1}, true, 1e9);
  check(PoissonLoss{}, {0, 1, 7}, true, 30);
  check(HingeLoss{false}, {0, 1}, false, 1e9);
  check(PinballLoss{0.3}, {-2, 0, 0.5}, false, 1e9);
  CHECK(PoissonLoss::least(3) == Approx(evaluate(PoissonLoss{}, std::log(3.0), 3).first));
  CHECK(PoissonLoss::least(0) == 0);
}

TEST_CASE("SDCA is the loop of the paper", "[sdca]") {
  const Data data(17, 4);
  const Index n = 17;
  const double lambda = 0.05;
  for (const double l1 : {0.0, 0.03}) {
    for (const bool logistic : {false, true}) {
      for (const Index batch_size : {1, 4}) {
        VectorXd alpha = VectorXd::Zero(n), u = VectorXd::Zero(4), w = u;
        Batches batches(n, batch_size, Sampling::shuffled, 7);
        double gap = 0;
        for (int visited = 0; visited < 3 * n;) {
          for (const Index i : batches.next()) {
            ++visited;
            // The paper's α = −s, of φ*(−α): ascent along it by golden sections where there is no formula.
            const double z = data.X.row(i).dot(w), y = logistic ? data.y[i] : data.z[i],
                         q = data.X.row(i).squaredNorm() / (lambda * double(n));
            double a = (alpha[i] * q + y - z) / (1 + q);
            if (logistic) {
              const auto slope =
                  [&](double b) {  // of the dual, in b = α: log(p/(1 − p)) at p = y − b
                    const double p = y - b;
                    return std::log(p / (1 - p)) - z - q * (b - alpha[i]);
                  };
              double lower = y - 1, upper = y;
              for (int k = 0; k < 200; ++k) {
                const double middle = (lower + upper) / 2;
                (slope(middle) > 0 ? lower : upper) = middle;
              }
              a = (lower + upper) / 2;
            }
            u += (a - alpha[i]) / (lambda * double(n)) * data.X.row(i).transpose();
            alpha[i] = a;
            w = u.cwiseSign().cwiseProduct((u.cwiseAbs().array() - l1 / lambda).max(0).matrix());
          }
        }
        for (Index i = 0; i < n; ++i) {
          const double z = data.X.row(i).dot(w), a = alpha[i];
          if (logistic) {
            const double p = data.y[i] - a;
            gap += std::log1p(std::exp(z)) - data.y[i] * z + p * std::log(p) +
                   (1 - p) * std::log1p(-p) + a * z;
          } else {
            gap += (z - data.z[i]) * (z - data.z[i]) / 2 + a * a / 2 - a * data.z[i] + a * z;
          }
        }
        gap /= double(n);

        VectorXd last;
        const auto check = [&](const auto& f, auto solver) {
          CAPTURE(l1, logistic, batch_size);
          (void)minimize(
              f, VectorXd::Zero(4), solver,
              {.max_iterations = 3, .gradient_tolerance = 0, .batch_size = batch_size, .seed = 7},
              [&](const Progress&, const VectorXd& x) { last = x; });
          CHECK((last - w).cwiseAbs().maxCoeff() <= 1e-12);
          CHECK((solver.dual() + alpha).cwiseAbs().maxCoeff() <= 1e-12);
          CHECK(solver.duality_gap() == Approx(gap).epsilon(1e-9).margin(1e-14));
          CHECK(solver.steps() == 3 * ((n + batch_size - 1) / batch_size));
        };
        const auto both = [&](const auto& model) {
          if (l1 > 0) {
            check(l2(model, lambda), SDCA(proximal_l1(l1)));
          } else {
            check(l2(model, lambda), SDCA());
          }
        };
        if (logistic) {
          both(LogisticRegression(data.X, data.y));
          both(LogisticRegression(Eigen::SparseMatrix<double, Eigen::RowMajor>(data.X.sparseView()),
                                  data.y));
        } else {
          both(LinearRegression(data.X, data.z));
        }
      }
    }
  }
}

TEST_CASE("SDCA finds the minimum of all losses, and the gap certifies it", "[sdca]") {
  const Data data;
  const VectorXd x0 = VectorXd::Zero(5);
  visit_models(data, [&](const std::string& name, const auto& model, bool smooth) {
    for (const double lambda : {0.3, 0.02}) {
      CAPTURE(name, lambda);
      const auto f = l2(model, lambda);
      // The least loss: to rounding, or, of losses with corners, within its own gap.
      SDCA<> reference;
      const auto best = minimize(
          f, x0, reference, {.max_epochs = smooth ? 2000 : 20'000, .gradient_tolerance = 1e-12});
      const double least = best.loss, unsure = smooth ? 1e-14 : reference.duality_gap();
      CHECK(unsure <= 1e-7);
      if (smooth) {
        const auto other = minimize(f, x0, LBFGS(), {.gradient_tolerance = 1e-10});
        CHECK(least == Approx(other.loss).epsilon(1e-14));
        CHECK((best.x - other.x).norm() <= 1e-8);
      }
      // Before the first step s = 0, whose dual is the mean of the least losses.
      SDCA<> first;
      (void)minimize(f, x0, first, {.max_iterations = 0});
      double lowest = 0;
      if (name == "Poisson") {
        for (const double y : data.counts) lowest += PoissonLoss::least(y) / 60;
      }
      CHECK(first.duality_gap() == Approx(model.loss(x0) - lowest).epsilon(1e-12));

      SDCA<> solver;
      double last = std::numeric_limits<double>::infinity();
      const auto result =
          minimize(f, x0, solver, {.max_epochs = 300, .gradient_tolerance = 1e-7},
                   [&](const Progress& p, const VectorXd& x) {
                     const double gap = solver.duality_gap();
                     CHECK(gap >= p.loss - least - unsure);
                     CHECK((x - best.x).norm() <= p.gradient_norm * std::sqrt(5.0) / lambda +
                                                      std::sqrt(2 * unsure / lambda));
                     if (smooth) CHECK(gap <= 3 * last);
                     last = gap;
                   });
      if (smooth) CHECK(result.status == Status::GradientTolerance);
      CHECK(result.gradient_norm <= std::sqrt(2 * lambda * solver.duality_gap()));
    }
  });
}

TEST_CASE("SDCA converges at the rate of the theory, at least", "[sdca][rates]") {
  const Data data(200, 10);
  const double lambda = 0.01;
  const LogisticRegression model(data.X, data.y);
  std::vector<double> gaps;
  SDCA<> solver;
  (void)minimize(l2(model, lambda), VectorXd::Zero(10), solver,
                 {.max_epochs = 14, .gradient_tolerance = 0, .sampling = with_replacement},
                 [&](const Progress&) { gaps.push_back(solver.duality_gap()); });
  // Shalev-Shwartz and Zhang, on smooth losses: a step multiplies the expected distance in the dual by at most 1 − s/n,
  // s = λnγ/(R² + λnγ), of losses that are 1/γ-smooth.
  const double n = 200, R2 = data.X.rowwise().squaredNorm().maxCoeff(), gamma = 4;
  const double theory = lambda * n * gamma / (R2 + lambda * n * gamma);
  const double seen = std::log(gaps[1] / gaps[11]) / 10;
  CHECK(gaps[11] > 1e-13);
  CHECK(seen >= theory);
  CHECK(seen == Approx(0.97).epsilon(0.2));
}

TEST_CASE("SDCA: outside optima", "[sdca][reference]") {
  const MatrixXd table = read_csv("diabetes/diabetes.csv");
  MatrixXd Z = table.leftCols(10).rowwise() - table.leftCols(10).colwise().mean();
  for (Index j = 0; j < 10; ++j) Z.col(j) /= Z.col(j).norm() / std::sqrt(442.0);
  const VectorXd y = table.col(10).array() - table.col(10).mean();
  const std::vector<double> wanted = read_reference("diabetes/reference.csv").at("z_ridge");
  const LinearRegression model(Z, y);
  const auto result = minimize(l2(model, wanted[11]), VectorXd::Zero(10), SDCA(),
                               {.max_epochs = 2000, .gradient_tolerance = 1e-10});
  CHECK(result.converged());
  CHECK(result.loss == Approx(wanted[10]).epsilon(1e-14));
  for (Index j = 0; j < 10; ++j) CHECK(result.x[j] == Approx(wanted[std::size_t(j)]).epsilon(1e-8));
}

TEST_CASE("SDCA: other data and parameters, limits, memory", "[sdca]") {
  const Data data;
  const LogisticRegression model(data.X, data.y);
  const auto f = l2(model, 0.05);
  const VectorXd x0 = VectorXd::Ones(5);
  const MinimizeOptions options{.max_epochs = 500};
  const VectorXd best = minimize(f, x0, LBFGS(), {.gradient_tolerance = 1e-11}).x;
  const auto close_to = [&](const auto& result, double tolerance) {
    CHECK(result.converged());
    for (Index j = 0; j < 5; ++j)
      CHECK(static_cast<double>(result.x.data()[j]) == Approx(best[j]).margin(tolerance));
  };
  close_to(minimize(f, x0, SDCA(), options), 1e-5);
  close_to(minimize(f, Eigen::Matrix<double, 5, 1>(x0), SDCA(), options), 1e-5);
  close_to(minimize(f, Eigen::RowVectorXd(x0.transpose()), SDCA(), options), 1e-5);
  const MinimizeOptions sampled{.max_epochs = 500, .batch_size = 7, .sampling = with_replacement};
  close_to(minimize(f, x0, SDCA(), sampled), 1e-5);
  const LogisticRegression single(data.X.cast<float>().eval(), data.y.cast<float>().eval());
  close_to(minimize(l2(single, 0.05), Eigen::VectorXf(x0.cast<float>()), SDCA(), options), 0.02);
  // Rows of zeros say nothing of w.
  MatrixXd X = data.X;
  X.row(3).setZero();
  for (const double label : {0.0, 1.0}) {
    VectorXd y = data.z;
    y[3] = label;
    CHECK(
        minimize(l2(QuantileRegression(X, y), 1.0), x0, SDCA(), {.max_epochs = 50}).x.allFinite());
    CHECK(minimize(l2(LinearRegression(X, y), 1.0), x0, SDCA()).converged());
  }
  // With a proximal step, given or brought along.
  const auto lasso = minimize(l1(f, 0.02), x0, FISTA(), {.gradient_tolerance = 1e-10});
  const MinimizeOptions exact{.max_epochs = 500, .gradient_tolerance = 1e-7};
  for (const auto& result : {minimize(l1(f, 0.02), x0, SDCA(), exact),
                             minimize(f, x0, SDCA(proximal_l1(0.02)), exact)}) {
    CHECK(result.converged());
    CHECK(result.loss == Approx(lasso.loss).epsilon(1e-13));
    CHECK((result.x - lasso.x).norm() <= 1e-5);
    for (Index j = 0; j < 5; ++j) CHECK((result.x[j] == 0) == (lasso.x[j] == 0));
  }

  SDCA<> solver;
  const auto run = [&](std::int64_t rounds, std::uint64_t seed) {
    return minimize(f, x0, solver,
                    {.max_iterations = rounds, .gradient_tolerance = 0, .seed = seed})
        .x;
  };
  const VectorXd x = run(3, 1);
  for (int k = 0; k < 20; ++k) CHECK(run(3, 1) == x);
  CHECK(run(3, 2) != x);
  for (const std::int64_t most : {1, 2, 3, 61, 100}) {
    const auto result = minimize(f, x0, solver, {.max_evaluations = most, .gradient_tolerance = 0});
    CHECK(result.status == Status::EvaluationLimit);
    CHECK(result.gradient_evaluations == (most == 2 ? 1 : most == 3 ? 3 : most));
  }
  for (const std::int64_t most : {0, 1, 7}) {
    const auto result = minimize(f, x0, solver, {.max_epochs = most, .gradient_tolerance = 0});
    CHECK(result.status == Status::EpochLimit);
    CHECK(result.epochs == most);
  }
  CHECK(minimize(f, x0, solver, {.time_limit = 0}).status == Status::TimeLimit);
  CHECK(solver.learning_rate() == 1);

  const auto allocations = [&](std::int64_t rounds) {
    SDCA<> fresh;
    return allocated_by(
        [&] { (void)minimize(f, x0, fresh, {.max_iterations = rounds, .gradient_tolerance = 0}); });
  };
  CHECK(allocations(1) == allocations(30));
  for (std::int64_t k = 1;; ++k) {
    const Ending ending = out_of_memory(k, [&] { (void)run(3, 1); });
    if (ending == Ending::untouched) break;
    CHECK(ending == Ending::thrown);
    CHECK(run(3, 1) == x);
  }
}

TEST_CASE("SDCA refuses what it cannot do, and reports what is not finite", "[sdca][faults]") {
  const Data data;
  const VectorXd x0 = VectorXd::Ones(5);
  const LogisticRegression model(data.X, data.y);
  CHECK_THROWS_WITH(minimize(model, x0, SDCA()),
                    "SDCA: the ridge must be positive: l2(model, lambda), got 0");
  const LogisticRegression with(data.X, data.y, {.intercept = true});
  CHECK_THROWS_WITH(minimize(l2(with, 0.1), VectorXd::Zero(6), SDCA()),
                    ContainsSubstring("got one with an intercept"));
  CHECK_THROWS_WITH(SDCA({.inner_steps = -1}), "SDCA: inner_steps must be at least 0, got -1");
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity(), 1e200}) {
    MatrixXd X = data.X;
    X(7, 2) = bad;
    const LinearRegression broken(X, data.z);
    const auto result = minimize(l2(broken, 0.1), x0, SDCA());
    CHECK(result.status == Status::NonFinite);
    CHECK(result.x == x0);
  }
}
