#pragma once
/// What the loads of client.cpp and many_nodes.cpp have in common: an update, a stop watch, and processes that begin at
/// once. Errors end the program.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "access.hpp"
#include "connection.hpp"

namespace floe::bench {

using clock = std::chrono::steady_clock;
using seconds = std::chrono::duration<double>;

inline const std::string value(200, 'v');

/// KIND is ctdbd, floe, floe-socket, or floe-c.
inline std::unique_ptr<access> open(std::string_view kind, const std::string& socket,
                                    const std::string& database) {
  if (kind == "floe-socket") return open_floe_socket(socket, database);
  if (kind == "floe-c") return open_floe_c(socket, database);
  return kind == "floe" ? open_floe(socket, database) : open_ctdbd(socket, database);
}

inline void update(access& client, std::string_view key) {
  client.lock(key);
  client.store_and_unlock(value);
}

/// Operations of which each took so long.
struct waits {
  long count = 0;
  clock::duration sum{}, longest{};
  void add(clock::duration one) {
    ++count;
    sum += one;
    longest = std::max(longest, one);
  }
};

/// `operation`, again and again until the time was up: all, by the time from one to the next, and those that said that they
/// had to ask their node for the record.
struct repeated {
  waits all, asked;
};
template <class F>
repeated repeat(seconds span, F operation) {
  repeated r;
  auto last = clock::now();
  for (const auto end = last + std::chrono::duration_cast<clock::duration>(span); last < end;) {
    bool asked = false;
    if constexpr (std::is_same_v<decltype(operation()), bool>)
      asked = operation();
    else
      operation();
    const auto now = clock::now();
    r.all.add(now - last);
    if (asked) r.asked.add(now - last);
    last = now;
  }
  return r;
}

inline long in_us(clock::duration d) {
  return std::chrono::duration_cast<std::chrono::microseconds>(d).count();
}

/// What the processes of one measurement share. They are numbered; the first may be a kind of its own.
struct board {
  std::atomic<int> ready{0};
  std::atomic<bool> go{false};
  std::atomic<long> operations{0};
  std::atomic<long> of_others{0};   ///< of these, not by the first
  std::atomic<long> longest_us{0};  ///< of all, or of the others if there is a first one
  std::atomic<long> asked{0}, asked_us{0},
      asked_longest_us{0};  ///< of those that had to ask: count, sum, longest
  clock::duration took{};

  void add(const repeated& r, bool other) {
    operations += r.all.count;
    if (other) of_others += r.all.count;
    if (other) raise(longest_us, in_us(r.all.longest));
    asked += r.asked.count;
    asked_us += in_us(r.asked.sum);
    raise(asked_longest_us, in_us(r.asked.longest));
  }
  static void raise(std::atomic<long>& most, long us) {
    for (long seen = most; seen < us && !most.compare_exchange_weak(seen, us);) {
    }
  }
  double asked_mean_ms() const {
    return static_cast<double>(asked_us) / 1000 / static_cast<double>(std::max(asked.load(), 1L));
  }
};

/// `work(number)` connects and gets warm, and returns the measured part: run in a process each, which all begin at once.
template <class Work>
board& in_processes(int count, bool has_first, Work work) {
  void* shared =
      ::mmap(nullptr, sizeof(board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) give_up("no shared memory");
  auto& all = *new (shared) board;
  std::vector<pid_t> children;
  for (int i = 0; i < count; ++i) {
    const pid_t child = ::fork();
    if (child < 0) give_up("fork failed");
    if (child == 0) {  // a process each: TDB's locks are between processes
      auto measured = work(i);
      ++all.ready;
      while (!all.go) ::usleep(100);
      all.add(measured(), !has_first || i > 0);
      std::_Exit(0);
    }
    children.push_back(child);
  }
  for (int n = all.ready; n < count; n = all.ready) {
    if (::waitpid(-1, nullptr, WNOHANG) > 0) give_up("a client failed");
    ::usleep(1000);
  }
  const auto start = clock::now();
  all.go = true;
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    if (status != 0) give_up("a client failed");
  }
  all.took = clock::now() - start;
  return all;
}

// many_nodes.cpp; each prints one JSON object
int run_wander(std::string_view kind, seconds, int clients, int records,
               const std::string& database, const std::vector<std::string>& sockets);
int run_stream(std::string_view kind, seconds, const std::string& database,
               const std::vector<std::string>& sockets);
int run_transactions(std::string_view kind, seconds, bool replicated, const std::string& database,
                     const std::vector<std::string>& sockets);  // transactions.cpp
int run_messages(seconds, int at_once, const std::vector<std::string>& sockets);

}  // namespace floe::bench
