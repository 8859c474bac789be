/// The picture of a run that is being played, and the pace of a sweep.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "cli/command/drill/bar.hpp"
#include "cli/drill/report/live_board.hpp"

using namespace floe::cli::drill;

namespace {

void feed(live_board& b, const std::vector<std::string>& lines) {
  for (const auto& l : lines) {
    const auto read = read_trace_line(l);
    REQUIRE(read.has_value());
    b.line(*read);
  }
}

bool has(const std::vector<std::string>& lines, const std::string& text) {
  for (const auto& l : lines)
    if (l.find(text) != std::string::npos) return true;
  return false;
}

const std::vector<std::string> story{
    "1.000000 node 0 INFO: leader none->2",
    "1.000000 node 1 INFO: leader none->2",
    "1.000000 node 2 INFO: leader none->2",
    "1.100000 drill: 3: kill 1",
    "1.100000 drill: node 1 is killed",
    "1.200000 node 0 INFO: recovery-mode normal->active why=\"x\"",
    "1.200000 node 2 INFO: recovery-phase db=a.tdb run=1 from=begin to=pull",
    "1.300000 node 0 INFO: freeze-state db=a.tdb thawed->freezing holders=1",
    "1.300000 node 2 INFO: freeze-state db=a.tdb thawed->frozen holders=0",
    "1.400000 node 0 INFO: lock-wait db=a.tdb client=2 pid=0 name=? key=6b "
    "why=migrating-from-node-2",
    "1.400000 node 0 INFO: lock-wait db=a.tdb client=3 pid=0 name=? key=6b why=queue",
    "1.500000 drill: 4: within 2s: normal"};

}  // namespace

TEST_CASE("nodes, databases with their phases, who holds and waits, what is played") {
  live_board b("x", 7, 3);
  feed(b, story);
  history past;
  const auto lock = past.begin({.kind = op_kind::lock,
                                .client = "smbd",
                                .node = 0,
                                .db = "a.tdb",
                                .key = "k",
                                .begin = 1'000'000,
                                .end = 1'000'000,
                                .result = op_end::done});
  past.holdings[lock] = {lock, 1'000'000, never};
  past.begin({.kind = op_kind::lock,
              .client = "other",
              .node = 0,
              .db = "a.tdb",
              .key = "k",
              .begin = 1'400'000});
  const auto lines = b.picture(past, 1'500'000, 200, 40, false);
  CHECK(lines[0].find("x seed 7  1.500 s") == 0);
  CHECK(has(lines, "4: within 2s: normal"));
  CHECK(has(lines, "faults: kill 1"));
  CHECK(has(lines, "nodes: 0 recovering, 1 down, 2 ok (leads)"));
  CHECK(has(lines, "a.tdb     freezing  –       frozen     1        2          1  pull"));
  CHECK(has(lines, "smbd holds a.tdb/k on node 0 for 500 ms"));
  CHECK(has(lines, "other waits for a.tdb/k on node 0 for 100 ms"));
  feed(b, {"1.600000 drill: node 1 starts", "1.650000 node 1 INFO: run-state INIT->SETUP",
           "1.700000 node 0 INFO: freeze-state db=a.tdb freezing->thawed holders=0",
           "1.700000 node 2 INFO: freeze-state db=a.tdb frozen->thawed holders=0",
           "1.700000 node 2 INFO: recovery-phase db=a.tdb run=1 from=thaw to=done"});
  const auto later = b.picture(past, 1'800'000, 200, 40, false);
  CHECK(has(later, "faults: none"));
  CHECK(has(later, "1 ok"));
  CHECK(has(later, "a.tdb     thawed  thawed  thawed     1        2          1"));
}

TEST_CASE("it is as large as the terminal, not larger") {
  live_board b("x", 7, 3);
  feed(b, story);
  const auto lines = b.picture({}, 1'500'000, 20, 3, true);
  CHECK(lines.size() == 3);
  for (const auto& l : lines) {
    std::size_t shown = 0;
    bool escape = false;
    for (const char c : l) {
      if (c == '\x1b') escape = true;
      if (!escape) shown += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
      if (c == 'm') escape = false;
    }
    CHECK(shown <= 20);
  }
  CHECK(clipped("äöü", 2) == "äö");
  CHECK(clipped("\x1b[1mab\x1b[0m", 1) == "\x1b[1ma\x1b[0m");
}

TEST_CASE("the pace of a sweep: told when there is one") {
  CHECK(pace_text(0, 100, 3).empty());
  CHECK(pace_text(5, 100, 0.1).empty());
  CHECK(pace_text(50, 100, 10) == "5.0/s, 10.0 s left");
  CHECK(pace_text(500, 1000, 10) == "50/s, 10.0 s left");
}
