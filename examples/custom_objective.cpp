// An objective of one's own: a nonlinear regression, its gradient checked, fitted by Adam.
//
// Misra1a of NIST's Statistical Reference Datasets (dental research, monomolecular adsorption; Misra, D., NIST, 1978):
//
//     y = b₁ (1 − exp(−b₂ x)) + e,      certified: b₁ = 238.94212918, b₂ = 5.5015643181e-4
#include <cmath>
#include <cstdio>

#include <Eigen/Core>

#include <descent/descent.hpp>

namespace {

using Samples = Eigen::Array<double, 14, 1>;
const Samples x{{77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1,
                 689.1, 760.0}};
const Samples y{{10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40,
                 75.47, 81.78}};

// The coefficients differ by a factor of a million, which no single learning rate likes. So the parameters are p, with
// b₁ = 250 p₀ and b₂ = 5e-4 p₁.
const Eigen::Vector2d unit(250, 5e-4);

// loss(p) = 1/(2n) Σ rᵢ², r = b₁ (1 − exp(−b₂ x)) − y. One function for both, as they share the exponentials.
struct Misra1a {
  double loss_and_gradient(const Eigen::Vector2d& p, Eigen::Vector2d& g) const {
    const Eigen::Vector2d b = p.cwiseProduct(unit);
    const Samples decay = (-b[1] * x).exp();
    const Samples r = b[0] * (1 - decay) - y;
    const Eigen::Vector2d by_b((r * (1 - decay)).mean(), (r * b[0] * x * decay).mean());
    g = by_b.cwiseProduct(unit);
    return r.square().mean() / 2;
  }
};
static_assert(descent::Objective<Misra1a, Eigen::Vector2d>);

// The same with a slip that is easily made: the factor x of the inner derivative is missing.
struct Slip : Misra1a {
  double loss_and_gradient(const Eigen::Vector2d& p, Eigen::Vector2d& g) const {
    const Eigen::Vector2d b = p.cwiseProduct(unit);
    const Samples decay = (-b[1] * x).exp();
    const double loss = Misra1a::loss_and_gradient(p, g);
    g[1] = ((b[0] * (1 - decay) - y) * b[0] * decay).mean() * unit[1];
    return loss;
  }
};

}  // namespace

int main() {
  const Eigen::Vector2d start(2, 0.2);  // NIST's first start: b = (500, 1e-4)
  const auto right = descent::check_gradient(Misra1a{}, start);
  const auto wrong = descent::check_gradient(Slip{}, start);
  std::printf("as written:    %s\nwith a slip:   %s\n\n", right.message().c_str(),
              wrong.message().c_str());

  const auto fit = descent::minimize(Misra1a{}, start, descent::Adam({.learning_rate = 0.01}),
                                     {.max_iterations = 200'000, .gradient_tolerance = 1e-10});
  const Eigen::Vector2d b = fit.x.cwiseProduct(unit);
  std::printf("Adam: %s\n", fit.message().c_str());
  std::printf("            fitted            certified\n");
  std::printf("  b1     %13.8f        238.94212918\n", b[0]);
  std::printf("  b2     %13.8e      5.50156432e-04\n", b[1]);
  std::printf("  RSS    %13.8e      1.24551389e-01\n",
              fit.loss * 2 * static_cast<double>(x.size()));

  const bool good = right.ok() && !wrong.ok() && fit.converged() &&
                    std::abs(b[0] / 238.94212918 - 1) < 1e-6 &&
                    std::abs(b[1] / 5.5015643181e-4 - 1) < 1e-6;
  return good ? 0 : 1;
}
