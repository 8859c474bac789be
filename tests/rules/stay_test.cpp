/// How long a record stays though others want it: pins of sticky records, and streams of local locks.
#include "protocol/rules/stay.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "protocol/rules/record_queue.hpp"

using namespace floe;
using namespace std::chrono_literals;

namespace {

constexpr time_point start{};

record_stays sticky_database() {
  record_stays s;
  s.set({.sticky = true, .hops_make_sticky = 10, .sticky_for = 60s, .pindown = 200ms});
  return s;
}

/// One visit of the record, with so many locks.
void visit(record_stays& s, time_point at, unsigned locks) {
  s.came("k", at);
  for (unsigned i = 0; i < locks; ++i) s.locked("k", at);
  s.left("k");
}

}  // namespace

TEST_CASE("stay: a record that was asked for from far away is pinned whenever it comes") {
  auto s = sticky_database();
  CHECK(!s.wandered("k", 9, start));
  s.came("k", start);
  CHECK(s.until("k") <= start);
  CHECK(s.wandered("k", 10, start));
  CHECK(!s.wandered("k", 11, start + 1s));  // it is already, and not for longer
  CHECK(s.is_sticky("k", start));
  CHECK(!s.is_sticky("other", start));
  s.came("k", start + 1s);
  CHECK(s.until("k") == start + 1s + 200ms);
  s.left("k");
  CHECK(s.until("k") <= start);
  s.came("k", start + 60s);  // sticky no longer
  CHECK(s.until("k") <= start + 60s);
}

TEST_CASE("stay: in a database that is not sticky nothing is pinned") {
  auto s = sticky_database();
  auto plain = s.settings();
  plain.sticky = false;
  s.wandered("k", 50, start);
  s.set(plain);
  s.came("k", start);
  CHECK(s.until("k") <= start);
  s.wandered("other", 50, start);
  CHECK(s.sticky() == 1);  // the one of before: it counts again when the database is sticky again
  s.set(sticky_database().settings());
  CHECK(s.is_sticky("k", start));
}

TEST_CASE("stay: a stream of local locks keeps a record for a while, single ones do not") {
  record_stays s;
  CHECK(s.settings().of_stream == 3ms);
  visit(s, start, 1);
  s.came("k", start + 1s);
  CHECK(s.until("k") <= start + 1s);
  s.left("k");
  visit(s, start + 2s, 20);
  s.came("k", start + 3s);
  const auto most = s.settings().of_stream, pause = most / stillness_part;
  CHECK(s.until("k") == start + 3s + pause);
  s.locked("k", start + 3s + pause / 2);
  CHECK(s.until("k") == start + 3s + pause / 2 + pause);
  s.locked("k", start + 3s + most);
  CHECK(s.until("k") == start + 3s + most);
  // whether it has become one is found out now and then
  s.left("k");
  for (int i = 0; i < 80; ++i) visit(s, start + 4s, 1);
  unsigned tries = 0;
  for (int i = 0; i < 130; ++i) {
    s.came("k", start + 5s);
    tries += s.until("k") > start + 5s;
    s.locked("k", start + 5s);
    s.left("k");
  }
  CHECK(tries == 2);
  auto never = s.settings();
  never.of_stream = {};
  s.set(never);
  visit(s, start + 6s, 100);
  s.came("k", start + 7s);
  CHECK(s.until("k") <= start + 7s);
}

TEST_CASE("stay: what is remembered has a bound") {
  auto s = sticky_database();
  const std::string large(1 << 16, 'x');
  for (int i = 0; i < 70'000; ++i) s.wandered("key " + std::to_string(i), 50, start);
  for (int i = 0; i < 5000; ++i) s.came(large + std::to_string(i), start);
  CHECK(s.sticky() <= 65'536);
  CHECK(s.remembered() <= 4096);
}

TEST_CASE("stay: long keys that differ at their ends are told apart") {
  auto s = sticky_database();
  const std::string middle(1 << 20, 'x');
  s.wandered("a" + middle + "1", 50, start);
  CHECK(s.is_sticky("a" + middle + "1", start));
  CHECK(!s.is_sticky("a" + middle + "2", start));
  CHECK(!s.is_sticky("b" + middle + "1", start));
  CHECK(!s.is_sticky("a" + middle + "x1", start));
}

TEST_CASE("stay: where nothing is kept nothing is remembered") {
  record_stays s;
  s.set({.of_stream = {}});
  s.came("k", start);
  s.locked("k", start);
  s.left("k");
  CHECK(!s.wandered("k", 1000, start));
  CHECK(s.remembered() == 0);
  CHECK(s.sticky() == 0);
}

TEST_CASE("stay: requests of this node go first, those of others wait until its end") {
  using enum queue_action;
  const pnn me{0}, other{1};
  queue_state here{.self = me,
                   .lmaster = other,
                   .stays_until = start + 3ms,
                   .local = record_header{.rsn = rsn{3}, .dmaster = me},
                   .now = start + 1ms,
                   .hold_back = 5s};
  const queued_request peer{
      .use = record_use::peer_call, .source = other, .from = other, .since = start};
  const queued_request lock{.use = record_use::lock, .source = me, .from = me, .since = start};
  const std::vector<queued_request> alone{peer}, both{peer, lock};
  CHECK(next_step(here, alone) == queue_step{.stays = true, .action = wait});
  CHECK(next_step(here, both) == queue_step{.first = 1, .action = grant});
  here.now = start + 3ms;
  CHECK(next_step(here, both) == queue_step{.action = settle});
  here.now = start + 1ms;
  here.local->dmaster = other;  // it is not here: nothing stays
  CHECK(next_step(here, alone) == queue_step{.action = settle});
}
