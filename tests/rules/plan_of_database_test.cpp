/// What the recovery of the cluster tells the recovery of each database about its participants.
#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <map>

#include "protocol/constants.hpp"
#include "protocol/rules/cluster_recovery.hpp"

using namespace floe;

namespace {

constexpr pnn n0{0}, n1{1}, n2{2};
constexpr db_id locking{1}, brlock{2};
constexpr recovery_epoch epoch{5};
using listed = std::vector<cluster_event::listed::entry>;

struct wishes {
  std::size_t needed = 0;
  std::vector<pnn> leaving{};
};

/// The plans that are made when all three nodes obey and have these databases.
std::vector<db_plan> plans(cluster_recovery& m, const std::map<pnn, listed>& databases,
                           const wishes& w = {}) {
  std::vector<db_plan> made;
  std::deque<cluster_output> pending;
  const auto feed = [&](const cluster_input& e) {
    for (auto& o : m.step(e, {})) pending.push_back(std::move(o));
  };
  feed(cluster_event::start{{.epoch = epoch,
                             .leader = n0,
                             .gen = generation{20},
                             .connected = {n0, n1, n2},
                             .needed = w.needed}});
  for (; !pending.empty(); pending.pop_front()) {
    if (const auto* r = std::get_if<cluster_effect::recover>(&pending.front()))
      made.push_back(r->plan);
    const auto* a = std::get_if<cluster_effect::ask>(&pending.front());
    if (!a) continue;
    const auto asked = *a;
    for (const pnn n : asked.nodes) {
      const bool leaves = std::ranges::find(w.leaving, n) != w.leaving.end();
      if (asked.phase == cluster_phase::survey)
        feed(cluster_event::surveyed{
            .epoch = epoch,
            .node = n,
            .flags = 0,
            .capabilities =
                leaves ? capability::leaving : capability::recmaster | capability::lmaster,
            .gen = generation{10},
            .map = {n0, n1, n2}});
      else if (asked.phase == cluster_phase::dbmaps)
        feed(cluster_event::listed{epoch, n, databases.at(n)});
      else
        feed(cluster_event::answered{epoch, asked.phase, n});
    }
  }
  return made;
}

}  // namespace

TEST_CASE("of a node that does not count it is known whether one that does was with it") {
  const lineage current{.gen = generation{10}, .members = {n0, n1}, .committed = true};
  const listed both{{locking, 0, current}, {brlock, 0, current}};
  const lineage with_them{.gen = generation{9}, .members = {n0, n1, n2}, .committed = true};
  const lineage alone{.gen = generation{9}, .members = {n2}, .committed = true};
  cluster_recovery m;
  const auto made =
      plans(m, {{n0, both}, {n1, both}, {n2, {{locking, 0, with_them}, {brlock, 0, alone}}}});
  REQUIRE(made.size() == 2);
  CHECK(made[0].participants[2].met_members);
  CHECK_FALSE(made[1].participants[2].met_members);
  CHECK(made[0].seen == m.plan().seen);
}

TEST_CASE("a member of the last generation that does not take part is away") {
  for (const std::vector<pnn>& members : {std::vector{n0, n1, n2}, {n0, n1, n2, pnn{7}}}) {
    const listed has{{locking, 0, lineage{generation{10}, members, true}}};
    cluster_recovery m;
    const auto made = plans(m, {{n0, has}, {n1, has}, {n2, has}});
    REQUIRE(made.size() == 1);
    CHECK(made[0].all_here == (members.size() == 3));
  }
}

TEST_CASE("where a majority is asked for nothing is opened if too few stay") {
  const lineage current{.gen = generation{10}, .members = {n0, n1, n2}, .committed = true};
  const listed has{{locking, 0, current}};
  const auto opens = [&](const wishes& w) {
    cluster_recovery m;
    const auto made = plans(m, {{n0, has}, {n1, has}, {n2, has}}, w);
    return made.size() == 1 && !made[0].stays_frozen;
  };
  CHECK(opens({.needed = 2, .leaving = {n2}}));
  CHECK_FALSE(opens({.needed = 2, .leaving = {n1, n2}}));
  CHECK(opens({.needed = 0, .leaving = {n1, n2}}));
}
