// What holds for every optimizer, as functions that a table can be run through.
#ifndef DESCENT_TESTS_SUPPORT_LAWS_HPP
#define DESCENT_TESTS_SUPPORT_LAWS_HPP

#include "support/any_optimizer.hpp"
#include "support/bits.hpp"
#include "support/refusal.hpp"

#include <Eigen/Core>

#include <cmath>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>

namespace descent_test {

using Eigen::Index;

/// The gradients of one trial: g = x/2 + noise(t), coefficient by coefficient, so that any part of
/// it can be had alone. The product is exact: no compiler can round it otherwise.
template <class Real>
class TrialGradients {
 public:
  using Vector = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
  static constexpr int steps = 20;

  explicit TrialGradients(Index size) {
    Numbers numbers(static_cast<std::uint64_t>(size));
    start = numbers.vector<Real>(size);
    for (Vector& noise : noise_) noise = numbers.vector<Real>(size);
  }

  /// The gradient of step t = 0, 1, ... at the part of x that begins at `first`.
  template <class X>
  Vector operator()(int t, const X& x, Index first = 0) const {
    Vector g = noise_[t % steps].segment(first, x.size());
    for (Index i = 0; i < g.size(); ++i) g[i] += Real(0.5) * x.data()[i];
    return g;
  }

  Vector start;

 private:
  Vector noise_[steps];
};

/// Where an optimizer takes the start after some steps.
template <class Real>
Eigen::Matrix<Real, Eigen::Dynamic, 1> run(AnyOptimizer<Real>& optimizer,
                                           const TrialGradients<Real>& gradients, int steps) {
  auto x = gradients.start;
  for (int t = 0; t < steps; ++t) optimizer.step(x, gradients(t, x));
  return x;
}

/// Calls check(row, real) for every row of the table, with Real(0) of both scalars.
template <class Check>
void for_each_optimizer(const Check& check) {
  for (const OptimizerRow& row : optimizer_rows()) {
    check(row, 0.0);
    check(row, 0.0f);
  }
}

}  // namespace descent_test

#endif  // DESCENT_TESTS_SUPPORT_LAWS_HPP
