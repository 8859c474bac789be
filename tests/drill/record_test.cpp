/// What is read from a run's trace: its lines, and the faults with their beginnings and ends.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "actors/events.hpp"
#include "cli/drill/report/run_recorder.hpp"
#include "cli/drill/run/drill_run.hpp"

using namespace floe;
using namespace floe::cli;
using namespace floe::cli::drill;

namespace {

std::vector<run_fault> faults_of(const std::vector<std::string>& lines) {
  fault_reader r;
  for (const auto& l : lines) {
    const auto read = read_trace_line(l);
    REQUIRE(read.has_value());
    r.line(*read);
  }
  return r.finish(99'000'000);
}

}  // namespace

TEST_CASE("a line of a trace: when, who, what") {
  const auto l = read_trace_line(
      "    1.904649 node 12 INFO: lock-wait db=a.tdb client=2 key=7230 why=migrating-from-node-2");
  REQUIRE(l.has_value());
  CHECK(l->t_us == 1'904'649);
  CHECK(l->node() == 12);
  const auto e = l->event();
  REQUIRE(e.has_value());
  CHECK(e->line.db == "a.tdb");
  const auto wait = as<event::lock_wait>(e->line);
  REQUIRE(wait.has_value());
  CHECK(wait->why == "migrating-from-node-2");
  CHECK(read_trace_line("    1.904649 node 12 NOTICE: node-up pnn=1")->event());
  CHECK(!read_trace_line("    1.904649 node 12 NOTICE: node-stopping why=\"asked to\"")
             ->event());  // only in the log
  CHECK(!read_trace_line("    1.904649 node 12 INFO: something else")->event());
  CHECK(read_played(*read_trace_line("    0.000001 drill: 7: attach a.tdb: b"))->text ==
        "attach a.tdb: b");
  CHECK(read_done(*read_trace_line("    0.000001 drill: node 3 is cut off"))->node == 3);
  for (const char* wrong : {"", "x", "1.5 drill: x", "1.000001 no colon", "1.0000001 drill: x"})
    CHECK(!read_trace_line(wrong));
}

TEST_CASE("a fault lasts until it is undone; what is never undone until the end of the script") {
  const auto f = faults_of({"1.000000 drill: 1: kill leader", "1.000000 drill: node 2 is killed",
                            "2.000000 drill: 2: pause any", "2.000000 drill: node 0 is paused",
                            "3.000000 drill: 3: start it", "3.000000 drill: node 2 starts",
                            "4.000000 drill: 4: isolate 1", "4.000000 drill: node 1 is cut off",
                            "5.000000 drill: 5: resume 0", "5.000000 drill: node 0 goes on",
                            "6.000000 drill: 6: heal", "6.000000 drill: the network is whole again",
                            "7.000000 drill: 7: stop 1", "7.000000 drill: node 1 is stopped",
                            "8.000000 drill: 8: continue 1", "9.000000 drill: 9: smbd dies",
                            "10.000000 drill: 10: clock 1 behind 10m",
                            "12.000000 drill: the faults are over, everybody comes back",
                            "12.000000 drill: node 1 starts"});
  REQUIRE(f.size() == 6);
  const auto is = [](const run_fault& x, const char* what, std::int64_t from, std::int64_t to) {
    CAPTURE(x.what);
    CHECK(x.what == what);
    CHECK(x.from_us == from * 1'000'000);
    CHECK(x.to_us == to * 1'000'000);
  };
  is(f[0], "kill leader (node 2)", 1, 3);
  is(f[1], "pause any (node 0)", 2, 5);
  is(f[2], "isolate 1", 4, 6);
  is(f[3], "stop 1", 7, 8);
  is(f[4], "smbd dies", 9, 9);
  is(f[5], "clock 1 behind 10m", 10, 12);
}

TEST_CASE(
    "of two nodes the last that is back ends the fault; a ban ends by itself; a paused node that "
    "is killed is not paused") {
  const auto f = faults_of({"1.000000 drill: 1: kill 0,1", "1.000000 drill: node 0 is killed",
                            "1.000000 drill: node 1 is killed", "2.000000 drill: 2: start 0",
                            "2.000000 drill: node 0 starts", "3.000000 drill: 3: start 1",
                            "3.000000 drill: node 1 starts", "4.000000 drill: 4: ban 1 for 2s",
                            "4.000000 drill: node 1 is banned", "5.000000 drill: 5: pause 2",
                            "5.000000 drill: node 2 is paused", "6.000000 drill: 6: kill 2",
                            "6.000000 drill: node 2 is killed", "6.500000 drill: 7: restart 2",
                            "6.500000 drill: node 2 starts"});
  REQUIRE(f.size() == 5);
  CHECK(f[0].to_us == 3'000'000);
  CHECK(f[1].to_us == 6'000'000);
  CHECK(f[2].to_us == 6'000'000);
  CHECK(f[3].to_us == 6'500'000);
  CHECK(f[4].to_us == 6'500'000);
}

TEST_CASE("the record of a run") {
  const auto s = read_script(
      "x.drill",
      "# A story.\nattach a.tdb b.tdb\nworkload db=a.tdb clients=3\nwait 200ms\nclient c on 0\nc "
      "lock a.tdb k\n"
      "kill 1\nwithin 2s: b.tdb thawed on all\nwait 100ms\nc unlock a.tdb k\nwithin 5s: normal\n");
  REQUIRE_MESSAGE(s.has_value(), (s ? "" : s.error()));
  run_recorder notes(true);
  const auto v = play(*s, 1,
                      {.trace = [&](const std::string& l) { notes.line(l); },
                       .end = [&](drill_run& w) { notes.end_with(w.past); }});
  REQUIRE_MESSAGE(v.held, v.reason);
  const auto r = notes.finish(*s, v);
  CHECK(r.story == "A story.\n");
  REQUIRE(r.faults.size() == 1);
  CHECK(r.faults[0].what == "kill 1");
  CHECK(r.faults[0].longest_wait_us > 50'000);  // for a record of a.tdb
  const auto find_row = [&](const std::string& db, std::uint32_t node) {
    const auto i = std::ranges::find_if(r.picture.rows, [&](const timeline_row& row) {
      return row.db == db && row.node == pnn{node};
    });
    REQUIRE(i != r.picture.rows.end());
    return *i;
  };
  const auto has = [](const timeline_row& row, const std::string& what) {
    return std::ranges::find(row.spans, what, &span::what) != row.spans.end();
  };
  CHECK(has(find_row("", 1), "down"));
  CHECK(has(find_row("a.tdb", 0), "freezing"));  // it waits for the holder
  CHECK(!has(find_row("b.tdb", 0), "freezing"));
  const auto holder = std::ranges::find_if(
      r.uses, [](const run_use& u) { return u.what == "holds" && u.who == "c"; });
  REQUIRE(holder != r.uses.end());
  CHECK(holder->to_us - holder->from_us > 100'000);
  REQUIRE(r.checks.size() > 2);
  CHECK(r.checks[0].what == "8: within 2s: b.tdb thawed on all");
  CHECK(r.checks[0].good);
  CHECK(r.checks[1].seconds > 0);
  std::uint64_t done = 0;
  for (const auto n : r.throughput.done) done += n;
  CHECK(done > 20);
  CHECK(r.trace.size() > 100);
  const auto times = unavailable_times(r);
  REQUIRE(times.size() == 2);
  CHECK(times[0].db == "a.tdb");
  CHECK(times[0].longest_us > 80'000);
  CHECK(times[1].longest_us < 50'000);
  CHECK(times[0].by_fault_us == std::vector{times[0].total_us});
}

TEST_CASE("what operators do is over at once, roles and the cluster lock are given back") {
  const auto f =
      faults_of({"1.000000 drill: 1: wipedb a.tdb", "2.000000 drill: 2: setleaderrole 1 off",
                 "3.000000 drill: 3: setleaderrole 1 on", "4.000000 drill: 4: lock wedged on 0",
                 "5.000000 drill: 5: lock stale for 500ms", "6.000000 drill: 6: lock good",
                 "7.000000 drill: 7: lock lost",
                 "8.000000 drill: the faults are over, everybody comes back"});
  REQUIRE(f.size() == 5);
  CHECK(f[0].to_us == f[0].from_us);
  CHECK(f[1].to_us == 3'000'000);
  CHECK(f[2].to_us == 6'000'000);
  CHECK(f[3].to_us == 5'500'000);
  CHECK(f[4].to_us == f[4].from_us);
}

TEST_CASE("what leaves nothing behind is no fault that lasts to the end") {
  for (const char* line : {"reset 0 from 1", "knock 0 as 1", "setdbreadonly all a.tdb",
                           "setdbsticky 1 a.tdb", "thaw 0 a.tdb", "setvar all RecoverTimeout 3"}) {
    CAPTURE(std::string(line));
    const auto f = faults_of({std::string("1.000000 drill: 1: ") + line,
                              "8.000000 drill: the faults are over, everybody comes back"});
    REQUIRE(f.size() == 1);
    CHECK(f[0].to_us == f[0].from_us);
  }
}

TEST_CASE("a verb that disturbs says until when, and what undoes others names a verb") {
  for (const auto& v : all_verbs()) {
    CAPTURE(std::string(v.name));
    const auto group = std::string_view(v.group);
    const auto& f = v.fault;
    if (group == "Faults" || group == "Network" || group == "Operators")
      CHECK((f.ends != fault_end::no_fault || f.undoes != nullptr));
    if (!f.undoes) continue;
    const auto undone = std::ranges::find_if(
        all_verbs(), [&](const verb& other) { return std::string_view(f.undoes) == other.name; });
    REQUIRE(undone != all_verbs().end());
    CHECK(undone->fault.ends == fault_end::undone);
  }
}
