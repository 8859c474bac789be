#include "tests/protocol/allocation.hpp"

#include <malloc.h>

#include <cstdlib>
#include <new>

namespace {

thread_local bool watching = false;
thread_local std::size_t held = 0;
thread_local allocation_count count;

void* counted(std::size_t size) {
  void* p = std::malloc(size);
  if (p == nullptr) throw std::bad_alloc();
  if (watching) {
    ++count.calls;
    count.total += size;
    held += malloc_usable_size(p);
    if (held > count.peak) count.peak = held;
  }
  return p;
}

void released(void* p) {
  if (watching && p != nullptr) {
    const std::size_t size = malloc_usable_size(p);
    held -= size < held ? size : held;  // some of it may be older than the watch
  }
  std::free(p);
}

}  // namespace

allocation_watch::allocation_watch() {
  count = {};
  held = 0;
  watching = true;
}
allocation_watch::~allocation_watch() { watching = false; }
allocation_count allocation_watch::so_far() const { return count; }

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void operator delete(void* p) noexcept { released(p); }
void operator delete[](void* p) noexcept { released(p); }
void operator delete(void* p, std::size_t) noexcept { released(p); }
void operator delete[](void* p, std::size_t) noexcept { released(p); }
