#include <descent/core/batches.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"

#include <Eigen/Core>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

using namespace descent;
using namespace descent_test;
using Eigen::Index;

namespace {

std::vector<Index> copy(Batch batch) {
  return {batch.begin(), batch.end()};
}

/// The batches of an epoch.
std::vector<std::vector<Index>> epoch(Batches& batches) {
  std::vector<std::vector<Index>> result;
  do {
    result.push_back(copy(batches.next()));
  } while (!batches.epoch_ended());
  return result;
}

}  // namespace

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

TEST_CASE("in order samples are visited as they lie there, in every epoch") {
  Batches batches(5, 2, in_order, 3), whole(5, 2, in_order, 3, {.drop_last = true});
  for (int k = 0; k < 3; ++k) {
    CHECK(epoch(batches) == std::vector<std::vector<Index>>{{0, 1}, {2, 3}, {4}});
    CHECK(epoch(whole) == std::vector<std::vector<Index>>{{0, 1}, {2, 3}});
  }
}

TEST_CASE("a batch is never larger than the data") {
  for (const Sampling sampling : {shuffled, with_replacement, in_order}) {
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

TEST_CASE("drop_last leaves out what does not fill a batch, in every epoch") {
  for (const Sampling sampling : {shuffled, with_replacement, in_order}) {
    for (Index n = 1; n <= 12; ++n) {
      for (Index size = 1; size <= 13; ++size) {
        CAPTURE(n, size);
        Batches batches(n, size, sampling, 5, {.drop_last = true});
        const Index whole = std::min(n, size);
        for (int k = 0; k < 3; ++k) {
          std::set<Index> seen;
          const auto all = epoch(batches);
          CHECK(Index(all.size()) == n / whole);
          for (const auto& batch : all) {
            CHECK(Index(batch.size()) == whole);
            seen.insert(batch.begin(), batch.end());
          }
          if (sampling != with_replacement) CHECK(Index(seen.size()) == n / whole * whole);
        }
      }
    }
  }
}

TEST_CASE("what drop_last leaves out changes from epoch to epoch, each sample as often") {
  Batches batches(5, 2, shuffled, 4, {.drop_last = true});
  std::vector<double> seen(5);
  constexpr int epochs = 10'000;
  for (int k = 0; k < epochs; ++k) {
    for (const auto& batch : epoch(batches)) {
      for (const Index i : batch) ++seen[std::size_t(i)];
    }
  }
  for (const double count : seen) CHECK(std::abs(count - 8000) < 5 * std::sqrt(1600.0));
}

TEST_CASE("batches grow from epoch to epoch, to all samples at most") {
  struct Case {
    Index samples, size;
    double growth;
    bool drop_last;
    std::vector<std::vector<Index>> sizes;
  };
  for (const auto& c : std::vector<Case>{
           {8, 2, 2, false, {{2, 2, 2, 2}, {4, 4}, {8}, {8}, {8}}},
           {7,
            1,
            1.5,
            false,
            {{1, 1, 1, 1, 1, 1, 1}, {2, 2, 2, 1}, {2, 2, 2, 1}, {3, 3, 1}, {5, 2}, {7}, {7}}},
           {7, 1, 1.5, true, {{1, 1, 1, 1, 1, 1, 1}, {2, 2, 2}, {2, 2, 2}, {3, 3}, {5}, {7}}},
           {230,
            100,
            1.15,
            true,
            {{100, 100}, {115, 115}, {132}, {152}}},  // 100 · 1.15 < 115 in double
           {5, 3, 1e300, false, {{3, 2}, {5}, {5}}}}) {
    Batches batches(c.samples, c.size, shuffled, 3, {.drop_last = c.drop_last, .growth = c.growth});
    for (const auto& sizes : c.sizes) {
      CAPTURE(c.samples, c.growth);
      std::vector<Index> found;
      std::set<Index> seen;
      for (const auto& batch : epoch(batches)) {
        found.push_back(Index(batch.size()));
        seen.insert(batch.begin(), batch.end());
        CHECK(batches.batch_size() == sizes[0]);
      }
      CHECK(found == sizes);
      CHECK(Index(seen.size()) == std::accumulate(sizes.begin(), sizes.end(), Index(0)));
    }
  }
  // Drawn with replacement, an epoch has as many batches, all of one size.
  Batches drawn(7, 2, with_replacement, 3, {.growth = 2});
  CHECK(epoch(drawn).size() == 4);
  CHECK(epoch(drawn).back().size() == 4);
  CHECK(epoch(drawn).size() == 1);
  CHECK(drawn.batch_size() == 7);
}

TEST_CASE("the alias table has the probabilities that it is given") {
  const auto check = [](const std::vector<double>& p, double tolerance) {
    const AliasTable table(p);
    REQUIRE(table.size() == p.size());
    double sum = 0;
    for (std::size_t i = 0; i < p.size(); ++i) {
      CHECK(std::abs(table.probability(Index(i)) - p[i]) <= tolerance);
      sum += table.probability(Index(i));
    }
    CHECK(std::abs(sum - 1) <= 1e-14);
  };
  check({1}, 0);
  check({0.5, 0.5}, 0);
  check({0.125, 0.5, 0.25, 0.125}, 0);  // multiples of a power of two: exact
  check({0.0625, 0.0625, 0.0625, 0.8125}, 0);
  check({0.9375, 0.015625, 0.015625, 0.03125}, 0);
  Random random(2);
  for (const std::size_t n : {std::size_t(2), std::size_t(3), std::size_t(10), std::size_t(257)}) {
    std::vector<double> weights(n);
    for (double& w : weights) w = std::pow(random.uniform(), 8) + 1e-12;
    check(as_probabilities("test", weights), 1e-15);
  }
}

TEST_CASE("samples are drawn as often as their probabilities say") {
  const std::vector<double> weights = {1, 2, 3, 4, 0.5, 9.5};  // of the sum 20
  Batches batches(6, 4, with_replacement, 12, {.probabilities = weights});
  std::vector<double> seen(6);
  constexpr int draws = 50'000;
  for (int k = 0; k < draws; ++k) {
    const Batch batch = batches.next();
    REQUIRE(batch.size() == 4);
    for (const Index i : batch) ++seen[std::size_t(i)];
  }
  double chi = 0;
  for (std::size_t i = 0; i < 6; ++i) {
    const double expected = 4 * draws * weights[i] / 20;
    chi += (seen[i] - expected) * (seen[i] - expected) / expected;
  }
  CHECK(chi < 5 + 5 * std::sqrt(10.0));
  CHECK(batches.draws_by(weights));
  CHECK_FALSE(batches.draws_by({}));
  CHECK_FALSE(batches.draws_by(std::vector<double>{1, 2, 3, 4, 9.5, 0.5}));
  CHECK(Batches(6, 4, with_replacement, 12).draws_by({}));

  // The same everywhere: what the algorithm gives in another language.
  const std::vector<Index> expected_draws = {3, 5, 5, 3, 3, 5, 5, 5, 2, 0, 5, 5,
                                             5, 5, 0, 3, 5, 0, 5, 2, 5, 3, 0, 5};
  Batches again(6, 4, with_replacement, 12, {.probabilities = weights});
  std::vector<Index> draws_again;
  for (int k = 0; k < 6; ++k) {
    const Batch batch = again.next();
    draws_again.insert(draws_again.end(), batch.begin(), batch.end());
  }
  CHECK(draws_again == expected_draws);

  // Successive draws do not depend on each other.
  Batches pairs(2, 2, with_replacement, 7, {.probabilities = std::vector<double>{1, 3}});
  std::vector<double> both(4);
  for (int k = 0; k < 16'000; ++k) {
    const Batch batch = pairs.next();
    ++both[std::size_t(2 * batch[0] + batch[1])];
  }
  const std::vector<double> expected = {1000, 3000, 3000, 9000};
  for (std::size_t k = 0; k < 4; ++k) {
    CHECK(std::abs(both[k] - expected[k]) < 5 * std::sqrt(expected[k]));
  }
}

TEST_CASE("a saved state goes on with the same bits, within an epoch, too") {
  const std::vector<double> weights = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5};
  struct Case {
    Sampling sampling;
    BatchesOptions options;
  };
  for (const Case& c :
       {Case{shuffled, {}}, Case{shuffled, {.drop_last = true, .growth = 1.3}},
        Case{with_replacement, {}}, Case{with_replacement, {.growth = 1.7}}, Case{in_order, {}},
        Case{in_order, {.growth = 1.7}}, Case{with_replacement, {.probabilities = weights}}}) {
    for (int before = 0; before <= 20; ++before) {
      CAPTURE(before);
      Batches original(11, 3, c.sampling, 8, c.options);
      for (int k = 0; k < before; ++k) (void)original.next();
      const Batches::State saved = original.state();

      Batches restored(11, 3, c.sampling, 99, c.options);
      (void)restored.next();
      CHECK(restored != original);
      restored.restore(saved);
      CHECK(restored == original);
      CHECK(restored.state() == saved);
      CHECK(restored.epoch_ended() == original.epoch_ended());
      for (int k = 0; k < 20; ++k) {
        CHECK(copy(restored.next()) == copy(original.next()));
        CHECK(restored.epoch_ended() == original.epoch_ended());
        CHECK(restored.batch_size() == original.batch_size());
      }
      CHECK(restored == original);
      if (c.sampling != in_order) CHECK(original.state() != saved);  // whole epochs later
    }
  }
}

TEST_CASE("a state of other batches is refused, and changes nothing") {
  Batches batches(7, 3, shuffled, 1);
  for (int k = 0; k < 4; ++k) (void)batches.next();
  const Batches before = batches;
  using State = Batches::State;
  const auto refused = [&](Batches& target, const std::function<void(State&)>& spoil) {
    State state = before.state();
    spoil(state);
    const auto text = refusal([&] { target.restore(state); });
    CHECK(target == before);
    return text;
  };
  const auto spoiled = [&](const std::function<void(State&)>& spoil) {
    return refused(batches, spoil);
  };
  CHECK(spoiled([](State&) {}) == "accepted");
  CHECK(spoiled([](State& s) { s.samples = 8; }) == "restore: samples must be 7, got 8");
  CHECK_THAT(spoiled([](State& s) { s.order.pop_back(); }), ContainsSubstring("7 indices, got 6"));
  CHECK_THAT(spoiled([](State& s) { s.order.clear(); }), ContainsSubstring("of the same sampling"));
  CHECK_THAT(spoiled([](State& s) { s.order[2] = s.order[5]; }),
             ContainsSubstring("every index once"));
  CHECK_THAT(spoiled([](State& s) { s.order[2] = 7; }), ContainsSubstring("got 7 in it"));
  CHECK_THAT(spoiled([](State& s) { s.order[2] = -1; }), ContainsSubstring("got -1 in it"));
  CHECK_THAT(spoiled([](State& s) { s.position = -1; }),
             ContainsSubstring("position must be in [0, 7]"));
  CHECK_THAT(spoiled([](State& s) { s.position = 8; }), ContainsSubstring("got 8"));
  CHECK_THAT(spoiled([](State& s) { s.batch_size = 4; }), ContainsSubstring("batch_size"));
  CHECK_THAT(spoiled([](State& s) { s.batch_size = std::nan(""); }), ContainsSubstring("nan"));
  CHECK_THAT(spoiled([](State& s) { s.random = {}; }), ContainsSubstring("not all 0"));
  Batches grows(7, 3, shuffled, 1, {.growth = 2});
  State state = grows.state();
  state.batch_size = 7.5;
  CHECK_THAT(refusal([&] { grows.restore(state); }), ContainsSubstring("[1, 7]"));
  Batches draws(7, 3, with_replacement, 1);
  CHECK_THAT(refusal([&] { draws.restore(before.state()); }),
             ContainsSubstring("0 indices, got 7"));
}

TEST_CASE("arguments of batches outside their ranges are refused") {
  const std::vector<double> three = {1, 2, 3};
  const auto made = [](Index n, Index size, Sampling sampling, const BatchesOptions& options) {
    return refusal([&] { (void)Batches(n, size, sampling, 0, options); });
  };
  CHECK(made(3, 2, with_replacement, {.probabilities = three}) == "accepted");
  CHECK(made(0, 1, shuffled, {}) == "Batches: samples must be at least 1, got 0");
  CHECK(made(3, 0, shuffled, {}) == "Batches: batch_size must be at least 1, got 0");
  for (const double growth : {0.0, 0.999, -2.0, std::nan(""), HUGE_VAL}) {
    CHECK_THAT(made(3, 1, shuffled, {.growth = growth}),
               ContainsSubstring("growth must be in [1, inf)"));
  }
  for (const Sampling sampling : {shuffled, in_order}) {
    CHECK_THAT(made(3, 1, sampling, {.probabilities = three}),
               ContainsSubstring("with_replacement"));
  }
  CHECK(made(4, 1, with_replacement, {.probabilities = three}) ==
        "Batches: probabilities must be one a sample, 4, got 3 numbers");
  for (const double bad : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
    const std::vector<double> weights = {1, bad, 3};
    CHECK_THAT(made(3, 1, with_replacement, {.probabilities = weights}),
               ContainsSubstring("probabilities[1] must be in (0, inf)"));
  }
  const std::vector<double> huge(3, 1e308);
  CHECK_THAT(made(3, 1, with_replacement, {.probabilities = huge}), ContainsSubstring("sum"));
}
