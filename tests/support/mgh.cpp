#include "support/mgh.hpp"

#include "support/dual.hpp"

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace descent_test {
namespace {

using Eigen::Index;
using Eigen::VectorXd;

using X = std::vector<Dual>;
using R = std::vector<Dual>;

// x[1] ... x[n], as the paper counts.
R residuals(const MghProblem& p, const X& x) {
  const auto n = static_cast<int>(p.x0.size());
  const std::string& id = p.id;
  R r;
  const auto add = [&](const Dual& value) { r.push_back(value); };
  if (id == "rosenbrock") return {10 * (x[2] - square(x[1])), 1 - x[1]};
  if (id == "freudenstein_roth") {
    return {-13 + x[1] + ((5 - x[2]) * x[2] - 2) * x[2],
            -29 + x[1] + ((x[2] + 1) * x[2] - 14) * x[2]};
  }
  if (id == "powell_badly_scaled") {
    return {1e4 * x[1] * x[2] - 1, exp(-x[1]) + exp(-x[2]) - 1.0001};
  }
  if (id == "brown_badly_scaled") return {x[1] - 1e6, x[2] - 2e-6, x[1] * x[2] - 2};
  if (id == "beale") {
    Dual power = 1;
    for (Index i = 0; i < 3; ++i) {
      power = power * x[2];
      add(p.y[i] - x[1] * (1 - power));
    }
  }
  if (id == "jennrich_sampson") {
    for (int i = 1; i <= 10; ++i) add(2 + 2 * i - (exp(i * x[1]) + exp(i * x[2])));
  }
  if (id == "helical_valley") {
    Dual theta = atan(x[2] / x[1]) / (2 * M_PI);
    if (x[1].value < 0) theta = theta + 0.5;
    return {10 * (x[3] - 10 * theta), 10 * (sqrt(square(x[1]) + square(x[2])) - 1), x[3]};
  }
  if (id == "bard") {
    for (int i = 1; i <= 15; ++i) {
      const double v = 16 - i, w = std::min(i, 16 - i);
      add(p.y[i - 1] - (x[1] + i / (v * x[2] + w * x[3])));
    }
  }
  if (id == "meyer") {
    for (int i = 1; i <= 16; ++i) add(x[1] * exp(x[2] / (45.0 + 5 * i + x[3])) - p.y[i - 1]);
  }
  if (id == "gulf") {
    for (int i = 1; i <= 99; ++i) {
      const double t = i / 100.0, y = 25 + std::pow(-50 * std::log(t), 2.0 / 3);
      const Dual d = y - x[2];
      const Dual size = d.value < 0 ? -d : d;
      add(exp(-(exp(x[3] * log(size)) / x[1])) - t);
    }
  }
  if (id == "box3d") {
    for (int i = 1; i <= 10; ++i) {
      const double t = i / 10.0;
      add(exp(-t * x[1]) - exp(-t * x[2]) - x[3] * (std::exp(-t) - std::exp(-10 * t)));
    }
  }
  if (id == "powell_singular") {
    return {x[1] + 10 * x[2], std::sqrt(5.0) * (x[3] - x[4]), square(x[2] - 2 * x[3]),
            std::sqrt(10.0) * square(x[1] - x[4])};
  }
  if (id == "wood") {
    return {10 * (x[2] - square(x[1])),
            1 - x[1],
            std::sqrt(90.0) * (x[4] - square(x[3])),
            1 - x[3],
            std::sqrt(10.0) * (x[2] + x[4] - 2),
            (x[2] - x[4]) / std::sqrt(10.0)};
  }
  if (id == "kowalik_osborne") {
    for (Index i = 0; i < 11; ++i) {
      const double u = p.u[i];
      add(p.y[i] - x[1] * (u * u + u * x[2]) / (u * u + u * x[3] + x[4]));
    }
  }
  if (id == "brown_dennis") {
    for (int i = 1; i <= 20; ++i) {
      const double t = i / 5.0;
      add(square(x[1] + t * x[2] - std::exp(t)) + square(x[3] + x[4] * std::sin(t) - std::cos(t)));
    }
  }
  if (id == "biggs_exp6") {
    for (int i = 1; i <= 13; ++i) {
      const double t = i / 10.0;
      const double y = std::exp(-t) - 5 * std::exp(-10 * t) + 3 * std::exp(-4 * t);
      add(x[3] * exp(-t * x[1]) - x[4] * exp(-t * x[2]) + x[6] * exp(-t * x[5]) - y);
    }
  }
  if (id == "osborne2") {
    for (int i = 1; i <= 65; ++i) {
      const double t = (i - 1) / 10.0;
      add(p.y[i - 1] -
          (x[1] * exp(-t * x[5]) + x[2] * exp(-(square(t - x[9]) * x[6])) +
           x[3] * exp(-(square(t - x[10]) * x[7])) + x[4] * exp(-(square(t - x[11]) * x[8]))));
    }
  }
  if (id == "watson6") {
    for (int i = 1; i <= 29; ++i) {
      const double t = i / 29.0;
      Dual slope = 0, value = 0;
      double power = 1;  // t^(j-1)
      for (int j = 1; j <= n; ++j) {
        value = value + x[std::size_t(j)] * power;
        if (j > 1) slope = slope + (j - 1) * x[std::size_t(j)] * (power / t);
        power *= t;
      }
      add(slope - square(value) - 1);
    }
    add(x[1]);
    add(x[2] - square(x[1]) - 1);
  }
  if (id == "ext_rosenbrock10") {
    for (std::size_t i = 1; i <= 9; i += 2) {
      add(10 * (x[i + 1] - square(x[i])));
      add(1 - x[i]);
    }
  }
  const auto sum = [&](const std::function<Dual(int)>& term) {
    Dual total = 0;
    for (int j = 1; j <= n; ++j) total = total + term(j);
    return total;
  };
  const auto at = [&](int j) { return x[std::size_t(j)]; };
  const auto at_or_zero = [&](int j) { return j < 1 || j > n ? Dual(0) : at(j); };
  const double small = std::sqrt(1e-5);
  if (id == "penalty1_4") {
    for (int i = 1; i <= n; ++i) add(small * (at(i) - 1));
    add(sum([&](int j) { return square(at(j)); }) - 0.25);
  }
  if (id == "penalty2_4") {
    add(x[1] - 0.2);
    for (int i = 2; i <= n; ++i) {
      add(small *
          (exp(at(i) / 10) + exp(at(i - 1) / 10) - std::exp(i / 10.0) - std::exp((i - 1) / 10.0)));
    }
    for (int i = n + 1; i < 2 * n; ++i) add(small * (exp(at(i - n + 1) / 10) - std::exp(-0.1)));
    add(sum([&](int j) { return (n - j + 1) * square(at(j)); }) - 1);
  }
  if (id == "variably_dimensioned10") {
    for (int i = 1; i <= n; ++i) add(at(i) - 1);
    const Dual total = sum([&](int j) { return j * (at(j) - 1); });
    add(total);
    add(square(total));
  }
  if (id == "trigonometric10") {
    const Dual total = sum([&](int j) { return cos(at(j)); });
    for (int i = 1; i <= n; ++i) add(n - total + i * (1 - cos(at(i))) - sin(at(i)));
  }
  if (id == "brown_almost_linear10") {
    const Dual total = sum(at);
    for (int i = 1; i < n; ++i) add(at(i) + total - (n + 1));
    Dual product = 1;
    for (int j = 1; j <= n; ++j) product = product * at(j);
    add(product - 1);
  }
  if (id == "discrete_boundary10") {
    const double h = 1.0 / (n + 1);
    for (int i = 1; i <= n; ++i) {
      const Dual b = at(i) + i * h + 1;
      add(2 * at(i) - at_or_zero(i - 1) - at_or_zero(i + 1) + h * h * b * b * b / 2);
    }
  }
  if (id == "broyden_tridiagonal10") {
    for (int i = 1; i <= n; ++i) {
      add((3 - 2 * at(i)) * at(i) - at_or_zero(i - 1) - 2 * at_or_zero(i + 1) + 1);
    }
  }
  if (id == "linear_full_rank10") {
    const Dual total = sum(at) * (2 / 20.0);
    for (int i = 1; i <= 20; ++i) add(i <= n ? at(i) - total - 1 : -total - 1);
  }
  if (id == "linear_rank1_10") {
    const Dual total = sum([&](int j) { return j * at(j); });
    for (int i = 1; i <= 20; ++i) add(i * total - 1);
  }
  if (id == "chebyquad8") {
    for (int i = 1; i <= n; ++i) {
      const Dual total = sum([&](int j) {
        const Dual z = 2 * at(j) - 1;
        Dual before = 1, now = z;  // T₀, T₁
        for (int k = 2; k <= i; ++k) {
          const Dual next = 2 * z * now - before;
          before = now;
          now = next;
        }
        return now;
      });
      add(total / n - (i % 2 == 1 ? 0.0 : -1.0 / (i * i - 1)));
    }
  }
  return r;
}

}  // namespace

double MghProblem::loss_and_gradient(const VectorXd& x, VectorXd& g) const {
  X duals(static_cast<std::size_t>(x.size()) + 1);
  for (Index i = 0; i < x.size(); ++i) {
    Dual& d = duals[static_cast<std::size_t>(i) + 1];
    d = x[i];
    d.by[i] = 1;
  }
  double loss = 0;
  g.setZero();
  for (const Dual& r : residuals(*this, duals)) {
    loss += r.value * r.value;
    g += 2 * r.value * r.by.head(x.size()).matrix();
  }
  return loss;
}

const std::vector<MghProblem>& mgh_problems() {
  static const std::vector<MghProblem> problems = [] {
    std::vector<MghProblem> all;
    const Record file = load_record("mgh");
    for (const Record& record : file.blocks("problem")) {
      MghProblem problem;
      problem.id = record.text("id");
      problem.x0 = record.numbers("x0");
      if (record.has("data.y")) problem.y = record.numbers("data.y");
      if (record.has("data.u")) problem.u = record.numbers("data.u");
      if (problem.id == "beale") problem.y = VectorXd{{1.5, 2.25, 2.625}};
      for (const double value : record.numbers("published_minima")) problem.minima.push_back(value);
      if (record.has("minimum")) problem.minima.push_back(record.number("minimum"));
      if (record.has_blocks("minimizer")) {
        for (const Record& m : record.blocks("minimizer")) problem.minima.push_back(m.number("f"));
      }
      for (const Record& point : record.blocks("check_point")) {
        problem.points.push_back({point.numbers("x"), point.number("f"), point.numbers("g")});
      }
      all.push_back(std::move(problem));
    }
    return all;
  }();
  return problems;
}

}  // namespace descent_test
