// Sums over samples: how fast they are formed, and how soon a model is fitted.
//
//   1. Bandwidth: loss and gradient over dense data larger than the caches, against reading the same memory (a plain sum of
//      its numbers), one core. Both are timed piece by piece, the lower quartile counts: the machine may be busy.
//   2. Linear and logistic regression, 200 000 x 50, neighboring features correlated by 0.7, lambda = 1e-4: seconds until
//      (f − f*)/f* is 1e-3 and 1e-6, by descent, by the stochastic loop that a specialist would write (one sample at a time,
//      in order, decaying rate, average of the last half; the best of several constants), and by dlib, liblinear and liblbfgs
//      where they are. Everything that follows from X and y counts. Medians of several runs with as many steps as it takes.
//
//     finite_sums [--quick] [--fits] [--write FILE]
//
// --fits leaves the first part out; FILE gets the data and what was found, for benchmarks/peers.py.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "descent/all.hpp"

#ifdef DESCENT_WITH_DLIB
#include <dlib/optimization.h>
#endif
#ifdef DESCENT_WITH_LIBLBFGS
#include <lbfgs.h>
#endif
#ifdef DESCENT_WITH_LIBLINEAR
#include <linear.h>
#endif

namespace {

using namespace descent;
using Eigen::Index;
using Eigen::VectorXd;
template <class Real>
using RowMajor = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
template <class F>
double seconds(const F& f) {
  const double start = now();
  f();
  return now() - start;
}
double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}
volatile double sink;

// ---- 1. bandwidth --------------------------------------------------------------------------------------------------------
template <class Real>
Real sum_of(const Real* values, Index size) {
  using L = Lane<Real, lane_width<Real>>;
  constexpr Index step = 4 * L::width;
  L a(0), b(0), c(0), d(0);
  Ahead ahead(values + 4096 / sizeof(Real));
  for (Index i = 0; i + step <= size; i += step) {
    ahead.ask(step * Index(sizeof(Real)));
    a += L::load(values + i);
    b += L::load(values + i + L::width);
    c += L::load(values + i + 2 * L::width);
    d += L::load(values + i + 3 * L::width);
  }
  return total((a + b) + (c + d));
}

template <class Real>
void bandwidth(Index d, int repeats) {
  using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
  constexpr Index bytes = Index(192) << 20, piece_bytes = Index(4) << 20;
  const Index n = bytes / Index(sizeof(Real)) / d, rows = piece_bytes / Index(sizeof(Real)) / d;
  RowMajor<Real> X(n, d);
  Random random(1);
  for (Index i = 0; i < X.size(); ++i) X.data()[i] = static_cast<Real>(random.uniform() - 0.5);
  const V y = (X.col(0).array() > 0).template cast<Real>();
  const V w = V::Constant(d, Real(1) / static_cast<Real>(d));
  V g(d);
  std::vector<double> plain, linear, logistic;
  for (int repeat = 0; repeat < repeats; ++repeat) {
    for (Index i = 0; i + rows <= n; i += rows) {
      plain.push_back(seconds([&] { sink = double(sum_of(X.data() + i * d, rows * d)); }));
    }
    const auto pass = [&](auto make, std::vector<double>& times) {
      for (Index i = 0; i + rows <= n; i += rows) {
        const Eigen::Map<const RowMajor<Real>> x(X.data() + i * d, rows, d);
        const Eigen::Map<const V> labels(y.data() + i, rows);
        const auto model = make(x, labels);
        times.push_back(seconds([&] { sink = model.loss_and_gradient(w, g); }));
      }
    };
    pass([](const auto& x, const auto& l) { return LinearRegression(x, l); }, linear);
    pass([](const auto& x, const auto& l) { return LogisticRegression(x, l); }, logistic);
  }
  const double gigabytes = double(rows * d * Index(sizeof(Real))) / 1e9;
  const double read = quantile(plain, 0.25), lin = quantile(linear, 0.25),
               log = quantile(logistic, 0.25);
  const char* type = sizeof(Real) == 4 ? "float" : "double";
  std::printf("%-6s %5ld %10.1f %10.1f (%.2f) %10.1f (%.2f)\n", type, static_cast<long>(d),
              gigabytes / read, gigabytes / lin, read / lin, gigabytes / log, read / log);
  if (d == 50 && sizeof(Real) == 8) {
    const double worst = read / std::max(lin, log);
    std::printf("verdict: loss and gradient, of the read bandwidth >= 0.85: %s, %.2f\n",
                worst >= 0.85 ? "met" : "MISSED", worst);
  }
}

// ---- 2. time to a loss ---------------------------------------------------------------------------------------------------
constexpr Index samples = 200'000, features = 50;
constexpr double lambda = 1e-4;

struct Problem {
  std::string name;
  bool logistic;
  RowMajor<double> X;
  VectorXd y;
};

Problem make(bool logistic) {
  Problem p{logistic ? "logistic" : "linear", logistic, RowMajor<double>(samples, features),
            VectorXd(samples)};
  Random random(2026);
  VectorXd truth(features);
  for (double& t : truth) t = random.normal();
  for (Index i = 0; i < samples; ++i) {
    double last = random.normal(), z = 0;
    for (Index j = 0; j < features; ++j) {
      if (j > 0) last = 0.7 * last + std::sqrt(1 - 0.7 * 0.7) * random.normal();
      p.X(i, j) = last;
      z += last * truth[j];
    }
    p.y[i] = logistic ? double(random.uniform() < 1 / (1 + std::exp(-z))) : z + random.normal();
  }
  return p;
}

// f(model) for the model of the problem over its first n samples.
template <class F>
auto with_model(const Problem& p, Index n, const F& f) {
  const Eigen::Map<const RowMajor<double>> x(p.X.data(), n, features);
  const Eigen::Map<const VectorXd> y(p.y.data(), n);
  return p.logistic ? f(LogisticRegression(x, y)) : f(LinearRegression(x, y));
}
double loss(const Problem& p, const VectorXd& w) {
  return with_model(p, samples, [&](const auto& model) { return l2(model, lambda).loss(w); });
}

const VectorXd start = VectorXd::Zero(features);

VectorXd lbfgs(const Problem& p, int threads, Index n, const VectorXd& x0, int iterations,
               double tolerance) {
  return with_model(p, n, [&](const auto& model) -> VectorXd {
    const MinimizeOptions options{.max_iterations = iterations, .gradient_tolerance = tolerance};
    if (threads == 1) return minimize(l2(model, lambda), x0, LBFGS(), options).x;
    return minimize(l2(all_cores(model, {.threads = threads}), lambda), x0, LBFGS(), options).x;
  });
}
// The first steps need few samples.
VectorXd warmed_lbfgs(const Problem& p, Index few, int iterations) {
  const VectorXd x = lbfgs(p, 0, few, start, 100, 1e-3);
  return iterations == 0 ? x : lbfgs(p, 0, samples, x, iterations, 0);
}
// Small batches in order, since the order of the data means nothing, and the average of the last half of the iterates: by
// minimize, which evaluates the loss at the end, and in a loop of one's own, which does not.
auto averaged_sgd(std::int64_t batch, double rate, double decay, std::int64_t steps) {
  return chain<VectorXd>(scale_by_learning_rate([=](std::int64_t t) {
                           return rate / (1 + decay * double(t * batch) / double(samples));
                         }),
                         swa({.start = steps / 2}));
}
VectorXd sgd(const Problem& p, std::int64_t batch, double rate, double decay, int percent) {
  return with_model(p, samples, [&](const auto& model) -> VectorXd {
    const std::int64_t steps = percent * samples / 100 / batch;
    auto optimizer = averaged_sgd(batch, rate, decay, steps);
    const auto result =
        minimize(l2(all_cores(model), lambda), start, optimizer,
                 {.max_iterations = steps, .batch_size = batch, .sampling = in_order});
    return optimizer.averaged(result.x);
  });
}
VectorXd sgd_loop(const Problem& p, std::int64_t batch, double rate, double decay, int percent) {
  return with_model(p, samples, [&](const auto& model) -> VectorXd {
    const auto f = l2(model, lambda);
    const std::int64_t steps = percent * samples / 100 / batch;
    auto optimizer = averaged_sgd(batch, rate, decay, steps);
    Batches batches(samples, batch, in_order, 0);
    VectorXd x = start, g(features);
    for (std::int64_t t = 0; t < steps; ++t) {
      f.gradient(x, batches.next(), g);
      optimizer.step(x, g);
    }
    return optimizer.averaged(x);
  });
}

// The methods of variance reduction, after so many passes, in an order of their own: SAGA and SDCA need it.
VectorXd reduced(const Problem& p, const auto& fresh, int passes) {
  return with_model(p, samples, [&](const auto& model) -> VectorXd {
    auto solver = fresh;
    return minimize(l2(model, lambda), start, solver,
                    {.max_iterations = passes, .gradient_tolerance = 0})
        .x;
  });
}

// One sample at a time, by hand.
template <bool logistic>
[[gnu::noinline]] VectorXd by_hand(const Problem& p, double rate, double decay, int percent) {
  using Row = Eigen::Map<const Eigen::Matrix<double, features, 1>>;
  using Vector = Eigen::Matrix<double, features, 1>;
  Vector w = Vector::Zero(), average = Vector::Zero();
  const std::int64_t steps = percent * samples / 100;
  double count = 0;
  for (std::int64_t t = 0; t < steps; ++t) {
    const Index i = t % samples;
    const Row x(p.X.data() + i * features);
    const double z = x.dot(w);
    const double slope = (logistic ? 1 / (1 + std::exp(-z)) : z) - p.y[i];
    const double eta = rate / (1 + decay * double(t) / double(samples));
    w = (1 - eta * lambda) * w - (eta * slope) * x;
    if (2 * t >= steps) {
      count += 1;
      average += (w - average) / count;
    }
  }
  return average;
}

#if defined(DESCENT_WITH_DLIB) || defined(DESCENT_WITH_LIBLBFGS)
// What one writes with Eigen.
double in_statements(const Problem& p, const VectorXd& w, VectorXd& g) {
  VectorXd z = p.X * w;
  double sum = 0;
  if (p.logistic) {
    const Eigen::ArrayXd s = (z.array() > 0).select(1.0, Eigen::ArrayXd::Zero(samples));
    const Eigen::ArrayXd e = (-z.array().abs()).exp();
    sum = (e.log1p() + z.array().max(0) - p.y.array() * z.array()).sum();
    z = (s > 0).select(1 / (1 + e), e / (1 + e)) - p.y.array();
  } else {
    z -= p.y;
    sum = 0.5 * z.squaredNorm();
  }
  g.noalias() = p.X.transpose() * z / double(samples) + lambda * w;
  return sum / double(samples) + 0.5 * lambda * w.squaredNorm();
}
#endif

#ifdef DESCENT_WITH_DLIB
VectorXd by_dlib(const Problem& p, int iterations) {
  using Column = dlib::matrix<double, 0, 1>;
  Column x = dlib::zeros_matrix<double>(features, 1);
  VectorXd w(features), g(features);
  const auto evaluate = [&](const Column& at) {
    for (Index j = 0; j < features; ++j) w[j] = at(long(j));
    return in_statements(p, w, g);
  };
  dlib::find_min(
      dlib::lbfgs_search_strategy(10),
      dlib::objective_delta_stop_strategy(0, static_cast<unsigned long>(iterations)),
      [&](const Column& at) { return evaluate(at); },
      [&](const Column& at) {
        (void)evaluate(at);
        Column slope(features);
        for (Index j = 0; j < features; ++j) slope(long(j)) = g[j];
        return slope;
      },
      x, -1);
  for (Index j = 0; j < features; ++j) w[j] = x(long(j));
  return w;
}
#endif
#ifdef DESCENT_WITH_LIBLBFGS
VectorXd by_liblbfgs(const Problem& p, int iterations) {
  lbfgs_parameter_t parameters;
  lbfgs_parameter_init(&parameters);
  parameters.m = 10;
  parameters.max_iterations = iterations;
  parameters.epsilon = 0;
  VectorXd w = VectorXd::Zero(features);
  const auto evaluate = [](void* data, const lbfgsfloatval_t* x, lbfgsfloatval_t* slope, int,
                           lbfgsfloatval_t) {
    VectorXd g(features);
    const double f = in_statements(*static_cast<const Problem*>(data),
                                   Eigen::Map<const VectorXd>(x, features), g);
    Eigen::Map<VectorXd>(slope, features) = g;
    return f;
  };
  lbfgs(int(features), w.data(), nullptr, evaluate, nullptr, const_cast<Problem*>(&p), &parameters);
  return w;
}
#endif

#ifdef DESCENT_WITH_LIBLINEAR
// Its own lists of features, which are not timed. f is divided by lambda there.
class ByLiblinear {
  std::vector<feature_node> nodes_;
  std::vector<feature_node*> rows_;
  std::vector<double> targets_;
  problem problem_{};

 public:
  explicit ByLiblinear(const Problem& p) : targets_(p.y.begin(), p.y.end()) {
    nodes_.reserve(std::size_t(samples * (features + 1)));
    for (Index i = 0; i < samples; ++i) {
      rows_.push_back(nodes_.data() + nodes_.size());
      for (Index j = 0; j < features; ++j) nodes_.push_back({int(j) + 1, p.X(i, j)});
      nodes_.push_back({-1, 0});
    }
    problem_ = {
        .l = int(samples), .n = int(features), .y = targets_.data(), .x = rows_.data(), .bias = -1};
    set_print_string_function([](const char*) {});
  }
  // Until its own tolerance is 10^(-budget/2).
  VectorXd run(int solver, int budget) const {
    parameter options{};
    options.solver_type = solver;
    options.eps = std::pow(10, -0.5 * budget);
    // Of the squared loss it takes the whole, not the half.
    const bool regression = solver == L2R_L2LOSS_SVR || solver == L2R_L2LOSS_SVR_DUAL;
    options.C = (regression ? 0.5 : 1) / (lambda * double(samples));
    ::model* found = train(&problem_, &options);
    VectorXd w = Eigen::Map<const VectorXd>(found->w, features);
    if (!regression && found->label[0] != 1) w = -w;
    free_and_destroy_model(&found);
    return w;
  }
};
#endif

struct Contender {
  std::string name;
  std::function<VectorXd(int)> run;  // with so many steps (or per cent of an epoch)
  std::vector<int> budgets;
};

// The seconds that it takes to come within each target of the optimum; −1: never.
std::vector<double> times(const Problem& p, const Contender& c, double optimum,
                          const std::vector<double>& targets, int repeats) {
  std::vector<double> found;
  auto budget = c.budgets.begin();
  for (const double target : targets) {
    while (budget != c.budgets.end() && !(loss(p, c.run(*budget)) / optimum - 1 <= target))
      ++budget;
    if (budget == c.budgets.end()) {
      found.push_back(-1);
      continue;
    }
    std::vector<double> all;
    for (int k = 0; k < repeats; ++k) all.push_back(seconds([&] { (void)c.run(*budget); }));
    found.push_back(quantile(all, 0.5));
  }
  return found;
}

void to_a_loss(const Problem& p, int repeats, std::FILE* file) {
  const double optimum = loss(p, lbfgs(p, 1, samples, start, 500, 1e-13));
  std::vector<int> counts(80), percents;
  for (int k = 0; k < 80; ++k) counts[std::size_t(k)] = k + 1;
  for (int k = 5; k <= 2000; k = k * 11 / 10 + 1) percents.push_back(k);
  std::vector<int> from_zero{0};
  from_zero.insert(from_zero.end(), counts.begin(), counts.end());

  std::vector<Contender> contenders{
      {"LBFGS, one core", [&](int k) { return lbfgs(p, 1, samples, start, k, 0); }, counts},
      {"LBFGS, all cores", [&](int k) { return lbfgs(p, 0, samples, start, k, 0); }, counts},
      {"LBFGS, all cores, after 1/4", [&](int k) { return warmed_lbfgs(p, samples / 4, k); },
       from_zero},
      {"LBFGS, all cores, after 1/16", [&](int k) { return warmed_lbfgs(p, samples / 16, k); },
       from_zero}};
  for (const double rate : {0.05, 0.4}) {
    for (const double decay : {1.0, 10.0}) {
      if (rate > 0.3 && !p.logistic) continue;
      char name[64];
      std::snprintf(name, sizeof name, "SGD of 32, rate %g, decay %g", rate, decay);
      contenders.push_back(
          {name, [&p, rate, decay](int k) { return sgd(p, 32, rate, decay, k); }, percents});
      std::snprintf(name, sizeof name, "... in a loop of one's own");
      contenders.push_back(
          {name, [&p, rate, decay](int k) { return sgd_loop(p, 32, rate, decay, k); }, percents});
    }
  }
  // A pass over 200 000 samples is long: their linear rate has no use for many.
  std::vector<int> passes(40);
  for (int k = 0; k < 40; ++k) passes[std::size_t(k)] = k + 1;
  const double length = p.logistic ? 0.02 : 0.004;
  contenders.push_back(
      {"SVRG", [&p, length](int k) { return reduced(p, SVRG({.learning_rate = length}), k); },
       passes});
  contenders.push_back(
      {"SAGA", [&p, length](int k) { return reduced(p, SAGA({.learning_rate = length}), k); },
       passes});
  contenders.push_back({"SDCA", [&p](int k) { return reduced(p, SDCA(), k); }, passes});
  // The loop by hand, with the best of some rates.
  for (const double rate : {0.003, 0.01, 0.03, 0.1, 0.3}) {
    for (const double decay : {1.0, 10.0}) {
      if (!p.logistic && rate > 0.03) continue;
      char name[64];
      std::snprintf(name, sizeof name, "by hand, rate %g, decay %g", rate, decay);
      contenders.push_back({name,
                            [&p, rate, decay](int k) {
                              return p.logistic ? by_hand<true>(p, rate, decay, k)
                                                : by_hand<false>(p, rate, decay, k);
                            },
                            percents});
    }
  }
#ifdef DESCENT_WITH_DLIB
  contenders.push_back({"dlib, lbfgs", [&](int k) { return by_dlib(p, k); }, counts});
#endif
#ifdef DESCENT_WITH_LIBLINEAR
  const ByLiblinear liblinear(p);
  std::vector<int> tolerances(20);
  for (int k = 0; k < 20; ++k) tolerances[std::size_t(k)] = k + 1;
  contenders.push_back(
      {"liblinear, primal",
       [&](int k) { return liblinear.run(p.logistic ? L2R_LR : L2R_L2LOSS_SVR, k); }, tolerances});
  contenders.push_back(
      {"liblinear, dual",
       [&](int k) { return liblinear.run(p.logistic ? L2R_LR_DUAL : L2R_L2LOSS_SVR_DUAL, k); },
       tolerances});
#endif
#ifdef DESCENT_WITH_LIBLBFGS
  contenders.push_back({"liblbfgs", [&](int k) { return by_liblbfgs(p, k); }, counts});
#endif

  std::printf("\n%s regression, f* = %.15g\n%-34s %12s %12s\n", p.name.c_str(), optimum,
              "seconds to", "1e-3", "1e-6");
  double ours[2] = {1e9, 1e9}, hand = 1e9, peer = 1e9;  // by minimize, the loop, other libraries
  for (const Contender& c : contenders) {
    const std::vector<double> t = times(p, c, optimum, {1e-3, 1e-6}, repeats);
    const bool by_hand = c.name.starts_with("by hand"), own_loop = c.name.starts_with("..."),
               mine = !by_hand && !own_loop && !c.name.starts_with("dlib") &&
                      !c.name.starts_with("lib");
    std::printf("%-34s", c.name.c_str());
    for (std::size_t k = 0; k < 2; ++k) {
      if (t[k] < 0) {
        std::printf(" %12s", "never");
        continue;
      }
      std::printf(" %12.4f", t[k]);
      if (mine) ours[k] = std::min(ours[k], t[k]);
      if (by_hand && k == 0) hand = std::min(hand, t[k]);
      const bool named = c.name.starts_with("dlib") || c.name.starts_with("liblinear");
      if (named && k == 1) peer = std::min(peer, t[k]);
    }
    std::printf("\n");
    std::fflush(stdout);
  }
  const auto verdict = [&](const char* mark, double ratio, double most) {
    std::printf("verdict: %s, %s <= %g: %s, %.2f\n", p.name.c_str(), mark, most,
                ratio <= most ? "met" : "MISSED", ratio);
  };
  verdict("to 1e-3, of the loop by hand", ours[0] / hand, 1.15);
  if (peer < 1e9) verdict("to 1e-6, of dlib and liblinear", ours[1] / peer, 0.25);
  if (file != nullptr) {
    const double header[] = {double(samples), double(features), lambda, optimum, ours[0], ours[1]};
    std::fwrite(header, sizeof(double), std::size(header), file);
    std::fwrite(p.X.data(), sizeof(double), std::size_t(p.X.size()), file);
    std::fwrite(p.y.data(), sizeof(double), std::size_t(p.y.size()), file);
  }
}

}  // namespace

int main(int count, char** arguments) {
  bool quick = false, reads = true;
  std::FILE* file = nullptr;
  for (int k = 1; k < count; ++k) {
    if (std::strcmp(arguments[k], "--quick") == 0) quick = true;
    if (std::strcmp(arguments[k], "--fits") == 0) reads = false;
    if (std::strcmp(arguments[k], "--write") == 0 && k + 1 < count) {
      file = std::fopen(arguments[++k], "wb");
      if (file == nullptr) return 1;
    }
  }
  std::printf(
      "loss and gradient over 192 MiB, row-major, GB/s on one core (of the read bandwidth)\n"
      "%-6s %5s %10s %17s %17s\n",
      "", "d", "read", "linear", "logistic");
  for (const Index d : {10, 50, 100, 784}) {
    if (!reads) break;
    bandwidth<double>(d, quick ? 1 : 3);
    bandwidth<float>(d, quick ? 1 : 3);
  }
  for (const bool logistic : {false, true}) to_a_loss(make(logistic), quick ? 3 : 9, file);
  if (file != nullptr) std::fclose(file);
}
