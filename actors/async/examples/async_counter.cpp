/*
 * Counters that many nodes increment, with many increments under way at once: a program with one thread and a poll loop
 * of its own. Each step locks a record, adds one and unlocks, so that none is lost.
 *
 *   async_counter NODE STEPS [AT_ONCE [COUNTERS]]
 *
 * Takes STEPS steps, AT_ONCE (64) at a time, on COUNTERS (16) records in turn; then adds up what is in the records, prints the
 * sum and how long the longest step took. NODE is the directory or the socket of the node on this machine.
 */
#include <floe/async.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>

#include <poll.h>

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;
namespace fa = floe::async;

class counting {
 public:
  counting(fa::client& node, long steps, long counters)
      : node_(node), steps_(steps), counters_(counters) {}

  void begin(std::uint32_t db, long at_once) {
    db_ = db;
    while (begun_ < at_once && begun_ < steps_) step();
    if (steps_ == 0) add_up(0);
  }
  bool over() const { return over_; }
  long sum() const { return sum_; }
  double longest_ms() const { return std::chrono::duration<double, std::milli>(longest_).count(); }

 private:
  static std::string key(long n) { return "counter " + std::to_string(n); }

  void step() {
    const auto began = steady::now();
    node_.lock(
        db_, key(begun_++ % counters_), 60s, [this, began](fa::result<fa::record_lock> lock) {
          if (!lock) throw std::runtime_error("lock: " + lock.why().describe());
          const long value = std::atol(std::string(lock->data()).c_str());
          lock->store_and_unlock(std::to_string(value + 1), 60s, [this, began](fa::result<void> r) {
            if (!r) throw std::runtime_error("store: " + r.why().describe());
            longest_ = std::max(longest_, steady::now() - began);
            ++ended_;
            if (begun_ < steps_)
              step();
            else if (ended_ == steps_)
              add_up(0);
          });
        });
  }

  void add_up(long n) {
    if (n == counters_) {
      over_ = true;
      return;
    }
    node_.read(db_, key(n), fa::read_from::owner, 60s, [this, n](fa::result<fa::record> r) {
      if (!r) throw std::runtime_error("read: " + r.why().describe());
      sum_ += std::atol(r->data.c_str());
      add_up(n + 1);
    });
  }

  fa::client& node_;
  std::uint32_t db_ = 0;
  long steps_, counters_, begun_ = 0, ended_ = 0, sum_ = 0;
  steady::duration longest_{0};
  bool over_ = false;
};

int main(int argc, char** argv) try {
  if (argc < 3) {
    std::fprintf(stderr, "usage: async_counter NODE STEPS [AT_ONCE [COUNTERS]]\n");
    return 2;
  }
  const long at_once = argc > 3 ? std::atol(argv[3]) : 64;
  const long counters = argc > 4 ? std::atol(argv[4]) : 16;
  fa::client node;
  counting work(node, std::atol(argv[2]), counters);
  fa::options where;
  where.where = argv[1];
  fa::events events;
  events.connected = [&](std::uint32_t) {
    node.attach("async_counter.tdb", fa::kind::any, 30s, [&](fa::result<std::uint32_t> db) {
      if (!db) throw std::runtime_error("attach: " + db.why().describe());
      work.begin(*db, at_once);
    });
  };
  events.disconnected = [](const fa::error& why) { throw std::runtime_error(why.describe()); };
  node.connect(where, events);

  // In a real program other descriptors are polled here, too.
  while (!work.over()) {
    pollfd p{node.descriptor(), POLLIN, 0};
    poll(&p, 1, -1);
    node.process();
  }
  std::printf("%ld\n", work.sum());
  std::fprintf(stderr, "longest step %.1f ms\n", work.longest_ms());
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "async_counter: %s\n", e.what());
  return 1;
}
