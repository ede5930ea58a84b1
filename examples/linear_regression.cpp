// Gradient descent, SGD and Adam on real least-squares problems with known answers.
//
//     linear_regression [folder of the data [folder for the plots]]
//
// Diabetes (442 patients) and ten data sets of NIST with certified coefficients. First-order methods feel the
// condition of the design, so each problem is posed in coordinates that suit it, and the coefficients are mapped back:
//
//     Norris, NoInt1, NoInt2     as they are
//     diabetes                   z-scores and a column of ones
//     Pontius                    columns divided by their root mean squares
//     Longley, Wampler1 to 5     the same, then orthogonalized by a QR decomposition
//
// Every rate follows from the largest and the smallest eigenvalue of the Hessian XᵀX/n, L and μ, and from κ = L/μ; see
// the functions fit_*. Exits with 1 when a method misses the digits that it is known to reach.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <Eigen/Dense>

#include <descent/descent.hpp>

#include "csv.hpp"
#include "plot.hpp"

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// ---- problems ------------------------------------------------------------------------------------------------------

/// Digits that every fit must reach, on any machine: the smallest number of correct digits of a coefficient by gradient
/// descent, SGD and Adam, and the largest loss above the best one that SGD may leave, relative to the loss at w = 0.
struct Marks {
  double gradient_descent, sgd, adam, sgd_excess;
};

/// Least squares in coordinates w, and the way back to the coefficients b of the data as given.
struct Problem {
  std::string name, coordinates;
  Marks marks{};

  std::vector<std::string> coefficients{};
  VectorXd certified{};       // b
  double certified_loss = 0;  // residual sum of squares / (2n)
  VectorXd standard_error{};  // of b
  MatrixXd design{};          // n x d, of the data as given
  VectorXd y{};
  MatrixXd x{};                                         // n x d, in the coordinates w
  std::function<VectorXd(const VectorXd&)> map_back{};  // w -> b

  double L = 0, mu = 0;       // of XᵀX/n
  double longest_row = 0;     // the largest ‖xᵢ‖²: the L of a single sample
  VectorXd direct{}, best{};  // b and w* by Householder QR, in double

  double kappa() const { return L / mu; }
  double samples() const { return static_cast<double>(x.rows()); }
  double loss_at_zero() const { return y.squaredNorm() / (2 * samples()); }
  /// Whether a w fits the data exactly.
  bool consistent() const { return certified_loss < 1e-20 * loss_at_zero(); }

  void analyze() {
    const VectorXd singular = Eigen::JacobiSVD<MatrixXd>(x).singularValues();
    L = std::pow(singular[0], 2) / samples();
    mu = std::pow(singular[singular.size() - 1], 2) / samples();
    longest_row = x.rowwise().squaredNorm().maxCoeff();
    direct = design.householderQr().solve(y);
    best = x.householderQr().solve(y);

    // s² (XᵀX)⁻¹ has s² R⁻¹R⁻ᵀ on its diagonal.
    const VectorXd scale = design.colwise().norm();
    const Eigen::HouseholderQR<MatrixXd> qr(design * scale.cwiseInverse().asDiagonal());
    const Index d = x.cols();
    const MatrixXd inverse =
        qr.matrixQR().topRows(d).triangularView<Eigen::Upper>().solve(MatrixXd::Identity(d, d));
    const double s2 = 2 * samples() * certified_loss / static_cast<double>(x.rows() - d);
    standard_error = std::sqrt(s2) * inverse.rowwise().norm().cwiseQuotient(scale);
  }
};

Problem diabetes(const std::string& folder, const Marks& marks) {
  const example::Table data = example::read_csv(folder + "/diabetes/diabetes.csv");
  const example::Records reference = example::read_records(folder + "/diabetes/reference.csv");
  Problem p{.name = "diabetes", .coordinates = "z-scores and a column of ones", .marks = marks};
  p.y = data.column("progression");
  const Index n = data.values.rows(), d = data.values.cols() - 1;

  const MatrixXd raw = data.values.leftCols(d);
  p.design = MatrixXd::Ones(n, d + 1);
  p.design.rightCols(d) = raw;
  const VectorXd mean = raw.colwise().mean();
  const MatrixXd centered = raw.rowwise() - mean.transpose();
  const VectorXd deviation =
      (centered.colwise().squaredNorm() / static_cast<double>(n)).cwiseSqrt();
  p.x = MatrixXd::Ones(n, d + 1);
  p.x.rightCols(d) = centered * deviation.cwiseInverse().asDiagonal();
  p.map_back = [mean, deviation, d](const VectorXd& w) {
    VectorXd b = w;
    b.tail(d) = w.tail(d).cwiseQuotient(deviation);
    b[0] -= mean.dot(b.tail(d));
    return b;
  };

  p.coefficients = {"intercept"};
  for (Index j = 0; j < d; ++j) p.coefficients.push_back(data.names[std::size_t(j)]);
  p.certified.resize(d + 1);
  for (Index j = 0; j <= d; ++j) {
    p.certified[j] = reference.number({"raw_ols", p.coefficients[std::size_t(j)]}, "value");
  }
  p.certified_loss = reference.number({"raw_ols", "residual_sum_of_squares"}, "value") /
                     (2 * static_cast<double>(n));
  p.analyze();
  return p;
}

enum class Posed { as_given, scaled, orthogonalized };

Problem nist(const std::string& folder, const std::string& name, Posed posed, const Marks& marks) {
  const example::Table data = example::read_csv(folder + "/nist_linear/" + name + ".csv");
  const example::Records values = example::read_records(folder + "/nist_linear/certified.csv");
  const example::Records fits = example::read_records(folder + "/nist_linear/certified_fit.csv");
  Problem p{.name = name, .coordinates = "as given", .marks = marks};
  p.y = data.column("y");
  for (const auto& row : values.find({name})) p.coefficients.push_back(row[1].text);
  p.certified = values.numbers({name}, "estimate");
  const Index n = p.y.size(), d = p.certified.size();
  p.certified_loss = fits.number({name}, "residual_sum_of_squares") / (2 * static_cast<double>(n));

  // The columns of the file, or the powers of its only one; a column of ones where there is an intercept.
  const bool intercept = fits.number({name}, "intercept") == 1;
  const bool powers = data.values.cols() == 2;
  p.design = MatrixXd::Ones(n, d);
  for (Index j = intercept ? 1 : 0; j < d; ++j) {
    const Index k = intercept ? j : j + 1;
    if (powers) {
      p.design.col(j) = data.values.col(1).array().pow(static_cast<double>(k));
    } else {
      p.design.col(j) = data.values.col(k);
    }
  }

  const double root_n = std::sqrt(static_cast<double>(n));
  const VectorXd scale = p.design.colwise().norm() / root_n;
  if (posed == Posed::as_given) {
    p.x = p.design;
    p.map_back = [](const VectorXd& w) { return w; };
  } else if (posed == Posed::scaled) {
    p.coordinates = "columns scaled";
    p.x = p.design * scale.cwiseInverse().asDiagonal();
    p.map_back = [scale](const VectorXd& w) { return VectorXd(w.cwiseQuotient(scale)); };
  } else {
    // design = Q R. The columns of √n Q are orthogonal, their mean square is 1, and b = R⁻¹ √n w. Formed in long
    // double: Q's own rounding would cost Wampler5, whose residuals are twenty times its fit, another four digits.
    p.coordinates = "orthogonalized";
    using Matrix = Eigen::Matrix<long double, Eigen::Dynamic, Eigen::Dynamic>;
    using Vector = Eigen::Matrix<long double, Eigen::Dynamic, 1>;
    const VectorXd ones = scale.cwiseInverse();
    const Matrix scaled = p.design.cast<long double>() * ones.cast<long double>().asDiagonal();
    const Eigen::HouseholderQR<Matrix> qr(scaled);
    const Matrix q = qr.householderQ() * Matrix::Identity(n, d);
    const Matrix r = qr.matrixQR().topRows(d);
    p.x = q.cast<double>() * root_n;
    p.map_back = [ones, r, root_n](const VectorXd& w) {
      const Vector c = w.cast<long double>() * static_cast<long double>(root_n);
      const Vector b = r.triangularView<Eigen::Upper>().solve(c);
      return VectorXd(b.cast<double>().cwiseProduct(ones));
    };
  }
  p.analyze();
  return p;
}

// ---- fits ----------------------------------------------------------------------------------------------------------

struct Fit {
  VectorXd b;
  double digits = 0, loss = 0, excess = 0, seconds = 0;
  std::int64_t iterations = 0;
  example::Curve curve{};  // f(w) − f(w*) against passes over the data
};

/// f(w) − f(w*) = 1/(2n) ‖X(w − w*)‖². The difference of the two losses would be lost in their rounding.
double excess(const Problem& p, const VectorXd& w) {
  return (p.x * (w - p.best)).squaredNorm() / (2 * p.samples());
}

/// Correct digits: −log₁₀ of the largest relative error of a coefficient, from 0 to the 15 that are certified.
double correct_digits(const VectorXd& b, const VectorXd& certified) {
  const double error = ((b - certified).array() / certified.array()).abs().maxCoeff();
  return error > 0 ? std::clamp(-std::log10(error), 0.0, 15.0) : 15;
}

/// An observer that draws the curve, thinned to what a logarithmic axis can tell apart.
struct Draw {
  static constexpr bool uses_loss = false;  // so that SGD need not evaluate the full loss for it
  const Problem& problem;
  example::Curve& curve;
  double next = 1;

  void operator()(const descent::Progress& progress, const VectorXd& w) {
    const auto pass = static_cast<double>(progress.epochs);
    if (pass < next) return;
    next = std::max(pass + 1, pass * 1.02);
    curve.x.push_back(pass);
    curve.y.push_back(excess(problem, w));
  }
};

template <class Optimizer>
Fit run(const Problem& p, const std::string& name, Optimizer&& optimizer,
        const descent::MinimizeOptions& options) {
  Fit fit;
  fit.curve.name = name;
  const descent::LinearRegression model(p.x, p.y);
  const auto result =
      descent::minimize(model, VectorXd::Zero(p.x.cols()), std::forward<Optimizer>(optimizer),
                        options, Draw{p, fit.curve});
  fit.b = p.map_back(result.x);
  fit.digits = correct_digits(fit.b, p.certified);
  fit.loss = result.loss;
  fit.excess = excess(p, result.x);
  fit.iterations = result.iterations;
  fit.seconds = result.seconds;
  return fit;
}

/// What rounding leaves of the gradient Xᵀ(Xw − y)/n: a tolerance that a run can reach and cannot better by much.
double rounding_floor(const Problem& p) {
  return 2e-16 * (p.x.cwiseAbs().transpose() * p.y.cwiseAbs()).maxCoeff() / p.samples();
}

/// Gradient descent with B. T. Polyak's momentum, the best pair for a quadratic: rate 4/(√L + √μ)², momentum
/// ((√κ − 1)/(√κ + 1))². At κ = 1 it is the method without momentum, and one step solves the problem.
Fit fit_gradient_descent(const Problem& p) {
  const double root = std::sqrt(p.kappa());
  return run(
      p, p.kappa() > 2 ? "gradient descent with momentum" : "gradient descent",
      descent::GradientDescent({.learning_rate = 4 / std::pow(std::sqrt(p.L) + std::sqrt(p.mu), 2),
                                .momentum = std::pow((root - 1) / (root + 1), 2)}),
      {.max_iterations = 100'000, .gradient_tolerance = rounding_floor(p)});
}

/// Gradient descent alone, with its best rate, 2/(L + μ). For the plot.
Fit fit_plain_gradient_descent(const Problem& p) {
  return run(p, "gradient descent without momentum",
             descent::GradientDescent({.learning_rate = 2 / (p.L + p.mu)}),
             {.max_iterations = 20'000, .gradient_tolerance = rounding_floor(p)});
}

/// SGD, one sample an update, each once an epoch. The rate begins at 1/max ‖xᵢ‖² and, as each sample pulls elsewhere,
/// falls like 3/(μk), which is above the 1/(μk) that convergence needs. A consistent system has no noise, hence no
/// need to fall.
Fit fit_sgd(const Problem& p) {
  constexpr std::int64_t updates = 2'000'000;
  const double first = 1 / p.longest_row, gain = 3 / p.mu, start = gain / first;
  descent::Schedule rate = first;
  if (!p.consistent()) {
    rate = [=](std::int64_t k) { return gain / (static_cast<double>(k) + start); };
  }
  return run(p, "SGD", descent::SGD({.learning_rate = rate}),
             {.max_epochs = updates / p.x.rows(), .seed = 1});
}

/// Adam moves every coefficient by about its rate, whatever the gradient's size. So the rate begins at the size of a
/// coefficient, rms(y)/√L, and falls by 16 decades; not faster than the memory of v, 1/(1 − β₂) = 1000 updates.
Fit fit_adam(const Problem& p) {
  constexpr std::int64_t updates = 80'000;
  return run(p, "Adam",
             descent::Adam({.learning_rate = descent::exponential_decay(
                                {.initial = p.y.norm() / std::sqrt(p.samples() * p.L),
                                 .rate = 1e-16,
                                 .steps = updates})}),
             {.max_iterations = updates, .gradient_tolerance = rounding_floor(p)});
}

// ---- tables --------------------------------------------------------------------------------------------------------

struct Fits {
  Fit gradient_descent, sgd, adam;
};

void print_table(const Problem& p, const Fits& fits) {
  const Fit* const columns[] = {&fits.gradient_descent, &fits.sgd, &fits.adam};
  const auto row = [&](const char* name, const char* format, auto first, auto second,
                       auto&& of_fit) {
    std::printf("  %-12s", name);
    std::printf(format, first);
    std::printf(format, second);
    for (const Fit* fit : columns) std::printf(format, of_fit(*fit));
    std::printf("\n");
  };
  std::printf("\n%s: %d rows, %d coefficients, %s; L = %.3g, kappa = %.3g\n", p.name.c_str(),
              static_cast<int>(p.x.rows()), static_cast<int>(p.x.cols()), p.coordinates.c_str(),
              p.L, p.kappa());
  std::printf("  %-12s%21s%21s%21s%21s%21s\n", "", "certified", "direct (QR)", "gradient descent",
              "SGD", "Adam");
  for (Index j = 0; j < p.certified.size(); ++j) {
    row(p.coefficients[std::size_t(j)].c_str(), "%21.13g", p.certified[j], p.direct[j],
        [&](const Fit& fit) { return fit.b[j]; });
  }
  const double direct_loss = (p.design * p.direct - p.y).squaredNorm() / (2 * p.samples());
  row("digits", "%21.1f", 15.0, correct_digits(p.direct, p.certified),
      [](const Fit& fit) { return fit.digits; });
  row("loss", "%21.13g", p.certified_loss, direct_loss, [](const Fit& fit) { return fit.loss; });
  const auto only = [&](const char* name, const char* format, auto&& of_fit) {
    std::printf("  %-12s%42s", name, "");
    for (const Fit* fit : columns) std::printf(format, of_fit(*fit));
    std::printf("\n");
  };
  only("above best", "%21.1e", [](const Fit& fit) { return fit.excess; });
  if (!p.consistent()) {
    only("std. errors", "%21.1e", [&](const Fit& fit) {
      return (fit.b - p.certified).cwiseQuotient(p.standard_error).cwiseAbs().maxCoeff();
    });
  }
  only("iterations", "%21lld",
       [](const Fit& fit) { return static_cast<long long>(fit.iterations); });
  only("seconds", "%21.4f", [](const Fit& fit) { return fit.seconds; });
}

/// R² = 1 − RSS/TSS of the coefficients in raw units, with the predictions of the data as given.
double r_squared(const Problem& p, const VectorXd& b) {
  return 1 - (p.y - p.design * b).squaredNorm() / (p.y.array() - p.y.mean()).matrix().squaredNorm();
}

int compare(const std::string& data, const std::string& plots) {
  using enum Posed;
  const Problem problems[] = {
      diabetes(data, {12, 1, 10, 1e-5}),
      nist(data, "Norris", as_given, {9, 0, 8, 1e-5}),
      nist(data, "NoInt1", as_given, {13, 7, 13, 1e-12}),
      nist(data, "NoInt2", as_given, {13, 6, 13, 1e-12}),
      nist(data, "Pontius", scaled, {11, 3, 9, 1e-12}),
      nist(data, "Longley", orthogonalized, {10, 3, 10, 1e-12}),
      nist(data, "Wampler1", orthogonalized, {8, 8, 8, 1e-20}),
      nist(data, "Wampler2", orthogonalized, {11, 11, 11, 1e-20}),
      nist(data, "Wampler3", orthogonalized, {8, 1, 8, 1e-12}),
      nist(data, "Wampler4", orthogonalized, {7, 0, 7, 1e-8}),
      nist(data, "Wampler5", orthogonalized, {5, 0, 5, 1e-8}),
  };

  std::puts(
      "Least squares, f(w) = 1/(2n) |Xw - y|^2, from w = 0, fitted in coordinates w and mapped\n"
      "back. digits: correct digits of the worst coefficient, 15 at most. loss: as evaluated.\n"
      "above best: f(w) - f(w*), computed as 1/(2n) |X(w - w*)|^2. std. errors: the largest\n"
      "error of a coefficient, in standard errors of the least squares estimate.");
  std::vector<Fits> all;
  for (const Problem& p : problems) {
    all.push_back({fit_gradient_descent(p), fit_sgd(p), fit_adam(p)});
    Fits& fits = all.back();
    print_table(p, fits);
    if (p.name == "diabetes") {
      std::printf("  %-12s%21.13f%21.13f%21.13f%21.13f%21.13f\n", "R squared",
                  r_squared(p, p.certified), r_squared(p, p.direct),
                  r_squared(p, fits.gradient_descent.b), r_squared(p, fits.sgd.b),
                  r_squared(p, fits.adam.b));
    }
    std::vector<example::Curve> curves;
    for (Fit* fit : {&fits.gradient_descent, &fits.sgd, &fits.adam}) {
      curves.push_back(std::move(fit->curve));
    }
    if (p.kappa() > 2) curves.push_back(fit_plain_gradient_descent(p).curve);
    const std::string file = plots + "/linear_regression_" + p.name + ".svg";
    if (example::plot(file, curves,
                      {.title = p.name + ", " + p.coordinates,
                       .x_label = "passes over the data",
                       .y_label = "loss above the optimum, f(w) - f(w*)",
                       .log_x = true})) {
      std::printf("  plot: %s\n", file.c_str());
    }
  }

  std::printf("\nCorrect digits of the worst coefficient\n  %-10s%10s%13s%20s%8s%8s\n", "data set",
              "kappa", "direct (QR)", "gradient descent", "SGD", "Adam");
  int missed = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Problem& p = problems[i];
    const Fits& fits = all[i];
    const bool good = fits.gradient_descent.digits >= p.marks.gradient_descent &&
                      fits.sgd.digits >= p.marks.sgd && fits.adam.digits >= p.marks.adam &&
                      fits.sgd.excess <= p.marks.sgd_excess * p.loss_at_zero();
    std::printf("  %-10s%10.3g%13.1f%20.1f%8.1f%8.1f%s\n", p.name.c_str(), p.kappa(),
                correct_digits(p.direct, p.certified), fits.gradient_descent.digits,
                fits.sgd.digits, fits.adam.digits, good ? "" : "  MISSED ITS MARK");
    missed += good ? 0 : 1;
  }
  std::puts(
      "\nWhat the figures do not say by themselves:\n"
      "- Gradient descent has momentum, both from L and mu. Alone, with the rate 2/(L +\n"
      "  mu), it needs about kappa/2 passes for each factor e instead of sqrt(kappa)/2: the\n"
      "  plots show it.\n"
      "- Where kappa is 1, a QR decomposition has done the work, and one step is the\n"
      "  answer. That QR is in extended precision, the direct solver's in double: the\n"
      "  digits that the methods have more are owed to it.\n"
      "- SGD draws one sample an update, and its error falls about like the rate, 3/(mu k):\n"
      "  ten times the updates for each further digit. Wampler1 and Wampler2 have no\n"
      "  residuals, so it keeps a constant rate there and loses nothing. Wampler4 and\n"
      "  Wampler5 have residuals 100 and 10 000 times those of Wampler3 around the same\n"
      "  coefficients. The row 'std. errors' shows that everywhere but on Norris SGD is\n"
      "  closer to the answer than the data determine it.\n"
      "- On Norris as given, SGD cannot find the intercept: the longest row allows a rate\n"
      "  of 1e-6, and in the intercept's direction an error then needs some millions of\n"
      "  updates to shrink by e. Scaling the column would cure it.");
  std::printf("\n%s\n", missed == 0 ? "Every fit reached its mark." : "Some fit missed its mark.");
  return missed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return compare(argc > 1 ? argv[1] : DESCENT_EXAMPLE_DATA_DIR, argc > 2 ? argv[2] : ".");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "linear_regression: %s\n", error.what());
    return 2;
  }
}
