// What `minimize` costs on a problem that costs nothing: Adam on Rosenbrock's function of two variables, against the same
// loop written by hand with the same checks (loss and gradient finite, the gradient's tolerance, the best point kept).
// One loop takes its bias corrections from std::pow, as most do; another from running products, which are cheaper and
// drift; a third from the double-double power that descent uses. Nanoseconds an iteration; the contenders take turns.
//
//     minimize_rosenbrock [--quick]
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <vector>

#include "descent/descent.hpp"

namespace {

constexpr int iterations = 2'000;

struct Rosenbrock {
  template <class V>
  double loss_and_gradient(const V& x, V& g) const {
    const double a = 1 - x[0], b = x[1] - x[0] * x[0];
    g[0] = -2 * a - 400 * x[0] * b;
    g[1] = 200 * b;
    return a * a + 100 * b * b;
  }
};

enum class Powers { pow, products, double_double };

template <class V, Powers powers>
[[gnu::noinline]] double by_hand(const V& x0) {
  const Rosenbrock f;
  const double b1 = 0.9, b2 = 0.999, rate = 0.01, epsilon = 1e-8, tolerance = 0;
  descent::OneMinusPower one_minus1(b1), one_minus2(b2);
  double power1 = 1, power2 = 1;
  V x = x0, g = x0, m = V::Zero(x0.size()), v = V::Zero(x0.size()), best = x0;
  double best_loss = std::numeric_limits<double>::infinity();
  for (int t = 1;; ++t) {
    const double loss = f.loss_and_gradient(x, g);
    if (!std::isfinite(loss) || !g.allFinite()) break;
    if (loss < best_loss) {
      best_loss = loss;
      best = x;
    }
    if (g.template lpNorm<Eigen::Infinity>() <= tolerance || t > iterations) break;
    double c1, c2;
    if constexpr (powers == Powers::pow) {
      c1 = 1 - std::pow(b1, t);
      c2 = 1 - std::pow(b2, t);
    } else if constexpr (powers == Powers::products) {
      c1 = 1 - (power1 *= b1);
      c2 = 1 - (power2 *= b2);
    } else {
      c1 = one_minus1(t);
      c2 = one_minus2(t);
    }
    m = b1 * m + (1 - b1) * g;
    v = b2 * v + (1 - b2) * g.cwiseAbs2();
    x.array() -= rate * (m.array() / c1) / ((v.array() / c2).sqrt() + epsilon);
  }
  return best[0] + best[1] + best_loss;
}

template <class V>
[[gnu::noinline]] double by_descent(const V& x0) {
  const auto result = descent::minimize(Rosenbrock{}, x0, descent::Adam({.learning_rate = 0.01}),
                                        {.max_iterations = iterations, .gradient_tolerance = 0});
  return result.x[0] + result.x[1] + result.loss;
}

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

template <class V>
double print(const char* type, int rounds) {
  V x0(2);
  x0 << -1.2, 1.0;
  std::vector<double> times[4], ratios[4];
  double least[4] = {1e300, 1e300, 1e300, 1e300}, sink = 0;
  for (int round = 0; round < rounds; ++round) {
    const auto run = [&](int who, auto f) {
      asm volatile("" : : "r"(x0.data()) : "memory");
      const double start = now();
      sink += f(x0);
      const double time = (now() - start) / iterations * 1e9;
      times[who].push_back(time);
      least[who] = std::min(least[who], time);
    };
    run(0, by_descent<V>);
    run(1, by_hand<V, Powers::pow>);
    run(2, by_hand<V, Powers::products>);
    run(3, by_hand<V, Powers::double_double>);
    for (int k = 1; k < 4; ++k) ratios[k].push_back(times[0].back() / times[k].back());
  }
  asm volatile("" : : "g"(&sink) : "memory");
  std::printf("%-9s %7.1f", type, median(times[0]));
  for (int k = 1; k < 4; ++k) std::printf("   %6.1f", median(times[k]));
  for (int k = 1; k < 4; ++k) {
    std::printf("   %5.2f (%4.2f)", median(ratios[k]), least[0] / least[k]);
  }
  std::printf("\n");
  return median(ratios[1]);
}

}  // namespace

int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::strcmp(argv[1], "--quick") == 0;
  std::printf(
      "ns an iteration; ratios of minimize to each loop by hand: median (by the fastest rounds)\n");
  std::printf("%-9s %7s   %6s   %6s   %6s   %12s   %12s   %12s\n", "", "minimize", "pow", "prod.",
              "dd", "/ pow", "/ products", "/ double-d.");
  const int rounds = quick ? 101 : 1'001;
  const double ratio = print<Eigen::Vector2d>("Vector2d", rounds);
  (void)print<Eigen::VectorXd>("VectorXd", rounds);
  std::printf("verdict: minimize, Vector2d <= 1.50 of the loop with std::pow: %s, %.2f\n",
              ratio <= 1.5 ? "met" : "MISSED", ratio);
}
