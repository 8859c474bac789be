/// In whatever order and with whatever pauses nodes are started, with and without a cluster lock:
/// the cluster becomes NORMAL, with one leader, everybody RUNNING, run states only grown, and what
/// was stored is there.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/actors/transaction_support.hpp"

using namespace floe;
using namespace floe::test;
using nlohmann::json;

namespace {

constexpr std::array pauses{0ms, 30ms, 700ms, 2500ms, 8000ms};
const std::vector<std::string> states{"unknown", "init",    "setup",   "first_recovery",
                                      "startup", "running", "shutdown"};

std::size_t rank(std::string state) {
  std::ranges::transform(state, state.begin(), [](unsigned char ch) { return std::tolower(ch); });
  const auto i = std::ranges::find(states, state);
  INFO(state);
  REQUIRE(i != states.end());
  return static_cast<std::size_t>(i - states.begin());
}

/// "123 0 INFO run-state INIT->SETUP"
void run_states_only_grow(const sim_cluster& c) {
  std::size_t seen = 0;
  for (const auto& line : c.log()) {
    const auto at = line.find(" run-state ");
    if (at == std::string::npos) continue;
    const auto change = line.substr(at + 11);
    const auto arrow = change.find("->");
    CAPTURE(line);
    const auto from = change.substr(0, arrow);
    const auto to = change.substr(arrow + 2);
    CHECK((rank(from) < rank(to) || (from == to && rank(to) == 1)));
    ++seen;
  }
  CHECK(seen >= c.size() * 4);
}

void check_leader(sim_cluster& c) {
  std::set<std::size_t> leaders;
  for (std::size_t n = 0; n < c.size(); ++n)
    leaders.insert(json::parse(c.status(n))["leader"].get<std::size_t>());
  CHECK(leaders.size() == 1);
  if (!c.config(0).cluster_lock.empty()) CHECK(c.locks().holder() == c.ip(*leaders.begin()));
}

void play(std::vector<std::size_t> order, duration pause, bool with_lock, std::uint64_t seed) {
  CAPTURE(seed);
  CAPTURE(with_lock);
  CAPTURE(pause.count());
  sim_cluster c(order.size(), seed, {.cluster_lock = with_lock, .start = false});
  for (const auto n : order) {
    c.start(n);
    pass(c, pause);
  }
  REQUIRE(c.settle(60s));
  check_leader(c);
  // content that only some have seen
  auto& w = c.connect(0);
  const auto db = attach_kind(c, w, "kept.tdb", db_kind::persistent);
  commit_now(c, w, db, {{"k", "early"}});
  c.kill(order.back());
  REQUIRE(c.settle(60s));
  auto& again = c.connect(order.front());
  attach_kind(c, again, "kept.tdb", db_kind::persistent);
  commit_now(c, again, db, {{"k", "late"}});
  for (std::size_t n = 0; n < c.size(); ++n)
    if (c.alive(n)) c.kill(n);
  for (const auto n : order) {
    c.start(n);
    pass(c, pause);
  }
  REQUIRE(c.settle(60s));
  check_leader(c);
  for (std::size_t n = 0; n < c.size(); ++n)
    CHECK(here(c, n, db, {"k"}) == contents{{"k", "late"}});
  run_states_only_grow(c);
}

}  // namespace

TEST_CASE("three nodes started in every order, at once and staggered") {
  std::vector<std::size_t> order{0, 1, 2};
  std::uint64_t seed = 1;
  do {
    std::ostringstream text;
    for (auto n : order) text << n;
    CAPTURE(text.str());
    for (const auto pause : pauses)
      for (const bool with_lock : {false, true})
        if (thorough || seed % 5 == 0)
          play(order, pause, with_lock, ++seed);
        else
          ++seed;
  } while (std::ranges::next_permutation(order).found);
}

TEST_CASE("four nodes in every order, with a lock") {
  std::vector<std::size_t> order{0, 1, 2, 3};
  std::uint64_t seed = 100;
  do {
    if (thorough || seed % 8 == 0) play(order, pauses[seed % pauses.size()], true, seed);
    ++seed;
  } while (std::ranges::next_permutation(order).found);
}
