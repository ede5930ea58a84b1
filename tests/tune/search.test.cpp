#include <descent/tune/search.hpp>

#include <descent/minimize.hpp>
#include <descent/optimizer/adam.hpp>

#include "support/catch.hpp"
#include "support/problems.hpp"
#include "support/refusal.hpp"

#include <array>
#include <atomic>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace descent;
using namespace descent_test;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

struct OwnError : std::runtime_error {
  explicit OwnError(double which) : std::runtime_error("own"), value(which) {}
  double value;
};

}  // namespace

TEST_CASE("axes hold the values that they name") {
  using Points = std::vector<double>;
  CHECK(linear_space(0, 1, 5).points == Points{0, 0.25, 0.5, 0.75, 1});
  CHECK(linear_space(-2, 4, 4).points == Points{-2, 0, 2, 4});
  CHECK(linear_space(3, 7, 1).points == Points{3});
  CHECK(log_space(1, 16, 5).points == Points{1, 2, 4, 8, 16});
  CHECK(log_space(5, 5, 2).points == Points{5, 5});
  CHECK(values({3, 1, 3}).points == Points{3, 1, 3});
  const auto decades = log_space(1e-4, 1e-1, 4).points;
  REQUIRE(decades.size() == 4);
  CHECK(decades[0] == 1e-4);
  CHECK(std::abs(decades[1] / 1e-3 - 1) <= 2e-15);
  CHECK(std::abs(decades[2] / 1e-2 - 1) <= 2e-15);
  CHECK(decades[3] == 1e-1);
}

TEST_CASE("geometric means are those by logarithms") {
  Random random(3);
  double worst = 0;
  for (int k = 0; k < 10'000; ++k) {
    const double a = std::exp(40 * random.uniform() - 20), b = std::exp(40 * random.uniform() - 20);
    const double t = random.uniform();
    const auto expected =
        std::exp(static_cast<long double>(1 - t) * std::log(static_cast<long double>(a)) +
                 static_cast<long double>(t) * std::log(static_cast<long double>(b)));
    worst = std::max(worst, std::abs(geometric_mean(a, b, t) / static_cast<double>(expected) - 1));
  }
  CHECK(worst < 2e-15);
  CHECK(geometric_mean(3, 7, 0) == 3);
  CHECK(geometric_mean(3, 7, 1) == 7);
  CHECK(geometric_mean(1, 16, 0.5) == 4);
  CHECK(geometric_mean(1, 256, 0.75) == 64);
  CHECK(geometric_mean(1e-300, 1e300, 0.5) == Approx(1).epsilon(1e-14));
  CHECK(geometric_mean(2, 8, 0.5) == Approx(4).epsilon(1e-15));
  CHECK(geometric_mean(2, 8, 1e-300) == Approx(2).epsilon(1e-15));
}

TEST_CASE("a grid tries every combination, the last axis first") {
  const auto f = [](double a, double b, double c) { return a + 10 * b + 100 * c; };
  const auto result = grid_search(f, {values({3, 1, 2}), values({5, 4}), values({7, 6})});
  std::size_t k = 0;
  for (const double a : {3, 1, 2}) {
    for (const double b : {5, 4}) {
      for (const double c : {7, 6}) {
        REQUIRE(k < result.trials.size());
        CHECK(result.trials[k].values == std::array{a, b, c});
        CHECK(result.trials[k].score == a + 10 * b + 100 * c);
        ++k;
      }
    }
  }
  CHECK(result.trials.size() == 12);
  CHECK(result.best().values == std::array<double, 3>{1, 4, 6});
  CHECK(result.best_index == 7);
  CHECK(grid_search([](double x) { return x * x; }, {linear_space(-1, 2, 7)}).best().values[0] ==
        0);
}

TEST_CASE("what is not finite never wins, and of equals the first does") {
  const auto best_of = [](const std::vector<double>& scores) {
    return grid_search([&](double k) { return scores[static_cast<std::size_t>(k)]; },
                       {linear_space(0, double(scores.size() - 1), std::int64_t(scores.size()))})
        .best_index;
  };
  CHECK(best_of({not_a_number, 3, not_a_number}) == 1);
  CHECK(best_of({3, not_a_number, 2, infinity}) == 2);
  CHECK(best_of({3, -infinity, 4}) == 0);
  CHECK(best_of({infinity, 1e308}) == 1);
  CHECK(best_of({2, 1, 1, 5}) == 1);
  CHECK(best_of({not_a_number, infinity, -infinity}) == 0);
  CHECK(best_of({-1, -2}) == 1);
}

TEST_CASE("a random search draws one value a range, trial by trial") {
  const auto f = [](double a, double b) { return a - b; };
  const auto result =
      random_search(f, {uniform(2, 6), log_uniform(1e-3, 10)}, {.trials = 30, .seed = 9});
  REQUIRE(result.trials.size() == 30);
  Random random(9);
  for (const auto& trial : result.trials) {
    const double u = random.uniform(), v = random.uniform();
    CHECK(trial.values[0] == 2 + 4 * u);
    CHECK(std::abs(trial.values[1] / (1e-3 * std::pow(1e4, v)) - 1) <= 1e-14);
    CHECK(trial.score == trial.values[0] - trial.values[1]);
    CHECK(trial.score >= result.best().score);
  }
  CHECK(random_search(f, {uniform(2, 6), uniform(0, 1)}).trials.size() == 20);
  const auto other =
      random_search(f, {uniform(2, 6), log_uniform(1e-3, 10)}, {.trials = 30, .seed = 8});
  CHECK(other.trials[0].values != result.trials[0].values);

  const auto chosen = random_search([](double, double b) { return b; },
                                    {uniform(0, 1), values({16, 32, 64})}, {.trials = 3000});
  std::map<double, int> times;
  Random again(0);
  for (const auto& trial : chosen.trials) {
    CHECK(trial.values[0] == again.uniform());
    const double u = again.uniform();
    CHECK(trial.values[1] == (3 * u < 1 ? 16 : 3 * u < 2 ? 32 : 64));
    ++times[trial.values[1]];
  }
  CHECK(times.size() == 3);
  for (const auto& [value, count] : times) CHECK(std::abs(count - 1000) < 5 * std::sqrt(667.0));

  std::array<int, 4> decades{};
  const auto many =
      random_search([](double x) { return x; }, {log_uniform(1e-3, 10)}, {.trials = 4000});
  for (const auto& trial : many.trials) {
    ++decades.at(static_cast<std::size_t>(std::floor(std::log10(trial.values[0])) + 3));
  }
  for (const int count : decades) CHECK(std::abs(count - 1000) < 5 * std::sqrt(750.0));
}

TEST_CASE("threads change nothing but the time") {
  const auto f = [](double rate, double beta) {
    return minimize(Bowl{}, Eigen::VectorXd::Zero(5), Adam({.learning_rate = rate, .beta1 = beta}),
                    {.max_iterations = 50})
        .loss;
  };
  const auto grid = [&](int threads) {
    return grid_search(f, {log_space(1e-3, 1, 7), values({0, 0.5, 0.9})}, {.threads = threads});
  };
  const auto drawn = [&](int threads) {
    return random_search(f, {log_uniform(1e-3, 1), uniform(0, 0.99)},
                         {.trials = 15, .threads = threads});
  };
  const auto serial_grid = grid(1);
  const auto serial_drawn = drawn(1);
  const auto same = [](const auto& a, const auto& b) {
    REQUIRE(a.trials.size() == b.trials.size());
    CHECK(a.best_index == b.best_index);
    for (std::size_t k = 0; k < a.trials.size(); ++k) {
      CHECK(a.trials[k].values == b.trials[k].values);
      CHECK(a.trials[k].score == b.trials[k].score);
    }
  };
  for (const int threads : {0, 2, 4, 8}) {
    same(grid(threads), serial_grid);
    same(drawn(threads), serial_drawn);
  }
  CHECK(serial_grid.best().values[0] > 1e-2);  // tiny rates do not get there in 50 steps

  // They do run at the same time: each of two trials waits for the other one.
  std::atomic<int> arrived{0};
  (void)grid_search(
      [&](double) {
        ++arrived;
        while (arrived < 2) std::this_thread::yield();
        return 0.0;
      },
      {values({1, 2})}, {.threads = 2});
  CHECK(arrived == 2);
}

TEST_CASE("the exception of the first trial that threw comes back, with its type") {
  for (const int threads : {1, 2, 4}) {
    for (int repeat = 0; repeat < 20; ++repeat) {
      std::mutex mutex;
      std::set<double> called;
      const auto f = [&](double x) {
        {
          const std::lock_guard lock(mutex);
          called.insert(x);
        }
        if (x >= 5) throw OwnError(x);
        return x;
      };
      bool thrown = false;
      try {
        (void)grid_search(f, {linear_space(0, 20, 21)}, {.threads = threads});
      } catch (const OwnError& error) {
        thrown = true;
        CHECK(error.value == 5);
      }
      CHECK(thrown);
      CHECK(called.size() >= 6);
    }
  }
}

TEST_CASE("arguments of searches outside their ranges are refused") {
  const auto f = [](double x) { return x; };
  CHECK(refusal([] { (void)values({}); }) == "values: number of points must be at least 1, got 0");
  CHECK(refusal([] { (void)linear_space(0, 1, 0); }) ==
        "linear_space: n must be at least 1, got 0");
  CHECK(refusal([] { (void)uniform(1, 0); }) == "uniform: upper must be in [1, inf), got 0");
  CHECK_THAT(refusal([] { (void)uniform(not_a_number, 0); }),
             StartsWith("uniform: lower must be in (-inf, inf)"));
  CHECK_THAT(refusal([] { (void)uniform(0, infinity); }), StartsWith("uniform: upper"));
  CHECK_THAT(refusal([] { (void)log_uniform(0, 1); }),
             StartsWith("log_uniform: lower must be in (0, inf), got 0"));
  CHECK_THAT(refusal([] { (void)log_space(-1, 1, 3); }), StartsWith("log_uniform: lower"));
  CHECK_THAT(refusal([] { (void)log_space(2, 1, 3); }), ContainsSubstring("got 1"));
  CHECK(refusal([&] { (void)grid_search(f, {values({1})}, {.threads = -1}); }) ==
        "grid_search: threads must be at least 0, got -1");
  CHECK(refusal([&] { (void)grid_search(f, {Axis{}}); }) ==
        "grid_search: number of trials must be at least 1, got 0");
  CHECK(refusal([&] { (void)random_search(f, {Axis{}}); }) ==
        "random_search: number of values must be at least 1, got 0");
  CHECK(refusal([&] { (void)random_search(f, {uniform(0, 1)}, {.trials = 0}); }) ==
        "random_search: trials must be at least 1, got 0");
  CHECK(refusal([&] { (void)random_search(f, {uniform(0, 1)}, {.threads = -2}); }) ==
        "random_search: threads must be at least 0, got -2");
}
