// Solvers within bounds: how many evaluations each makes until the largest coefficient of the projected gradient is 1e-7 of
// the gradient's at the start, and how often it does not get there. The contenders are LBFGSB, the code of R. H. Byrd, P. Lu, J. Nocedal and C. Zhu
// (L-BFGS-B 3.0, which is SciPy's), dlib's box-constrained L-BFGS and NLopt's L-BFGS and SLSQP: those of them that CMake
// found, with 10 pairs where they keep pairs.
//
// The problems: quadratics with a known solution and active set, of J. J. Moré and G. Toraldo, Numer. Math. 55, 1989, section 5
// (condition, share of active bounds, and how degenerate the multipliers are); the torsion of a bar and the journal bearing on
// grids, of B. M. Averick et al., "The MINPACK-2 test problem collection", 1992, 4.1 and 4.2; extended Rosenbrock, and the
// problem of L-BFGS-B's own example; and the problems of Moré, Garbow and Hillstrom with bounds through their minima, so
// that multipliers vanish (touching), beside them (cutting), and around them (wide).
//
// NLopt up to n = 1000, SLSQP, of cubic cost, up to 200.
//
//     bounded [--quick] [--each]
//
// --quick leaves out what is larger than n = 1000; --each prints a line for each problem, where ! is "not solved" and < "solved,
// with a lower loss".
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "descent/core/random.hpp"
#include "descent/minimize.hpp"
#include "descent/solver/lbfgs.hpp"
#include "descent/solver/lbfgsb.hpp"
#include "support/mgh.hpp"

#ifdef DESCENT_WITH_DLIB
#include <dlib/optimization.h>
#endif
#ifdef DESCENT_WITH_NLOPT
#include <nlopt.h>
#endif
#ifdef DESCENT_WITH_LBFGSB
extern "C" void setulb_(const int* n, const int* m, double* x, const double* l, const double* u,
                        const int* nbd, double* f, double* g, const double* factr,
                        const double* pgtol, double* wa, int* iwa, char* task, const int* iprint,
                        char* csave, int* lsave, int* isave, double* dsave, std::size_t,
                        std::size_t);
#endif

namespace {

using Eigen::VectorXd;

constexpr double reduction = 1e-7;
constexpr int pairs = 10;
constexpr long most = 10'000;
constexpr double none = std::numeric_limits<double>::infinity();

struct Problem {
  std::string family, name;
  VectorXd x0, lower, upper;
  std::function<double(const VectorXd&, VectorXd&)> f;
  double tolerance = 0;

  VectorXd inside(const VectorXd& x) const { return x.cwiseMax(lower).cwiseMin(upper); }
  double projected(const VectorXd& x, const VectorXd& g) const {
    double norm = 0;
    for (Eigen::Index i = 0; i < x.size(); ++i) {
      const double room = g[i] > 0 ? x[i] - lower[i] : upper[i] - x[i];
      const double part = std::min(std::abs(g[i]), std::max(room, 0.0));
      if (!(part <= norm)) norm = part;
    }
    return norm;
  }
};

// What a run came to: evaluations until the tolerance is met, or `most` and more.
struct Outcome {
  long evaluations = 0;
  bool solved = false;
  double loss = 0, seconds = 0;
};

// An objective that counts.
struct Counted {
  const Problem& problem;
  mutable long count = 0;
  double loss_and_gradient(const VectorXd& x, VectorXd& g) const {
    ++count;
    return problem.f(x, g);
  }
};

void finish(Outcome& outcome, const Problem& problem, const VectorXd& x) {
  VectorXd g(x.size());
  outcome.loss = problem.f(x, g);
  outcome.solved = problem.projected(x, g) <= 1.01 * problem.tolerance;
}

Outcome by_descent(const Problem& problem) {
  const Counted f{problem};
  const auto result = descent::minimize(
      f, problem.x0,
      descent::LBFGSB({.lower = problem.lower, .upper = problem.upper, .history_size = pairs}),
      {.max_evaluations = most, .gradient_tolerance = problem.tolerance});
  Outcome outcome{.evaluations = f.count};
  finish(outcome, problem, result.x);
  return outcome;
}

#ifdef DESCENT_WITH_LBFGSB
Outcome by_lbfgsb(const Problem& problem) {
  const Counted f{problem};
  VectorXd x = problem.inside(problem.x0), g(x.size());
  const int n = static_cast<int>(x.size()), m = pairs, silent = -1;
  std::vector<int> kind(static_cast<std::size_t>(n));
  for (int i = 0; i < n; ++i) {
    const bool low = std::isfinite(problem.lower[i]), high = std::isfinite(problem.upper[i]);
    kind[static_cast<std::size_t>(i)] = low ? (high ? 2 : 1) : (high ? 3 : 0);
  }
  std::vector<double> work(static_cast<std::size_t>(2 * m * n + 5 * n + 11 * m * m + 8 * m));
  std::vector<int> integers(static_cast<std::size_t>(3 * n));
  char task[60], characters[60];
  std::memset(task, ' ', 60);
  std::memcpy(task, "START", 5);
  int logicals[4], isave[44];
  double dsave[29], loss = 0;
  const double off = 0;
  for (;;) {
    setulb_(&n, &m, x.data(), problem.lower.data(), problem.upper.data(), kind.data(), &loss,
            g.data(), &off, &problem.tolerance, work.data(), integers.data(), task, &silent,
            characters, logicals, isave, dsave, 60, 60);
    if (std::strncmp(task, "FG", 2) == 0 && f.count < most) {
      loss = f.loss_and_gradient(x, g);
    } else if (std::strncmp(task, "NEW_X", 5) != 0) {
      break;
    }
  }
  Outcome outcome{.evaluations = f.count};
  finish(outcome, problem, x);
  return outcome;
}
#endif

#ifdef DESCENT_WITH_DLIB
struct SmallGradient {
  const Problem& problem;
  template <class X, class G>
  bool should_continue_search(const X& x, double, const G& g) const {
    const Eigen::Map<const VectorXd> at(&x(0), x.size()), slope(&g(0), g.size());
    return problem.projected(at, slope) > problem.tolerance;
  }
};
Outcome by_dlib(const Problem& problem) {
  using Column = dlib::matrix<double, 0, 1>;
  const Counted f{problem};
  const auto n = problem.x0.size();
  const auto column = [&](const VectorXd& v) {
    Column c(n);
    for (long i = 0; i < n; ++i) c(i) = std::clamp(v[i], -1e300, 1e300);
    return c;
  };
  Column x = column(problem.inside(problem.x0)), g(n);
  VectorXd at(n), slope(n);
  struct TooMany {};
  try {
    dlib::find_min_box_constrained(
        dlib::lbfgs_search_strategy(pairs), SmallGradient{problem},
        [&](const Column& point) {
          if (f.count >= most) throw TooMany();
          for (long i = 0; i < n; ++i) at[i] = point(i);
          const double loss = f.loss_and_gradient(at, slope);
          for (long i = 0; i < n; ++i) g(i) = slope[i];
          return loss;
        },
        [&](const Column&) { return g; }, x, column(problem.lower), column(problem.upper));
  } catch (const TooMany&) {
  }
  Outcome outcome{.evaluations = f.count};
  for (long i = 0; i < n; ++i) at[i] = x(i);
  finish(outcome, problem, at);
  return outcome;
}
#endif

#ifdef DESCENT_WITH_NLOPT
// It knows no tolerance on the gradient: it is stopped by force.
struct NloptRun {
  nlopt_opt opt;
  const Problem& problem;
  const Counted& f;
  VectorXd x, g;
  bool solved = false;
};
template <nlopt_algorithm algorithm>
Outcome by_nlopt(const Problem& problem) {
  const auto n = static_cast<unsigned>(problem.x0.size());
  const Counted f{problem};
  if (n > (algorithm == NLOPT_LD_SLSQP ? 200 : 1000)) return {.evaluations = -1};
  NloptRun run{nlopt_create(algorithm, n), problem, f, VectorXd(n), VectorXd(n)};
  VectorXd x = problem.inside(problem.x0);
  nlopt_set_vector_storage(run.opt, pairs);
  nlopt_set_maxeval(run.opt, static_cast<int>(most));
  nlopt_set_lower_bounds(run.opt, problem.lower.data());
  nlopt_set_upper_bounds(run.opt, problem.upper.data());
  nlopt_set_min_objective(
      run.opt,
      [](unsigned size, const double* at, double* g, void* data) {
        auto& self = *static_cast<NloptRun*>(data);
        self.x = Eigen::Map<const VectorXd>(at, size);
        const double loss = self.f.loss_and_gradient(self.x, self.g);
        if (g != nullptr) Eigen::Map<VectorXd>(g, size) = self.g;
        if (self.problem.projected(self.x, self.g) <= self.problem.tolerance) {
          self.solved = true;
          nlopt_force_stop(self.opt);
        }
        return loss;
      },
      &run);
  double loss = 0;
  nlopt_optimize(run.opt, x.data(), &loss);
  nlopt_destroy(run.opt);
  Outcome outcome{.evaluations = f.count};
  finish(outcome, problem, run.solved ? run.x : x);
  return outcome;
}
#endif

// f = ½ xᵀAx − bᵀx, A = Z D Z with three Householder reflections and eigenvalues from 1 to 10^condition; at the solution a
// share of the bounds is active, with multipliers down to 10^−degeneracy.
Problem more_toraldo(Eigen::Index n, double condition, double share, double degeneracy,
                     std::uint64_t seed) {
  descent::Random random(seed);
  const auto signed_unit = [&] { return 2 * random.uniform() - 1; };
  std::vector<VectorXd> w;
  for (int k = 0; k < 3; ++k) {
    w.push_back(VectorXd::NullaryExpr(n, signed_unit));
    w.back().normalize();
  }
  const VectorXd d = VectorXd::NullaryExpr(n, [&](Eigen::Index i) {
    return std::pow(10, condition * static_cast<double>(i) / static_cast<double>(n - 1));
  });
  const auto multiply = [w, d](const VectorXd& x) {
    VectorXd v = x;
    for (const VectorXd& u : w) v -= 2 * u.dot(v) * u;
    v = v.cwiseProduct(d);
    for (std::size_t k = w.size(); k-- > 0;) v -= 2 * w[k].dot(v) * w[k];
    return v;
  };
  const VectorXd solution = VectorXd::NullaryExpr(n, signed_unit);
  VectorXd lower(n), upper(n), multiplier = VectorXd::Zero(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    lower[i] = -1;
    upper[i] = 1;
    if (random.uniform() >= share) continue;
    const double size = std::pow(10, -degeneracy * random.uniform());
    if (random.uniform() < 0.5) {
      lower[i] = solution[i];
      multiplier[i] = size;
    } else {
      upper[i] = solution[i];
      multiplier[i] = -size;
    }
  }
  const VectorXd b = multiply(solution) - multiplier;
  char name[80];
  std::snprintf(name, sizeof name, "n %ld, condition 1e%g, active %g, degenerate %g", long(n),
                condition, share, degeneracy);
  return {"quadratic",
          name,
          (0.5 * (lower + upper)).eval(),
          lower,
          upper,
          [=](const VectorXd& x, VectorXd& g) {
            g = multiply(x) - b;
            return 0.5 * x.dot(g - b);
          }};
}

// Finite elements on a grid of k × k inner points of the unit square.
Problem torsion(Eigen::Index k, double c) {
  const Eigen::Index n = k * k;
  const double h = 1 / static_cast<double>(k + 1);
  VectorXd bound(n);
  for (Eigen::Index j = 0; j < k; ++j) {
    for (Eigen::Index i = 0; i < k; ++i) {
      bound[j * k + i] =
          h * static_cast<double>(std::min(std::min(i, k - 1 - i), std::min(j, k - 1 - j)) + 1);
    }
  }
  return {"torsion",
          "c = " + std::to_string(int(c)) + ", n = " + std::to_string(n),
          bound,
          -bound,
          bound,
          [=](const VectorXd& x, VectorXd& g) {
            double loss = 0;
            for (Eigen::Index j = 0; j < k; ++j) {
              for (Eigen::Index i = 0; i < k; ++i) {
                const Eigen::Index p = j * k + i;
                const double sum = (i > 0 ? x[p - 1] : 0) + (i + 1 < k ? x[p + 1] : 0) +
                                   (j > 0 ? x[p - k] : 0) + (j + 1 < k ? x[p + k] : 0);
                const double laplace = 4 * x[p] - sum;
                g[p] = laplace - h * h * c;
                loss += x[p] * (0.5 * laplace - h * h * c);
              }
            }
            return loss;
          }};
}
Problem bearing(Eigen::Index k, double eccentricity) {
  const Eigen::Index n = k * k;
  const double pi = std::acos(-1.0), b = 10;
  const double hx = 2 * pi / static_cast<double>(k + 1), hy = 2 * b / static_cast<double>(k + 1);
  const auto width = [=](double at) { return std::pow(1 + eccentricity * std::cos(at), 3); };
  VectorXd x0(n);
  for (Eigen::Index p = 0; p < n; ++p) {
    x0[p] = std::max(0.0, std::sin(hx * static_cast<double>(p % k + 1)));
  }
  return {
      "bearing",
      (eccentricity < 0.5 ? "0.1, n = " : "0.9, n = ") + std::to_string(n),
      x0,
      VectorXd::Zero(n),
      VectorXd::Constant(n, none),
      [=](const VectorXd& x, VectorXd& g) {
        double loss = 0;
        for (Eigen::Index j = 0; j < k; ++j) {
          for (Eigen::Index i = 0; i < k; ++i) {
            const Eigen::Index p = j * k + i;
            const double xi = hx * static_cast<double>(i + 1);
            const double left = width(xi - hx / 2), right = width(xi + hx / 2), here = width(xi);
            const double flow =
                (left * (x[p] - (i > 0 ? x[p - 1] : 0)) +
                 right * (x[p] - (i + 1 < k ? x[p + 1] : 0))) *
                    (hy / hx) +
                here * (2 * x[p] - (j > 0 ? x[p - k] : 0) - (j + 1 < k ? x[p + k] : 0)) * (hx / hy);
            const double load = hx * hy * eccentricity * std::sin(xi);
            g[p] = flow - load;
            loss += x[p] * (0.5 * flow - load);
          }
        }
        return loss;
      }};
}

double rosenbrock(const VectorXd& x, VectorXd& g) {
  double loss = 0;
  for (Eigen::Index i = 0; i < x.size(); i += 2) {
    const double a = 1 - x[i], b = x[i + 1] - x[i] * x[i];
    g[i] = -2 * a - 400 * x[i] * b;
    g[i + 1] = 200 * b;
    loss += a * a + 100 * b * b;
  }
  return loss;
}
// The example of L-BFGS-B: a chain, least at 1, and every other bound touches it.
double chain(const VectorXd& x, VectorXd& g) {
  const Eigen::Index n = x.size();
  g.setZero();
  g[0] = 2 * (x[0] - 1);
  double loss = (x[0] - 1) * (x[0] - 1);
  for (Eigen::Index i = 1; i < n; ++i) {
    const double d = x[i] - x[i - 1] * x[i - 1];
    loss += 4 * d * d;
    g[i] += 8 * d;
    g[i - 1] -= 16 * d * x[i - 1];
  }
  return loss;
}

std::vector<Problem> problems() {
  std::vector<Problem> all;
  for (const Eigen::Index n : {10, 100, 1000, 10'000}) {
    for (const double condition : {1.0, 3.0, 5.0}) {
      if (n == 10'000 && condition > 3) continue;
      for (const double share : {0.1, 0.5, 0.9}) {
        for (const double degeneracy : {0.0, 3.0, 6.0}) {
          all.push_back(more_toraldo(n, condition, share, degeneracy, all.size() + 1));
        }
      }
    }
  }
  for (const Eigen::Index k : {20, 50, 100}) {
    for (const double c : {5.0, 10.0, 20.0}) all.push_back(torsion(k, c));
    all.push_back(bearing(k, 0.1));
    all.push_back(bearing(k, 0.9));
  }
  for (const Eigen::Index n : {10, 1000, 10'000}) {
    const VectorXd start =
        VectorXd::NullaryExpr(n, [](Eigen::Index i) { return i % 2 ? 1 : -1.2; });
    const VectorXd ones = VectorXd::Ones(n);
    const auto each = [&](double even, double odd) {
      return VectorXd(VectorXd::NullaryExpr(n, [=](Eigen::Index i) { return i % 2 ? odd : even; }));
    };
    const std::string size = ", n = " + std::to_string(n);
    const auto add = [&](const std::string& name, const VectorXd& lower, const VectorXd& upper) {
      all.push_back({"rosenbrock", name + size, start, lower, upper, rosenbrock});
    };
    add("upper 0.5", -10 * ones, each(0.5, 10));
    add("touching above", -10 * ones, ones);
    add("wide", -10 * ones, 10 * ones);
    add("lower 1.5 odd", each(-10, 1.5), 10 * ones);
    // Every other pair is cut.
    add("half", -10 * ones,
        VectorXd(VectorXd::NullaryExpr(n, [](Eigen::Index i) { return i % 4 == 0 ? 0.5 : 10; })));
    all.push_back(
        {"chain", "L-BFGS-B's example" + size, 3 * ones, each(1, -100), 100 * ones, chain});
  }
  for (const descent_test::MghProblem& mgh : descent_test::mgh_problems()) {
    const auto f = [&mgh](const VectorXd& x, VectorXd& g) { return mgh.loss_and_gradient(x, g); };
    const VectorXd least = descent::minimize(mgh, mgh.x0, descent::LBFGS(),
                                             {.max_iterations = 3000, .gradient_tolerance = 1e-10})
                               .x;
    const auto n = least.size();
    const VectorXd size = least.cwiseAbs().cwiseMax(0.1);
    const auto add = [&](const std::string& how, double below, double above) {
      // below, above in parts of |x*|; every third coefficient is not bounded that tightly.
      VectorXd lower(n), upper(n);
      for (Eigen::Index i = 0; i < n; ++i) {
        const bool loose = how != "wide" && i % 3 == 2;
        lower[i] = least[i] + (loose ? -100 : below) * size[i];
        upper[i] = least[i] + (loose ? 100 : above) * size[i];
        if (how != "wide" && i % 2 == 1) {  // the other side
          lower[i] = least[i] - above * size[i];
          upper[i] = least[i] - below * size[i];
        }
      }
      all.push_back({"MGH " + how, mgh.id, mgh.x0, lower, upper, f});
    };
    add("touching", 0, 10);
    add("cutting", 0.1, 10);
    add("wide", -1, 1);
  }
  return all;
}

struct Contender {
  std::string name;
  Outcome (*run)(const Problem&);
};

}  // namespace

int main(int argc, char** argv) {
  bool each = false, quick = false;
  for (int i = 1; i < argc; ++i) {
    each = each || std::strcmp(argv[i], "--each") == 0;
    quick = quick || std::strcmp(argv[i], "--quick") == 0;
  }
  std::vector<Contender> contenders{{"LBFGSB", by_descent}};
#ifdef DESCENT_WITH_LBFGSB
  contenders.push_back({"L-BFGS-B", by_lbfgsb});
#endif
#ifdef DESCENT_WITH_DLIB
  contenders.push_back({"dlib", by_dlib});
#endif
#ifdef DESCENT_WITH_NLOPT
  contenders.push_back({"NLopt", by_nlopt<NLOPT_LD_LBFGS>});
  contenders.push_back({"SLSQP", by_nlopt<NLOPT_LD_SLSQP>});
#endif
  // Of a family and a contender: problems, those solved, and Σ log of evaluations relative to descent's where both solve.
  struct Sum {
    int problems = 0, solved = 0, both = 0;
    double logs = 0, seconds = 0;
    std::vector<double> ratios{};
  };
  std::map<std::string, std::vector<Sum>> families;
  std::vector<std::string> order;
  auto all = problems();
  for (Problem& problem : all) {
    if (quick && problem.x0.size() > 1000) continue;
    const VectorXd begin_at = problem.inside(problem.x0);
    VectorXd gradient(begin_at.size());
    (void)problem.f(begin_at, gradient);
    problem.tolerance = reduction * gradient.cwiseAbs().maxCoeff();
    if (!std::isfinite(problem.tolerance)) continue;  // the start, moved within the bounds, is none
    auto& sums = families[problem.family];
    if (sums.empty()) order.push_back(problem.family);
    sums.resize(contenders.size());
    if (each) std::printf("%-14s %-48s", problem.family.c_str(), problem.name.c_str());
    Outcome ours;
    for (std::size_t k = 0; k < contenders.size(); ++k) {
      const auto begin = std::chrono::steady_clock::now();
      Outcome outcome = contenders[k].run(problem);
      outcome.seconds =
          std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      if (k == 0) ours = outcome;
      if (each) {
        std::printf("%8ld%s", outcome.evaluations, outcome.solved ? " " : "!");
        if (outcome.solved && ours.solved &&
            outcome.loss < ours.loss - 1e-6 * std::max(1.0, std::abs(ours.loss))) {
          std::printf("<");
        }
      }
      if (outcome.evaluations < 0) continue;
      Sum& sum = sums[k];
      ++sum.problems;
      sum.solved += outcome.solved;
      sum.seconds += outcome.seconds;
      if (ours.solved && outcome.solved) {
        ++sum.both;
        sum.logs += std::log(static_cast<double>(outcome.evaluations) /
                             static_cast<double>(ours.evaluations));
      }
    }
    if (each) std::printf("\n");
    std::fflush(stdout);
  }
  std::printf(
      "solved, and evaluations as a multiple of LBFGSB's (geometric mean, where both solve)\n");
  std::printf("%-14s", "");
  for (const Contender& c : contenders) std::printf("  %-21s", c.name.c_str());
  std::printf("\n");
  std::vector<Sum> total(contenders.size());
  const auto print = [&](const std::string& name, const std::vector<Sum>& sums) {
    std::printf("%-14s", name.c_str());
    for (std::size_t k = 0; k < sums.size(); ++k) {
      const Sum& s = sums[k];
      std::printf("  %3d/%-3d %5.2f %6.2fs ", s.solved, s.problems,
                  s.both > 0 ? std::exp(s.logs / s.both) : 0.0, s.seconds);
    }
    std::printf("\n");
  };
  for (const std::string& family : order) {
    const auto& sums = families[family];
    print(family, sums);
    for (std::size_t k = 0; k < sums.size(); ++k) {
      total[k].problems += sums[k].problems;
      total[k].solved += sums[k].solved;
      total[k].both += sums[k].both;
      total[k].logs += sums[k].logs;
      total[k].seconds += sums[k].seconds;
    }
  }
  print("all", total);
  std::printf("verdict: within bounds, solved by LBFGSB: %s, %d of %d\n",
              total[0].solved == total[0].problems ? "met" : "MISSED", total[0].solved,
              total[0].problems);
  if (contenders.size() > 1 && contenders[1].name == "L-BFGS-B") {
    const double ratio = std::exp(-total[1].logs / total[1].both);
    std::printf("verdict: within bounds, evaluations <= 1.05 of L-BFGS-B's: %s, %.2f\n",
                ratio <= 1.05 ? "met" : "MISSED", ratio);
  }
  return 0;
}
