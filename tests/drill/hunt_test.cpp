/// Drills that the program writes by itself.
#include <doctest/doctest.h>

#include <set>
#include <string>

#include "cli/drill/hunt/coverage.hpp"
#include "cli/drill/hunt/hunt.hpp"
#include "cli/drill/hunt/hunted_drill.hpp"
#include "cli/drill/hunt/pattern.hpp"
#include "cli/drill/language/shipped_drills.hpp"

using namespace floe::cli::drill;

TEST_CASE(
    "what verbs say of their random use can be read, and every verb that can be used is used") {
  std::set<std::string> used;
  const auto unused = [&used] {
    std::set<std::string> all;
    for (const auto& v : all_verbs())
      if (const auto name = (v.of_client ? "client " : "") + std::string(v.name);
          !v.uses.empty() && !used.contains(name))
        all.insert(name);
    return all;
  };
  // some are left out nearly always: what they refer to must have been made before
  for (std::uint64_t n = 0; n < 400 || (n < 8000 && !unused().empty()); ++n) {
    chance c(1, n);
    auto d = compose_drill(c);
    const auto before = d.lines.size();
    const auto s = readable(d, "x");
    CHECK(s.nodes >= 1);
    CHECK(s.nodes <= 9);
    // what is left out refers to what is not there; most lines stay
    CHECK(d.lines.size() * 2 >= before);
    for (const auto& l : d.lines) {
      const auto end = l.find(' ');
      const auto second = end == std::string::npos
                              ? std::string()
                              : l.substr(end + 1, l.find(' ', end + 1) - end - 1);
      used.insert(l.substr(0, end));
      used.insert("client " + second);
    }
  }
  for (const auto& name : unused()) FAIL_CHECK("never used: ", name);
}

TEST_CASE("shipped drills can be changed, and what comes of it can be read") {
  std::vector<hunted_drill> pool;
  chance first(1, 0);
  for (const auto& d : shipped_drills())
    pool.push_back(taken_from(*read_script(std::string(d.name), d.text), first));
  for (std::uint64_t n = 1; n < 3000; ++n) {
    chance c(7, n);
    auto d = mutate_drill(c.of(pool), c.of(pool), c);
    const auto s = readable(d, "x");
    CHECK(!s.body.empty());
    CHECK(d.lines.size() <= 40);
  }
}

TEST_CASE("equal chance, equal drills") {
  chance a(3, 9), b(3, 9), other(3, 10);
  const auto one = compose_drill(a).text();
  CHECK(one == compose_drill(b).text());
  CHECK(one != compose_drill(other).text());
}

TEST_CASE("a hunt can keep to clusters in which nothing may be lost but with those who had it") {
  CHECK_FALSE(hunt_scope_named("locks"));
  bool stolen = false;
  for (std::uint64_t n = 0; n < 200; ++n) {
    chance c(5, n);
    const auto any = compose_drill(c);
    auto with_lock = any, with_majority = any;
    keep_to(*hunt_scope_named("lock"), with_lock);
    keep_to(*hunt_scope_named("majority"), with_majority);
    CHECK(with_lock.text().find(" lock=yes") != std::string::npos);
    CHECK(with_lock.text().find("quorum=") == std::string::npos);
    stolen |= any.text().find("lock stolen") != std::string::npos;
    CHECK(with_lock.text().find("lock stolen") == std::string::npos);
    CHECK(with_majority.text().find(" quorum=majority") != std::string::npos);
    auto same = any;
    keep_to(hunt_scope::all, same);
    CHECK(same.text() == any.text());
  }
  CHECK(stolen);
}

TEST_CASE("what there is not is not spoken of") {
  chance c(1, 1);
  drill_setting s{.nodes = 2};
  CHECK(!fill_pattern("wipedb {volatile}", s, c));
  CHECK(!fill_pattern("start {-dead}", s, c));
  REQUIRE(fill_pattern("attach {+volatile}", s, c));
  const auto name = s.lists["volatile"].front();
  CHECK(fill_pattern("wipedb {volatile}", s, c) == "wipedb " + name);
  s.lists["dead"] = {"1"};
  CHECK(fill_pattern("start {-dead}", s, c) == "start 1");
  CHECK(!fill_pattern("start {-dead}", s, c));
}

TEST_CASE("pairs of events differ by what came before, and by the state") {
  coverage_map one, other;
  one.log(0, "recovery-mode normal->active why=x");
  other.log(0, "recovery-mode normal->active why=y");
  CHECK(one.pairs() == other.pairs());
  one.log(0, "node-down pnn=1 why=closed");
  other.log(1, "node-down pnn=1 why=closed");
  CHECK(one.pairs() != other.pairs());
  CHECK(one.last_events() == "recovery-mode from normal to active, node-down");
  const auto before = one.pairs().size();
  one.log(0, "what is no event");
  CHECK(one.pairs().size() == before);
}

TEST_CASE("a hunt depends on its seed and nothing else") {
  const auto play = [](std::size_t jobs) {
    return hunt({.seed = 5, .drills = 3, .jobs = jobs, .shrink = false},
                {.progress = [](const hunt_progress&) {}, .found = [](const hunt_failure&) {}});
  };
  const auto one = play(1), two = play(2);
  CHECK(one.end.drills == 3);
  CHECK(one.end.pairs > 100);
  CHECK(one.end.pairs == two.end.pairs);
  CHECK(one.end.virtual_s == two.end.virtual_s);
  // a run that breaks the program is a failure of a drill to the hunt, and of floe to this test (sanitizers end it so)
  for (const auto& f : one.failures) CHECK(f.reason.find("the program broke") == f.reason.npos);
}
