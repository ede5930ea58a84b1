// Functions of a step length, for the tests of line searches, as the library's own `Line` sees them.
#ifndef DESCENT_TESTS_SUPPORT_LINES_HPP
#define DESCENT_TESTS_SUPPORT_LINES_HPP

#include <descent/core/line_search.hpp>
#include <descent/core/solver.hpp>
#include <descent/engine/line.hpp>

#include <Eigen/Core>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace descent_test {

using Number = Eigen::Matrix<double, 1, 1>;

/// φ and its slope.
struct Phi {
  std::string name;
  std::function<double(double)> value, slope;
};

/// Evaluates φ as a driver does, loss and gradient apart or together, and counts.
template <bool Separate>
struct PhiEvaluations {
  static constexpr bool separate = Separate;
  const Phi& phi;
  int most = 1'000'000;
  int losses = 0, gradients = 0;

  bool open() const { return std::max(losses, gradients) < most; }
  bool loss(descent::Point<Number>& point) {
    if (!open()) return false;
    ++losses;
    point.loss = phi.value(point.x[0]);
    return std::isfinite(point.loss);
  }
  bool gradient(descent::Point<Number>& point) {
    ++gradients;
    point.g[0] = phi.slope(point.x[0]);
    point.norm = std::abs(point.g[0]);
    return std::isfinite(point.norm);
  }
  bool operator()(descent::Point<Number>& point) { return loss(point) && gradient(point); }
};

/// What a search came to.
struct LineReport {
  descent::Searched searched;
  double loss, slope;  ///< at the step, as they were left behind
  double start, start_slope;
  int losses, gradients;
};

template <bool Separate, class Search>
LineReport search_line(const Phi& phi, const Search& search, double first, int most = 1'000'000) {
  PhiEvaluations<Separate> evaluate{phi, most};
  descent::Point<Number> from, to;
  from.x[0] = to.x[0] = 0;
  from.loss = phi.value(0);
  from.g[0] = phi.slope(0);
  const Number d(1.0);
  descent::Line<Number, PhiEvaluations<Separate>> line(from, d, from.g[0], to, evaluate, from.loss);
  LineReport report{search(line, first), 0, 0, from.loss, from.g[0], 0, 0};
  if (report.searched.found != descent::Found::failed && line.settle(report.searched.t)) {
    report.loss = to.loss;
    report.slope = to.g[0];
  }
  report.losses = evaluate.losses;
  report.gradients = evaluate.gradients;
  return report;
}

/// The six functions of J. J. Moré and D. J. Thuente, ACM TOMS 20(3), 1994, section 5.
inline std::vector<Phi> more_thuente() {
  std::vector<Phi> all;
  all.push_back({"5.1", [](double a) { return -a / (a * a + 2); },
                 [](double a) { return (a * a - 2) / ((a * a + 2) * (a * a + 2)); }});
  all.push_back({"5.2",
                 [](double a) { return std::pow(a + 0.004, 5) - 2 * std::pow(a + 0.004, 4); },
                 [](double a) { return 5 * std::pow(a + 0.004, 4) - 8 * std::pow(a + 0.004, 3); }});
  const double b = 0.01, l = 39, pi = std::acos(-1.0);
  const auto kink = [=](double a) {
    return a <= 1 - b ? 1 - a : a >= 1 + b ? a - 1 : (a - 1) * (a - 1) / (2 * b) + b / 2;
  };
  const auto kink_slope = [=](double a) { return a <= 1 - b ? -1 : a >= 1 + b ? 1 : (a - 1) / b; };
  all.push_back(
      {"5.3", [=](double a) { return kink(a) + 2 * (1 - b) / (l * pi) * std::sin(l * pi / 2 * a); },
       [=](double a) { return kink_slope(a) + (1 - b) * std::cos(l * pi / 2 * a); }});
  for (const auto& [b1, b2] : {std::pair(0.001, 0.001), {0.01, 0.001}, {0.001, 0.01}}) {
    const auto gamma = [](double x) { return std::sqrt(1 + x * x) - x; };
    const double g1 = gamma(b1), g2 = gamma(b2), u = b2, v = b1;
    all.push_back({"5.4",
                   [=](double a) {
                     return g1 * std::sqrt((1 - a) * (1 - a) + u * u) +
                            g2 * std::sqrt(a * a + v * v);
                   },
                   [=](double a) {
                     return -g1 * (1 - a) / std::sqrt((1 - a) * (1 - a) + u * u) +
                            g2 * a / std::sqrt(a * a + v * v);
                   }});
  }
  return all;
}

/// (t - 1)², which is `beyond` from t = `edge` on.
inline Phi walled(double edge, double beyond) {
  return {"walled", [=](double t) { return t < edge ? (t - 1) * (t - 1) : beyond; },
          [=](double t) { return t < edge ? 2 * (t - 1) : beyond; }};
}

}  // namespace descent_test

#endif  // DESCENT_TESTS_SUPPORT_LINES_HPP
