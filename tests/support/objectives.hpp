// The objectives of the reference trajectories, written out as plain scalar loops: sums strictly
// from left to right, gradient coefficients in index order. An x of theirs is always a flat vector;
// matrices lie in it row by row.
//
// A multiply-add contracted into one rounding gives other last bits than the reference, so targets
// that include this file are compiled with -ffp-contract=off (g++ contracts by default where -march
// allows it); reference.test.cpp checks that they are.
#ifndef DESCENT_TESTS_SUPPORT_OBJECTIVES_HPP
#define DESCENT_TESTS_SUPPORT_OBJECTIVES_HPP

#include "support/reference.hpp"

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#ifdef __FAST_MATH__
#error "the reference objectives need IEEE arithmetic: compile the tests without -ffast-math"
#endif

namespace descent_test {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

/// f = (a - x1)² + b (x2 - x1²)²
struct Rosenbrock2 {
  double a = 1, b = 100;

  double loss(const VectorXd& x) const {
    const double u = a - x[0], v = x[1] - x[0] * x[0];
    return u * u + b * (v * v);
  }
  void gradient(const VectorXd& x, VectorXd& g) const {
    const double u = a - x[0], v = x[1] - x[0] * x[0];
    g[0] = -2 * u - 4 * b * x[0] * v;
    g[1] = 2 * b * v;
  }
};

/// f = ½ xᵀAx - bᵀx, A symmetric positive definite
struct Quadratic {
  MatrixXd A;
  VectorXd b;

  double loss(const VectorXd& x) const {
    double curvature = 0, linear = 0;
    for (Index i = 0; i < b.size(); ++i) {
      curvature += x[i] * product(i, x);
      linear += b[i] * x[i];
    }
    return 0.5 * curvature - linear;
  }
  void gradient(const VectorXd& x, VectorXd& g) const {
    for (Index i = 0; i < b.size(); ++i) g[i] = product(i, x) - b[i];
  }

 private:
  double product(Index row, const VectorXd& x) const {
    double sum = 0;
    for (Index j = 0; j < b.size(); ++j) sum += A(row, j) * x[j];
    return sum;
  }
};

/// f = (1/n) Σ_i [log(1 + exp(z_i)) - y_i z_i] + λ/2 ‖w‖², z_i = x_iᵀw; an intercept is a column of
/// ones in X
struct Logistic {
  MatrixXd X;
  VectorXd y;
  double lambda = 0;

  double loss(const VectorXd& w) const {
    double sum = 0, square = 0;
    for (Index i = 0; i < X.rows(); ++i) {
      const double z = score(i, w);
      sum += std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z))) - y[i] * z;
    }
    for (Index j = 0; j < w.size(); ++j) square += w[j] * w[j];
    return sum / static_cast<double>(X.rows()) + 0.5 * lambda * square;
  }
  void gradient(const VectorXd& w, VectorXd& g) const {
    g.setZero();
    for (Index i = 0; i < X.rows(); ++i) {
      const double residual = sigmoid(score(i, w)) - y[i];
      for (Index j = 0; j < w.size(); ++j) g[j] += residual * X(i, j);
    }
    for (Index j = 0; j < w.size(); ++j)
      g[j] = g[j] / static_cast<double>(X.rows()) + lambda * w[j];
  }
  /// The gradient of sample i alone, (σ(z_i) - y_i) x_i + λ w: the full gradient is the mean of
  /// these.
  void sample_gradient(Index i, const VectorXd& w, VectorXd& g) const {
    const double residual = sigmoid(score(i, w)) - y[i];
    for (Index j = 0; j < w.size(); ++j) g[j] = residual * X(i, j) + lambda * w[j];
  }

 private:
  double score(Index i, const VectorXd& w) const {
    double sum = 0;
    for (Index j = 0; j < w.size(); ++j) sum += X(i, j) * w[j];
    return sum;
  }
  static double sigmoid(double z) {
    if (z >= 0) return 1 / (1 + std::exp(-z));
    const double e = std::exp(z);
    return e / (1 + e);
  }
};

/// The gradient of step t is row (t - 1) mod rows, wherever x is. There is no loss.
struct GradientSequence {
  MatrixXd G;

  void gradient(std::int64_t t, VectorXd& g) const {
    g = G.row(static_cast<Index>((t - 1) % G.rows()));
  }
};

/// The same, sparse: the gradient is zero but for the listed coefficients; what is listed twice is
/// summed.
struct SparseGradientSequence {
  struct Row {
    std::vector<Index> index;
    std::vector<double> value;
  };
  std::vector<Row> rows;

  const Row& row(std::int64_t t) const {
    return rows[static_cast<std::size_t>(t - 1) % rows.size()];
  }
  void gradient(std::int64_t t, VectorXd& g) const {
    g.setZero();
    for (std::size_t k = 0; k < row(t).index.size(); ++k) g[row(t).index[k]] += row(t).value[k];
  }
};

/// f(W) = ½ ‖AW - C‖², W a matrix of p x q stored row by row
struct MatrixLeastSquares {
  MatrixXd A, C;

  double loss(const VectorXd& w) const {
    double sum = 0;
    for (Index i = 0; i < A.rows(); ++i)
      for (Index j = 0; j < C.cols(); ++j) sum += residual(i, j, w) * residual(i, j, w);
    return 0.5 * sum;
  }
  void gradient(const VectorXd& w, VectorXd& g) const {
    for (Index k = 0; k < A.cols(); ++k)
      for (Index j = 0; j < C.cols(); ++j) {
        double sum = 0;
        for (Index i = 0; i < A.rows(); ++i) sum += A(i, k) * residual(i, j, w);
        g[k * C.cols() + j] = sum;
      }
  }

 private:
  double residual(Index i, Index j, const VectorXd& w) const {
    double sum = 0;
    for (Index k = 0; k < A.cols(); ++k) sum += A(i, k) * w[k * C.cols() + j];
    return sum - C(i, j);
  }
};

/// f = Σ_{i=1..3} (y_i - x1 (1 - x2^i))²
struct Beale {
  Eigen::Vector3d y{1.5, 2.25, 2.625};

  double loss(const VectorXd& x) const {
    double sum = 0, power = 1;
    for (Index i = 0; i < 3; ++i) {
      power *= x[1];
      const double r = y[i] - x[0] * (1 - power);
      sum += r * r;
    }
    return sum;
  }
  void gradient(const VectorXd& x, VectorXd& g) const {
    g.setZero();
    double power = 1;  // x2^(i-1), then x2^i
    for (Index i = 0; i < 3; ++i) {
      const double slope = static_cast<double>(i + 1) * power;
      power *= x[1];
      const double r = y[i] - x[0] * (1 - power);
      g[0] -= 2 * r * (1 - power);
      g[1] += 2 * r * (x[0] * slope);
    }
  }
};

/// f = (x1² + x2 - a)² + (x1 + x2² - b)²
struct Himmelblau {
  double a = 11, b = 7;

  double loss(const VectorXd& x) const {
    const double u = x[0] * x[0] + x[1] - a, v = x[0] + x[1] * x[1] - b;
    return u * u + v * v;
  }
  void gradient(const VectorXd& x, VectorXd& g) const {
    const double u = x[0] * x[0] + x[1] - a, v = x[0] + x[1] * x[1] - b;
    g[0] = 4 * x[0] * u + 2 * v;
    g[1] = 2 * u + 4 * x[1] * v;
  }
};

/// Any of the above, with one way to ask: `t` is the number of the step that the gradient is for,
/// from 1.
class ReferenceObjective {
 public:
  using Any = std::variant<Rosenbrock2, Quadratic, Logistic, GradientSequence,
                           SparseGradientSequence, MatrixLeastSquares, Beale, Himmelblau>;

  explicit ReferenceObjective(Any objective) : objective_(std::move(objective)) {}

  void gradient_at(std::int64_t t, const VectorXd& x, VectorXd& g) const {
    g.resize(x.size());
    std::visit(
        [&](const auto& f) {
          if constexpr (requires { f.gradient(t, g); })
            f.gradient(t, g);
          else
            f.gradient(x, g);
        },
        objective_);
  }
  double loss(const VectorXd& x) const {
    return std::visit(
        [&](const auto& f) -> double {
          if constexpr (requires { f.loss(x); })
            return f.loss(x);
          else
            throw std::logic_error("a literal sequence of gradients has no loss");
        },
        objective_);
  }
  bool has_loss() const {
    return !std::holds_alternative<GradientSequence>(objective_) &&
           !std::holds_alternative<SparseGradientSequence>(objective_);
  }
  const Any& any() const { return objective_; }

 private:
  Any objective_;
};

/// The objective that a record describes: `id` and `constants.…`.
inline ReferenceObjective make_objective(const Record& record) {
  const Record c = record.below("constants");
  const std::string& id = record.text("id");
  const auto make = [&]() -> ReferenceObjective::Any {
    if (id == "rosenbrock2") return Rosenbrock2{c.number("a"), c.number("b")};
    if (id == "quad") return Quadratic{c.matrix("A"), c.numbers("b")};
    if (id == "logreg") return Logistic{c.matrix("X"), c.numbers("y"), c.number("lambda")};
    if (id == "gradseq") return GradientSequence{c.matrix("G")};
    if (id == "matls") return MatrixLeastSquares{c.matrix("A"), c.matrix("C")};
    if (id == "beale") return Beale{c.numbers("y")};
    if (id == "himmelblau") return Himmelblau{c.number("a"), c.number("b")};
    if (id == "sparseseq") {
      SparseGradientSequence sequence;
      for (const Record& block : c.blocks("S")) {
        const VectorXd index = block.numbers("idx"), value = block.numbers("val");
        block.expect_all_read();
        if (index.size() != value.size())
          throw ReferenceError(block.file(), block.line(), "idx and val differ in size");
        auto& row = sequence.rows.emplace_back();
        for (Index k = 0; k < index.size(); ++k) {
          row.index.push_back(static_cast<Index>(index[k]));
          row.value.push_back(value[k]);
        }
      }
      return sequence;
    }
    throw ReferenceError(record.file(), record.line(), "no such objective: " + id);
  };
  ReferenceObjective objective(make());
  c.expect_all_read();
  return objective;
}

inline ReferenceObjective make_objective(const Trajectory& trajectory) {
  return make_objective(trajectory.objective);
}

}  // namespace descent_test

#endif  // DESCENT_TESTS_SUPPORT_OBJECTIVES_HPP
