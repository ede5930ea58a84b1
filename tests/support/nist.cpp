#include "support/nist.hpp"

#include "support/dual.hpp"

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace descent_test {
namespace {

using Eigen::Index;
using Eigen::VectorXd;

std::vector<std::vector<std::string>> read(const std::string& name) {
  const std::string path = std::string(DESCENT_TEST_DATA_DIR) + "/nist_nonlinear/" + name + ".csv";
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::vector<std::vector<std::string>> rows;
  std::string line;
  std::getline(file, line);  // the heading
  while (std::getline(file, line)) {
    std::istringstream words(line);
    auto& row = rows.emplace_back();
    for (std::string word; std::getline(words, word, ',');) row.push_back(word);
  }
  return rows;
}
double number(const std::string& text) {
  return std::strtod(text.c_str(), nullptr);
}

Dual power(const Dual& base, const Dual& exponent) {
  return exp(exponent * log(base));
}

// b[1] ... b[n], as NIST counts.
Dual model(const std::string& id, const std::vector<Dual>& b, const auto& row) {
  const double x = row[0];
  if (id == "Misra1a") return b[1] * (1 - exp(-b[2] * x));
  if (id == "Misra1b") return b[1] * (1 - 1 / square(1 + b[2] * x / 2));
  if (id == "Misra1c") return b[1] * (1 - 1 / sqrt(1 + 2 * b[2] * x));
  if (id == "Misra1d") return b[1] * b[2] * x / (1 + b[2] * x);
  if (id.starts_with("Chwirut")) return exp(-b[1] * x) / (b[2] + b[3] * x);
  if (id.starts_with("Lanczos")) {
    return b[1] * exp(-b[2] * x) + b[3] * exp(-b[4] * x) + b[5] * exp(-b[6] * x);
  }
  if (id.starts_with("Gauss")) {
    return b[1] * exp(-b[2] * x) + b[3] * exp(-square((x - b[4]) / b[5])) +
           b[6] * exp(-square((x - b[7]) / b[8]));
  }
  if (id == "DanWood") return b[1] * power(x, b[2]);
  if (id == "Hahn1" || id == "Thurber") {
    return (b[1] + x * (b[2] + x * (b[3] + x * b[4]))) / (1 + x * (b[5] + x * (b[6] + x * b[7])));
  }
  if (id == "Nelson") return b[1] - b[2] * x * exp(-b[3] * row[1]);
  if (id == "ENSO") {
    const double year = 2 * M_PI * x / 12;
    const Dual u = 2 * M_PI * x / b[4], v = 2 * M_PI * x / b[7];
    return b[1] + b[2] * std::cos(year) + b[3] * std::sin(year) + b[5] * cos(u) + b[6] * sin(u) +
           b[8] * cos(v) + b[9] * sin(v);
  }
  if (id == "MGH09") return b[1] * (x * x + x * b[2]) / (x * x + x * b[3] + b[4]);
  if (id == "Rat42") return b[1] / (1 + exp(b[2] - b[3] * x));
  if (id == "MGH10") return b[1] * exp(b[2] / (x + b[3]));
  if (id == "Eckerle4") return b[1] / b[2] * exp(-0.5 * square((x - b[3]) / b[2]));
  if (id == "Bennett5") return b[1] * power(b[2] + x, -1 / b[3]);
  throw std::logic_error("no model for " + id);
}

}  // namespace

const std::vector<NistProblem>& nist_problems() {
  static const std::vector<NistProblem> problems = [] {
    std::vector<NistProblem> all;
    for (const auto& row : read("certified")) {
      if (all.empty() || all.back().id != row[0]) {
        NistProblem& problem = all.emplace_back();
        problem.id = row[0];
        const auto data = read(row[0]);
        problem.x.resize(static_cast<Index>(data.size()), static_cast<Index>(data[0].size()) - 1);
        problem.y.resize(problem.x.rows());
        for (Index i = 0; i < problem.x.rows(); ++i) {
          const auto& words = data[static_cast<std::size_t>(i)];
          const double y = number(words[0]);
          problem.y[i] = problem.id == "Nelson" ? std::log(y) : y;
          for (Index j = 0; j < problem.x.cols(); ++j) {
            problem.x(i, j) = number(words[static_cast<std::size_t>(j) + 1]);
          }
        }
      }
      NistProblem& problem = all.back();
      const auto append = [](VectorXd& to, const std::string& text) {
        to.conservativeResize(to.size() + 1);
        to[to.size() - 1] = number(text);
      };
      append(problem.starts[0], row[2]);
      append(problem.starts[1], row[3]);
      append(problem.certified, row[4]);
    }
    return all;
  }();
  return problems;
}

double ScaledNist::loss_and_gradient(const VectorXd& z, VectorXd& g) const {
  std::vector<Dual> b(static_cast<std::size_t>(z.size()) + 1);
  for (Index i = 0; i < z.size(); ++i) {
    Dual& bi = b[static_cast<std::size_t>(i) + 1];
    bi = scale[i] * z[i];
    bi.by[i] = scale[i];
  }
  double loss = 0;
  g.setZero();
  for (Index i = 0; i < problem.y.size(); ++i) {
    const Dual r = model(problem.id, b, problem.x.row(i)) - problem.y[i];
    loss += r.value * r.value;
    g += 2 * r.value * r.by.head(z.size()).matrix();
  }
  return loss;
}

double ScaledNist::digits(const VectorXd& z) const {
  double least = 15;
  for (Index i = 0; i < z.size(); ++i) {
    const double error = std::abs(scale[i] * z[i] / problem.certified[i] - 1);
    least = std::min(least, -std::log10(std::max(error, 1e-15)));
  }
  return least;
}

}  // namespace descent_test
