// One table of ratios: a step of descent against the same step written by hand, against Eigen statements as most people
// write them, and against moving the same bytes.
//
// The contenders take turns in rounds of some fifty microseconds, so that whatever disturbs the machine disturbs all of
// them; a ratio is taken between neighbors in time, and the table shows the median. Between groups of rounds x and g
// move to other offsets within a page: streams at equal offsets modulo 4096 slow each other down, and arrays that stay
// where they are measure that luck. A loop by hand works on the very arrays of the optimizer that it stands against, so
// neither has the better addresses or the warmer cache.
//
//     ratios [--quick] [--sizes 1000,100000]
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "descent/descent.hpp"
#include "hand.hpp"

namespace {

using Eigen::Index;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

std::mt19937_64 engine(20240607);

/// Arrays of n coefficients in one block, each at a random multiple of a cache line within its page.
template <class Real, std::size_t Count>
class Arrays {
  static constexpr Index line = 64 / Index(sizeof(Real)), page = 4096 / Index(sizeof(Real));
  Index room_;
  std::vector<Real> block_;
  std::array<Real*, Count> begin_{};

 public:
  explicit Arrays(Index n)
      : room_((n + 2 * page) / line * line), block_(std::size_t(room_ * Index(Count) + line)) {}
  void move() {
    Real* at = block_.data();
    while (reinterpret_cast<std::uintptr_t>(at) % 64 != 0) ++at;
    for (Real*& begin : begin_) {
      begin = at + line * Index(engine() % std::uint64_t(page / line));
      at += room_;
    }
  }
  Real* operator[](std::size_t k) const { return begin_[k]; }
};

enum Contender {
  naive,
  hand_adam,
  adam,
  hand_adam_flushing,
  bytes,
  adamw,
  clipped,
  hand_clipped,
  amsgrad,
  hand_amsgrad,
  sgd,
  hand_sgd,
  momentum,
  hand_momentum,
  naive_amsgrad,
  naive_sgd,
  naive_momentum,
  bytes_amsgrad,
  bytes_sgd,
  bytes_momentum,
  contenders
};

struct Column {
  const char* title;
  Contender numerator, denominator;
};
constexpr Column columns[] = {{"Adam/hand", adam, hand_adam},
                              {"flushing h.", adam, hand_adam_flushing},
                              {"Adam/naive", adam, naive},
                              {"Adam/bytes", adam, bytes},
                              {"AdamW/Adam", adamw, adam},
                              {"clip+/Adam", clipped, adam},
                              {"both by hand", hand_clipped, hand_adam},
                              {"AMSGrad/hand", amsgrad, hand_amsgrad},
                              {"SGD/hand", sgd, hand_sgd},
                              {"moment./hand", momentum, hand_momentum},
                              // the second table
                              {"AMSG./naive", amsgrad, naive_amsgrad},
                              {"AMSG./bytes", amsgrad, bytes_amsgrad},
                              {"AdamW/naive", adamw, naive},
                              {"AdamW/bytes", adamw, bytes},
                              {"SGD/naive", sgd, naive_sgd},
                              {"SGD/bytes", sgd, bytes_sgd},
                              {"mom./naive", momentum, naive_momentum},
                              {"mom./bytes", momentum, bytes_momentum}};
constexpr std::size_t column_count = std::size(columns), first_table = 10;

struct Row {
  double ns = 0;                              // a coefficient of Adam's step
  std::array<double, column_count> median{};  // of the ratios of neighbors in time
  std::array<double, column_count>
      fastest{};  // median over places of the ratio of the fastest rounds
};

template <class Real>
Row measure(Index n, bool quick) {
  using Vector = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
  using Array = Eigen::Array<Real, Eigen::Dynamic, 1>;
  const bool large = n > 300'000;
  const int steps = std::max(1, int(50e-6 / (double(n) * 0.7e-9 + 30e-9)));
  const int places = (quick ? 7 : 25) / (large ? 3 : 1) + 1, rounds = large ? 3 : 7;

  Arrays<Real, 2> arrays(n);
  std::vector<double> times;
  std::array<std::vector<double>, column_count> ratios, fastest;
  for (int place = 0; place < places; ++place) {
    arrays.move();
    Real *const x = arrays[0], *const g = arrays[1];
    std::minstd_rand random(unsigned(place + 1));
    for (Index i = 0; i < n; ++i) {
      g[i] = Real(double(random()) / double(std::minstd_rand::max()) - 0.5);
      x[i] = Real(0.1) * g[i];
    }
    Eigen::Map<Vector> xs(x, n);
    const Eigen::Map<const Vector> gs(g, n);

    // The optimizers' own arrays move too, as far as the heap lets them.
    const std::vector<char> shift(64 * (1 + engine() % 64));
    descent::Adam<Vector> its_adam;
    descent::AdamW<Vector> its_adamw;
    descent::Adam<Vector> its_amsgrad({.amsgrad = true});
    descent::SGD<Vector> its_sgd, its_momentum({.momentum = 0.9});
    auto its_chain = descent::chain<Vector>(
        descent::clip_by_global_norm(1.0), descent::scale_by_adam(),
        descent::add_decayed_weights(0.01),
        descent::scale_by_learning_rate(descent::warmup_cosine(
            {.peak = 1e-3, .warmup_steps = 100, .total_steps = 1'000'000'000})));
    its_adam.step(xs, gs);  // from here on they have arrays
    its_amsgrad.step(xs, gs);
    its_momentum.step(xs, gs);
    its_chain.step(xs, gs);
    const auto array = [](const auto& view) { return const_cast<Real*>(view.data()); };
    Real *const m = array(its_adam.first_moment()), *const v = array(its_adam.second_moment());
    Eigen::Map<Array> xa(x, n), ma(m, n), va(v, n);
    const Eigen::Map<const Array> ga(g, n);
    const hand::Hyper hyper;
    std::array<hand::Powers, contenders> powers;
    Real zero = 0;
    asm volatile("" : "+m"(zero));

    std::array<double, contenders> least;
    least.fill(1e300);
    for (int round = 0; round < rounds; ++round) {
      std::array<double, contenders> time{};
      const auto run = [&](Contender who, const auto& step) {
        step();  // what it needs is in the cache again, as far as it fits
        const double start = now();
        for (int i = 0; i < steps; ++i) {
          step();
          asm volatile("" ::: "memory");
        }
        time[who] = (now() - start) / steps;
        least[who] = std::min(least[who], time[who]);
      };
      run(naive, [&] { hand::naive_adam<Real>(xa, ga, ma, va, hyper, powers[naive]); });
      run(bytes, [&] { hand::bytes<Real, 2>(n, x, g, zero, m, v); });
      run(hand_adam, [&] {
        hand::adam<Real, 2, false, false>(n, x, g, m, v, nullptr, hyper, powers[hand_adam]);
      });
      run(adam, [&] { its_adam.step(xs, gs); });
      run(hand_adam_flushing, [&] {
        hand::adam<Real, 2, true, false>(n, x, g, m, v, nullptr, hyper, powers[hand_adam_flushing]);
      });
      run(adamw, [&] { its_adamw.step(xs, gs); });
      run(clipped, [&] { its_chain.step(xs, gs); });
      run(hand_clipped, [&] {
        hand::clipped_adamw<Real>(n, x, g, array(its_chain.template slot<1>(0)),
                                  array(its_chain.template slot<1>(1)), hyper,
                                  powers[hand_clipped]);
      });
      run(amsgrad, [&] { its_amsgrad.step(xs, gs); });
      run(hand_amsgrad, [&] {
        hand::adam<Real, 2, false, true>(
            n, x, g, array(its_amsgrad.first_moment()), array(its_amsgrad.second_moment()),
            array(its_amsgrad.largest_second_moment()), hyper, powers[hand_amsgrad]);
      });
      run(sgd, [&] { its_sgd.step(xs, gs); });
      run(hand_sgd, [&] { hand::sgd<Real, 4>(n, x, g, hyper); });
      run(momentum, [&] { its_momentum.step(xs, gs); });
      run(hand_momentum,
          [&] { hand::momentum<Real, 2>(n, x, g, array(its_momentum.momentum_buffer()), hyper); });
      Real *const am = array(its_amsgrad.first_moment()),
                  *const av = array(its_amsgrad.second_moment()),
                  *const al = array(its_amsgrad.largest_second_moment()),
                  *const b = array(its_momentum.momentum_buffer());
      run(naive_amsgrad, [&] {
        hand::naive_amsgrad<Real>(xa, ga, Eigen::Map<Array>(am, n), Eigen::Map<Array>(av, n),
                                  Eigen::Map<Array>(al, n), hyper, powers[naive_amsgrad]);
      });
      run(naive_sgd, [&] { hand::naive_sgd<Real>(xa, ga, hyper); });
      run(naive_momentum,
          [&] { hand::naive_momentum<Real>(xa, ga, Eigen::Map<Array>(b, n), hyper); });
      run(bytes_amsgrad, [&] { hand::bytes<Real, 2>(n, x, g, zero, am, av, al); });
      run(bytes_sgd, [&] { hand::bytes<Real, 2>(n, x, g, zero); });
      run(bytes_momentum, [&] { hand::bytes<Real, 2>(n, x, g, zero, b); });
      times.push_back(time[adam]);
      for (std::size_t c = 0; c < column_count; ++c) {
        ratios[c].push_back(time[columns[c].numerator] / time[columns[c].denominator]);
      }
    }
    for (std::size_t c = 0; c < column_count; ++c) {
      fastest[c].push_back(least[columns[c].numerator] / least[columns[c].denominator]);
    }
  }
  Row row;
  row.ns = median(times) / double(n) * 1e9;
  for (std::size_t c = 0; c < column_count; ++c) {
    row.median[c] = median(ratios[c]);
    row.fastest[c] = median(fastest[c]);
  }
  return row;
}

/// A mark, and where it was met. "In cache" is n from 1e3 to 1e5 (four arrays of 3 MB at most), "in memory" 1e7.
struct Mark {
  const char* text;
  double most;
  int met = 0, tried = 0;
  std::string missed{};

  void check(double ratio, Index n, const char* scalar) {
    ++tried;
    if (std::round(ratio * 100) <= std::round(most * 100)) {
      ++met;
    } else {
      char where[64];
      std::snprintf(where, sizeof where, "%s n = %.0e %s %.2f", missed.empty() ? "" : ",",
                    double(n), scalar, ratio);
      missed += where;
    }
  }
};

Mark marks[] = {{"Adam <= 1.10 of the best loop by hand, n from 1e3", 1.1},
                {"Adam <= 0.80 of three Eigen statements, in cache", 0.8},
                {"Adam <= 0.65 of three Eigen statements, in memory", 0.65},
                {"clip + AdamW + schedule <= 1.25 of Adam, in cache", 1.25}};

void print(Index n, const char* scalar, const Row& row, std::size_t first, std::size_t last) {
  std::printf("%9td %-6s %8.3f", n, scalar, row.ns);
  for (std::size_t c = first; c < last; ++c) {
    std::printf("  %5.2f (%4.2f)", row.median[c], row.fastest[c]);
  }
  std::printf("\n");
  std::fflush(stdout);
}

void print_titles(std::size_t first, std::size_t last) {
  std::printf("%9s %-6s %8s", "n", "", "Adam, ns");
  for (std::size_t c = first; c < last; ++c) std::printf("  %12s", columns[c].title);
  std::printf("\n");
}

template <class Real>
Row report(Index n, bool quick) {
  const char* const scalar = sizeof(Real) == 4 ? "float" : "double";
  const Row row = measure<Real>(n, quick);
  print(n, scalar, row, 0, first_table);

  if (n < 1'000) return row;
  marks[0].check(row.median[0], n, scalar);
  if (n <= 100'000) {
    marks[1].check(row.median[2], n, scalar);
    marks[3].check(row.median[5], n, scalar);
  }
  if (n >= 10'000'000) marks[2].check(row.median[2], n, scalar);
  return row;
}

}  // namespace

int main(int argc, char** argv) {
  bool quick = false;
  std::vector<Index> sizes{10, 100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000};
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--quick") == 0) {
      quick = true;
    } else if (std::strcmp(argv[i], "--sizes") == 0 && i + 1 < argc) {
      sizes.clear();
      for (char* at = argv[++i]; *at != '\0'; at += *at == ',') {
        char* end = at;
        const long long size = std::strtoll(at, &end, 10);
        if (end == at || size < 1) break;
        sizes.push_back(Index(size));
        at = end;
      }
    } else {
      std::fprintf(stderr, "usage: ratios [--quick] [--sizes 1000,100000]\n");
      return 2;
    }
  }
  std::printf("loops by hand: %s. Ratios: median (by the fastest rounds)\n", hand::registers());
  print_titles(0, first_table);
  std::vector<std::array<Row, 2>> rows;
  for (const Index n : sizes) {
    const Row of_float = report<float>(n, quick);
    rows.push_back({of_float, report<double>(n, quick)});
  }
  std::printf("the others, against Eigen statements and against moving the same bytes\n");
  print_titles(first_table, column_count);
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    print(sizes[k], "float", rows[k][0], first_table, column_count);
    print(sizes[k], "double", rows[k][1], first_table, column_count);
  }
  for (const Mark& mark : marks) {
    if (mark.tried == 0) continue;
    std::printf("verdict: %s: met %d of %d%s%s\n", mark.text, mark.met, mark.tried,
                mark.missed.empty() ? "" : "; missed:", mark.missed.c_str());
  }
}
