// LBFGS on the extended Rosenbrock function of n variables against dlib, liblbfgs, Ceres and NLopt, those of them that CMake
// found, each with 10 pairs, from the standard start (-1.2, 1, -1.2, 1, ...) until the largest |gradient coefficient| is below
// 1e-6. Evaluations and milliseconds; the contenders take turns, and ratios are medians of the rounds.
//
//     solvers [--quick]
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "descent/minimize.hpp"
#include "descent/solver/lbfgs.hpp"

#ifdef DESCENT_WITH_DLIB
#include <dlib/optimization.h>
#endif
#ifdef DESCENT_WITH_LIBLBFGS
#include <lbfgs.h>
#endif
#ifdef DESCENT_WITH_NLOPT
#include <nlopt.h>
#endif
#ifdef DESCENT_WITH_CERES
#include <ceres/gradient_problem.h>
#include <ceres/gradient_problem_solver.h>
#endif

namespace {

using Eigen::VectorXd;

constexpr double tolerance = 1e-6;
constexpr int pairs = 10;

long evaluations = 0;

double rosenbrock(const double* x, double* g, long n) {
  ++evaluations;
  double loss = 0;
  for (long i = 0; i < n; i += 2) {
    const double a = 1 - x[i], b = x[i + 1] - x[i] * x[i];
    g[i] = -2 * a - 400 * x[i] * b;
    g[i + 1] = 200 * b;
    loss += a * a + 100 * b * b;
  }
  return loss;
}
double largest(const double* g, long n) {
  double most = 0;
  for (long i = 0; i < n; ++i) most = std::max(most, std::abs(g[i]));
  return most;
}
double start(long i) {
  return i % 2 == 0 ? -1.2 : 1.0;
}

// Each returns how far from the minimum it ended, max |x - 1|.
using Method = double (*)(long n);

double distance(const double* x, long n) {
  double most = 0;
  for (long i = 0; i < n; ++i) most = std::max(most, std::abs(x[i] - 1));
  return most;
}

struct Rosenbrock {
  double loss_and_gradient(const VectorXd& x, VectorXd& g) const {
    return rosenbrock(x.data(), g.data(), x.size());
  }
};
double by_descent(long n) {
  const VectorXd x0 = VectorXd::NullaryExpr(n, [](Eigen::Index i) { return start(i); });
  const auto result = descent::minimize(Rosenbrock{}, x0, descent::LBFGS({.history_size = pairs}),
                                        {.max_iterations = 1000, .gradient_tolerance = tolerance});
  return distance(result.x.data(), n);
}

#ifdef DESCENT_WITH_DLIB
using Column = dlib::matrix<double, 0, 1>;
struct SmallGradient {
  template <class X, class G>
  bool should_continue_search(const X&, double, const G& g) const {
    return largest(&g(0), g.size()) > tolerance;
  }
};
double by_dlib(long n) {
  Column x(n), g(n);
  for (long i = 0; i < n; ++i) x(i) = start(i);
  // It asks for loss and gradient one after another, at the same point.
  dlib::find_min(
      dlib::lbfgs_search_strategy(pairs), SmallGradient{},
      [&](const Column& at) { return rosenbrock(&at(0), &g(0), n); },
      [&](const Column&) { return g; }, x, -1);
  return distance(&x(0), n);
}
#endif

#ifdef DESCENT_WITH_LIBLBFGS
double by_liblbfgs(long n) {
  lbfgsfloatval_t* x = lbfgs_malloc(static_cast<int>(n));
  for (long i = 0; i < n; ++i) x[i] = start(i);
  lbfgs_parameter_t parameters;
  lbfgs_parameter_init(&parameters);
  parameters.m = pairs;
  parameters.epsilon = 1e-300;
  const auto f = [](void*, const lbfgsfloatval_t* at, lbfgsfloatval_t* g, int size,
                    lbfgsfloatval_t) -> lbfgsfloatval_t { return rosenbrock(at, g, size); };
  const auto progress = [](void*, const lbfgsfloatval_t*, const lbfgsfloatval_t* g, lbfgsfloatval_t,
                           lbfgsfloatval_t, lbfgsfloatval_t, lbfgsfloatval_t, int size, int,
                           int) -> int { return largest(g, size) <= tolerance; };
  lbfgs(static_cast<int>(n), x, nullptr, f, progress, nullptr, &parameters);
  const double result = distance(x, n);
  lbfgs_free(x);
  return result;
}
#endif

#ifdef DESCENT_WITH_CERES
class CeresRosenbrock final : public ceres::FirstOrderFunction {
  int n_;

 public:
  explicit CeresRosenbrock(long n) : n_(static_cast<int>(n)), spare_(static_cast<std::size_t>(n)) {}
  bool Evaluate(const double* x, double* cost, double* gradient) const override {
    *cost = rosenbrock(x, gradient != nullptr ? gradient : spare_.data(), n_);
    return true;
  }
  int NumParameters() const override { return n_; }

 private:
  mutable std::vector<double> spare_;
};
double by_ceres(long n) {
  std::vector<double> x(static_cast<std::size_t>(n));
  for (long i = 0; i < n; ++i) x[static_cast<std::size_t>(i)] = start(i);
  ceres::GradientProblem problem(new CeresRosenbrock(n));
  ceres::GradientProblemSolver::Options options;
  options.max_lbfgs_rank = pairs;
  options.max_num_iterations = 1000;
  options.gradient_tolerance = tolerance;
  options.function_tolerance = options.parameter_tolerance = 0;
  options.logging_type = ceres::SILENT;
  ceres::GradientProblemSolver::Summary summary;
  ceres::Solve(options, problem, x.data(), &summary);
  return distance(x.data(), n);
}
#endif

#ifdef DESCENT_WITH_NLOPT
// It knows no tolerance on the gradient: it is stopped by force.
struct NloptRun {
  nlopt_opt opt;
  long n;
  std::vector<double> last;
};
double by_nlopt(long n) {
  NloptRun run{nlopt_create(NLOPT_LD_LBFGS, static_cast<unsigned>(n)), n,
               std::vector<double>(static_cast<std::size_t>(n))};
  std::vector<double> x(static_cast<std::size_t>(n));
  for (long i = 0; i < n; ++i) x[static_cast<std::size_t>(i)] = start(i);
  nlopt_set_vector_storage(run.opt, pairs);
  nlopt_set_maxeval(run.opt, 1000);
  nlopt_set_min_objective(
      run.opt,
      [](unsigned, const double* at, double* g, void* data) {
        auto& self = *static_cast<NloptRun*>(data);
        std::vector<double> spare;
        if (g == nullptr) {
          spare.resize(static_cast<std::size_t>(self.n));
          g = spare.data();
        }
        const double loss = rosenbrock(at, g, self.n);
        if (largest(g, self.n) <= tolerance) {
          std::copy_n(at, self.n, self.last.begin());
          nlopt_force_stop(self.opt);
        }
        return loss;
      },
      &run);
  double loss = 0;
  nlopt_optimize(run.opt, x.data(), &loss);
  nlopt_destroy(run.opt);
  return distance(run.last.data(), n);
}
#endif

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Contender {
  std::string name;
  Method run;
  long evaluations = 0;
  double distance = 0;
  std::vector<double> times{};
};

}  // namespace

int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::strcmp(argv[1], "--quick") == 0;
  std::vector<Contender> contenders{{"descent", by_descent}};
#ifdef DESCENT_WITH_DLIB
  contenders.push_back({"dlib", by_dlib});
#endif
#ifdef DESCENT_WITH_LIBLBFGS
  contenders.push_back({"liblbfgs", by_liblbfgs});
#endif
#ifdef DESCENT_WITH_CERES
  contenders.push_back({"Ceres", by_ceres});
#endif
#ifdef DESCENT_WITH_NLOPT
  contenders.push_back({"NLopt", by_nlopt});
#endif
  std::printf("L-BFGS with %d pairs on the extended Rosenbrock function, to |g| < %g\n", pairs,
              tolerance);
  std::printf("%8s  %-9s %11s  %11s  %17s  %s\n", "n", "", "evaluations", "ms", "descent's / it",
              "max |x - 1|");
  for (const long n : {10L, 1'000L, 100'000L}) {
    const int rounds = n == 100'000 ? (quick ? 5 : 15) : quick ? 21 : 101;
    const int repeats = n == 10 ? 200 : 1;
    for (Contender& c : contenders) c.times.clear();
    for (int round = 0; round < rounds; ++round) {
      for (Contender& c : contenders) {
        const double begin = now();
        for (int k = 0; k < repeats; ++k) {
          evaluations = 0;
          c.distance = c.run(n);
        }
        c.times.push_back((now() - begin) / repeats);
        c.evaluations = evaluations;
      }
    }
    double of_dlib = std::numeric_limits<double>::quiet_NaN(), of_best = 0;
    for (const Contender& c : contenders) {
      std::vector<double> ratios;
      for (std::size_t k = 0; k < c.times.size(); ++k)
        ratios.push_back(contenders[0].times[k] / c.times[k]);
      const double ratio = median(ratios);
      std::printf("%8ld  %-9s %11ld  %11.5f  %17.2f  %.1e\n", n, c.name.c_str(), c.evaluations,
                  median(c.times) * 1e3, ratio, c.distance);
      if (c.name == "dlib") of_dlib = ratio;
      if (&c != contenders.data()) of_best = std::max(of_best, ratio);
    }
    const auto verdict = [](const char* mark, bool met, double value) {
      std::printf("verdict: %s: %s, %.2f\n", mark, met ? "met" : "MISSED", value);
    };
    if (n == 100'000) {
      verdict("n = 100 000, evaluations <= 48", contenders[0].evaluations <= 48,
              static_cast<double>(contenders[0].evaluations));
      if (!std::isnan(of_dlib)) {
        verdict("n = 100 000, time <= 0.55 of dlib's", of_dlib <= 0.55, of_dlib);
      }
    }
    if (n == 10 && contenders.size() > 1) {
      verdict("n = 10, time <= 0.70 of the best of the others", of_best <= 0.7, of_best);
    }
  }
}
