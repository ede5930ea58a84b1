#include "support/allocations.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::int64_t> count{0}, bytes{0}, freed{0};
std::atomic<std::int64_t> until_failure{0};  // 0: none is to fail

// Whether there is to be memory.
bool note(std::size_t size) {
  if (until_failure.load(std::memory_order_relaxed) > 0 &&
      until_failure.fetch_sub(1, std::memory_order_relaxed) == 1) {
    return false;
  }
  count.fetch_add(1, std::memory_order_relaxed);
  bytes.fetch_add(static_cast<std::int64_t>(size), std::memory_order_relaxed);
  return true;
}
void note_free(const void* memory) {
  if (memory) freed.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

#ifdef DESCENT_TEST_WRAPS_MALLOC
// The linker sends every call of malloc in our object files here (--wrap=malloc). The names are its
// choice; sanitizers and valgrind see the real calls.
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {
void* __real_malloc(std::size_t size);
void* __real_calloc(std::size_t number, std::size_t size);
void* __real_realloc(void* memory, std::size_t size);
void __real_free(void* memory);

void* __wrap_malloc(std::size_t size) {
  return note(size) ? __real_malloc(size) : nullptr;
}
void* __wrap_calloc(std::size_t number, std::size_t size) {
  return note(number * size) ? __real_calloc(number, size) : nullptr;
}
void* __wrap_realloc(void* memory, std::size_t size) {
  if (!note(size)) return nullptr;
  note_free(memory);
  return __real_realloc(memory, size);
}
void __wrap_free(void* memory) {
  note_free(memory);
  __real_free(memory);
}
}
// NOLINTEND(bugprone-reserved-identifier)
#endif

namespace {

void* allocate(std::size_t size) {
#ifndef DESCENT_TEST_WRAPS_MALLOC
  if (!note(size)) return nullptr;
#endif
  return std::malloc(std::max<std::size_t>(size, 1));
}

void* allocate(std::size_t size, std::align_val_t alignment) {
  if (!note(size)) return nullptr;
  const auto step = static_cast<std::size_t>(alignment);
  return std::aligned_alloc(step, (std::max<std::size_t>(size, 1) + step - 1) / step * step);
}

void release(void* memory) {
#ifndef DESCENT_TEST_WRAPS_MALLOC
  note_free(memory);
#endif
  std::free(memory);
}

template <class... Alignment>
void* allocate_or_throw(std::size_t size, Alignment... alignment) {
  if (void* memory = allocate(size, alignment...)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) {
  return allocate_or_throw(size);
}
void* operator new[](std::size_t size) {
  return allocate_or_throw(size);
}
void* operator new(std::size_t size, std::align_val_t a) {
  return allocate_or_throw(size, a);
}
void* operator new[](std::size_t size, std::align_val_t a) {
  return allocate_or_throw(size, a);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size);
}
void* operator new(std::size_t size, std::align_val_t a, const std::nothrow_t&) noexcept {
  return allocate(size, a);
}
void* operator new[](std::size_t size, std::align_val_t a, const std::nothrow_t&) noexcept {
  return allocate(size, a);
}

void operator delete(void* memory) noexcept {
  release(memory);
}
void operator delete[](void* memory) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  release(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  release(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  release(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  release(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
  release(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  release(memory);
}
void operator delete[](void* memory, const std::nothrow_t&) noexcept {
  release(memory);
}
void operator delete(void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
  release(memory);
}
void operator delete[](void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
  release(memory);
}

namespace descent_test {

Allocations allocations() {
  return {count.load(std::memory_order_relaxed), bytes.load(std::memory_order_relaxed)};
}

std::int64_t blocks_in_use() {
  return count.load(std::memory_order_relaxed) - freed.load(std::memory_order_relaxed);
}

OutOfMemory::OutOfMemory(std::int64_t at) {
  until_failure.store(at, std::memory_order_relaxed);
}
OutOfMemory::~OutOfMemory() {
  until_failure.store(0, std::memory_order_relaxed);
}
bool OutOfMemory::struck() const {
  return until_failure.load(std::memory_order_relaxed) == 0;
}

bool counts_malloc() {
#ifdef DESCENT_TEST_WRAPS_MALLOC
  return true;
#else
  return false;
#endif
}

}  // namespace descent_test
