// Team: threads that work through the parts of one job together.
//
// They live as long as the team and sleep between jobs. Which thread takes which part is not settled; a sum that is formed
// part by part and put together in the order of the parts has the same bits for every number of threads.
#ifndef DESCENT_ENGINE_TEAM_HPP
#define DESCENT_ENGINE_TEAM_HPP

#include <Eigen/Core>
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "descent/core/errors.hpp"

namespace descent::inline v0 {

/// Threads that share a job, the one that calls among them.
///
/// `run` may be called from several threads, which take turns, and from within a job: on the same team it then runs where
/// it is called. (Teams that call each other in a circle wait forever.)
class Team {
 public:
  /// What parts are counted in.
  using Index = Eigen::Index;

  /// So many threads, the calling one included; 0: one for each processor. Throws `std::invalid_argument` for less, and
  /// `std::system_error` where the system has no more; `who` is the name that messages begin with.
  explicit Team(int threads = 0, std::string_view who = "Team") {
    checked_count(who, "threads", threads, 0);
    const int hardware = static_cast<int>(std::thread::hardware_concurrency());
    size_ = threads > 0 ? threads : (std::max)(1, hardware);
    try {
      helpers_.reserve(static_cast<std::size_t>(size_ - 1));
      for (int worker = 1; worker < size_; ++worker) {
        helpers_.emplace_back([this, worker] { help(worker); });
      }
    } catch (...) {
      dismiss();
      throw;
    }
  }
  ~Team() { dismiss(); }
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  /// The number of threads.
  int size() const { return size_; }

  /// Calls f(part, worker) once for part = 0, 1, ... parts − 1, taken in this order, and returns when all are done; two
  /// calls at the same time have different workers, from 0 to `size()` − 1. After an exception no further part is begun,
  /// and that of the lowest part that threw goes on to the caller.
  template <class F>
  void run(Index parts, F&& f) {
    if (const int worker = here(); worker >= 0) {
      for (Index part = 0; part < parts; ++part) f(part, worker);
      return;
    }
    auto call = [&f](Index part, int worker) { f(part, worker); };
    const std::lock_guard turn(turns_);
    job_ = {[](void* callable, Index part, int worker) {
              (*static_cast<decltype(call)*>(callable))(part, worker);
            },
            &call, parts};
    run();
  }

 private:
  struct Job {
    void (*call)(void* callable, Index part, int worker) = nullptr;
    void* callable = nullptr;
    Index parts = 0;
  };
  // Whom a thread works for, and for whom that team was called.
  struct Place {
    const Team* team = nullptr;
    int worker = 0;
    const Place* outer = nullptr;
  };
  inline static thread_local const Place* place_ = nullptr;

  int size_ = 1;
  std::vector<std::thread> helpers_;
  std::mutex turns_;  // held by the one that runs a job

  Job job_;
  std::atomic<Index> next_{0};  // the first part that nobody has taken

  std::mutex mutex_;  // held by who changes what follows
  std::condition_variable begins_, ends_;
  std::atomic<std::uint64_t> doors_{0};  // opened and closed so often: odd while helpers may join
  std::atomic<int> helping_{0};
  std::atomic<bool> dismissed_{false};
  std::exception_ptr error_;
  Index error_part_ = 0;

  // The worker that this thread is, -1: none.
  int here() const {
    for (const Place* p = place_; p != nullptr; p = p->outer) {
      if (p->team == this) return p->worker;
    }
    return -1;
  }

  void run() {
    const bool shared = size_ > 1 && job_.parts > 1;
    next_.store(0, std::memory_order_relaxed);
    if (shared) {
      {
        const std::lock_guard lock(mutex_);
        ++doors_;
      }
      begins_.notify_all();
    }
    work(0);
    if (shared) {
      // Who has not joined by now is not waited for.
      std::unique_lock lock(mutex_);
      ++doors_;
      await(lock, ends_, [this] { return helping_ == 0; });
    }
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

  void help(int worker) {
    std::unique_lock lock(mutex_);
    for (std::uint64_t seen = 0;;) {
      await(lock, begins_, [&] { return dismissed_ || (doors_ != seen && doors_ % 2 == 1); });
      if (dismissed_) return;
      seen = doors_;
      ++helping_;
      lock.unlock();
      work(worker);
      lock.lock();
      if (--helping_ == 0) ends_.notify_one();
    }
  }

  void work(int worker) {
    const Place place{this, worker, place_};
    place_ = &place;
    for (Index part; (part = next_.fetch_add(1, std::memory_order_relaxed)) < job_.parts;) {
      try {
        job_.call(job_.callable, part, worker);
      } catch (...) {
        next_.store(job_.parts, std::memory_order_relaxed);
        const std::lock_guard lock(mutex_);
        if (!error_ || part < error_part_) {
          error_ = std::current_exception();
          error_part_ = part;
        }
      }
    }
    place_ = place.outer;
  }

  // Sleeping and waking take longer than a short job does: what comes at once is awaited awake.
  template <class Condition>
  static void await(std::unique_lock<std::mutex>& lock, std::condition_variable& signal,
                    const Condition& condition) {
    lock.unlock();
    for (int k = 0; k < 50 && !condition(); ++k) std::this_thread::yield();
    lock.lock();
    signal.wait(lock, condition);
  }

  void dismiss() {
    {
      const std::lock_guard lock(mutex_);
      dismissed_ = true;
    }
    begins_.notify_all();
    for (std::thread& helper : helpers_) helper.join();
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_TEAM_HPP
