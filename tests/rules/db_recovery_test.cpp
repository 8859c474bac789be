#include "protocol/rules/db_recovery.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <random>

#include "protocol/constants.hpp"

#if !defined(__clang__)
// g++ 12 sees uninitialised members in a moved std::variant where there are none
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

using namespace floe;
using std::chrono::seconds;

namespace {

constexpr pnn n0{0}, n1{1}, n2{2};
const db_id db{0x7a19d84d};

db_plan plan(std::uint8_t flags = 0) {
  return {.db = db,
          .gen = generation{77},
          .participants = {{n2}, {n0}, {n1}},
          .copies = {{n0, flags}, {n1, flags}, {n2, flags}},
          .step_timeout = seconds(10),
          .budget = seconds(60)};
}

/// Plays the nodes: by default everybody does everything asked; `say` may decide otherwise.
struct stage {
  db_recovery m;
  time_point now{seconds(1000)};
  std::deque<db_output> pending;
  std::string trace;  ///< "names(0,1,2) freeze(0,1,2) ..."
  bool ended = false, good = false;
  /// Returns what a node does in a phase; nothing: it stays silent.
  std::function<std::optional<db_input>(const db_effect::ask&, pnn)> say;
  std::uint64_t to_push = 5;
  std::vector<std::pair<pnn, std::uint64_t>> seqnums;
  std::vector<pnn> damaged;

  void feed(const db_input& e) {
    for (auto& o : m.step(e, now)) pending.push_back(std::move(o));
  }
  std::optional<db_input> good_answer(const db_effect::ask& a, pnn n) {
    db_event::answered r{.run = a.run, .phase = a.phase, .node = n};
    if (a.phase == db_phase::names) r.text = "locking.tdb";
    if (a.phase == db_phase::pull) r.number = r.arrived = 3;
    if (a.phase == db_phase::push_confirm) r.number = to_push;
    if (a.phase == db_phase::seqnum)
      for (auto [node, s] : seqnums)
        if (node == n) r.number = s;
    r.whole = std::ranges::find(damaged, n) == damaged.end();
    return r;
  }
  void go() {
    while (!pending.empty()) {
      const db_output o = pending.front();
      pending.pop_front();
      if (auto* a = std::get_if<db_effect::ask>(&o)) {
        trace += std::string(name(a->phase)) + "(" + describe(a->nodes) + ") ";
        for (pnn n : a->nodes)
          if (auto r = say ? say(*a, n) : good_answer(*a, n)) feed(*r);
      } else if (auto* g = std::get_if<db_effect::merge>(&o)) {
        trace += "merge ";
        feed(db_event::merged{g->run, to_push});
      } else if (auto* p = std::get_if<db_effect::push>(&o)) {
        trace += "push(" + describe(p->nodes) + ") ";
        feed(db_event::pushed{p->run});
      } else if (std::holds_alternative<db_effect::held>(o)) {
        trace += "held ";
      } else if (auto* e = std::get_if<db_effect::ended>(&o)) {
        REQUIRE_FALSE(ended);
        ended = true;
        good = e->good;
      }
    }
  }
  void start(const db_plan& p) {
    feed(db_event::start{p});
    go();
  }
};

const std::string all = "(0,1,2) ";

}  // namespace

TEST_CASE("volatile: the whole pipeline, pulled from all at once") {
  stage s;
  s.start(plan());
  CHECK(s.trace == "names" + all + "freeze" + all + "begin" + all + "pull" + all + "merge wipe" +
                       all + "push_start" + all + "push" + all + "push_confirm" + all + "commit" +
                       all + "thaw" + all);
  CHECK(s.good);
  CHECK(s.m.phase() == db_phase::done);
  CHECK_FALSE(s.m.running());
  CHECK(s.m.db_name() == "locking.tdb");
  CHECK(s.m.kind() == db_kind::volatile_db);
  CHECK(s.m.pulled() == 9);
  CHECK(s.m.merged() == 5);
  CHECK(s.m.confirmed() == 3);
  CHECK(s.m.failures().empty());
}

TEST_CASE(
    "volatile: a node that missed the last generation is not asked for records, but gets them") {
  stage s;
  auto p = plan();
  p.participants = {{n0}, {n1, false}, {n2}};
  s.start(p);
  CHECK(s.trace.find("pull(0,2) ") != std::string::npos);
  CHECK(s.trace.find("push(0,1,2) ") != std::string::npos);

  stage nobody;  // the first recovery of all: nothing to pull, still merged, wiped and pushed
  p.participants = {{n0, false}, {n1, false}, {n2, false}};
  nobody.start(p);
  CHECK(nobody.trace.find("pull") == std::string::npos);
  CHECK(nobody.trace.find("merge wipe" + all) != std::string::npos);
  CHECK(nobody.good);
}

TEST_CASE("nodes that lack the database attach it") {
  stage s;
  auto p = plan(db_flag::persistent);
  p.copies = {{n1, db_flag::persistent}};
  s.start(p);
  CHECK(s.trace.starts_with("names(1) attach(0,2) freeze" + all));
  CHECK(s.good);
  CHECK(s.m.flags() == db_flag::persistent);
}

TEST_CASE("persistent and replicated: the highest sequence number supplies everything") {
  struct row {
    std::vector<std::pair<pnn, std::uint64_t>> seqnums;
    std::string source;
  };
  for (auto flags : {db_flag::persistent, db_flag::replicated})
    for (const auto& r : std::vector<row>{
             {{{n0, 4}, {n1, 7}, {n2, 5}}, "1"},
             {{{n0, 4}, {n1, 7}, {n2, 7}}, "1"},
             {{{n0, 0}, {n1, 0}, {n2, 0}}, "0"},
             {{{n0, 0}, {n1, 0}, {n2, 1}}, "2"},
         }) {
      stage s;
      s.seqnums = r.seqnums;
      auto p = plan(flags);
      p.participants = {{n2, false}, {n1, false}, {n0, false}};  // of no matter here
      s.start(p);
      const std::string pull = "pull(" + r.source + ") merge ";
      CHECK(s.trace.find("begin" + all + "seqnum" + all + pull) != std::string::npos);
      CHECK(s.good);
    }
}

TEST_CASE("persistent: damaged copies and new ones supply nothing while there is a whole one") {
  struct row {
    std::vector<std::pair<pnn, std::uint64_t>> seqnums;
    std::vector<pnn> damaged, have;
    std::string source;
    bool only_damaged;
  };
  for (const auto& r : std::vector<row>{
           {{{n0, 0}, {n1, 0}, {n2, 0}}, {n0}, {n0, n1, n2}, "1", false},
           {{{n0, 9}, {n1, 4}, {n2, 3}}, {n0}, {n0, n1, n2}, "1", false},
           {{{n0, 0}, {n1, 0}, {n2, 5}}, {n0, n1}, {n0, n1, n2}, "2", false},
           {{{n0, 0}, {n1, 0}, {n2, 0}}, {}, {n1, n2}, "1", false},  // node 0 has just made its copy
           {{{n0, 0}, {n1, 1}, {n2, 0}}, {n1}, {n1}, "1", true},
           {{{n0, 0}, {n1, 1}, {n2, 2}}, {n1, n2}, {n1, n2}, "1,2", true},
           {{{n0, 0}, {n1, 1}, {n2, 2}}, {n0, n1, n2}, {n0, n1, n2}, "0,1,2", true},
       }) {
    stage s;
    s.seqnums = r.seqnums;
    s.damaged = r.damaged;
    auto p = plan(db_flag::persistent);
    p.copies.clear();
    for (pnn n : r.have) p.copies.push_back({n, db_flag::persistent});
    s.start(p);
    CAPTURE(s.trace);
    CHECK(s.trace.find("pull(" + r.source + ") merge ") != std::string::npos);
    CHECK(s.m.only_damaged() == r.only_damaged);
    CHECK(s.good);
  }
}

TEST_CASE(
    "a failure in any phase: tried again from the beginning, three tries, all who failed "
    "remembered") {
  using enum db_phase;
  struct row {
    db_phase phase;
    bool credit;
  };
  for (const auto& r : std::vector<row>{{names, false},
                                        {attach, true},
                                        {freeze, true},
                                        {begin, false},
                                        {seqnum, false},
                                        {pull, true},
                                        {wipe, false},
                                        {push_start, false},
                                        {push_confirm, false},
                                        {commit, false},
                                        {thaw, false}})
    for (auto cause : {failure_cause::refused, failure_cause::timed_out}) {
      CAPTURE(name(r.phase));
      stage s;
      s.seqnums = {{n1, 3}};
      auto p = plan(r.phase == pull ? 0 : db_flag::replicated);
      if (r.phase == attach) p.copies = {{n0, db_flag::replicated}};
      int asked = 0;
      s.say = [&](const db_effect::ask& a, pnn n) -> std::optional<db_input> {
        if (a.phase == names && n == n0) ++asked;
        if (a.phase == r.phase && n != n0) return db_event::failed{a.run, a.phase, n, cause, "no"};
        return s.good_answer(a, n);
      };
      if (r.phase == names)
        p.copies = {
            {n0, db_flag::replicated}, {n1, db_flag::replicated}, {n2, db_flag::replicated}};
      s.start(p);
      CHECK(s.ended);
      CHECK_FALSE(s.good);
      CHECK(s.m.phase() == failed);
      CHECK(s.m.attempt() == 3);
      CHECK(asked == 3);
      REQUIRE(s.m.failures().size() == 6);
      for (const auto& f : s.m.failures()) {
        CHECK(f.cause == cause);
        CHECK(f.step == name(r.phase));
        CHECK(f.credit == r.credit);
      }
      CHECK(s.m.failures()[0].node == n1);
      CHECK(s.m.failures()[1].node == n2);
      CHECK_FALSE(s.m.conflict());
    }
}

TEST_CASE("one bad try is forgiven") {
  stage s;
  s.say = [&](const db_effect::ask& a, pnn n) -> std::optional<db_input> {
    if (a.phase == db_phase::commit && n == n1 && s.m.attempt() == 1)
      return db_event::failed{a.run, a.phase, n, failure_cause::refused, "disk full"};
    return s.good_answer(a, n);
  };
  s.start(plan());
  CHECK(s.good);
  CHECK(s.m.attempt() == 2);
  REQUIRE(s.m.failures().size() == 1);
  CHECK(describe(s.m.failures()[0]) == "node 1 refused in commit of 0x7a19d84d: disk full");
  CHECK(s.m.pulled() == 6);  // of this run only, and of those that have committed
}

TEST_CASE("a node that could not commit supplies nothing to the next try: it would bring deleted records back") {
  stage s;
  unsigned commits = 0;
  s.say = [&](const db_effect::ask& a, pnn n) -> std::optional<db_input> {
    if (a.phase == db_phase::commit && n == n1 && ++commits <= 4)
      return db_event::failed{a.run, a.phase, n, failure_cause::refused, "No space left on device"};
    return s.good_answer(a, n);
  };
  s.start(plan());
  CHECK(s.ended);
  CHECK(!s.good);
  CHECK(s.trace.find("pull(0,1,2)") < s.trace.find("commit"));
  CHECK(s.trace.rfind("pull(0,1,2)") < s.trace.find("commit"));
  CHECK(s.trace.rfind("pull(0,2)") != std::string::npos);
  // the same generation again, alone: still not
  s.ended = false;
  s.trace.clear();
  s.start(plan());
  CHECK(s.good);
  CHECK(s.trace.find("pull(0,1,2)") == std::string::npos);
  // another generation: the plan says who counts
  s.ended = false;
  s.trace.clear();
  auto next = plan();
  next.gen = generation{78};
  s.start(next);
  CHECK(s.trace.find("pull(0,1,2)") != std::string::npos);
}

TEST_CASE("a node that is gone ends it at once, whether or not it owed an answer") {
  for (bool owed : {true, false}) {
    stage s;
    s.say = [&](const db_effect::ask& a, pnn n) -> std::optional<db_input> {
      if (a.phase == db_phase::freeze && n == n1) return std::nullopt;
      return s.good_answer(a, n);
    };
    s.start(plan());
    REQUIRE(s.m.phase() == db_phase::freeze);
    s.feed(db_event::failed{s.m.run(), db_phase::freeze, owed ? n1 : n2,
                            failure_cause::disconnected, ""});
    s.go();
    CHECK(s.m.phase() == db_phase::failed);
    CHECK(s.m.attempt() == 1);
    CHECK_FALSE(s.m.failures()[0].credit);
  }
}

TEST_CASE("counts must match, announced against arrived and sent against stored") {
  for (auto phase : {db_phase::pull, db_phase::push_confirm}) {
    stage s;
    s.say = [&](const db_effect::ask& a, pnn n) {
      auto r = s.good_answer(a, n);
      if (a.phase == phase && n == n2) std::get<db_event::answered>(*r).number += 1;
      return r;
    };
    s.start(plan());
    CHECK(s.m.phase() == db_phase::failed);
    REQUIRE(s.m.failures().size() == 3);
    CHECK(s.m.failures()[0].node == n2);
    CHECK(s.m.failures()[0].cause == failure_cause::count_mismatch);
    CHECK(s.m.failures()[0].credit == (phase == db_phase::pull));
  }
}

TEST_CASE("a conflict of names or kinds ends this database at once and says who disagrees") {
  stage names;
  names.say = [&](const db_effect::ask& a, pnn n) {
    auto r = names.good_answer(a, n);
    if (a.phase == db_phase::names && n == n1) std::get<db_event::answered>(*r).text = "other.tdb";
    return r;
  };
  names.start(plan());
  CHECK(names.m.phase() == db_phase::failed);
  CHECK(names.m.attempt() == 1);
  CHECK(names.m.conflict());
  REQUIRE(names.m.failures().size() == 1);
  CHECK(names.m.failures()[0].detail == "locking.tdb on 0,2; other.tdb on 1");

  stage kinds;
  auto p = plan();
  p.copies = {{n0, 0}, {n1, db_flag::persistent}, {n2, 0}};
  kinds.start(p);
  CHECK(kinds.trace.empty());
  CHECK(kinds.m.conflict());
  CHECK(kinds.m.failures()[0].cause == failure_cause::flag_conflict);
  CHECK(kinds.m.failures()[0].detail == "flags 0 on 0,2; flags 1 on 1");

  stage soft;  // set at run time on single nodes: no part of the kind
  p.copies = {{n0, 0}, {n1, db_flag::readonly}, {n2, db_flag::sticky | db_flag::readonly}};
  soft.start(p);
  CHECK(soft.good);
}

TEST_CASE("one budget for everything: no control outlives it, and no try begins after it") {
  stage s;
  std::vector<duration> timeouts;
  s.say = [&](const db_effect::ask& a, pnn n) -> std::optional<db_input> {
    if (a.phase != db_phase::freeze) return s.good_answer(a, n);
    if (n == n0) timeouts.push_back(a.timeout);
    if (n == n2) s.now += a.timeout;
    return db_event::failed{a.run, a.phase, n, failure_cause::timed_out, ""};
  };
  auto p = plan();
  p.budget = seconds(25);
  p.tries = 100;
  s.start(p);
  CHECK(timeouts == std::vector<duration>{seconds(10), seconds(10), seconds(5)});
  CHECK(s.m.phase() == db_phase::failed);
  CHECK(s.m.failures().back().cause == failure_cause::deadline);
  CHECK(s.now == time_point{seconds(1025)});
}

TEST_CASE("answers of an earlier run, of another phase, doubled or uninvited have no effect") {
  stage s;
  s.say = [&](const db_effect::ask& a, pnn n) -> std::optional<db_input> {
    return a.phase == db_phase::freeze ? std::nullopt : s.good_answer(a, n);
  };
  s.start(plan());
  REQUIRE(s.m.phase() == db_phase::freeze);
  const run_number run = s.m.run();
  auto ignored = [&](const db_input& e) {
    const auto owed = std::vector(s.m.waiting_for().begin(), s.m.waiting_for().end());
    CHECK(s.m.step(e, s.now).empty());
    CHECK(std::ranges::equal(owed, s.m.waiting_for()));
  };
  ignored(db_event::answered{
      .run = run_number{number(run) - 1}, .phase = db_phase::freeze, .node = n0});
  ignored(db_event::answered{.run = run, .phase = db_phase::names, .node = n0, .text = "late"});
  ignored(db_event::answered{.run = run, .phase = db_phase::freeze, .node = pnn{9}});
  ignored(db_event::failed{run_number{number(run) + 1}, db_phase::freeze, n0,
                           failure_cause::disconnected, ""});
  ignored(db_event::merged{run, 3});
  ignored(db_event::pushed{run});
  ignored(db_event::broke{run, "x"});
  ignored(db_event::release{run});
  s.feed(db_event::answered{.run = run, .phase = db_phase::freeze, .node = n0});
  ignored(db_event::answered{.run = run, .phase = db_phase::freeze, .node = n0});
  CHECK(describe(s.m.waiting_for()) == "1,2");
}

TEST_CASE("stopped midway: nothing more is sent, late answers die, and it can be started again") {
  stage s;
  s.say = [&](const db_effect::ask& a, pnn n) -> std::optional<db_input> {
    return a.phase == db_phase::push_confirm ? std::nullopt : s.good_answer(a, n);
  };
  s.start(plan());
  const run_number old = s.m.run();
  s.feed(db_event::stop{});
  s.go();
  CHECK(s.ended);
  CHECK(s.m.failures().back().cause == failure_cause::stopped);
  CHECK(s.m.step(
               db_event::answered{
                   .run = old, .phase = db_phase::push_confirm, .node = n0, .number = 5},
               s.now)
            .empty());
  CHECK(s.m.step(db_event::stop{}, s.now).empty());
  s.ended = false;
  s.say = nullptr;
  s.start(plan());
  CHECK(s.good);
  CHECK(s.m.run() > old);
  CHECK(s.m.failures().empty());
}

TEST_CASE("a merge or push that breaks here is nobody's fault and tried again") {
  db_recovery m;
  const time_point now{};
  auto drive = [&](std::vector<db_output> out) {
    for (bool more = true; more;) {
      more = false;
      std::vector<db_output> next;
      for (const auto& o : out)
        if (auto* a = std::get_if<db_effect::ask>(&o)) {
          for (pnn n : a->nodes)
            std::ranges::copy(
                m.step(db_event::answered{.run = a->run, .phase = a->phase, .node = n}, now),
                std::back_inserter(next));
          more = true;
        }
      out = std::move(next);
    }
  };
  drive(m.step(db_event::start{plan()}, now));
  REQUIRE(m.phase() == db_phase::merge);
  drive(m.step(db_event::broke{m.run(), "disk full"}, now));
  REQUIRE(m.phase() == db_phase::merge);
  CHECK(m.attempt() == 2);
  drive(m.step(db_event::merged{m.run(), 1}, now));
  REQUIRE(m.phase() == db_phase::push);
  drive(m.step(db_event::broke{m.run(), "disk full"}, now));
  CHECK(m.attempt() == 3);
  drive(m.step(db_event::broke{m.run(), "disk full"}, now));
  CHECK(m.phase() == db_phase::failed);
  REQUIRE(m.failures().size() == 3);
  for (const auto& f : m.failures())
    CHECK((f.node == pnn::unknown && f.cause == failure_cause::local && !f.credit));
}

TEST_CASE("diagnostic mode: frozen, then held until released") {
  stage s;
  auto p = plan();
  p.hold_after_freeze = true;
  s.start(p);
  CHECK(s.m.phase() == db_phase::held);
  CHECK(s.trace == "names" + all + "freeze" + all + "held ");
  CHECK(s.m.running());
  s.feed(db_event::release{s.m.run()});
  s.go();
  CHECK(s.good);
}

TEST_CASE(
    "random answers, doubled, lost and late: it ends once, and is done only if the last try was "
    "clean") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 chance(seed);
    db_recovery m;
    time_point now{};
    std::vector<db_input> air;  // what may arrive, in any order
    int ends = 0;
    bool good = false;
    std::map<std::pair<run_number, db_phase>, std::size_t> done;  // clean answers per phase
    auto take = [&](const std::vector<db_output>& out) {
      for (const auto& o : out) {
        if (auto* a = std::get_if<db_effect::ask>(&o))
          for (pnn n : a->nodes) {
            db_event::answered r{.run = a->run, .phase = a->phase, .node = n, .text = "x"};
            if (a->phase == db_phase::push_confirm) r.number = 4;
            if (a->phase == db_phase::seqnum) r.number = chance() % 5;
            if (chance() % 60 == 0)
              air.push_back(db_event::failed{a->run, a->phase, n, failure_cause::timed_out, ""});
            else
              air.push_back(r);
            if (chance() % 10 == 0) air.push_back(air.back());
          }
        if (auto* g = std::get_if<db_effect::merge>(&o)) air.push_back(db_event::merged{g->run, 4});
        if (auto* p = std::get_if<db_effect::push>(&o)) air.push_back(db_event::pushed{p->run});
        if (auto* e = std::get_if<db_effect::ended>(&o)) ++ends, good = e->good;
      }
    };
    take(m.step(db_event::start{plan(seed % 2 ? db_flag::persistent : std::uint8_t{0})}, now));
    std::vector<db_input> old;
    while (m.running()) {
      REQUIRE_FALSE(air.empty());
      const auto i = static_cast<std::ptrdiff_t>(chance() % air.size());
      const db_input e = air[static_cast<std::size_t>(i)];
      air.erase(air.begin() + i);
      old.push_back(e);
      if (auto* r = std::get_if<db_event::answered>(&e);
          r && r->run == m.run() && r->phase == m.phase())
        ++done[{r->run, r->phase}];
      now += std::chrono::milliseconds(1);
      take(m.step(e, now));
      if (chance() % 5 == 0) take(m.step(old[chance() % old.size()], now));
    }
    CHECK(ends == 1);
    CHECK(good == (m.phase() == db_phase::done));
    if (good) {
      for (const auto& f : m.failures()) CHECK(f.cause == failure_cause::timed_out);
      for (auto p :
           {db_phase::names, db_phase::freeze, db_phase::wipe, db_phase::commit, db_phase::thaw})
        CHECK(done[{m.run(), p}] >= 3);
    } else {
      CHECK(m.attempt() == 3);
    }
  }
}
