#include <doctest/doctest.h>

#include "actors/events.hpp"
#include "cli/output.hpp"
#include "cli/timeline/events.hpp"
#include "cli/timeline/picture.hpp"

using namespace floe;
using namespace floe::cli;

namespace {

constexpr std::int64_t zero = 1'700'000'000'000'000;

timed_event at_ms(std::int64_t ms, std::uint32_t node, std::string name, std::string db,
                  std::string fields) {
  return {
      zero + ms * 1000, pnn{node}, {find_event(name).value(), std::move(db), std::move(fields)}};
}

/// The story that the whole program is about: B recovers while A waits for its holder.
std::vector<timed_event> two_locks() {
  std::vector<timed_event> all{
      at_ms(0, 0, "node-down", "", "pnn=1 why=closed"),
      at_ms(0, 0, "recovery-mode", "", "normal->active why=\"node 1 is lost\""),
      at_ms(10, 0, "freeze-state", "A", "thawed->freezing holders=1"),
      at_ms(12, 0, "lock-wait", "B", "client=5 pid=77 name=smbd key=6b why=migrating"),
      at_ms(15, 0, "freeze-state", "B", "thawed->frozen holders=0"),
      at_ms(20, 0, "freeze-state", "B", "frozen->in_transaction holders=0"),
      at_ms(40, 0, "freeze-state", "B", "in_transaction->frozen holders=0"),
      at_ms(42, 0, "freeze-state", "B", "frozen->thawed holders=0"),
      at_ms(42, 0, "migration-resent", "B", "key=6b to=2 reqid=9 gen=1234"),
      at_ms(43, 0, "lock-grant", "B", "client=5 pid=77 name=smbd key=6b waited_us=31000"),
      at_ms(90, 0, "lock-release", "A",
            "client=5 pid=77 name=smbd key=61 held_us=100000 why=unlocked"),
      at_ms(90, 0, "freeze-state", "A", "freezing->frozen holders=0"),
      at_ms(99, 0, "freeze-state", "A", "frozen->thawed holders=0"),
      at_ms(100, 0, "recovery-mode", "", "active->normal why=\"recovery is over\""),
      at_ms(11, 2, "recovery-phase", "B", "run=3 from=idle to=freeze"),
      at_ms(16, 2, "recovery-phase", "B", "run=3 from=freeze to=commit"),
      at_ms(41, 2, "recovery-phase", "B", "run=3 from=commit to=done"),
      at_ms(
          41, 2, "database-recovered", "B",
          "run=3 way=difference looked_at=12 records=9000 bytes=3000 kept=2 lost=1 ms=30 why=\"\""),
  };
  sort_events(all);
  return all;
}

const timeline_row& row_of(const timeline_picture& p, const std::string& db) {
  for (const auto& r : p.rows)
    if (r.db == db) return r;
  FAIL("no row");
  return p.rows.front();
}

}  // namespace

TEST_CASE("reports of nodes are merged by time; what is no report is refused") {
  std::vector<timed_event> all;
  CHECK(add_events(
      all, R"({"node":1,"events":[{"t_us":20,"event":"leader","db":"","detail":"0->1"}]})"));
  CHECK(add_events(
      all, R"({"node":0,"events":[{"t_us":10,"event":"leader","db":"","detail":"none->0"}]})"));
  CHECK_FALSE(add_events(all, "nonsense"));
  CHECK_FALSE(add_events(all, "[]"));
  sort_events(all);
  REQUIRE(all.size() == 2);
  CHECK(all[0].node == pnn{0});
  CHECK(all[1].t_us == 20);
  CHECK(as<event::leader>(all[0].line)->to == pnn{0});
  // of a later version: kept as it is, and shown
  CHECK(add_events(
      all, R"({"node":0,"events":[{"t_us":30,"event":"new-thing","db":"","detail":"x=1"}]})"));
  CHECK(all.back().line.id == event_id::unknown);
  CHECK(text(all.back().line) == "new-thing x=1");
}

TEST_CASE("states become spans, waits and grants marks, the leader's phases a story") {
  const auto p = make_picture(two_locks(), 0, zero + 5'000'000);
  const auto& b = row_of(p, "B");
  REQUIRE(b.spans.size() == 3);
  CHECK(b.spans[0].what == "frozen");
  CHECK(b.spans[1].what == "in_transaction");
  CHECK(b.spans[1].to_us - b.spans[1].from_us == 20'000);
  std::string signs;
  for (const auto& m : b.marks) signs += m.sign;
  CHECK(signs == "wRG");
  const auto& a = row_of(p, "A");
  CHECK(a.spans[0].what == "freezing");
  CHECK(a.spans[0].to_us - a.spans[0].from_us == 80'000);
  REQUIRE(p.stories.size() == 1);
  REQUIRE(p.stories[0].phases.size() == 3);
  CHECK(p.stories[0].phases[1].what == "commit");
  CHECK(p.stories[0].phases[1].to_us - p.stories[0].phases[1].from_us == 25'000);
  CHECK(p.from_us < zero);
  CHECK(p.to_us > zero + 100'000);
  CHECK(p.to_us < zero + 200'000);
}

TEST_CASE("only the last episode is shown, unless more is asked for") {
  auto events = two_locks();
  events.insert(events.begin(),
                {at_ms(-60'000, 0, "freeze-state", "old", "thawed->frozen holders=0"),
                 at_ms(-59'900, 0, "freeze-state", "old", "frozen->thawed holders=0")});
  const auto last = make_picture(events, 0, zero + 200'000);
  CHECK(last.rows.size() == 3);
  const auto all = make_picture(events, zero - 70'000'000, zero + 200'000);
  CHECK(all.rows.size() == 4);
}

TEST_CASE("what has begun and not ended lasts until now, and says so") {
  const auto p = make_picture({at_ms(0, 0, "freeze-state", "A", "thawed->freezing holders=1")}, 0,
                              zero + 50'000);
  const auto& a = row_of(p, "A");
  REQUIRE(a.spans.size() == 1);
  CHECK(a.spans[0].open);
  CHECK(a.spans[0].to_us == zero + 50'000);
  CHECK(draw(p, 100, false).find("freezing 50 ms ...") != std::string::npos);
}

TEST_CASE("what began before the oldest event is known by its end") {
  const auto p = make_picture({at_ms(0, 0, "freeze-state", "A", "frozen->thawed holders=0")},
                              zero - 1000, zero + 1000);
  CHECK(row_of(p, "A").spans.size() == 1);
}

TEST_CASE("nothing has happened") {
  const auto p = make_picture({}, 0, zero);
  CHECK(p.empty());
  CHECK(draw(p, 100, false) == "nothing has happened\n");
}

TEST_CASE("the drawing is to scale") {
  const auto text = draw(make_picture(two_locks(), zero, zero + 100'000), 100, false);
  CAPTURE(text);
  const auto line_of = [&](std::string_view name) {
    const auto begin = text.find(name);
    REQUIRE(begin != std::string::npos);
    return text.substr(begin, text.find('\n', begin) - begin);
  };
  const auto count = [](const std::string& line, std::string_view what) {
    int n = 0;
    for (auto at = line.find(what); at != std::string::npos; at = line.find(what, at + what.size()))
      ++n;
    return n;
  };
  const auto a = line_of("A ");
  const auto columns =
      static_cast<double>(text_width(a.substr(a.find("│") + 3, a.rfind("│") - a.find("│") - 3)));
  // 80 of 100 ms freezing, 9 frozen; 20 of 100 in transaction
  CHECK(count(a, "░") == doctest::Approx(0.8 * columns).epsilon(0.05));
  CHECK(count(line_of("B "), "█") == doctest::Approx(0.2 * columns).epsilon(0.15));
  CHECK(a.ends_with("freezing 80, frozen 9.0 ms"));
  const auto b = line_of("B ");
  const auto w = b.find('w'), r = b.find('R'), g = b.find('G');
  CHECK(w < r);
  CHECK(r < g);
  CHECK(text.find("0 ms") != std::string::npos);
  CHECK(text.find('\033') == std::string::npos);
}

TEST_CASE("marks that fall together stand side by side") {
  const auto text =
      draw(make_picture(two_locks(), zero - 10'000'000, zero + 10'000'000), 100, false);
  CHECK(text.find("wRG") != std::string::npos);
}

TEST_CASE("what lasts long is told in seconds and minutes") {
  const auto text = draw(make_picture({at_ms(0, 0, "freeze-state", "A", "thawed->frozen holders=0"),
                                       at_ms(100'000, 0, "lock-grant", "A",
                                             "client=1 pid=9 name=x key=6b waited_us=12500000"),
                                       at_ms(536'932, 0, "leader", "", "0->1")},
                                      0, zero + 540'000'000),
                         100, false);
  CAPTURE(text);
  CHECK(text.find(", 9 min\n") != std::string::npos);
  CHECK(text.find("after 12.5 s") != std::string::npos);
  CHECK(text.find(" s  node 0     leader is 1") != std::string::npos);
  CHECK(text.find("frozen 9 min") != std::string::npos);
  CHECK(text.find("0000 ms") == std::string::npos);
}

TEST_CASE("on a narrow terminal no line of the picture is longer than it is wide") {
  auto text = draw(make_picture(two_locks(), zero, zero + 100'000), 60, false);
  CAPTURE(text);
  // the list of events below it is a table, which looks for the terminal itself
  text.erase(text.find("\n\n", text.rfind("│")));
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    CHECK(text_width(text.substr(0, end)) <= 60);
    text.erase(0, end + 1);
  }
}

TEST_CASE("the list tells the story in sentences") {
  const auto text = draw(make_picture(two_locks(), 0, zero + 5'000'000), 100, false);
  for (const char* words :
       {"lost node 1", "recovery mode ACTIVE: node 1 is lost", "freezing, waits for 1 holder",
        "smbd (pid 77) waits for the lock of k: migrating",
        "recovered by difference: looked at 12 of 9000 records, 3000 B in 30 ms; nodes that came "
        "back keep 2 records and lose 1",
        "asks node 2 again for k, generation 1234", "smbd (pid 77) gets the lock of k after 31 ms",
        "recovery mode NORMAL"})
    CHECK(text.find(words) != std::string::npos);
}

TEST_CASE("colours only where they are wanted in a drawing") {
  const auto p = make_picture(two_locks(), 0, zero + 5'000'000);
  CHECK(draw(p, 100, true).find('\033') != std::string::npos);
}
