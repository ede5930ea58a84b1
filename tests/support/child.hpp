// Processes of their own, for what limits memory or measures its peak.
#ifndef DESCENT_TESTS_SUPPORT_CHILD_HPP
#define DESCENT_TESTS_SUPPORT_CHILD_HPP

#include <sys/wait.h>
#include <unistd.h>
#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

// Sanitizers have memory of their own, which limits and peaks would count.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DESCENT_TESTS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define DESCENT_TESTS_SANITIZED 1
#endif
#endif
#ifndef DESCENT_TESTS_SANITIZED
#define DESCENT_TESTS_SANITIZED 0
#endif

// What f() returns in a process of its own; nothing if it ended otherwise.
template <class F>
std::vector<double> in_child(const F& f) {
  int ends[2];
  if (pipe(ends) != 0) return {};
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    int status = 1;
    try {
      const std::vector<double> numbers = f();
      const auto bytes = static_cast<ssize_t>(numbers.size() * sizeof(double));
      status = write(ends[1], numbers.data(), static_cast<std::size_t>(bytes)) == bytes ? 0 : 1;
    } catch (...) {
    }
    _exit(status);
  }
  close(ends[1]);
  std::vector<double> numbers(4096);
  std::size_t size = 0;
  for (ssize_t got = 1; got > 0; size += static_cast<std::size_t>(got)) {
    got = (std::max)(read(ends[0], reinterpret_cast<char*>(numbers.data()) + size,
                          numbers.size() * sizeof(double) - size),
                     ssize_t{0});
  }
  close(ends[0]);
  int status = 1;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0) return {};
  numbers.resize(size / sizeof(double));
  return numbers;
}

// A line of /proc/self/status, in KiB.
inline double status_of_process(const char* name) {
  std::FILE* file = std::fopen("/proc/self/status", "r");
  char line[256];
  double value = -1;
  while (file != nullptr && std::fgets(line, sizeof line, file) != nullptr) {
    if (std::strncmp(line, name, std::strlen(name)) == 0)
      value = std::atof(line + std::strlen(name) + 1);
  }
  if (file != nullptr) std::fclose(file);
  return value;
}

// The memory that f() takes at its peak in a process of its own, in KiB; −1 if that fails.
template <class F>
double peak_of(const F& f) {
#ifdef __GLIBC__
  malloc_trim(0);  // what is free, but held, would be used first
#endif
  const std::vector<double> numbers = in_child([&f]() -> std::vector<double> {
    const double start = status_of_process("VmRSS");
    f();
    return {status_of_process("VmHWM") - start};
  });
  return numbers.empty() ? -1 : numbers[0];
}

#endif  // DESCENT_TESTS_SUPPORT_CHILD_HPP
