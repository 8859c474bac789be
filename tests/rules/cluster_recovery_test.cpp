#include "protocol/rules/cluster_recovery.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <optional>
#include <set>

#include "protocol/constants.hpp"
#include "protocol/rules/feature_level.hpp"

using namespace floe;
using std::chrono::seconds;

namespace {

constexpr pnn n0{0}, n1{1}, n2{2};
constexpr db_id locking{1}, brlock{2}, late{3};
constexpr generation old_gen{10}, new_gen{20};
constexpr recovery_epoch epoch{5};

cluster_plan plan() {
  return {.epoch = epoch,
          .leader = n0,
          .gen = new_gen,
          .life = 5,
          .connected = {n2, n0, n1},
          .step_timeout = seconds(30),
          .db_budget = seconds(90),
          .retry_pause = seconds(1)};
}

struct node {
  std::uint32_t flags = 0;
  std::uint32_t capabilities = capability::features | capability::recmaster | capability::lmaster;
  generation gen = old_gen;
  std::vector<pnn> map{n0, n1, n2};
  std::vector<cluster_event::listed::entry> databases{{locking}, {brlock}};
};

/// Plays the nodes and the recoveries of the databases.
struct stage {
  cluster_recovery m;
  std::map<pnn, node> nodes{{n0, {}}, {n1, {}}, {n2, {}}};
  time_point now{};
  std::deque<cluster_output> pending;
  std::string trace;
  std::vector<db_plan> started;
  std::vector<cluster_effect::wake> alarms;
  std::optional<cluster_effect::deadlock> verdict;
  int ended = 0, stopped = 0;
  bool good = false;
  /// What a node does instead of obeying; it may stay silent by an empty list.
  std::function<std::optional<std::vector<cluster_input>>(cluster_phase, pnn)> misbehave;
  /// How the recovery of a database ends; nothing: it goes on for ever.
  std::function<std::optional<cluster_input>(const db_plan&)> end_of =
      [](const db_plan& p) -> std::optional<cluster_input> {
    if (p.hold_after_freeze) return cluster_event::db_held{epoch, p.db};
    return cluster_event::db_ended{.epoch = epoch, .db = p.db, .good = true};
  };

  void feed(const cluster_input& e) {
    for (auto& o : m.step(e, now)) pending.push_back(std::move(o));
  }
  cluster_input obey(cluster_phase phase, pnn n) {
    const node& x = nodes.at(n);
    if (phase == cluster_phase::survey)
      return cluster_event::surveyed{epoch, n, x.flags, x.capabilities, x.gen, x.map};
    if (phase == cluster_phase::dbmaps) return cluster_event::listed{epoch, n, x.databases};
    return cluster_event::answered{epoch, phase, n};
  }
  void go() {
    while (!pending.empty()) {
      const cluster_output o = pending.front();
      pending.pop_front();
      if (auto* a = std::get_if<cluster_effect::ask>(&o)) {
        trace += std::string(name(a->phase)) + "(" + describe(a->nodes) + ") ";
        for (pnn n : a->nodes) {
          if (misbehave)
            if (auto r = misbehave(a->phase, n)) {
              for (const auto& e : *r) feed(e);
              continue;
            }
          feed(obey(a->phase, n));
        }
      } else if (auto* r = std::get_if<cluster_effect::recover>(&o)) {
        trace += "recover" + std::to_string(number(r->plan.db)) + " ";
        started.push_back(r->plan);
        if (auto e = end_of(r->plan)) feed(*e);
      } else if (auto* l = std::get_if<cluster_effect::release>(&o)) {
        trace += "release" + std::to_string(number(l->db)) + " ";
        feed(cluster_event::db_ended{.epoch = epoch, .db = l->db, .good = true});
      } else if (auto* w = std::get_if<cluster_effect::wake>(&o)) {
        alarms.push_back(*w);
      } else if (auto* v = std::get_if<cluster_effect::deadlock>(&o)) {
        verdict = *v;
      } else if (std::holds_alternative<cluster_effect::stop_databases>(o)) {
        ++stopped;
      } else if (auto* e = std::get_if<cluster_effect::ended>(&o)) {
        ++ended;
        good = e->good;
      }
    }
  }
  void start(const cluster_plan& p) {
    feed(cluster_event::start{p});
    go();
  }
  void ring() {
    const auto due = std::exchange(alarms, {});
    for (const auto& w : due) feed(cluster_event::woke{w.epoch, w.why});
    go();
  }
};

const std::string all = "(0,1,2) ";
const std::string head = "survey" + all + "recmode_active" + all + "dbmaps" + all +
                         "start_recovery" + all + "set_vnn_map" + all;
const std::string tail = "recmode_normal" + all + "end_recovery" + all;

std::optional<cluster_input> bad_end(const db_plan& p) {
  return cluster_event::db_ended{.epoch = epoch,
                                 .db = p.db,
                                 .failures = {{.node = n2,
                                               .cause = failure_cause::timed_out,
                                               .db = p.db,
                                               .step = "freeze",
                                               .credit = true}}};
}

}  // namespace

TEST_CASE("the whole course: the map before the databases, all databases at once, NORMAL last") {
  stage s;
  s.start(plan());
  CHECK(s.trace == head + "recover1 recover2 " + tail);
  CHECK(s.ended == 1);
  CHECK(s.good);
  CHECK(s.m.slots() == std::vector{n0, n1, n2});
  CHECK(s.m.failures().empty());
  REQUIRE(s.started.size() == 2);
  CHECK(s.started[0].gen == s.m.plan().gen);
  // another leader finds another one, whatever its luck, and so does this one when it was started again
  const auto by = [](pnn leader, std::uint32_t life) {
    return next_generation({}, life << 6 | number(leader));
  };
  CHECK(s.m.plan().gen == by(n0, 5));
  CHECK(by(n0, 5) != by(n1, 5));
  auto again = plan();
  again.life = 6 + 64;
  stage next;
  next.start(again);
  CHECK(next.m.plan().gen == by(n0, 6));
  CHECK(s.started[0].copies.size() == 3);
  CHECK(s.started[0].budget == seconds(90));
  for (const auto& p : s.started[0].participants) CHECK(p.took_part);
}

TEST_CASE("participants: nodes that are inactive in their own opinion are left out") {
  for (auto flag : {node_flag::banned, node_flag::stopped, node_flag::deleted}) {
    stage s;
    s.nodes[n1].flags = flag;
    s.start(plan());
    CHECK(s.good);
    CHECK(s.trace.starts_with("survey(0,1,2) recmode_active(0,2) dbmaps(0,2) "));
    CHECK(s.m.slots() == std::vector{n0, n2});
  }
  stage unhealthy;  // a disabled node takes full part
  unhealthy.nodes[n1].flags = node_flag::unhealthy | node_flag::permanently_disabled;
  unhealthy.start(plan());
  CHECK(unhealthy.m.participants() == std::vector{n0, n1, n2});
}

TEST_CASE("trap: a leader that has become inactive recovers nothing") {
  for (bool by_flag : {true, false}) {
    stage s;
    if (by_flag)
      s.nodes[n0].flags = node_flag::stopped;
    else
      s.nodes[n0].capabilities = capability::lmaster;
    s.start(plan());
    CHECK(s.trace == "survey" + all);
    CHECK(s.ended == 1);
    CHECK_FALSE(s.good);
    CHECK(s.m.failures().back().cause == failure_cause::unfit);
    CHECK_FALSE(s.m.failures().back().credit);
  }
}

TEST_CASE("vnn map: lmaster capability decides; nobody has it: the leader alone") {
  stage s;
  s.nodes[n0].capabilities = capability::recmaster;
  s.start(plan());
  CHECK(s.m.slots() == std::vector{n1, n2});
  CHECK(s.m.participants() == std::vector{n0, n1, n2});
  stage none;
  for (auto& [p, n] : none.nodes) n.capabilities = capability::recmaster;
  none.start(plan());
  CHECK(none.m.slots() == std::vector{n0});
}

TEST_CASE(
    "a recovery goes by difference if all nodes have that feature level, and it is not pinned "
    "lower") {
  const auto by_difference = [](std::uint32_t newest, std::uint32_t oldest, std::uint32_t pinned) {
    stage s;
    for (auto& [n, x] : s.nodes) x.capabilities = capabilities_with_level(x.capabilities, newest);
    s.nodes[n2].capabilities = capabilities_with_level(s.nodes[n2].capabilities, oldest);
    auto p = plan();
    p.pinned_level = pinned;
    s.start(p);
    REQUIRE(s.started.size() == 2);
    return s.started[0].floe_only;
  };
  CHECK(by_difference(2, 2, 0));
  CHECK(by_difference(2, 2, 2));
  CHECK(by_difference(3, 2, 3));
  CHECK_FALSE(by_difference(2, 1, 0));
  CHECK_FALSE(by_difference(2, 0, 0));  // a ctdbd
  CHECK_FALSE(by_difference(2, 2, 1));
}

TEST_CASE("databases: the union of what the nodes list, with the nodes that have each") {
  stage s;
  s.nodes[n0].databases = {{locking, db_flag::readonly}};
  s.nodes[n1].databases = {{brlock, db_flag::persistent}};
  s.nodes[n2].databases = {{locking}};
  s.start(plan());
  REQUIRE(s.started.size() == 2);
  CHECK(s.started[0].db == locking);
  REQUIRE(s.started[0].copies.size() == 2);
  CHECK(s.started[0].copies[0].node == n0);
  CHECK(s.started[0].copies[0].flags == db_flag::readonly);
  CHECK(s.started[0].copies[1].node == n2);
  CHECK(s.started[1].copies.size() == 1);
  CHECK(s.started[1].participants.size() == 3);

  stage empty;
  for (auto& [p, n] : empty.nodes) n.databases.clear();
  empty.start(plan());
  CHECK(empty.trace == head + tail);
  CHECK(empty.good);
}

TEST_CASE("a node that missed the last generation contributes no volatile records") {
  stage s;
  s.nodes[n2] = {.gen = generation{9}};
  s.nodes[n0].map = s.nodes[n1].map = {n0, n1};
  s.start(plan());
  const auto& p = s.started[0].participants;
  CHECK((p[0].took_part && p[1].took_part && !p[2].took_part));
}

TEST_CASE("who does not have a database does not count in its recovery, however many they are") {
  stage s;
  const lineage alone{.gen = generation{9}, .members = {n2}, .committed = true};
  s.nodes[n2] = {.gen = generation{9}, .map = {n2}, .databases = {{locking, 0, alone}}};
  s.nodes[n0].databases = s.nodes[n1].databases = {{brlock}};
  s.nodes[n0].map = s.nodes[n1].map = {n0, n1};
  s.start(plan());
  REQUIRE(s.started.size() == 2);
  const auto& p = s.started[0].participants;
  CHECK((!p[0].took_part && !p[1].took_part && p[2].took_part));
  const auto& q = s.started[1].participants;
  CHECK((q[0].took_part && q[1].took_part && !q[2].took_part));
}

TEST_CASE("of a node that does not count it is known whether one that does was with it") {
  stage s;
  const lineage current{.gen = old_gen, .members = {n0, n1}, .committed = true};
  s.nodes[n0].databases = s.nodes[n1].databases = {{locking, 0, current}, {brlock, 0, current}};
  const lineage with_them{.gen = generation{9}, .members = {n0, n1, n2}, .committed = true};
  const lineage alone{.gen = generation{9}, .members = {n2}, .committed = true};
  s.nodes[n2].databases = {{locking, 0, with_them}, {brlock, 0, alone}};
  s.start(plan());
  REQUIRE(s.started.size() == 2);
  CHECK(s.started[0].participants[2].met_members);
  CHECK_FALSE(s.started[1].participants[2].met_members);
  CHECK(s.started[0].seen == s.m.plan().seen);
}

TEST_CASE("a node's word about a database counts more than its map") {
  stage s;
  const lineage current{.gen = old_gen, .members = {n0, n1}, .committed = true};
  s.nodes[n0].databases = s.nodes[n1].databases = {{locking, 0, current}, {brlock}};
  // node 2 has got the new map, but its locking.tdb was not recovered since generation 9
  const lineage old{.gen = generation{9}, .members = {n0, n1, n2}, .committed = true};
  s.nodes[n2].databases = {{locking, 0, old}, {brlock}};
  s.start(plan());
  REQUIRE(s.started.size() == 2);
  CHECK(s.started[0].participants[1].took_part);
  CHECK_FALSE(s.started[0].participants[2].took_part);
  CHECK(s.started[1].participants[2].took_part);
}

TEST_CASE("the new generation is later than all that are found, those of inactive nodes included") {
  stage s;
  const generation high = next_generation(std::array{next_generation({}, 1)}, 2);
  s.nodes[n1].gen = high;
  s.nodes[n1].flags = node_flag::stopped;
  s.start(plan());
  CHECK(is_later(s.m.plan().gen, high));

  stage forgotten;  // a ctdbd has led in between
  auto p = plan();
  p.seen = {high};
  forgotten.start(p);
  CHECK(is_later(forgotten.m.plan().gen, high));
}

TEST_CASE("a member of the last generation that does not take part is away") {
  for (const std::vector<pnn>& members : {std::vector{n0, n1, n2}, {n0, n1, n2, pnn{7}}}) {
    stage s;
    for (auto& [n, x] : s.nodes) x.databases = {{locking, 0, lineage{old_gen, members, true}}};
    s.start(plan());
    CHECK(s.started[0].all_here == (members.size() == 3));
  }
}

TEST_CASE("any participant that fails a step ends the attempt after all have answered") {
  using enum cluster_phase;
  for (auto phase :
       {survey, recmode_active, dbmaps, start_recovery, set_vnn_map, recmode_normal, end_recovery})
    for (auto cause : {failure_cause::refused, failure_cause::timed_out}) {
      CAPTURE(name(phase));
      stage s;
      s.misbehave = [&](cluster_phase p, pnn n) -> std::optional<std::vector<cluster_input>> {
        if (p == phase && n != n0) return {{cluster_event::failed{epoch, p, n, cause, "no"}}};
        return std::nullopt;
      };
      s.start(plan());
      CHECK(s.ended == 1);
      CHECK_FALSE(s.good);
      CHECK(s.m.phase() == failed);
      REQUIRE(s.m.failures().size() == 2);
      CHECK(s.m.failures()[0].node == n1);
      CHECK(s.m.failures()[1].node == n2);
      for (const auto& f : s.m.failures()) {
        CHECK(f.step == name(phase));
        CHECK(f.credit == ((phase != recmode_normal && phase != set_vnn_map) ||
                           cause == failure_cause::timed_out));
      }
    }
}

TEST_CASE("a node that goes: left out while nothing is done yet, the end of the attempt later") {
  stage early;
  early.misbehave = [&](cluster_phase p, pnn n) -> std::optional<std::vector<cluster_input>> {
    if (p == cluster_phase::survey && n == n1) return {{cluster_event::node_gone{epoch, n1}}};
    if (p == cluster_phase::survey && n == n2)
      return {{cluster_event::failed{epoch, p, n2, failure_cause::disconnected, ""}}};
    return std::nullopt;
  };
  early.start(plan());
  CHECK(early.good);
  CHECK(early.m.participants() == std::vector{n0});

  stage answered_before;
  answered_before.misbehave = [&](cluster_phase p,
                                  pnn n) -> std::optional<std::vector<cluster_input>> {
    if (p == cluster_phase::survey && n == n2)
      return {{cluster_event::node_gone{epoch, n1}, answered_before.obey(p, n)}};
    return std::nullopt;
  };
  answered_before.start(plan());
  CHECK(answered_before.m.participants() == std::vector{n0, n2});

  stage later;
  later.end_of = [](const db_plan&) { return std::nullopt; };
  later.start(plan());
  REQUIRE(later.m.phase() == cluster_phase::databases);
  later.feed(cluster_event::node_gone{epoch, pnn{9}});
  CHECK(later.m.running());
  later.feed(cluster_event::node_gone{epoch, n2});
  later.go();
  CHECK(later.m.phase() == cluster_phase::failed);
  CHECK(later.stopped == 1);
  CHECK_FALSE(later.m.failures().back().credit);
}

TEST_CASE("a database that fails is tried again alone, the others are left in peace") {
  stage s;
  int tries = 0;
  s.end_of = [&](const db_plan& p) -> std::optional<cluster_input> {
    if (p.db == locking && ++tries < 3) return bad_end(p);
    return cluster_event::db_ended{.epoch = epoch, .db = p.db, .good = true};
  };
  s.start(plan());
  CHECK(s.m.phase() == cluster_phase::databases);
  CHECK(s.m.databases().at(locking).state == cluster_recovery::db_state::resting);
  CHECK(s.m.databases().at(brlock).state == cluster_recovery::db_state::done);
  REQUIRE(s.alarms.size() == 1);
  CHECK(s.alarms[0].after == seconds(1));
  s.ring();
  s.ring();
  CHECK(s.good);
  CHECK(s.trace == head + "recover1 recover2 recover1 recover1 " + tail);
  CHECK(s.m.failures().size() == 2);
}

TEST_CASE("a database that keeps failing fails the attempt, once the others have ended") {
  stage s;
  s.end_of = [&](const db_plan& p) -> std::optional<cluster_input> {
    if (p.db == locking) return bad_end(p);
    return std::nullopt;
  };
  s.start(plan());
  s.ring();
  s.ring();
  CHECK(s.m.phase() == cluster_phase::databases);
  CHECK(s.m.databases().at(locking).state == cluster_recovery::db_state::failed);
  s.feed(cluster_event::db_ended{.epoch = epoch, .db = brlock, .good = true});
  s.go();
  CHECK(s.m.phase() == cluster_phase::failed);
  CHECK(s.m.failures().size() == 3);
  CHECK(s.trace.find("recmode_normal") == std::string::npos);
}

TEST_CASE("after a commit everybody counts, should the database have to be recovered again") {
  stage s;
  s.nodes[n2] = {.gen = generation::invalid};
  s.end_of = [&](const db_plan& p) -> std::optional<cluster_input> {
    auto e = std::get<cluster_event::db_ended>(*bad_end(p));
    e.committed = p.db == locking;
    return e;
  };
  s.start(plan());
  CHECK_FALSE(s.started[0].participants[2].took_part);
  s.ring();
  REQUIRE(s.started.size() == 4);
  CHECK(s.started[2].participants[2].took_part);
  CHECK_FALSE(s.started[3].participants[2].took_part);
}

TEST_CASE("a conflict gives up that database only") {
  stage s;
  s.end_of = [&](const db_plan& p) -> std::optional<cluster_input> {
    if (p.db == brlock)
      return cluster_event::db_ended{
          .epoch = epoch,
          .db = p.db,
          .conflict = true,
          .failures = {
              {.cause = failure_cause::name_conflict, .db = p.db, .detail = "a on 0; b on 1"}}};
    return cluster_event::db_ended{.epoch = epoch, .db = p.db, .good = true};
  };
  s.start(plan());
  CHECK(s.good);
  CHECK(s.m.databases().at(brlock).state == cluster_recovery::db_state::given_up);
  CHECK(s.m.failures().size() == 1);
}

TEST_CASE("trap: a database attached during the recovery is recovered too, and only it") {
  stage s;
  s.misbehave = [&](cluster_phase p, pnn n) -> std::optional<std::vector<cluster_input>> {
    if (p == cluster_phase::recmode_normal && n == n1 && s.nodes[n1].databases.size() == 2) {
      s.nodes[n1].databases.push_back({late});
      return {{cluster_event::failed{epoch, p, n, failure_cause::refused, "generation differs"}}};
    }
    return std::nullopt;
  };
  s.start(plan());
  CHECK(s.good);
  CHECK(s.trace == head + "recover1 recover2 recmode_normal" + all + "recmode_active" + all +
                       "dbmaps" + all + "recover3 " + tail);
}

TEST_CASE("diagnostic mode: nothing goes on before all are frozen") {
  auto p = plan();
  p.freeze_all_first = true;
  p.freeze_all_deadline = seconds(20);
  stage s;
  s.start(p);
  CHECK(s.trace == head + "recover1 recover2 release1 release2 " + tail);
  CHECK(s.good);
  REQUIRE(s.alarms.size() == 1);
  CHECK(s.alarms[0].after == seconds(20));
  s.ring();  // late: of no effect
  CHECK(s.ended == 1);
}

TEST_CASE("diagnostic mode: one database that cannot freeze holds all the others: deadlock") {
  auto p = plan();
  p.freeze_all_first = true;
  p.freeze_all_deadline = seconds(20);
  for (bool gives_up_itself : {false, true}) {
    stage s;
    s.end_of = [&](const db_plan& d) -> std::optional<cluster_input> {
      if (d.db == brlock) return cluster_event::db_held{epoch, d.db};
      return std::nullopt;
    };
    s.start(p);
    REQUIRE(s.m.phase() == cluster_phase::databases);
    if (gives_up_itself) {
      s.feed(cluster_event::db_ended{.epoch = epoch, .db = locking});
      s.go();
    } else {
      s.ring();
    }
    REQUIRE(s.verdict);
    CHECK(s.verdict->frozen == std::vector{brlock});
    CHECK(s.verdict->not_frozen == std::vector{locking});
    CHECK(s.m.failures().back().cause == failure_cause::deadlock);
    CHECK(s.stopped == 1);
    CHECK(s.ended == 1);
    CHECK_FALSE(s.good);
  }
}

TEST_CASE(
    "losing leadership stops it in any phase; nothing of that epoch has any effect afterwards") {
  using enum cluster_phase;
  for (auto phase : {survey, recmode_active, dbmaps, start_recovery, set_vnn_map, databases,
                     recmode_normal, end_recovery}) {
    CAPTURE(name(phase));
    stage s;
    s.misbehave = [&](cluster_phase p, pnn) -> std::optional<std::vector<cluster_input>> {
      if (p == phase) return std::vector<cluster_input>{};
      return std::nullopt;
    };
    if (phase == databases) s.end_of = [](const db_plan&) { return std::nullopt; };
    s.start(plan());
    REQUIRE(s.m.phase() == phase);
    CHECK(s.m.step(cluster_event::stop{recovery_epoch{4}}, s.now).empty());
    s.feed(cluster_event::stop{epoch});
    s.go();
    CHECK(s.m.phase() == failed);
    CHECK(s.ended == 1);
    CHECK(s.stopped == (phase == databases));
    for (pnn n : {n0, n1, n2}) {
      CHECK(s.m.step(s.obey(phase, n), s.now).empty());
      CHECK(s.m.step(cluster_event::failed{epoch, phase, n, failure_cause::refused, ""}, s.now)
                .empty());
      CHECK(s.m.step(cluster_event::node_gone{epoch, n}, s.now).empty());
    }
    CHECK(s.m.step(cluster_event::db_ended{.epoch = epoch, .db = locking, .good = true}, s.now)
              .empty());
    CHECK(s.m.step(cluster_event::woke{epoch, cluster_event::alarm::retry}, s.now).empty());
  }
}

TEST_CASE("events of another epoch, another phase, doubled or uninvited have no effect") {
  stage s;
  s.misbehave = [&](cluster_phase p, pnn n) -> std::optional<std::vector<cluster_input>> {
    if (p == cluster_phase::start_recovery && n != n0) return std::vector<cluster_input>{};
    return std::nullopt;
  };
  s.start(plan());
  REQUIRE(s.m.phase() == cluster_phase::start_recovery);
  const recovery_epoch before{4};
  for (const cluster_input& e : std::vector<cluster_input>{
           cluster_event::answered{before, cluster_phase::start_recovery, n1},
           cluster_event::failed{before, cluster_phase::start_recovery, n1, failure_cause::refused,
                                 ""},
           cluster_event::node_gone{before, n1},
           cluster_event::answered{epoch, cluster_phase::start_recovery, n0},
           cluster_event::answered{epoch, cluster_phase::recmode_active, n1},
           cluster_event::answered{epoch, cluster_phase::start_recovery, pnn{7}},
           cluster_event::surveyed{epoch, n1, 0, 0, old_gen, {}},
           cluster_event::listed{epoch, n1, {{late}}},
           cluster_event::db_held{epoch, locking},
           cluster_event::db_ended{.epoch = epoch, .db = locking, .good = true},
       })
    CHECK(s.m.step(e, s.now).empty());
  CHECK(describe(s.m.waiting_for()) == "1,2");
  CHECK(s.m.databases().empty());
}
