// Gradients by reverse mode: the loss is written once, ADOL-C records it on a tape, and the gradient costs a few losses however
// many parameters there are. The adapter below is all that it takes; another library goes the same way.
//
// (For some dozens of parameters descent::autodiff does without a library.)
#include <cstdio>

#include <Eigen/Core>

#include <adolc/adolc.h>

#include <descent/descent.hpp>

namespace {

using Eigen::Index;
using Eigen::VectorXd;

// From a callable that takes a vector of any scalar and returns one of these. A tape holds one way through the loss's
// branches: where another is taken, ADOL-C says so, and the tape is recorded again.
template <class F>
class ReverseMode {
  F f_;
  short tape_;

  void record(const VectorXd& x) const {
    Eigen::Matrix<adouble, Eigen::Dynamic, 1> v(x.size());
    double loss = 0;
    trace_on(tape_);
    for (Index i = 0; i < x.size(); ++i) v[i] <<= x[i];
    adouble result = f_(v);
    result >>= loss;
    trace_off();
  }

 public:
  ReverseMode(F f, const VectorXd& x, short tape = 0) : f_(f), tape_(tape) { record(x); }

  double loss(const VectorXd& x) const { return f_(x); }
  double loss_and_gradient(const VectorXd& x, VectorXd& g) const {
    if (::gradient(tape_, static_cast<int>(x.size()), x.data(), g.data()) < 0) {
      record(x);
      ::gradient(tape_, static_cast<int>(x.size()), x.data(), g.data());
    }
    return f_(x);
  }
};

// Rosenbrock's function as a chain: the parameters are coupled, its minimum is at 1.
const auto chain = [](const auto& x) {
  using T = typename std::remove_cvref_t<decltype(x)>::Scalar;
  T loss = 0;
  for (Index i = 0; i + 1 < x.size(); ++i) {
    const T a = 1 - x[i], b = x[i + 1] - x[i] * x[i];
    loss += a * a + 100 * b * b;
  }
  return loss;
};

}  // namespace

int main() {
  const VectorXd x0 = VectorXd::Constant(200, 0.5);
  const ReverseMode f(chain, x0);
  std::printf("%s\n", descent::check_gradient(f, x0).message().c_str());
  const auto result = descent::minimize(f, x0, descent::LBFGS());
  std::printf("%s\n%.1e from the minimum, %ld gradients\n", result.message().c_str(),
              (result.x.array() - 1).abs().maxCoeff(),
              static_cast<long>(result.gradient_evaluations));
  return result.converged() ? 0 : 1;
}
