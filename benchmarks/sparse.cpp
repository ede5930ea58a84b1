// Stochastic gradients on sparse logistic regression: 200 000 rows of 75 numbers in 47 000 columns, which are drawn by a power
// law. An epoch of Hogwild, in order and in random order, against a tight loop by hand that draws its samples from the same
// generator: one thread by the time of its processor, two threads by the clock. The runs take turns; the table shows medians.
//
//     sparse [--quick]
#include <Eigen/SparseCore>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <functional>
#include <vector>

#include "descent/all.hpp"

namespace {

using Eigen::Index;
using Eigen::VectorXd;
using Rows = Eigen::SparseMatrix<double, Eigen::RowMajor>;

struct Data {
  Rows x;
  VectorXd y;

  // Column d u³ for a uniform u: the first tenth of them holds half of the numbers. Labels follow a logistic model.
  Data(Index n, Index d, Index in_row) : x(n, d), y(n) {
    descent::Random random(2026);
    VectorXd w(d);
    for (double& wj : w) wj = 3 * random.normal();
    x.reserve(Eigen::VectorXi::Constant(n, int(in_row)));
    std::vector<Index> columns;
    for (Index i = 0; i < n; ++i) {
      columns.clear();
      while (Index(columns.size()) < in_row) {
        const double u = random.uniform();
        const auto j = static_cast<Index>(double(d) * u * u * u);
        if (std::find(columns.begin(), columns.end(), j) == columns.end()) columns.push_back(j);
      }
      std::sort(columns.begin(), columns.end());
      double z = 0;
      for (const Index j : columns) {
        const double value = 0.4 * (random.uniform() - 0.5);
        x.insert(i, j) = value;
        z += value * w[j];
      }
      y[i] = random.uniform() < 1 / (1 + std::exp(-z)) ? 1 : 0;
    }
    x.makeCompressed();
  }
};

// The epoch by hand.
[[gnu::noinline]] void by_hand(const Data& data, VectorXd& weights, const Index* order,
                               double rate) {
  const int* const outer = data.x.outerIndexPtr();
  const int* const columns = data.x.innerIndexPtr();
  const double* const values = data.x.valuePtr();
  const double* const y = data.y.data();
  double* const w = weights.data();
  for (Index k = 0; k < data.x.rows(); ++k) {
    const Index i = order == nullptr ? k : order[k];
    const int begin = outer[i], end = outer[i + 1];
    double z = 0;
    for (int p = begin; p < end; ++p) z += values[p] * w[columns[p]];
    const double move = rate * (1 / (1 + std::exp(-z)) - y[i]);
    for (int p = begin; p < end; ++p) w[columns[p]] -= move * values[p];
  }
}

// What a solver asks, without the full sum behind each epoch.
template <class F>
struct Epochs {
  const F& f;
  descent::Batches& batches;

  const F& objective() const { return f; }
  Index batch_size() const { return batches.batch_size(); }
  descent::Batch next(std::int64_t) { return batches.next(); }
  void count(std::int64_t) {}
  bool close(descent::Point<VectorXd>&) { return true; }
};

double processor() {
  return double(std::clock()) / CLOCKS_PER_SEC;
}
double wall() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  using namespace descent;
  const bool quick = argc > 1 && std::strcmp(argv[1], "--quick") == 0;
  const int rounds = quick ? 5 : 15;
  const double rate = 0.1;
  const Data data(200'000, 47'000, 75);
  const Index n = data.x.rows(), d = data.x.cols();
  const LogisticRegression model(data.x, data.y);
  const auto ridge = l2(model, 1e-6);

  std::printf("%-16s %9s %9s %9s %9s %9s %9s\n", "ms an epoch", "by hand", "1 thread", "l2",
              "/by hand", "l2/hand", "1/2");
  for (const Sampling sampling : {in_order, shuffled}) {
    Batches hand_draws(n, n, sampling, 1), draws(n, n, sampling, 1);
    Point<VectorXd> point{.x = VectorXd::Zero(d), .g = VectorXd::Zero(d)};
    VectorXd w = point.x;
    Hogwild<VectorXd> one({.learning_rate = rate, .threads = 1}),
        two({.learning_rate = rate, .threads = 2});
    one.begin(point.x);
    two.begin(point.x);
    Epochs<std::remove_cvref_t<decltype(model)>> plain{model, draws};
    Epochs<std::remove_cvref_t<decltype(ridge)>> decayed{ridge, draws};
    const auto timed = [&](double (*now)(), const std::function<void()>& epoch) {
      point.x.setZero();
      w.setZero();
      const double start = now();
      epoch();
      return now() - start;
    };
    const std::function<void()> hand = [&] {
      const Batch order = hand_draws.next();
      by_hand(data, w, sampling == in_order ? nullptr : order.data(), rate);
    };
    std::vector<double> a, b, c, plain_ratio, ridge_ratio, speedup;
    for (int round = -1; round < rounds; ++round) {
      const double by_hand = timed(processor, hand);
      const double ours = timed(processor, [&] { (void)one.iterate(point, plain); });
      const double with_ridge = timed(processor, [&] { (void)one.iterate(point, decayed); });
      const double alone = timed(wall, [&] { (void)one.iterate(point, plain); });
      const double together = timed(wall, [&] { (void)two.iterate(point, plain); });
      if (round < 0) continue;
      a.push_back(by_hand * 1e3);
      b.push_back(ours * 1e3);
      c.push_back(with_ridge * 1e3);
      plain_ratio.push_back(ours / by_hand);
      ridge_ratio.push_back(with_ridge / by_hand);
      speedup.push_back(alone / together);
    }
    const char* const name = sampling == in_order ? "in order" : "in random order";
    std::printf("%-16s %9.1f %9.1f %9.1f %9.2f %9.2f %9.2f\n", name, median(a), median(b),
                median(c), median(plain_ratio), median(ridge_ratio), median(speedup));
    std::printf("verdict: sparse epoch %s <= 1.15 of a loop by hand: %s (%.2f, with l2 %.2f)\n",
                name, median(plain_ratio) <= 1.15 && median(ridge_ratio) <= 1.15 ? "met" : "missed",
                median(plain_ratio), median(ridge_ratio));
    if (sampling == shuffled) {
      std::printf("verdict: 2 threads of Hogwild %s >= 1.25 of one: %s (%.2f)\n", name,
                  median(speedup) >= 1.25 ? "met" : "missed", median(speedup));
    }
  }

  const auto loss = [&](int threads) {
    return minimize(ridge, VectorXd::Zero(d),
                    Hogwild({.learning_rate = rate, .threads = threads, .passes = 5}),
                    {.max_iterations = 1})
        .loss;
  };
  const double serial = loss(1), shared = loss(2);
  std::printf("verdict: the loss of 2 threads within 1 %% of one's: %s (%.6f, %.6f)\n",
              std::abs(shared - serial) <= 0.01 * serial ? "met" : "missed", serial, shared);
}
