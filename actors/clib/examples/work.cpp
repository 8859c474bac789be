/*
 * A leader hands out work, anybody on any node does it: in C++, by messages and records.
 *
 *   work NODE lead COUNT     hands out the numbers 1 to COUNT, adds up the squares that come back, prints the sum
 *   work NODE help           does what it is given until nobody leads any more; prints how much that was
 *
 * Who leads holds the record "leader" locked, so there is one at a time, and says in "address" where it is. A piece of
 * work whose helper does not answer in time is handed out again, and counts once.
 */
#include <floe/client.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <stdexcept>
#include <string>

#include <unistd.h>

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

// Any numbers that nobody else uses: one for the leader, and one for each helper, made of its process id.
constexpr std::uint64_t leader_address = 0x776f726b00000000;
constexpr std::uint64_t helper_addresses = 0x776f726b10000000;
constexpr auto patience = 2s;
constexpr auto longest_wait_for_a_leader = 30s;

static long square(long n) { return n * n; }

/// Helpers say "<their address> <number done, 0 at first> <result>"; the answer is the next number.
static void lead(floe::connection& node, long count) {
  auto jobs = node.attach("work.tdb");
  const auto leader = jobs.lock("leader", 10s);

  std::deque<long> waiting;
  for (long n = 1; n <= count; ++n) waiting.push_back(n);
  std::map<long, steady::time_point> given;  // to whom does not matter: who is first counts
  long sum = 0;

  node.listen(leader_address, [&](const floe::message& m) {
    const std::string text(m.data);
    unsigned long long helper = 0;
    long done = 0, result = 0;
    if (std::sscanf(text.c_str(), "%llu %ld %ld", &helper, &done, &result) != 3) return;
    if (done && given.erase(done)) sum += result;
    if (waiting.empty()) return;
    const long next = waiting.front();
    waiting.pop_front();
    given[next] = steady::now() + patience;
    node.send(m.from_pnn, helper, std::to_string(next));
  });
  jobs.lock("address").store(std::to_string(node.pnn()) + " " + std::to_string(getpid()));
  while (!waiting.empty() || !given.empty()) {
    node.process(200ms);
    for (auto g = given.begin(); g != given.end();) {
      const bool late = g->second < steady::now();
      if (late) waiting.push_back(g->first);
      g = late ? given.erase(g) : std::next(g);
    }
  }
  std::printf("%ld\n", sum);
  jobs.lock("address").erase();
}

/// Where the leader is, and whether it still is there.
static bool led(floe::connection& node, const floe::database& jobs) {
  unsigned pnn = 0;
  int pid = 0;
  const auto address = jobs.read("address").value_or("");
  return std::sscanf(address.c_str(), "%u %d", &pnn, &pid) == 2 &&
         node.process_exists(pnn, pid, leader_address);
}

static void help(floe::connection& node) {
  auto jobs = node.attach("work.tdb");
  const auto own_address = helper_addresses + static_cast<std::uint64_t>(getpid());
  long count = 0;
  const auto report = [&](long done, long result) {
    const auto text =
        std::to_string(own_address) + " " + std::to_string(done) + " " + std::to_string(result);
    node.send(FLOE_CONNECTED, leader_address, text);
  };
  node.listen(own_address, [&](const floe::message& m) {
    const long n = std::atol(std::string(m.data).c_str());
    ++count;
    report(n, square(n));
  });
  const auto until = steady::now() + longest_wait_for_a_leader;
  while (!led(node, jobs)) {
    if (steady::now() > until) throw std::runtime_error("nobody leads");
    node.process(20ms);
  }
  do {
    report(0, 0);  // here I am; or what was said last is lost
    while (node.process(500ms)) continue;
  } while (led(node, jobs));
  std::printf("%ld\n", count);
}

int main(int argc, char** argv) try {
  const std::string what = argc > 2 ? argv[2] : "";
  if (!(what == "lead" && argc == 4) && !(what == "help" && argc == 3)) {
    std::fprintf(stderr, "usage: work NODE lead COUNT | work NODE help\n");
    return 2;
  }
  floe::connection node(argv[1]);
  if (what == "lead")
    lead(node, std::atol(argv[3]));
  else
    help(node);
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "work: %s\n", e.what());
  return 1;
}
