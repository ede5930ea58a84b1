// One step of every elementwise rule at n = 10^7 in float, where memory is what a step waits for, against a loop that moves
// the same bytes and computes nothing. The two take turns on the very same arrays; the table shows the median of their
// ratios, and the mark is 1.15 where a lane holds eight numbers: with fewer the roots and quotients are what a step waits for.
//
//     memory [--quick]
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include "descent/descent.hpp"
#include "hand.hpp"

namespace {

using Vector = Eigen::VectorXf;
using Eigen::Index;

// Of the processor: what waits for a processor does not wait for memory.
double now() {
  return double(std::clock()) / CLOCKS_PER_SEC;
}

struct Bench {
  Vector x, g;
  float zero = 0;  // the compiler must not know it
  int rounds = 0, met = 0, tried = 0;
  std::string missed{};

  template <class Optimizer, std::size_t... K>
  void move_bytes(const Optimizer& optimizer, std::index_sequence<K...>) {
    const auto& slots = optimizer.state().slots;
    hand::bytes<float, 2>(x.size(), x.data(), g.data(), zero,
                          const_cast<float*>(slots.column(K))...);
  }

  template <std::size_t Slots, class Optimizer>
  void run(const char* name, Optimizer optimizer) {
    std::vector<double> ratios, times;
    for (int round = -1; round < rounds; ++round) {
      const double start = now();
      optimizer.step(x, g);
      const double between = now();
      move_bytes(optimizer, std::make_index_sequence<Slots>());
      const double end = now();
      if (round < 0) continue;  // the first step makes the state
      ratios.push_back((between - start) / (end - between));
      times.push_back(between - start);
    }
    if (optimizer.state().slots.count() != Slots) std::printf("%s: not %zu slots\n", name, Slots);
    std::sort(ratios.begin(), ratios.end());
    std::sort(times.begin(), times.end());
    const double ratio = ratios[ratios.size() / 2];
    const double bytes = double(3 + 2 * Slots) * sizeof(float) * double(x.size());
    std::printf("%-20s %5zu %9.2f %9.1f %9.2f\n", name, Slots, times[times.size() / 2] * 1e3,
                bytes / times[times.size() / 2] * 1e-9, ratio);
    ++tried;
    if (ratio <= 1.15)
      ++met;
    else
      missed += std::string(" ") + name;
  }
};

}  // namespace

int main(int argc, char** argv) {
  using namespace descent;
  const bool quick = argc > 1 && std::strcmp(argv[1], "--quick") == 0;
  Bench bench{.x = Vector::Random(10'000'000), .g = Vector::Random(10'000'000)};
  bench.rounds = quick ? 7 : 21;
  asm volatile("" : "+m"(bench.zero));
  std::printf("%-20s %5s %9s %9s %9s\n", "n = 1e7, float", "slots", "ms", "GB/s", "/bytes");
  bench.run<0>("SGD", SGD<Vector>());
  bench.run<1>("SGD, momentum", SGD<Vector>({.momentum = 0.9}));
  bench.run<2>("Adam", Adam<Vector>());
  bench.run<3>("AMSGrad", Adam<Vector>({.amsgrad = true}));
  bench.run<2>("AdamW", AdamW<Vector>());
  bench.run<1>("Adagrad", Adagrad<Vector>());
  bench.run<2>("Adadelta", Adadelta<Vector>());
  bench.run<1>("RMSprop", RMSprop<Vector>());
  bench.run<3>("RMSprop, all on",
               RMSprop<Vector>({.learning_rate = 1e-6, .momentum = 0.9, .centered = true}));
  bench.run<2>("SM3", SM3<Vector>());
  bench.run<2>("Yogi", Yogi<Vector>());
  bench.run<2>("AdaBelief", AdaBelief<Vector>());
  bench.run<2>("AdaMax", AdaMax<Vector>());
  bench.run<2>("NAdam", NAdam<Vector>());
  bench.run<2>("RAdam", RAdam<Vector>());
  bench.run<2>("AdaBound", AdaBound<Vector>());
  bench.run<3>("AMSBound", AdaBound<Vector>({.amsbound = true}));
  bench.run<2>("QHAdam", QHAdam<Vector>());
  bench.run<4>("Adan", Adan<Vector>({.weight_decay = 0.01}));
  bench.run<3>("AdEMAMix", AdEMAMix<Vector>());
  bench.run<2>("ADOPT", ADOPT<Vector>());
  bench.run<1>("Lion", Lion<Vector>({.weight_decay = 0.01}));
  bench.run<0>("SignDescent", SignDescent<Vector>());
  bench.run<1>("Signum", SignDescent<Vector>({.momentum = 0.9}));
  bench.run<2>("Rprop", Rprop<Vector>());
  bench.run<1>("QHM", QHM<Vector>({.learning_rate = 1e-3}));
  bench.run<1>("OptimisticDescent", OptimisticDescent<Vector>());
  bench.run<1>("ASGD", ASGD<Vector>({.start = 0}));
  if (lane_width<float> < 8) return 0;
  std::printf("verdict: a step at n = 1e7, float <= 1.15 of moving its bytes: met %d of %d%s%s\n",
              bench.met, bench.tried,
              bench.missed.empty() ? "" : "; missed:", bench.missed.c_str());
}
