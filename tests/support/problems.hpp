// Small problems for the tests of the driver, on vectors and matrices of any type.
#ifndef DESCENT_TESTS_SUPPORT_PROBLEMS_HPP
#define DESCENT_TESTS_SUPPORT_PROBLEMS_HPP

#include <descent/core/objective.hpp>
#include <descent/core/random.hpp>

#include <Eigen/Core>
#include <Eigen/LU>

#include <cmath>
#include <cstdint>
#include <vector>

namespace descent_test {

/// f = 1/2 Σ (i + 1) (x_i - 1)² over the coefficients in memory order: least 0, at 1.
struct Bowl {
  template <class V>
  double loss_and_gradient(const V& x, V& g) const {
    double loss = 0;
    for (Eigen::Index i = 0; i < x.size(); ++i) {
      const auto curvature = static_cast<typename V::Scalar>(i + 1);
      const auto d = x.data()[i] - 1;
      g.data()[i] = curvature * d;
      loss += 0.5 * static_cast<double>(curvature * d * d);
    }
    return loss;
  }
};

/// The same, loss and gradient apart.
struct SeparateBowl {
  template <class V>
  double loss(const V& x) const {
    V unused = x;
    return Bowl{}.loss_and_gradient(x, unused);
  }
  template <class V>
  void gradient(const V& x, V& g) const {
    (void)Bowl{}.loss_and_gradient(x, g);
  }
};

/// f = (1 - x_0)² + 100 (x_1 - x_0²)²: least 0, at (1, 1).
struct Rosenbrock {
  template <class V>
  double loss_and_gradient(const V& x, V& g) const {
    const auto u = 1 - x(0), v = x(1) - x(0) * x(0);
    g(0) = -2 * u - 400 * x(0) * v;
    g(1) = 200 * v;
    return static_cast<double>(u * u + 100 * v * v);
  }
};

/// The mean of 1/2 (w_0 a_i + w_1 - b_i)² over samples (a_i, b_i), loss and gradient apart; says which samples it was
/// asked for.
struct Line {
  Eigen::ArrayXd a, b;
  mutable std::vector<Eigen::Index> asked{};

  Eigen::Index size() const { return a.size(); }
  double loss(const Eigen::VectorXd& w) const {
    return 0.5 * (w[0] * a + w[1] - b).square().mean();
  }
  void gradient(const Eigen::VectorXd& w, Eigen::VectorXd& g) const {
    g[0] = ((w[0] * a + w[1] - b) * a).mean();
    g[1] = (w[0] * a + w[1] - b).mean();
  }
  void gradient(const Eigen::VectorXd& w, descent::Batch batch, Eigen::VectorXd& g) const {
    g.setZero();
    for (const Eigen::Index i : batch) {
      const double residual = w[0] * a[i] + w[1] - b[i];
      g[0] += residual * a[i] / static_cast<double>(batch.size());
      g[1] += residual / static_cast<double>(batch.size());
      asked.push_back(i);
    }
  }
};

/// Numbers in [-1, 1), the same everywhere.
class Uniform {
  descent::Random random_;

 public:
  explicit Uniform(std::uint64_t seed) : random_(seed) {}
  double operator()() { return std::ldexp(static_cast<double>(random_() >> 11), -52) - 1; }
  Eigen::MatrixXd matrix(Eigen::Index rows, Eigen::Index cols) {
    return Eigen::MatrixXd::NullaryExpr(rows, cols, [this] { return (*this)(); });
  }
  Eigen::VectorXd vector(Eigen::Index size) { return matrix(size, 1); }
};

/// n samples of d numbers, the last of them 1, and y = X truth + noise.
struct RegressionData {
  Eigen::MatrixXd X;
  Eigen::VectorXd y, truth;

  RegressionData(Eigen::Index n, Eigen::Index d, double noise, std::uint64_t seed) {
    Uniform uniform(seed);
    X = uniform.matrix(n, d);
    X.col(d - 1).setOnes();
    truth = 2 * uniform.vector(d);
    y = X * truth + noise * uniform.vector(n);
  }
  /// The least-squares solution, with lambda/2 ‖w‖² added to 1/(2n) ‖Xw - y‖².
  Eigen::VectorXd solution(double lambda = 0) const {
    const auto n = static_cast<double>(X.rows());
    const Eigen::MatrixXd normal =
        X.transpose() * X / n + lambda * Eigen::MatrixXd::Identity(X.cols(), X.cols());
    return normal.partialPivLu().solve(X.transpose() * y / n);
  }
};

}  // namespace descent_test

#endif  // DESCENT_TESTS_SUPPORT_PROBLEMS_HPP
