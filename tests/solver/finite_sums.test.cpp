// Solvers for finite sums: the iterates of the references and of loops written by hand, the rates of the theory, optima found
// outside, and faults, limits and memory within rounds.
//
// covers: svrg saga sarah
#include <descent/minimize.hpp>
#include <descent/objective/elastic_net.hpp>
#include <descent/objective/l2.hpp>
#include <descent/objective/linear_regression.hpp>
#include <descent/objective/logistic_regression.hpp>
#include <descent/objective/quantile_regression.hpp>
#include <descent/objective/softmax_regression.hpp>
#include <descent/solver/proximal_gradient.hpp>
#include <descent/solver/saga.hpp>
#include <descent/solver/sarah.hpp>
#include <descent/solver/svrg.hpp>
#include <descent/transform/project_on_box.hpp>
#include <descent/transform/proximal.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/faults.hpp"
#include "support/problems.hpp"
#include "support/reference.hpp"

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

using RowMajor = Eigen::Matrix<double, -1, -1, Eigen::RowMajor>;

// What is inside, but not that it is a linear model.
template <class F>
struct Plain {
  const F& f;
  explicit Plain(const F& inside) : f(inside) {}
  Index size() const { return f.size(); }
  double loss_and_gradient(const VectorXd& w, VectorXd& g) const {
    return f.loss_and_gradient(w, g);
  }
  void gradient(const VectorXd& w, Batch batch, VectorXd& g) const { f.gradient(w, batch, g); }
};

// Draws as the reference does, `left` times; what a round takes beside mini-batches is up to the test.
template <class F>
struct Scripted {
  const F& f;
  std::uint64_t state;
  std::int64_t left = 0;
  Index index = 0;

  const F& objective() const { return f; }
  Index batch_size() const { return 1; }
  Batch next(std::int64_t) {
    if (left == 0) return {};
    --left;
    state = (1103515245 * state + 12345) % (std::uint64_t(1) << 31);
    index = Index((state >> 16) % std::uint64_t(f.size()));
    return {&index, 1};
  }
  bool room(std::int64_t) const { return true; }
  bool sampled(const VectorXd& x, Batch batch, VectorXd& g) const {
    f.gradient(x, batch, g);
    return true;
  }
  void count(std::int64_t) const {}
  void visit(std::int64_t) const {}
  bool close(Point<VectorXd>& point) const {
    point.loss = f.loss_and_gradient(point.x, point.g);
    point.norm = point.g.cwiseAbs().maxCoeff();
    return true;
  }
};

template <class F>
VectorXd scripted(const F& f, const VectorXd& x0, std::uint64_t seed, std::int64_t steps,
                  auto solver, bool full_step_draws) {
  Scripted<F> evaluate{.f = f, .state = seed, .left = steps};
  Point<VectorXd> now{.x = x0, .g = x0};
  solver.begin(now.x);
  (void)evaluate.close(now);
  solver.regard(now, evaluate);
  while (evaluate.left > 0) {
    if (full_step_draws) (void)evaluate.next(0);
    REQUIRE(solver.iterate(now, evaluate).outcome == Moved::moved);
  }
  CHECK(solver.steps() == steps);
  return now.x;
}

// ---- loops by hand --------------------------------------------------------------------------------
enum class Rule { svrg, saga, sag, sarah };

struct Setting {
  Rule rule = Rule::svrg;
  double rate = 0.2, ridge = 0.03, l1 = 0;
  bool intercept = true, weighted = false, average = false;
  Index batch = 1;
  Sampling sampling = Sampling::shuffled;
  std::int64_t rounds = 5, m = 7;
};

struct Data {
  MatrixXd X = Uniform(5).matrix(13, 4);
  VectorXd y = Uniform(6).vector(13).unaryExpr([](double u) { return u > -0.2 ? 1.0 : 0.0; });
  VectorXd weights = Uniform(7).vector(13).cwiseAbs() + VectorXd::Constant(13, 0.1);
  VectorXd start(bool intercept) const { return Uniform(8).vector(4 + intercept); }
  Data() { X = (X.array() > -0.6).select(X, 0); }
};

VectorXd by_hand(const Data& data, const Setting& t) {
  const Index n = data.X.rows(), d = data.X.cols(), all = d + t.intercept;
  MatrixXd X(n, all);
  X.leftCols(d) = data.X;
  if (t.intercept) X.col(d).setOnes();
  const auto g = [&](const VectorXd& w, Index i) -> VectorXd {
    const double z = X.row(i).dot(w), s = 1 / (1 + std::exp(-z)) - data.y[i];
    const double weight = t.weighted ? data.weights[i] / data.weights.mean() : 1;
    return weight * s * X.row(i).transpose();
  };
  const auto ridge = [&](const VectorXd& w) -> VectorXd {
    VectorXd r = t.ridge * w;
    if (t.intercept) r[d] = 0;
    return r;
  };
  const auto full = [&](const VectorXd& w) {
    VectorXd sum = VectorXd::Zero(all);
    for (Index i = 0; i < n; ++i) sum += g(w, i) / double(n);
    return sum;
  };
  const auto step = [&](const VectorXd& w, const VectorXd& v) -> VectorXd {
    const VectorXd to = w - t.rate * v;
    return to.cwiseSign().cwiseProduct((to.cwiseAbs().array() - t.rate * t.l1).max(0).matrix());
  };
  VectorXd w = data.start(t.intercept);
  std::vector<VectorXd> table;
  for (Index i = 0; i < n; ++i) table.push_back(g(w, i));
  VectorXd c = full(w);
  Batches batches(n, t.batch, t.sampling, 3);
  for (std::int64_t round = 0; round < t.rounds; ++round) {
    VectorXd snapshot = w, mean = VectorXd::Zero(all), before = w, v = full(w) + ridge(w);
    if (t.rule == Rule::sarah) w = step(w, v);
    for (std::int64_t k = t.rule == Rule::sarah ? 1 : 0; k < t.m; ++k) {
      const Batch batch = batches.next();
      const double b = double(batch.size());
      if (t.rule == Rule::svrg) {
        v = full(snapshot) + ridge(w);
        for (const Index i : batch) v += (g(w, i) - g(snapshot, i)) / b;
      } else if (t.rule == Rule::sarah) {
        v += ridge(w) - ridge(before);
        for (const Index i : batch) v += (g(w, i) - g(before, i)) / b;
      } else {
        v = c + ridge(w);
        for (const Index i : batch) v += (g(w, i) - table[std::size_t(i)]) / b;
        for (const Index i : batch) {
          c += (g(w, i) - table[std::size_t(i)]) / double(n);
          table[std::size_t(i)] = g(w, i);
        }
        if (t.rule == Rule::sag) v = c + ridge(w);
      }
      before = w;
      w = step(w, v);
      mean += w / double(t.m);
    }
    if (t.average) w = mean;
  }
  return w;
}

template <class F, class Prox>
VectorXd last_iterate(const F& f, const VectorXd& x0, const Setting& t, const Prox& prox) {
  VectorXd last;
  const auto run = [&](auto solver) {
    (void)minimize(f, x0, solver,
                   {.max_iterations = t.rounds,
                    .gradient_tolerance = 0,
                    .batch_size = t.batch,
                    .sampling = t.sampling,
                    .seed = 3},
                   [&](const Progress&, const VectorXd& x) { last = x; });
  };
  if (t.rule == Rule::svrg) {
    run(SVRG<VectorXd, Prox>(prox,
                             {.learning_rate = t.rate, .inner_steps = t.m, .average = t.average}));
  } else if (t.rule == Rule::sarah) {
    run(SARAH<VectorXd, Prox>(prox, {.learning_rate = t.rate, .inner_steps = t.m}));
  } else {
    run(SAGA<VectorXd, Prox>(
        prox, {.learning_rate = t.rate, .inner_steps = t.m, .biased = t.rule == Rule::sag}));
  }
  return last;
}

constexpr Rule rules[] = {Rule::svrg, Rule::saga, Rule::sag, Rule::sarah};

}  // namespace

TEST_CASE("finite sums: the iterates of the reference", "[finite_sums][reference]") {
  const Record record = load_record("misc/finite_sum");
  const MatrixXd X = record.matrix("objective.constants.X");
  const VectorXd y = record.numbers("objective.constants.y"), x0 = record.numbers("x0");
  const LogisticRegression model(X, y);
  const auto f = l2(model, record.number("objective.constants.lambda"));
  const Plain plain(f);
  int compared = 0;
  for (const Record& one : record.blocks("case")) {
    const std::string& method = one.text("method");
    if (method == "SGD") continue;
    const double rate = one.number("hyper.lr");
    const auto seed = std::uint64_t(one.number("seed"));
    for (const Record& point : one.blocks("checkpoint")) {
      const auto t = std::int64_t(point.number("t"));
      const VectorXd wanted = point.numbers("x");
      CAPTURE(method, seed, t);
      const auto check = [&](const auto& objective) {
        VectorXd x;
        if (method == "SVRG") {
          x = scripted(objective, x0, seed, t, SVRG({.learning_rate = rate, .inner_steps = 16}),
                       false);
        } else if (method == "SARAH") {
          x = scripted(objective, x0, seed, t, SARAH({.learning_rate = rate, .inner_steps = 16}),
                       true);
        } else {
          REQUIRE((method == "SAGA" || method == "SAG"));
          x = scripted(objective, x0, seed, t,
                       SAGA({.learning_rate = rate, .biased = method == "SAG"}), false);
        }
        CHECK((x - wanted).cwiseAbs().maxCoeff() <= 1e-12);
        ++compared;
      };
      check(plain);
      // The reference keeps the ridge's gradients in SAGA's table, too, where a linear model does not.
      if (method == "SVRG" || method == "SARAH") check(f);
    }
  }
  CHECK(compared == 8 * 8 + 4 * 8);
}

TEST_CASE("finite sums: linear models step as the formulas do, however they are held",
          "[finite_sums]") {
  const Data data;
  const Eigen::SparseMatrix<double, Eigen::RowMajor> sparse = data.X.sparseView();
  const RowMajor rows = data.X;
  std::vector<Setting> trials;
  for (const Rule rule : rules) {
    for (const double l1 : {0.0, 0.02}) {
      trials.push_back({.rule = rule, .l1 = l1});
      trials.push_back({.rule = rule, .l1 = l1, .intercept = false, .weighted = true});
      trials.push_back({.rule = rule, .ridge = 0, .l1 = l1, .batch = 3});
      for (const double ridge : {0.0, 0.03}) {
        trials.push_back(
            {.rule = rule, .ridge = ridge, .l1 = l1, .batch = 9, .sampling = with_replacement});
      }
      trials.push_back(
          {.rule = rule, .rate = 0.9, .ridge = 1.2, .l1 = l1, .m = 40});  // shrinks by −0.08
      trials.push_back({.rule = rule, .rate = 0.5, .ridge = 0.5, .l1 = l1, .m = 200});
    }
  }
  trials.push_back({.average = true});
  trials.push_back({.l1 = 0.02, .average = true});
  for (const Setting& t : trials) {
    CAPTURE(int(t.rule), t.rate, t.ridge, t.l1, t.intercept, t.batch, t.m, t.average);
    const VectorXd wanted = by_hand(data, t), x0 = data.start(t.intercept);
    REQUIRE(wanted.allFinite());
    const auto check = [&](const auto& f) {
      const VectorXd x = t.l1 > 0 ? last_iterate(f, x0, t, proximal_l1(t.l1))
                                  : last_iterate(f, x0, t, Unpenalized());
      CHECK((x - wanted).cwiseAbs().maxCoeff() <= 1e-12);
    };
    const auto model = [&](const auto& X) {
      return l2(LogisticRegression(
                    X, data.y,
                    {.intercept = t.intercept, .weights = t.weighted ? data.weights : VectorXd()}),
                t.ridge);
    };
    check(model(rows));
    check(model(sparse));
    const auto f = model(data.X);
    // Of any other objective a table has the ridge's gradients, too.
    if (t.ridge == 0 || t.rule == Rule::svrg || t.rule == Rule::sarah) check(Plain(f));
  }
}

namespace {

// Logistic regression with a ridge of condition L/μ that is known within a factor.
struct Convex {
  MatrixXd X = Uniform(11).matrix(200, 10);
  VectorXd y = (X * Uniform(12).vector(10) + 0.5 * Uniform(13).vector(200)).unaryExpr([](double u) {
    return u > 0 ? 1.0 : 0.0;
  });
  double ridge = 0.02;
  double L = 0.25 * X.rowwise().squaredNorm().maxCoeff() + ridge;
};

// Losses above the least one after each round.
template <class F>
std::vector<double> suboptimality(const F& f, double least, auto solver, std::int64_t rounds,
                                  Sampling sampling) {
  std::vector<double> above;
  (void)minimize(f, VectorXd::Zero(10), solver,
                 {.max_iterations = rounds, .gradient_tolerance = 0, .sampling = sampling},
                 [&](const Progress& p) { above.push_back(p.loss - least); });
  return above;
}

// log(f − f*) falls by so much a round, on average over those down to 1e-12.
double rate_of(const std::vector<double>& above) {
  std::size_t last = 0;
  while (last + 1 < above.size() && above[last + 1] > 1e-12) ++last;
  REQUIRE(last >= 2);
  return std::log(above[0] / above[last]) / double(last);
}

}  // namespace

TEST_CASE("finite sums: the rate is that of the theory, at least", "[finite_sums][rates]") {
  const Convex c;
  const LogisticRegression model(c.X, c.y);
  const auto f = l2(model, c.ridge);
  VectorXd g(10);
  const auto optimum =
      minimize(f, VectorXd::Zero(10), SAGA(), {.max_epochs = 3000, .gradient_tolerance = 1e-15});
  const double least = optimum.loss;
  CHECK(optimum.gradient_norm < 1e-14);

  // Johnson and Zhang, theorem 1: a round multiplies the expected f − f* by at most
  // 1/(μ η (1 − 2Lη) m) + 2Lη/(1 − 2Lη), here by 1/2.
  const double eta = 0.1 / c.L, mu = c.ridge;
  const auto m = std::int64_t(50 * c.L / mu);
  const double svrg = rate_of(
      suboptimality(f, least, SVRG({.learning_rate = eta, .inner_steps = m, .average = true}), 12,
                    with_replacement));
  CHECK(svrg >= std::log(2.0));
  // Defazio et al., theorem 1 with η = 1/(3L): a step multiplies by at most 1 − min(1/(4n), μ/(3L)).
  const double n = 200, theory = n * std::min(1 / (4 * n), mu / (3 * c.L));
  const double saga = rate_of(
      suboptimality(f, least, SAGA({.learning_rate = 1 / (3 * c.L)}), 300, with_replacement));
  CHECK(saga >= theory);
  // Schmidt et al., theorem 1 with η = 1/(16L): at most 1 − min(1/(8n), μ/(16L)).
  const double sag = rate_of(suboptimality(
      f, least, SAGA({.learning_rate = 1 / (16 * c.L), .biased = true}), 1500, with_replacement));
  CHECK(sag >= n * std::min(1 / (8 * n), mu / (16 * c.L)));
  // Nguyen et al., theorem 4, of ‖∇f‖²: 1/(μ η (m + 1)) + ηL/(2 − ηL), with η = 1/(2L) and m = 10L/μ: 0.2 + 1/3.
  const double sarah = rate_of(suboptimality(
      f, least, SARAH({.learning_rate = 0.5 / c.L, .inner_steps = std::int64_t(10 * c.L / mu)}), 30,
      with_replacement));
  CHECK(sarah >= -std::log(0.2 + 1.0 / 3));
  // And what was seen, with more room than chance takes.
  CHECK(svrg == Approx(4.92).epsilon(0.2));
  CHECK(saga == Approx(1.06).epsilon(0.2));
  CHECK(sag == Approx(0.99).epsilon(0.2));
  CHECK(sarah == Approx(2.40).epsilon(0.2));
}

// Columns of mean 0 and variance 1.
static MatrixXd scaled(MatrixXd X) {
  X.rowwise() -= X.colwise().mean().eval();
  for (Index j = 0; j < X.cols(); ++j) X.col(j) /= X.col(j).norm() / std::sqrt(double(X.rows()));
  return X;
}

TEST_CASE("finite sums: optima found outside", "[finite_sums][reference]") {
  const auto each = [](const auto& check) {
    check("SVRG", SVRG());
    check("SAGA", SAGA());
    check("SAG", SAGA({.biased = true}));
    check("SARAH", SARAH());
  };
  {
    const MatrixXd table = read_csv("breast_cancer/breast_cancer.csv");
    const RowMajor Z = scaled(table.leftCols(30));
    const VectorXd y = table.col(30);
    const LogisticRegression model(Z, y, {.intercept = true});
    const auto reference = read_reference("breast_cancer/reference.csv");
    for (const std::string fit : {"ridge_1", "ridge_2"}) {
      const std::vector<double>& wanted = reference.at(fit);  // λ, loss, errors, bias, coefficients
      each([&](const char* name, auto solver) {
        CAPTURE(fit, name);
        const auto result = minimize(l2(model, wanted[0]), VectorXd::Zero(31), solver,
                                     {.max_epochs = 9000, .gradient_tolerance = 1e-8});
        CHECK(result.status == Status::GradientTolerance);
        CHECK(result.loss == Approx(wanted[1]).epsilon(1e-10));
        CHECK((result.x.head(30) - Eigen::Map<const VectorXd>(&wanted[4], 30)).norm() <= 1e-4);
      });
    }
  }
  {
    const MatrixXd table = read_csv("diabetes/diabetes.csv");
    const RowMajor Z = scaled(table.leftCols(10));
    const VectorXd y = table.col(10).array() - table.col(10).mean();
    const LinearRegression model(Z, y);
    const auto reference = read_reference("diabetes/reference.csv");
    const auto check = [&](const std::string& fit, const char* name, const auto& f, auto solver) {
      const std::vector<double>& wanted = reference.at(fit);  // coefficients, loss, λ or α
      CAPTURE(fit, name);
      const auto result =
          minimize(f, VectorXd::Zero(10), solver, {.max_epochs = 6000, .gradient_tolerance = 1e-7});
      CHECK(result.status == Status::GradientTolerance);
      CHECK(result.loss == Approx(wanted[10]).epsilon(1e-12));
      for (Index j = 0; j < 10; ++j) {
        CHECK(result.x[j] == Approx(wanted[std::size_t(j)]).epsilon(1e-5));
        CHECK((result.x[j] == 0) == (wanted[std::size_t(j)] == 0));
      }
    };
    const auto ridge = l2(model, reference.at("z_ridge")[11]);
    each([&](const char* name, auto solver) { check("z_ridge", name, ridge, solver); });
    const auto l1 = proximal_l1(reference.at("z_lasso")[11]);
    check("z_lasso", "SVRG", model, SVRG(l1));
    check("z_lasso", "SAGA", model, SAGA(l1));
    check("z_lasso", "SARAH", model, SARAH(l1));
  }
  {
    const MatrixXd table = read_csv("digits/digits.csv");
    const RowMajor X = table.topLeftCorner(1437, 64) / 16;
    const VectorXd y = table.col(64).head(1437);
    const SoftmaxRegression model(X, y, {.classes = 10, .intercept = true});
    const std::vector<double> wanted = read_reference("digits/reference.csv").at("softmax");
    const auto result =
        minimize(l2(model, wanted[0]), VectorXd::Zero(650), SVRG({.learning_rate = 0.6}),
                 {.max_epochs = 600, .gradient_tolerance = 1e-7, .batch_size = 4});
    CHECK(result.loss == Approx(wanted[1]).epsilon(1e-9));
  }
}

namespace {

template <class Visit>
void visit_solvers(const Visit& visit) {
  visit("SVRG", SVRG({.learning_rate = 0.1, .inner_steps = 6}));
  visit("SVRG, average", SVRG({.learning_rate = 0.1, .inner_steps = 6, .average = true}));
  visit("SVRG, proximal", SVRG(proximal_l1(0.0), {.learning_rate = 0.1, .inner_steps = 6}));
  visit("SAGA", SAGA({.learning_rate = 0.1}));
  visit("SAG", SAGA({.learning_rate = 0.05, .inner_steps = 10, .biased = true}));
  visit("SARAH", SARAH({.learning_rate = 0.1, .inner_steps = 6}));
  visit("SARAH+", SARAH({.learning_rate = 0.1, .inner_steps = 50, .stop_ratio = 0.125}));
}

}  // namespace

TEST_CASE("finite sums: no fault within a round is taken for success, or ruins the result",
          "[finite_sums][faults]") {
  const RegressionData data(6, 3, 0.1, 3);
  const LinearRegression model(data.X, data.y);
  const VectorXd x0{{3.0, -2.0, 0.5}};
  const Plain plain(model);
  VectorXd g(3);
  const double start = model.loss(x0);
  int runs = 0, struck = 0, converged = 0;
  visit_solvers([&](const std::string& name, const auto& fresh) {
    auto solver = fresh;
    for (const Fault fault : {Fault::nan, Fault::infinity, Fault::minus_infinity, Fault::huge,
                              Fault::minus_huge, Fault::exception}) {
      for (const Part part : {Part::loss, Part::coefficient, Part::gradient}) {
        for (const bool once : {true, false}) {
          for (int from = 1; from <= 20; ++from) {
            const FaultPlan plan{
                .fault = fault, .part = part, .from = from, .once = once, .index = from % 3};
            CAPTURE(name, plan);
            const Faulty faulty(plain, plan);
            ++runs;
            try {
              const auto result = minimize(faulty, x0, solver, {.max_iterations = 60});
              const auto& counts = faulty.counts();
              CHECK(result.x.allFinite());
              CHECK(result.loss_evaluations == counts.losses);
              CHECK(result.gradient_evaluations == counts.gradients);
              CHECK(counts.gradients <= 60 * 101 + 10);
              CHECK((plan.fault != Fault::exception || counts.faults == 0));
              if (!(part == Part::loss && plan.finite()))
                CHECK(model.loss_and_gradient(result.x, g) <= start);
              if (result.converged()) {
                ++converged;
                model.gradient(result.x, g);
                CHECK(g.cwiseAbs().maxCoeff() <= 1e-6);
              }
              if (counts.faults > 0) ++struck;
              // Batches' losses count for nothing.
              if (part != Part::loss && counts.faults > 0) {
                CHECK(result.status == Status::NonFinite);
                CHECK(result.trouble.where != Trouble::Where::nowhere);
                CHECK(result.trouble.first_evaluation == (from == 1));
              }
              if (from == 1 && part != Part::loss) CHECK(result.x == x0);
            } catch (const InjectedError& error) {
              CHECK(error.evaluation == from);
              ++struck;
            }
            auto other = fresh;
            const auto again = minimize(Faulty(plain), x0, solver, {.max_iterations = 5});
            CHECK(again.x == minimize(Faulty(plain), x0, other, {.max_iterations = 5}).x);
          }
        }
      }
    }
  });
  CHECK(struck > runs / 2);
  CHECK(converged > 0);
}

TEST_CASE("finite sums: models' data that is not finite, and steps that are too long",
          "[finite_sums][faults]") {
  RegressionData data(24, 5, 0.1, 3);
  const VectorXd x0 = VectorXd::Ones(5);
  visit_solvers([&](const std::string& name, const auto& fresh) {
    CAPTURE(name);
    auto solver = fresh;
    solver.scale_learning_rate(1);
    for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
      MatrixXd X = data.X;
      X(7, 2) = bad;
      const LinearRegression model(X, data.y);
      const auto result = minimize(model, x0, solver);
      CHECK(result.status == Status::NonFinite);
      CHECK(result.x == x0);
    }
    const MatrixXd X = 100 * data.X;
    const LinearRegression model(X, data.y);
    const auto result = minimize(model, x0, solver, {.max_iterations = 400});
    CHECK(!result.converged());
    CHECK(result.x.allFinite());
    CHECK(result.loss <= model.loss(x0));
    CHECK(result.status == Status::NonFinite);
  });
}

TEST_CASE("finite sums: limits hold within rounds, and what is counted is what was done",
          "[finite_sums]") {
  const RegressionData data(24, 5, 0.1, 3);
  const LinearRegression model(data.X, data.y);
  const Plain plain(model);
  const VectorXd x0 = VectorXd::Ones(5);
  visit_solvers([&](const std::string& name, const auto& fresh) {
    CAPTURE(name);
    auto solver = fresh;
    const auto check = [&](const auto& f) {
      for (const std::int64_t most : {1, 2, 3, 10, 29, 30, 31, 50}) {
        const auto result =
            minimize(f, x0, solver, {.max_evaluations = most, .gradient_tolerance = 0});
        CHECK(result.status == Status::EvaluationLimit);
        CHECK(result.gradient_evaluations <= most);
        CHECK(result.gradient_evaluations + 25 >= most);
      }
      for (const std::int64_t most : {0, 1, 2, 3, 7}) {
        const auto result = minimize(f, x0, solver, {.max_epochs = most, .gradient_tolerance = 0});
        CHECK(result.status == Status::EpochLimit);
        CHECK(result.epochs == most);
      }
      CHECK(minimize(f, x0, solver, {.time_limit = 0}).status == Status::TimeLimit);
      CHECK(minimize(f, x0, solver, {.max_iterations = 0}).status == Status::IterationLimit);
      CHECK(minimize(f, x0, solver, {.max_iterations = 3, .gradient_tolerance = 0}).iterations ==
            3);
      CHECK(minimize(f, x0, solver, {.gradient_tolerance = 0, .loss_tolerance = 1e-4}).status ==
            Status::LossTolerance);
      CHECK(minimize(f, x0, solver, {.gradient_tolerance = 0, .step_tolerance = 1e-4}).status ==
            Status::StepTolerance);
    };
    check(model);
    check(plain);
    const auto stopped =
        minimize(model, x0, solver, {}, [](const Progress& p) { return p.iterations < 2; });
    CHECK(stopped.status == Status::Stopped);
    CHECK(stopped.iterations == 2);
    const Faulty counting(plain);
    const auto result = minimize(counting, x0, solver, {.max_evaluations = 200});
    CHECK(counting.counts().gradients == result.gradient_evaluations);
  });
  // Rounds of 48 steps, then 24 samples for the gradient at their end.
  for (const std::int64_t rounds : {1, 2, 5}) {
    const auto svrg =
        minimize(model, x0, SVRG(), {.max_iterations = rounds, .gradient_tolerance = 0});
    CHECK(svrg.epochs == 3 * rounds - 1);
    CHECK(svrg.gradient_evaluations == 49 * rounds + 1);
    const auto saga =
        minimize(model, x0, SAGA(), {.max_iterations = rounds, .gradient_tolerance = 0});
    CHECK(saga.epochs == rounds);
    const auto many = minimize(
        model, x0, SVRG(), {.max_iterations = rounds, .gradient_tolerance = 0, .batch_size = 5});
    CHECK(many.gradient_evaluations == 11 * rounds + 1);
  }
  CHECK_THROWS_WITH(minimize(plain, x0, SVRG()), ContainsSubstring("SVRG: learning_rate must be"));
  const QuantileRegression quantile(data.X, data.y);
  CHECK_THROWS_WITH(minimize(quantile, x0, SAGA()),
                    ContainsSubstring("learning_rate must be given for an objective of unknown"));
  CHECK_THROWS_WITH(SVRG({.inner_steps = -1}), "SVRG: inner_steps must be at least 0, got -1");
  CHECK_THROWS_WITH(SAGA({.inner_steps = -1}), "SAGA: inner_steps must be at least 0, got -1");
  CHECK_THROWS_WITH(SARAH({.inner_steps = -1}), "SARAH: inner_steps must be at least 0, got -1");
}

TEST_CASE("finite sums: the same seed gives the same bits, another one another path",
          "[finite_sums][determinism]") {
  const RegressionData data(24, 5, 0.1, 3);
  const LinearRegression model(data.X, data.y);
  const VectorXd x0 = VectorXd::Ones(5);
  visit_solvers([&](const std::string& name, const auto& fresh) {
    CAPTURE(name);
    const auto after = [&](auto solver, std::uint64_t seed, std::int64_t rounds) {
      return minimize(
                 model, x0, solver,
                 {.max_iterations = rounds, .gradient_tolerance = 0, .batch_size = 2, .seed = seed})
          .x;
    };
    const VectorXd x = after(fresh, 1, 3);
    for (int k = 0; k < 20; ++k) CHECK(after(fresh, 1, 3) == x);
    CHECK(after(fresh, 2, 3) != x);
    // Batches of one's own are what the options stand for.
    Batches batches(24, 2, Sampling::shuffled, 1);
    auto solver = fresh;
    CHECK(minimize(model, x0, solver,
                   {.max_iterations = 3, .gradient_tolerance = 0, .batches = &batches})
              .x == x);
  });
}

TEST_CASE("finite sums: nothing is allocated after the first round, and any allocation may fail",
          "[finite_sums][allocation]") {
  const RegressionData data(24, 5, 0.1, 3);
  const Eigen::SparseMatrix<double, Eigen::RowMajor> sparse = data.X.sparseView();
  const LinearRegression dense(data.X, data.y);
  const LinearRegression thin(sparse, data.y);
  const Plain plain(dense);
  const VectorXd x0 = VectorXd::Ones(5);
  int failures = 0;
  visit_solvers([&](const std::string& name, const auto& fresh) {
    CAPTURE(name);
    const auto check = [&](const auto& f) {
      const auto run = [&](auto& solver, std::int64_t rounds) {
        return minimize(f, x0, solver,
                        {.max_iterations = rounds, .gradient_tolerance = 0, .batch_size = 3});
      };
      const auto allocations = [&](std::int64_t rounds) {
        auto solver = fresh;
        return allocated_by([&] { (void)run(solver, rounds); });
      };
      CHECK(allocations(1) == allocations(30));
      auto solver = fresh, other = fresh;
      const VectorXd x = run(other, 3).x;
      for (std::int64_t k = 1;; ++k) {
        const Ending ending = out_of_memory(k, [&] { (void)run(solver, 3); });
        if (ending == Ending::untouched) break;
        CHECK(ending == Ending::thrown);
        ++failures;
        CHECK(run(solver, 3).x == x);
      }
    };
    check(dense);
    check(thin);
    check(plain);
  });
  CHECK(failures > (counts_malloc() ? 100 : 20));
}

TEST_CASE("finite sums: other types of parameters, projections, rates that change",
          "[finite_sums]") {
  const RegressionData data(24, 3, 0.1, 3);
  const LinearRegression model(data.X, data.y);
  const VectorXd solution = data.solution();
  const auto close_to = [&](const auto& result, double tolerance) {
    CAPTURE(result.message());
    CHECK(result.converged());
    for (Index i = 0; i < 3; ++i)
      CHECK(static_cast<double>(result.x.data()[i]) == Approx(solution[i]).margin(tolerance));
  };
  const auto single = LinearRegression(data.X.cast<float>().eval(), data.y.cast<float>().eval());
  const MinimizeOptions many{.max_epochs = 3000};
  close_to(minimize(model, Eigen::Vector3d(1, 1, 1), SVRG(), many), 1e-4);
  close_to(minimize(model, Eigen::RowVector3d(1, 1, 1), SAGA(), many), 1e-4);
  close_to(minimize(Plain(model), VectorXd::Ones(3), SAGA({.learning_rate = 0.1}), many), 1e-4);
  close_to(minimize(model, MatrixXd::Ones(3, 1).eval(), SARAH(), many), 1e-4);
  close_to(minimize(single, Eigen::Vector3f(1, 1, 1), SAGA(), many), 0.05);
  close_to(minimize(single, Eigen::VectorXf(Eigen::Vector3f(1, 1, 1)), SVRG(), many), 0.05);
  // An objective that brings its proximal step, which leaves the intercept out.
  const auto f = l1(LinearRegression(data.X.leftCols(2).eval(), data.y, {.intercept = true}), 0.3);
  const auto lasso = minimize(f, VectorXd::Ones(3), FISTA(), {.gradient_tolerance = 1e-10});
  const MinimizeOptions options{.max_epochs = 1000, .gradient_tolerance = 1e-10};
  for (const auto& result : {minimize(f, VectorXd::Ones(3), SVRG(), options),
                             minimize(f, VectorXd::Ones(3), SAGA(), options),
                             minimize(f, VectorXd::Ones(3), SARAH(), options)}) {
    CHECK(result.converged());
    CHECK(result.loss == Approx(lasso.loss).epsilon(1e-13));
    CHECK((result.x - lasso.x).norm() <= 1e-8);
  }
  // Projected, also the start.
  const auto boxed = minimize(model, VectorXd::Constant(3, 9), SVRG(project_on_box(-0.1, 0.1)));
  CHECK(boxed.converged());
  CHECK(boxed.x.cwiseAbs().maxCoeff() <= 0.1);
  CHECK(boxed.x == minimize(model, VectorXd::Constant(3, -9), SAGA(project_on_box(-0.1, 0.1))).x);

  SVRG solver({.learning_rate = 0.5});
  solver.scale_learning_rate(0.5);
  CHECK(solver.learning_rate() == 0.25);
  solver.reset();
  (void)minimize(model, VectorXd::Ones(3), solver, {.max_iterations = 1});
  CHECK(solver.learning_rate() == 0.5);
  CHECK(solver.steps() == 48);
  (void)minimize(model, VectorXd::Ones(3), solver, {.max_iterations = 2},
                 [&](const Progress& p) { CHECK(p.learning_rate == 0.5); });
  // 1/(3L): of single samples, and of batches, whose mean is smoother.
  SAGA automatic;
  (void)minimize(l2(model, 0.5), VectorXd::Ones(3), automatic, {.max_iterations = 1});
  const VectorXd squares = data.X.rowwise().squaredNorm();
  CHECK(automatic.learning_rate() == Approx(1 / (3 * (squares.maxCoeff() + 0.5))));
  (void)minimize(model, VectorXd::Ones(3), automatic, {.max_iterations = 1, .batch_size = 4});
  CHECK(automatic.learning_rate() ==
        Approx(1 / (3 * (0.75 * squares.mean() + 0.25 * squares.maxCoeff()))));
}
