/// What watches a node, without a node: the tally of its events, what scripts are told, where metrics may be served.
#include <doctest/doctest.h>

#include "actors/events.hpp"
#include "actors/node/report/event_tally.hpp"
#include "cli/metrics/listen_place.hpp"
#include "cli/node/notify_scripts.hpp"

using namespace floe;
using namespace floe::cli;

namespace {

template <class Event>
void see(event_tally& t, std::int64_t seconds, const Event& e) {
  t.saw({.wall_us = seconds * 1'000'000, .db = db_id{1}, .line = line_of(e)});
}

using events = std::vector<std::string_view>;
time_point at(int seconds) { return time_point{} + std::chrono::seconds(seconds); }

}  // namespace

TEST_CASE("a database is frozen from its first step away from thawed until it is thawed") {
  event_tally t;
  see(t, 10, event::freeze_state{.db = "a.tdb", .from = "thawed", .to = "freezing"});
  see(t, 12, event::freeze_state{.db = "a.tdb", .from = "freezing", .to = "frozen"});
  see(t, 15, event::freeze_state{.db = "a.tdb", .from = "frozen", .to = "thawed"});
  see(t, 90, event::freeze_state{.db = "a.tdb", .from = "thawed", .to = "freezing"});
  CHECK(t.all().frozen_seconds.at("a.tdb") == doctest::Approx(5));
}

TEST_CASE("a clock that is set back counts as no time") {
  event_tally t;
  see(t, 10, event::recovery_mode{.from = "normal", .to = "active", .why = "x"});
  see(t, 4, event::recovery_mode{.from = "active", .to = "normal", .why = "x"});
  CHECK(t.all().active_seconds == 0);
}

TEST_CASE("phases of a recovery are timed each for itself, by database and run") {
  event_tally t;
  see(t, 1, event::recovery_phase{.db = "a.tdb", .run = 7, .from = "idle", .to = "freeze"});
  see(t, 1, event::recovery_phase{.db = "b.tdb", .run = 7, .from = "idle", .to = "freeze"});
  see(t, 3, event::recovery_phase{.db = "b.tdb", .run = 7, .from = "freeze", .to = "pull"});
  see(t, 9, event::recovery_phase{.db = "a.tdb", .run = 7, .from = "freeze", .to = "pull"});
  CHECK(t.all().phase_seconds.at("freeze") == doctest::Approx(10));
  see(t, 10, event::recovery_ended{.run = 7, .good = false});
  CHECK(t.all().recoveries_led.at("failed") == 1);
  // what was open when the run ended belongs to nobody
  see(t, 50, event::recovery_phase{.db = "a.tdb", .run = 7, .from = "pull", .to = "merge"});
  CHECK_FALSE(t.all().phase_seconds.contains("pull"));
}

TEST_CASE("recoveries are counted by their cause, and no cause is missing before its first") {
  event_tally t;
  CHECK(t.all().recoveries_by_cause.at("node_lost") == 0);
  CHECK_FALSE(t.all().recoveries_by_cause.contains("none"));
  t.led(recovery_reason::node_lost);
  t.led(recovery_reason::node_lost);
  t.led(recovery_reason::asked);
  CHECK(t.all().recoveries_by_cause.at("node_lost") == 2);
  CHECK(t.all().recoveries_by_cause.at("asked") == 1);
}

TEST_CASE("scripts are told of the start once, of health when it changes") {
  notify_rule r;
  CHECK(r.see({}, at(0)) == events{"setup"});
  CHECK(r.see({}, at(1)).empty());
  CHECK(r.see({.running = true, .ready = true}, at(2)) == events{"startup", "healthy"});
  CHECK(r.see({.running = true, .ready = true}, at(3)).empty());
}

TEST_CASE(
    "a recovery of some seconds is no news, one of ten is; what an operator did is told at once") {
  notify_rule r;
  r.see({.running = true, .ready = true}, at(0));
  CHECK(r.see({.running = true}, at(1)).empty());
  CHECK(r.see({.running = true, .ready = true}, at(5)).empty());
  CHECK(r.see({.running = true}, at(6)).empty());
  CHECK(r.see({.running = true}, at(16)) == events{"unhealthy"});
  CHECK(r.see({.running = true}, at(60)).empty());
  CHECK(r.see({.running = true, .ready = true}, at(61)) == events{"healthy"});
  CHECK(r.see({.running = true, .taken_out = true}, at(62)) == events{"unhealthy"});
}

TEST_CASE("metrics are served to this machine only") {
  for (const auto* good : {"127.0.0.1:9437", "127.9.9.9:0", "[::1]:1", "unix:/run/x"})
    CHECK(parse_listen_place(good));
  for (const auto* bad :
       {"", "9437", "0.0.0.0:1", "[::]:1", "10.0.0.1:1", "localhost:1",
        "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "unix:", "unix:x", "127.0.0.1"})
    CHECK_FALSE(parse_listen_place(bad));
  CHECK(to_string(*parse_listen_place("[::1]:80")) == "[::1]:80");
}
