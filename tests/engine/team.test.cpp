#include <descent/engine/team.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using descent::Team;
using Eigen::Index;

namespace {

// Waits until `condition` holds, or until ten seconds have passed: false.
template <class Condition>
bool soon(const Condition& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

struct Refused : std::runtime_error {
  explicit Refused(Index the_part) : std::runtime_error("refused"), part(the_part) {}
  Index part;
};

}  // namespace

TEST_CASE("a team does each part once, and is done when it returns") {
  for (const int threads : {1, 2, 3, 8}) {
    Team team(threads);
    CAPTURE(threads);
    CHECK(team.size() == threads);
    for (const Index parts : {0, 1, 2, 3, 7, 100, 1000}) {
      std::vector<int> done(static_cast<std::size_t>(parts));  // not atomic: one thread a part
      for (int k = 0; k < 3; ++k)
        team.run(parts, [&](Index part, int) { ++done[std::size_t(part)]; });
      CHECK(std::count(done.begin(), done.end(), 3) == parts);
    }
  }
}

TEST_CASE("a team of 0 threads has one for each processor") {
  CHECK(Team().size() == std::max(1, static_cast<int>(std::thread::hardware_concurrency())));
  CHECK_THROWS_WITH(Team(-1), Catch::Contains("Team: threads must be at least 0, got -1"));
}

TEST_CASE("parts of a team run at the same time, each with a worker of its own") {
  for (const int threads : {2, 4}) {
    Team team(threads);
    std::atomic<int> here{0};
    std::mutex mutex;
    std::set<int> workers;
    std::set<std::thread::id> ids;
    bool met = true;
    team.run(threads, [&](Index, int worker) {
      ++here;
      const bool all = soon([&] { return here == threads; });
      const std::lock_guard lock(mutex);
      met = met && all;
      workers.insert(worker);
      ids.insert(std::this_thread::get_id());
    });
    CHECK(met);
    CHECK(*workers.begin() == 0);
    CHECK(*workers.rbegin() == threads - 1);
    CHECK(workers.size() == std::size_t(threads));
    CHECK(ids.size() == std::size_t(threads));
    CHECK(ids.count(std::this_thread::get_id()) == 1);
  }
}

TEST_CASE("a team takes parts in order") {
  Team one(1);
  std::vector<Index> order;
  one.run(5, [&](Index part, int) { order.push_back(part); });
  CHECK(order == std::vector<Index>{0, 1, 2, 3, 4});

  // So a part may wait for those before it.
  Team team(4);
  std::atomic<Index> turn{0};
  bool waited = true;
  team.run(2000, [&](Index part, int) {
    const bool mine = soon([&] { return turn == part; });
    waited = waited && mine;
    ++turn;
  });
  CHECK(waited);
}

TEST_CASE("of the exceptions of a team the one of the lowest part goes on, with its type") {
  for (const int threads : {1, 2, 4, 8}) {
    Team team(threads);
    CAPTURE(threads);
    for (int repeat = 0; repeat < 50; ++repeat) {
      const Index first = repeat % 10;
      std::atomic<int> inside{0};
      Index seen = -1;
      try {
        team.run(1000, [&](Index part, int) {
          ++inside;
          if (part >= first) {
            --inside;
            throw Refused(part);
          }
          std::this_thread::yield();
          --inside;
        });
      } catch (const Refused& refused) {
        seen = refused.part;
      }
      REQUIRE(seen == first);
      REQUIRE(inside == 0);
    }
    if (threads > 1) {  // part 0 throws after part 1 did
      std::atomic<bool> thrown{false};
      Index seen = -1;
      try {
        team.run(2, [&](Index part, int) {
          if (part == 0 && soon([&] { return thrown.load(); })) {
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
          }
          thrown = true;
          throw Refused(part);
        });
      } catch (const Refused& refused) {
        seen = refused.part;
      }
      CHECK(seen == 0);
    }
    CHECK_THROWS_AS(team.run(9,
                             [](Index part, int) {
                               if (part == 5) throw std::bad_alloc();
                             }),
                    std::bad_alloc);
    CHECK_THROWS_AS(team.run(9,
                             [](Index part, int) {
                               if (part == 5) throw 5;
                             }),
                    int);
    std::atomic<int> done{0};
    team.run(9, [&](Index, int) { ++done; });
    CHECK(done == 9);
  }
}

TEST_CASE("after an exception a team begins no further part") {
  for (const int threads : {1, 4}) {
    Team team(threads);
    std::atomic<int> begun{0};
    std::atomic<bool> thrown{false};
    CHECK_THROWS_AS(team.run(1'000'000,
                             [&](Index part, int) {
                               ++begun;
                               if (part == 3) {
                                 thrown = true;
                                 throw Refused(part);
                               }
                               if (part > 3) {  // nobody gets far ahead
                                 (void)soon([&] { return thrown.load(); });
                                 std::this_thread::sleep_for(std::chrono::milliseconds(1));
                               }
                             }),
                    Refused);
    CHECK(begun <= 1000);
  }
}

TEST_CASE("a call from within runs where it is made") {
  Team team(3);
  std::atomic<int> inner{0};
  std::atomic<bool> same{true};
  team.run(20, [&](Index, int worker) {
    const auto here = std::this_thread::get_id();
    team.run(10, [&](Index, int nested) {
      same = same && nested == worker && std::this_thread::get_id() == here;
      team.run(2, [&](Index, int) { ++inner; });
    });
  });
  CHECK(inner == 400);
  CHECK(same);
  CHECK_THROWS_AS(team.run(20,
                           [&](Index part, int) {
                             team.run(10, [&](Index k, int) {
                               if (part == 7 && k == 3) throw Refused(k);
                             });
                           }),
                  Refused);

  Team other(2);
  std::atomic<int> others{0};
  team.run(20, [&](Index, int worker) {
    other.run(10, [&](Index, int) { ++others; });
    // The place of the outer team is there again.
    team.run(1, [&](Index, int nested) { same = same && nested == worker; });
  });
  CHECK(others == 200);
  CHECK(same);
}

TEST_CASE("several threads may call one team") {
  Team team(2);
  std::vector<std::thread> callers;
  std::atomic<int> running{0}, done{0};
  std::atomic<bool> alone{true};
  for (int k = 0; k < 4; ++k) {
    callers.emplace_back([&, k] {
      for (int repeat = 0; repeat < 100; ++repeat) {
        std::atomic<int> mine{0};
        team.run(5, [&](Index, int) {
          alone = alone && running.fetch_add(1) < 2;
          ++mine;
          --running;
        });
        done += mine == 5;
        try {
          team.run(5, [&](Index part, int) {
            if (part == k) throw Refused(part);
          });
        } catch (const Refused& refused) {
          done += refused.part == k;
        }
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(done == 800);
  CHECK(alone);
}

TEST_CASE("a team that sleeps wakes up, and may go without having worked") {
  Team idle(4);
  Team team(4);
  std::atomic<int> done{0};
  for (int k = 0; k < 5; ++k) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    std::atomic<int> here{0};
    team.run(4, [&](Index, int) {
      ++here;
      done += soon([&] { return here == 4; });
    });
  }
  CHECK(done == 20);
}

TEST_CASE("a job of a team allocates nothing") {
  Team team(3);
  std::atomic<int> done{0};
  const auto job = [&](Index, int) { ++done; };
  team.run(10, job);
  CHECK(descent_test::allocated_by([&] { team.run(100, job); }) == descent_test::Allocations{});
}
