#include <descent/core/batches.hpp>

#include "support/catch.hpp"

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <vector>

using namespace descent;
using Eigen::Index;

TEST_CASE("a shuffled epoch visits every sample once, its last batch being what is left") {
  for (Index n = 1; n <= 12; ++n) {
    for (Index size = 1; size <= 13; ++size) {
      CAPTURE(n, size);
      Batches batches(n, size, shuffled, 5);
      CHECK_FALSE(batches.epoch_ended());
      const Index whole = std::min(n, size);
      for (int epoch = 0; epoch < 3; ++epoch) {
        std::multiset<Index> seen;
        const Index count = (n + whole - 1) / whole;
        for (Index k = 0; k < count; ++k) {
          const Batch batch = batches.next();
          CHECK(Index(batch.size()) == (k + 1 < count ? whole : n - (count - 1) * whole));
          seen.insert(batch.begin(), batch.end());
          CHECK(batches.epoch_ended() == (k + 1 == count));
        }
        CHECK(Index(seen.size()) == n);
        CHECK(Index(std::set(seen.begin(), seen.end()).size()) == n);
        CHECK(*seen.begin() == 0);
        CHECK(*seen.rbegin() == n - 1);
      }
    }
  }
}

TEST_CASE("every order of a shuffle is as likely as the others") {
  Batches batches(4, 4, shuffled, 11);
  std::map<std::vector<Index>, double> seen;
  constexpr int epochs = 24'000;
  for (int i = 0; i < epochs; ++i) {
    const Batch batch = batches.next();
    ++seen[{batch.begin(), batch.end()}];
  }
  REQUIRE(seen.size() == 24);
  double chi = 0;
  for (const auto& [order, count] : seen) chi += (count - 1000) * (count - 1000) / 1000;
  CHECK(chi < 23 + 5 * std::sqrt(46.0));
}

TEST_CASE("the batch size does not change the order of an epoch") {
  std::vector<std::vector<Index>> orders;
  for (const Index size : {1, 3, 10, 99}) {
    Batches batches(10, size, shuffled, 2);
    auto& order = orders.emplace_back();
    do {
      const Batch batch = batches.next();
      order.insert(order.end(), batch.begin(), batch.end());
    } while (!batches.epoch_ended());
  }
  for (const auto& order : orders) CHECK(order == orders[0]);
}

TEST_CASE("with replacement each sample is drawn on its own") {
  Batches batches(5, 3, with_replacement, 3);
  std::vector<double> seen(5);
  int repeats = 0;
  constexpr int draws = 10'000;
  for (int i = 0; i < draws; ++i) {
    const Batch batch = batches.next();
    if (batch.size() == 3) repeats += std::set(batch.begin(), batch.end()).size() < 3;
    REQUIRE(batch.size() == 3);
    for (const Index index : batch) ++seen[std::size_t(index)];
    CHECK(batches.epoch_ended() == (i % 2 == 1));  // ⌈5/3⌉ = 2 batches
  }
  for (const double count : seen) CHECK(std::abs(count - 6000) < 5 * std::sqrt(30'000 * 0.16));
  const double expected = draws * 13.0 / 25;  // 1 − 4/5 · 3/5
  CHECK(std::abs(repeats - expected) < 5 * std::sqrt(expected));
}

TEST_CASE("a batch is never larger than the data") {
  for (const Sampling sampling : {shuffled, with_replacement}) {
    for (const Index size : {6, 100, std::numeric_limits<int>::max()}) {
      Batches batches(5, size, sampling, 1);
      for (int i = 0; i < 3; ++i) {
        CHECK(batches.next().size() == 5);
        CHECK(batches.epoch_ended());
      }
    }
  }
}

TEST_CASE("a copy keeps the place, and a seed gives one sequence") {
  for (const Sampling sampling : {shuffled, with_replacement}) {
    Batches a(20, 6, sampling, 8), b(20, 6, sampling, 8), c(20, 6, sampling, 9);
    CHECK(a == b);
    bool differs = false;
    for (int i = 0; i < 9; ++i) {
      const Batch left = a.next(), right = b.next(), other = c.next();
      CHECK(std::equal(left.begin(), left.end(), right.begin(), right.end()));
      differs |= !std::equal(left.begin(), left.end(), other.begin(), other.end());
    }
    CHECK(differs);
    Batches copy = a;
    const Batch left = a.next(), right = copy.next();
    CHECK(std::equal(left.begin(), left.end(), right.begin(), right.end()));
  }
}
