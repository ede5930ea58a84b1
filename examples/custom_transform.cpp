// A transform of one's own in a chain: its formula for one coefficient is all that has to be written.
//
// Signum (J. Bernstein et al., "signSGD: Compressed optimisation for non-convex problems", ICML 2018, Algorithm 2):
// every coefficient moves by the learning rate, in the direction of its momentum's sign.
//
//     m ← β m + (1 − β) g,     direction = sign(m)
#include <cmath>
#include <cstddef>
#include <cstdio>

#include <descent/descent.hpp>

namespace {

struct ScaleBySignum {
  double beta = 0.9;
  static constexpr std::size_t slots = 1;  // m: one number for each coefficient, 0 at the start
  static constexpr descent::Stage yields =
      descent::Stage::direction;  // a learning rate must follow

  template <class Real>
  auto kernel(const descent::StepInfo&) const {
    const auto b = static_cast<Real>(beta), a = static_cast<Real>(1 - beta);
    return [=](auto& update, const auto& /*parameter*/, auto& m) {
      m = b * m + a * update;
      update = sign(m);
    };
  }
};

// A bowl whose directions differ by a factor of 10⁶: f(x) = ½ Σ cᵢ (xᵢ − 1)², cᵢ from 10⁻³ to 10³.
struct Bowl {
  Eigen::ArrayXf c =
      Eigen::ArrayXf::LinSpaced(1000, -3, 3).unaryExpr([](float e) { return std::pow(10.0F, e); });
  double loss_and_gradient(const Eigen::VectorXf& x, Eigen::VectorXf& g) const {
    const Eigen::ArrayXf distance = x.array() - 1;
    g = c * distance;
    return 0.5 * static_cast<double>((c * distance.square()).sum());
  }
};

}  // namespace

int main() {
  const Bowl bowl;
  const Eigen::VectorXf start = Eigen::VectorXf::Zero(1000);
  const auto decay = descent::exponential_decay({.initial = 0.05, .rate = 1e-4, .steps = 1000});

  // The own transform, with the library's around it. The chain is one loop over memory; clipping adds the one that
  // measures the norm.
  auto signum = descent::chain<Eigen::VectorXf>(descent::clip_by_global_norm(100), ScaleBySignum{},
                                                descent::scale_by_learning_rate(decay));
  const auto mine = descent::minimize(bowl, start, signum, {.max_iterations = 1000});
  std::printf(
      "Signum:           loss %.1e after %d iterations, %d passes a step, %d bytes of state\n",
      mine.loss, static_cast<int>(mine.iterations), static_cast<int>(signum.passes),
      static_cast<int>(signum.slot_bytes()));

  const auto plain = descent::minimize(
      bowl, start, descent::GradientDescent({.learning_rate = 1e-3}), {.max_iterations = 1000});
  std::printf("gradient descent: loss %.1e after %d iterations\n", plain.loss,
              static_cast<int>(plain.iterations));
  return mine.loss < 1e-3 && mine.loss < plain.loss ? 0 : 1;
}
