#include "actors/events.hpp"
#include "actors/database/asked_node.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

using namespace floe;

TEST_CASE("a node that is waited for is said in words that are read back") {
  for (const asked_node a :
       {asked_node{asked_node::thing::record, pnn{2}}, asked_node{asked_node::thing::copy, pnn{0}}})
    CHECK(asked_node_in(to_word(a)) == a);
  CHECK(to_word({.node = pnn{2}}) == "migrating-from-node-2");
  for (const char* other : {"", "queued", "migrating-from-node-", "migrating-from-node-2x",
                            "held-by-client-3-pid-4", "copies-called-back-from-nodes-1"})
    CHECK_FALSE(asked_node_in(other));
}

TEST_CASE("an event is printed and read back, with every kind of field") {
  const event_line wait = line_of(event::lock_wait{
      .db = "locking.tdb", .client = 7, .pid = -1, .name = "smbd", .key = "6b00", .why = "queue"});
  CHECK(text(wait) == "lock-wait db=locking.tdb client=7 pid=-1 name=smbd key=6b00 why=queue");
  const auto read = parse_event(text(wait));
  REQUIRE(read);
  CHECK(*read == wait);
  const auto e = as<event::lock_wait>(*read);
  REQUIRE(e);
  CHECK(e->db == "locking.tdb");
  CHECK(e->pid == -1);
  CHECK(e->why == "queue");
  CHECK_FALSE(as<event::lock_grant>(*read));

  const auto mode =
      line_of(event::recovery_mode{.from = "normal", .to = "active", .why = "node 1 is lost"});
  CHECK(text(mode) == "recovery-mode normal->active why=\"node 1 is lost\"");
  CHECK(as<event::recovery_mode>(mode)->to == "active");

  const auto map =
      line_of(event::vnn_map{.gen = generation{9}, .map = {pnn{0}, pnn{2}}, .beside = {pnn{1}}});
  CHECK(text(map) == "vnn-map gen=9 map=0,2 beside=1");
  CHECK(as<event::vnn_map>(map)->map == std::vector{pnn{0}, pnn{2}});

  const auto nobody = line_of(event::leader{.from = pnn{1}, .to = pnn::unknown});
  CHECK(text(nobody) == "leader 1->none");
  CHECK(as<event::leader>(nobody)->to == pnn::unknown);

  const auto lock =
      line_of(event::cluster_lock{.from = "held by another", .to = "failed", .why = {}});
  CHECK(text(lock) == "cluster-lock \"held by another\"->failed");
  CHECK(as<event::cluster_lock>(lock)->from == "held by another");

  const auto no_truth = parse_event("recovery-ended run=1 good=yes");
  REQUIRE(no_truth);
  CHECK_FALSE(as<event::recovery_ended>(*no_truth));
}

TEST_CASE("names and reasons that others choose can neither forge a field nor a line") {
  const auto line = line_of(event::client_refused{.client = 1,
                                                  .pid = 2,
                                                  .name = "x pid=99 why=\"\nbanned seconds=1",
                                                  .why = "said \"no\"\r\nlock-wait"});
  const auto whole = text(line);
  CHECK(whole.find('\n') == whole.npos);
  CHECK(whole.find('\r') == whole.npos);
  const auto read = parse_event(whole);
  REQUIRE(read);
  const auto e = as<event::client_refused>(*read);
  REQUIRE(e);
  CHECK(e->pid == 2);
  CHECK(e->name == "x pid=99 why='\\x0abanned seconds=1");
  CHECK(e->why == "said 'no'\\x0d\\x0alock-wait");
}

TEST_CASE("what is no event, or lacks what its row says, is refused") {
  CHECK_FALSE(parse_event("no-such-event db=x"));
  CHECK_FALSE(parse_event(""));
  CHECK_FALSE(parse_event("node-downhill pnn=1"));
  for (const char* bad : {"freeze-state db=a thawed", "freeze-state db=a thawed->frozen holders=x",
                          "freeze-state db=a thawed->frozen holders=1 more=2", "leader 1->x",
                          "recovery-mode normal->active why=\"open"}) {
    CAPTURE(bad);
    const auto line = parse_event(bad);
    REQUIRE(line);
    CHECK_FALSE(as<event::freeze_state>(*line));
    CHECK_FALSE(as<event::leader>(*line));
    CHECK_FALSE(as<event::recovery_mode>(*line));
  }
}

TEST_CASE(
    "the table: every row says what it means, why it comes about, what shows more, and what to "
    "do") {
  for (const auto& row : all_events()) {
    CAPTURE(row.name);
    CHECK(find_event(row.name));
    for (const auto text : {row.meaning, row.cause, row.evidence, row.next}) {
      CHECK(text.size() >= 2);
      CHECK(!text.ends_with('.'));
    }
    // an error is somebody's to mend
    if (row.level == log_level::error) CHECK(row.next != "nothing");
    // times carry their unit
    for (const auto unitless : {"time=", "age=", "since=", "waited=", "held="})
      CHECK(row.fields.find(std::string(" ") + unitless) == row.fields.npos);
  }
}

TEST_CASE("fields by their names, for JSON and pages") {
  std::map<std::string, std::string> seen;
  std::set<std::string> numbers;
  const auto line = line_of(event::recovery_mode{.from = "normal", .to = "active", .why = "a b"});
  each_field(line, [&](const event_field& f) { seen[std::string(f.name)] = f.value; });
  CHECK(seen ==
        std::map<std::string, std::string>{{"from", "normal"}, {"to", "active"}, {"why", "a b"}});
  each_field(line_of(event::migration_done{.db = "x", .key = "6b", .waited_us = 5}),
             [&](const event_field& f) {
               if (f.is_number) numbers.insert(std::string(f.name));
             });
  CHECK(numbers.contains("waited_us"));
}
