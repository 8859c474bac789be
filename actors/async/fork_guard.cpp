#include "actors/async/fork_guard.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <system_error>
#include <vector>

namespace floe::async_inside {
namespace {

struct guarded {
  std::mutex lock;
  std::vector<int> fds;
  int nowhere = -1;
  std::atomic<unsigned> generation{1};
};
/// Never destroyed: clients may be static objects, and go later.
guarded& all() {
  static auto* one = new guarded;
  return *one;
}

void before_fork() { all().lock.lock(); }
void in_parent() { all().lock.unlock(); }
/// Only what is safe after a fork in a program with threads: no memory is taken.
void in_child() {
  auto& g = all();
  for (const int fd : g.fds) ::dup3(g.nowhere, fd, O_CLOEXEC);
  g.fds.clear();
  ++g.generation;
  g.lock.unlock();
}

/// With the lock held.
void prepare(guarded& g) {
  if (g.nowhere >= 0) return;
  g.nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (g.nowhere < 0) throw std::system_error(errno, std::generic_category(), "/dev/null");
  if (const int e = ::pthread_atfork(before_fork, in_parent, in_child); e != 0)
    throw std::system_error(e, std::generic_category(), "pthread_atfork");
}

}  // namespace

void guard_descriptor(int fd) {
  auto& g = all();
  const std::lock_guard hold(g.lock);
  prepare(g);
  g.fds.push_back(fd);
}

void unguard_descriptor(int fd) {
  auto& g = all();
  const std::lock_guard hold(g.lock);
  std::erase(g.fds, fd);
}

unsigned fork_generation() { return all().generation; }

}  // namespace floe::async_inside
