// What a rule script cannot say of the recovery of a database: that it holds for any order of answers. The stories are
// in db-recovery-*.txt.
#include "protocol/rules/db_recovery.hpp"

#include <doctest/doctest.h>

#include <array>
#include <map>
#include <random>

#include "protocol/constants.hpp"

#if !defined(__clang__)
// g++ 12 sees uninitialised members in a moved std::variant where there are none
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include "protocol/rules/lineage.hpp"

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

}  // namespace

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
      // a thaw is not tried again: some have thawed, and serve it
      CHECK(
          (m.attempt() == 3 || (m.outdated() && m.failures().back().step == name(db_phase::thaw))));
    }
  }
}

namespace {

/// A recovery by difference that has come to `changes`: nodes 0 and 1 count, at generation 76; node 2 comes back.
db_recovery with_returner(const db_copy& zero, const db_copy& one, const db_copy& two) {
  auto p = plan();
  p.floe_only = true;
  p.participants = {{n0, true, zero.content}, {n1, true, one.content}, {n2, false, two.content}};
  db_recovery m;
  const time_point now{};
  m.step(db_event::start{p}, now);
  const std::array copies{zero, one, two};
  for (const auto phase : {db_phase::names, db_phase::freeze, db_phase::begin})
    for (const pnn n : {n0, n1, n2}) {
      db_event::answered e{.run = m.run(), .phase = phase, .node = n, .text = "x"};
      if (phase == db_phase::begin) e.copy = copies[number(n)];
      m.step(e, now);
    }
  REQUIRE(m.phase() == db_phase::changes);
  return m;
}

db_copy at(std::uint32_t content, std::vector<std::uint32_t> earlier) {
  db_copy c{.content = generation{content}, .changes = change_state::complete};
  for (const auto g : earlier) c.earlier.push_back(generation{g});
  return c;
}

constexpr key_touches untouched{}, before{.before = 1}, after{.after = 1};

}  // namespace

TEST_CASE("what a member has changed until the first commit without a node, and what later") {
  // 74, with node 2; 75 and 76 without it
  const auto m = with_returner(at(76, {75, 74, 73}), at(76, {75, 74, 73}), at(74, {73}));
  CHECK(m.own_generation(n2) == generation::invalid);
  CHECK_FALSE(m.parts_meet());
  CHECK(m.changes_since(n0) == generation{74});
  CHECK(m.changes_since(n1) == generation{74});
  CHECK(m.changes_since(n2) == generation{74});
  CHECK(m.touches(n0, 0) == untouched);
  CHECK(m.touches(n0, 1) == after);   // since 76
  CHECK(m.touches(n0, 2) == after);   // 75 to 76
  CHECK(m.touches(n0, 3) == before);  // 74 to 75
  CHECK(m.touches(n0, 4) == untouched);
  CHECK(m.touches(n0, 5000) == untouched);
}

TEST_CASE(
    "a member that missed that commit, or came later, cannot tell: all that it has changed "
    "counts") {
  const auto m = with_returner(at(76, {75, 74, 73}), at(76, {74, 73}), at(74, {73}));
  CHECK(m.touches(n0, 3) == before);
  CHECK(m.touches(n1, 2) == after);  // 74 to 76 in one
  CHECK(m.touches(n1, 3) == untouched);
  const auto later = with_returner(at(76, {75, 74, 73}), at(76, {75}), at(74, {73}));
  CHECK(later.changes_since(n1) == generation{75});
  CHECK(later.touches(n1, 1) == after);
  CHECK(later.touches(n1, 2) == after);
}

TEST_CASE("where nobody's copy counts a content is made of nothing") {
  const auto made_of_nothing = [](bool counts, bool floe_only, std::uint8_t flags = 0) {
    auto p = plan(flags);
    p.floe_only = floe_only;
    p.participants = {{n0, false}, {n1, counts}, {n2, false}};
    db_recovery m;
    m.step(db_event::start{p}, time_point{});
    return m.made_of_nothing();
  };
  CHECK(made_of_nothing(false, true));
  CHECK_FALSE(made_of_nothing(true, true));
  CHECK_FALSE(made_of_nothing(false, false));  // a ctdbd has no such content
  CHECK_FALSE(made_of_nothing(false, true, db_flag::persistent));
}

TEST_CASE("a node that has recovered alone parted at the last generation that it shared") {
  const auto m = with_returner(at(76, {75, 74, 73}), at(76, {75, 74, 73}), at(80, {79, 74, 73}));
  CHECK(m.own_generation(n2) == generation{80});
  CHECK(m.parts_meet());
  CHECK(m.changes_since(n2) == generation{74});
  CHECK(m.touches(n0, 3) == before);
  // 75 was the first without it, and 79 its own first
  CHECK(m.parted_before(n0, 1) == 1);
  CHECK(m.parted_before(n0, 2) == 1);
  CHECK(m.parted_before(n0, 3) == 0);
  CHECK(m.after_own_commit(n2, 1));
  CHECK(m.after_own_commit(n2, 2));
  CHECK_FALSE(m.after_own_commit(n2, 3));
}

TEST_CASE(
    "a part that has gone on from the content which the members still have parts from them now") {
  for (const auto& members : {at(76, {75, 74}), at(76, {})}) {
    auto earlier = std::vector<std::uint32_t>{76, 75, 74};
    const auto m = with_returner(members, members, at(80, earlier));
    CHECK(m.behind() == std::vector{n2});
    CHECK(m.left_at_base(n2));
    CHECK(m.own_generation(n2) == generation{80});
    CHECK(m.parts_meet());
    CHECK(m.changes_since(n0) == generation{76});
    CHECK(m.changes_since(n2) == generation{76});
    // until now a record had one owner: what they have changed since is no touch
    CHECK(m.touches(n0, 1) == untouched);
    CHECK(m.touches(n0, 2) == untouched);
    CHECK(m.parted_before(n0, 1) == 0);
    CHECK(m.after_own_commit(n2, 1));
    CHECK_FALSE(m.after_own_commit(n2, 2));
  }
}

TEST_CASE(
    "a stranger is asked for what it has unless somebody who counts was in what it comes from") {
  // `told`: where n1, who has made the database anew, says that it has been
  for (const auto& [leader, seen, told, asked] : {std::tuple(n0, 58U, 58U, true),
                                                  {n0, 59U, 58U, false},
                                                  {n0, 60U, 58U, false},
                                                  {n2, 60U, 58U, true},
                                                  {n2, 60U, 59U, false},
                                                  {n2, 58U, 60U, false},
                                                  {n0, 58U, 60U, false}}) {
    auto p = plan();
    p.leader = leader;
    p.seen = {generation{seen}, generation{76}};
    p.floe_only = true;
    p.participants = {
        {n0, true, generation{76}}, {n1, true, generation{76}}, {n2, false, generation{60}}};
    for (auto& x : p.participants)
      if (x.node == leader)
        x.was_in = p.seen;
      else if (x.node == n1)
        x.was_in = {generation{told}};
    db_recovery m;
    m.step(db_event::start{p}, {});
    // the members have made the database anew: all that they know begins with its birth
    const auto birth = number(birth_under(next_generation({}, 1)));
    for (const auto phase : {db_phase::names, db_phase::freeze, db_phase::begin, db_phase::seqnum})
      for (const pnn n : {n0, n1, n2}) {
        db_event::answered e{.run = m.run(), .phase = phase, .node = n, .text = "x"};
        if (phase == db_phase::begin) e.copy = n == n2 ? at(60, {59}) : at(76, {75, birth});
        m.step(e, {});
      }
    REQUIRE(m.phase() == db_phase::changes);
    CHECK(m.behind().empty());
    CHECK(m.fresh() == std::vector{n2});
    CHECK(m.strangers() == (asked ? std::vector{n2} : std::vector<pnn>{}));
  }
}
