// L-BFGS: PyTorch's trajectories, the recursion written out, invariance under scaling, and no heap.
#include "support/allocations.hpp"

#include <descent/line_search/armijo.hpp>
#include <descent/line_search/fixed_step.hpp>
#include <descent/line_search/hager_zhang.hpp>
#include <descent/minimize.hpp>
#include <descent/solver/barzilai_borwein.hpp>
#include <descent/solver/conjugate_gradient.hpp>
#include <descent/solver/lbfgs.hpp>
#include <descent/solver/lbfgsb.hpp>
#include <descent/solver/steepest_descent.hpp>

#include "support/catch.hpp"
#include "support/compare.hpp"
#include "support/problems.hpp"

#include <Eigen/Core>
#include <Eigen/LU>

#include <cmath>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

using namespace descent;
using namespace descent_test;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

// A reference objective, for minimize.
struct Reference {
  ReferenceObjective f;
  double loss(const VectorXd& x) const { return f.loss(x); }
  void gradient(const VectorXd& x, VectorXd& g) const { f.gradient_at(1, x, g); }
};

// Everything but the line search, as the textbook has it: Nocedal and Wright, Algorithm 7.4, with matrices.
VectorXd textbook_direction(const VectorXd& g,
                            const std::deque<std::pair<VectorXd, VectorXd>>& pairs) {
  const auto n = g.size();
  MatrixXd H = MatrixXd::Identity(n, n);
  if (!pairs.empty()) {
    const auto& [s, y] = pairs.back();
    H *= s.dot(y) / y.dot(y);
  }
  for (const auto& [s, y] : pairs) {
    const MatrixXd V = MatrixXd::Identity(n, n) - y * s.transpose() / y.dot(s);
    H = (V.transpose() * H * V + s * s.transpose() / y.dot(s)).eval();
  }
  return -H * g;
}

template <class V>
V start(Eigen::Index n) {
  V x(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    x[i] = static_cast<typename V::Scalar>(i % 2 == 0 ? -1.2 : 1);
  }
  return x;
}

// Rosenbrock's function in pairs of coefficients, scaled: f(x) = 2^a r(2^b x).
struct Extended {
  int a = 0, b = 0;
  template <class V>
  double loss_and_gradient(const V& x, V& g) const {
    using Real = typename V::Scalar;
    double loss = 0;
    for (Eigen::Index i = 0; i < x.size(); i += 2) {
      const Real p = std::ldexp(x[i], b), q = std::ldexp(x[i + 1], b);
      const Real u = 1 - p, v = q - p * p;
      g[i] = std::ldexp(-2 * u - 400 * p * v, a + b);
      g[i + 1] = std::ldexp(200 * v, a + b);
      loss += std::ldexp(static_cast<double>(u * u + 100 * v * v), a);
    }
    return loss;
  }
};

}  // namespace

TEST_CASE("LBFGS follows PyTorch's step by step where the step is fixed", "[lbfgs]") {
  int files = 0;
  for (const std::string& name : list("torch")) {
    if (name.find("lbfgs__fixedstep") == std::string::npos) continue;
    ++files;
    const Trajectory reference = load_trajectory(name);
    const Reference f{make_objective(reference)};
    Report report;
    LBFGS lbfgs({.history_size = reference.hyper.integer("history_size")},
                fixed_step({.step = reference.hyper.number("lr")}));
    auto point = reference.checkpoints.begin();
    VectorXd before = reference.x0, g(before.size()), g_before(before.size());
    f.gradient(before, g_before);
    double product = 1;
    (void)minimize(
        f, reference.x0, lbfgs,
        {.max_iterations = reference.checkpoints.back().t, .gradient_tolerance = 0},
        [&](const Progress& p, const VectorXd& x) {
          if (p.iterations == point->t) {
            CHECK(point->extra.find("n_iter")->second[0] == static_cast<double>(point->t));
            compare_point(reference, *point, "x", x, point->x, report);
            ++point;
          }
          f.gradient(x, g);
          product = (x - before).dot(g - g_before);
          before = x;
          g_before = g;
          return product > 1e-10;  // below, PyTorch forgets pairs
        });
    INFO(report.first_failure);
    CHECK(report.passed());
    CHECK(report.compared >= 18);
  }
  CHECK(files == 2);
}

TEST_CASE("LBFGS with a line search ends as low as PyTorch's", "[lbfgs]") {
  int files = 0;
  for (const std::string& name : list("torch")) {
    if (name.find("lbfgs__strongwolfe") == std::string::npos) continue;
    ++files;
    const Trajectory reference = load_trajectory(name);
    CAPTURE(name);
    const Reference f{make_objective(reference)};
    const double least = *reference.checkpoints.back().loss;
    const std::int64_t history = reference.hyper.integer("history_size");
    const auto check = [&](const auto& result) {
      CHECK(result.status == Status::GradientTolerance);
      CHECK(result.loss <= least + 1e-6 * std::max(1.0, std::abs(least)));
    };
    // One of the quadratics has its minimum at 18 000 and a condition of 5e5.
    const MinimizeOptions options{.max_iterations = 3000, .gradient_tolerance = 1e-6};
    check(minimize(f, reference.x0, LBFGS({.history_size = history}), options));
    check(minimize(f, reference.x0, LBFGS({.history_size = history}, hager_zhang()), options));
    check(minimize(f, reference.x0, LBFGS({.history_size = history}, armijo()), options));
  }
  CHECK(files == 9);
}

TEMPLATE_TEST_CASE("the direction is that of the textbook's matrices", "[lbfgs]", VectorXd,
                   (Eigen::Matrix<double, 7, 1>), Eigen::VectorXf) {
  using V = TestType;
  using Real = typename V::Scalar;
  constexpr double tolerance = sizeof(Real) == 4 ? 2e-4 : 1e-11;
  constexpr int n = 7;
  for (const int m : {1, 2, 3, 5, 20}) {
    CurvaturePairs<Real, V::SizeAtCompileTime, 20> pairs;
    pairs.resize(n, m);
    Uniform uniform(static_cast<std::uint64_t>(m));
    const MatrixXd B = uniform.matrix(n, n);
    const MatrixXd A = B * B.transpose() + MatrixXd::Identity(n, n);
    std::deque<std::pair<VectorXd, VectorXd>> known;
    V x = uniform.vector(n).template cast<Real>(), g = (A.cast<Real>() * x).eval(), d = x;
    for (int k = 0; k < 12; ++k) {
      V next = (x + uniform.vector(n).template cast<Real>()).eval();
      V next_g = (A.cast<Real>() * next).eval();
      if (k == 5) next_g = g - (next - x);  // not curved: to be left out
      const bool curved = pairs.add(x.data(), g.data(), next.data(), next_g.data());
      CHECK(curved == (k != 5));
      if (curved) {
        known.emplace_back((next - x).template cast<double>(),
                           (next_g - g).template cast<double>());
        if (static_cast<int>(known.size()) > m) known.pop_front();
      }
      CHECK(pairs.count() == static_cast<int>(known.size()));
      if (curved) x = next;
      g = next_g;
      if (k == 5 || k == 8) {  // another gradient than that of the last pair
        g = uniform.vector(n).template cast<Real>();
        pairs.multiply(g.data());
      }
      const double slope = pairs.direction(g.data(), d.data());
      const VectorXd wanted = textbook_direction(g.template cast<double>(), known);
      CAPTURE(m, k);
      const V of_x = (A.cast<Real>() * x).eval();
      CHECK((d.template cast<double>() - wanted).norm() <= tolerance * wanted.norm());
      CHECK(std::abs(slope - static_cast<double>(g.dot(d))) <= tolerance * std::abs(slope));
      g = of_x;
    }
    pairs.clear();
    CHECK(pairs.count() == 0);
    (void)pairs.direction(g.data(), d.data());
    CHECK(d == -g);
  }
}

TEST_CASE("the pairs of long vectors lie in blocks, and the direction does not notice", "[lbfgs]") {
  for (const Eigen::Index n :
       {1, 2, 3, 4, 5, 8, 9, 255, 256, 257, 300, 1023, 1024, 1025, 2049, 5000}) {
    CurvaturePairs<double, Eigen::Dynamic, 1> pairs;
    pairs.resize(n, 3);
    Uniform uniform(7);
    const VectorXd diagonal = uniform.vector(n).array() + 2;
    std::deque<std::pair<VectorXd, VectorXd>> known;
    VectorXd x = uniform.vector(n), g = diagonal.cwiseProduct(x), d = x;
    for (int k = 0; k < 5; ++k) {
      const VectorXd next = uniform.vector(n), next_g = diagonal.cwiseProduct(next);
      REQUIRE(pairs.add(x.data(), g.data(), next.data(), next_g.data()));
      known.emplace_back(next - x, next_g - g);
      if (known.size() > 3) known.pop_front();
      x = next;
      g = next_g;
    }
    (void)pairs.direction(g.data(), d.data());
    // The two-loop recursion.
    VectorXd q = g;
    std::vector<double> alpha(known.size());
    for (std::size_t i = known.size(); i-- > 0;) {
      alpha[i] = known[i].first.dot(q) / known[i].first.dot(known[i].second);
      q -= alpha[i] * known[i].second;
    }
    const auto& [s, y] = known.back();
    q *= s.dot(y) / y.dot(y);
    for (std::size_t i = 0; i < known.size(); ++i) {
      const double beta = known[i].second.dot(q) / known[i].first.dot(known[i].second);
      q += (alpha[i] - beta) * known[i].first;
    }
    CAPTURE(n);
    CHECK((d + q).norm() <= 1e-10 * q.norm());
  }
}

TEST_CASE("scaling loss or parameters by powers of two scales the iterates, bit for bit",
          "[lbfgs]") {
  const auto run = [](int a, int b, auto solver) {
    std::vector<VectorXd> iterates;
    const VectorXd x0 = start<VectorXd>(6) * std::ldexp(1.0, -b);
    const auto result = minimize(
        Extended{a, b}, x0, solver, {.max_iterations = 30, .gradient_tolerance = 0},
        [&](const Progress&, const VectorXd& x) { iterates.push_back(x * std::ldexp(1.0, b)); });
    return std::pair(iterates, result.status);
  };
  const auto check = [&](const auto& solver, int every) {
    const auto plain = run(0, 0, solver);
    CHECK(plain.first.size() >= 20);
    bool same = true;
    for (int k = -300; k <= 300; k += every) {
      same = same && run(k, 0, solver) == plain && run(0, k, solver) == plain;
      // Squares of gradients stay finite.
      if (std::abs(k) <= 200) same = same && run(k, k, solver) == plain;
      CAPTURE(k);
      REQUIRE(same);
    }
  };
  check(LBFGS({.history_size = 4}), 1);
  check(SteepestDescent(), 1);
  check(LBFGS({.history_size = 4}, hager_zhang()), 20);
  check(LBFGS({.history_size = 4}, armijo()), 20);
  check(SteepestDescent(armijo()), 20);
  check(LBFGSB({.history_size = 4}), 20);
  check(BarzilaiBorwein(), 20);
  check(ConjugateGradient(), 20);
  check(ConjugateGradient({.formula = Conjugacy::hager_zhang}, hager_zhang()), 20);
}

TEST_CASE("LBFGS on vectors of any type, with and without a heap", "[lbfgs][allocation]") {
  const MinimizeOptions options{.max_iterations = 200};
  const auto dynamic = minimize(Extended{}, start<VectorXd>(4), LBFGS(), options);
  CHECK(dynamic.converged());
  CHECK((dynamic.x.array() - 1).abs().maxCoeff() < 1e-6);
  CHECK(dynamic.loss_evaluations == dynamic.gradient_evaluations);
  CHECK(dynamic.gradient_evaluations < 2 * dynamic.iterations);
  CHECK(minimize(Extended{}, start<Eigen::VectorXf>(4), LBFGS(), options).converged());

  Result<Eigen::Vector4d> fixed;
  const Eigen::Vector4d x0 = start<VectorXd>(4);
  const Allocations heap =
      allocated_by([&] { fixed = minimize(Extended{}, x0, LBFGS(), options); });
  CHECK(heap == Allocations{});
  CHECK(fixed.converged());
  CHECK((fixed.x - dynamic.x).norm() < 1e-9);

  // A matrix is minimized as its coefficients are.
  const Eigen::Matrix2d square = Eigen::Map<const Eigen::Matrix2d>(dynamic.x.data()) * 0;
  CHECK(minimize(Bowl{}, square, LBFGS(), options).x.isApprox(Eigen::Matrix2d::Ones(), 1e-6));

  const auto allocations = [&](std::int64_t iterations) {
    LBFGS lbfgs;
    return allocated_by([&] {
      (void)minimize(Extended{}, VectorXd(start<VectorXd>(100)), lbfgs,
                     {.max_iterations = iterations, .gradient_tolerance = 0});
    });
  };
  CHECK(allocations(2) == allocations(40));
}

TEST_CASE("LBFGS keeps its pairs for a warm start, and forgets them otherwise", "[lbfgs]") {
  const VectorXd x0 = start<VectorXd>(10);
  LBFGS lbfgs;
  const auto half =
      minimize(Extended{}, x0, lbfgs, {.max_iterations = 12, .gradient_tolerance = 0});
  CHECK(lbfgs.steps() == 12);
  CHECK(lbfgs.learning_rate() > 0);
  LBFGS copy = lbfgs;
  const auto warm = minimize(Extended{}, half.x, lbfgs, {.warm_start = true});
  CHECK(lbfgs.steps() == 12 + warm.iterations);
  const auto cold = minimize(Extended{}, half.x, copy);
  CHECK(copy.steps() == cold.iterations);
  CHECK(warm.converged());
  CHECK(cold.converged());
  // The same first direction as without the interruption.
  const auto on =
      minimize(Extended{}, x0, LBFGS(), {.max_iterations = 13, .gradient_tolerance = 0});
  LBFGS again;
  (void)minimize(Extended{}, x0, again, {.max_iterations = 12, .gradient_tolerance = 0});
  const auto resumed = minimize(Extended{}, half.x, again,
                                {.max_iterations = 1, .gradient_tolerance = 0, .warm_start = true});
  CHECK((on.x - resumed.x).norm() <= 1e-12);
}

TEST_CASE("arguments of LBFGS outside of their ranges are refused", "[lbfgs]") {
  CHECK_THROWS_WITH(LBFGS({.history_size = 0}), "LBFGS: history_size must be at least 1, got 0");
  CHECK_THROWS_WITH(LBFGS<Eigen::Vector2d>({.history_size = 21}),
                    "LBFGS: history_size must be at most 20 with vectors of fixed size, got 21");
  CHECK_NOTHROW(LBFGS({.history_size = 1}));
}
