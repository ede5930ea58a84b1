// Counts what is allocated: by `new` in all its forms, and by malloc, calloc and realloc as called
// from our own object files, which is where Eigen's vectors come from.
//
//     const Allocations before = allocations();
//     ...
//     CHECK(allocations() - before == Allocations{});
//
// and lets any one of them fail:
//
//     for (std::int64_t k = 1; out_of_memory(k, [&] { f(); }) == Ending::thrown; ++k) ...
//
// Where the linker cannot wrap malloc (see tests/CMakeLists.txt), only `new` is counted, and
// counts_malloc() says so.
#ifndef DESCENT_TESTS_SUPPORT_ALLOCATIONS_HPP
#define DESCENT_TESTS_SUPPORT_ALLOCATIONS_HPP

#include <cstdint>
#include <new>
#include <ostream>

namespace descent_test {

struct Allocations {
  std::int64_t count = 0;
  std::int64_t bytes = 0;

  friend Allocations operator-(Allocations a, Allocations b) {
    return {a.count - b.count, a.bytes - b.bytes};
  }
  friend bool operator==(const Allocations&, const Allocations&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Allocations& a) {
    return out << a.count << " allocations of " << a.bytes << " bytes";
  }
};

/// What this program has allocated since it began, on all its threads.
Allocations allocations();

/// What has been allocated and not given back.
std::int64_t blocks_in_use();

/// As long as this lives, allocation number `at` from now on (1: the next) fails, and those after it do not.
class OutOfMemory {
 public:
  explicit OutOfMemory(std::int64_t at);
  OutOfMemory(const OutOfMemory&) = delete;
  ~OutOfMemory();
  bool struck() const;
};

/// How a callable ended whose allocation number `at` failed.
enum class Ending {
  untouched,  ///< it does not allocate that often
  thrown,     ///< by std::bad_alloc
  swallowed   ///< as if nothing had been
};
template <class F>
Ending out_of_memory(std::int64_t at, F&& f) {
  const OutOfMemory failure(at);
  try {
    f();
  } catch (const std::bad_alloc&) {
    return Ending::thrown;
  }
  return failure.struck() ? Ending::swallowed : Ending::untouched;
}

/// Whether malloc is counted, or only `new`.
bool counts_malloc();

/// What a callable allocates.
template <class F>
Allocations allocated_by(F&& f) {
  const Allocations before = allocations();
  f();
  return allocations() - before;
}

}  // namespace descent_test

#endif  // DESCENT_TESTS_SUPPORT_ALLOCATIONS_HPP
