#include "protocol/rules/need_recovery.hpp"

#include <doctest/doctest.h>

#include <array>
#include <functional>

#include "protocol/constants.hpp"

using namespace floe;

namespace {

constexpr pnn n0{0}, n1{1}, n2{2};
constexpr std::uint32_t full = capability::features | capability::recmaster | capability::lmaster;

constexpr std::array beside{n0, n1, n2};  ///< members, where the map is that of the first two

std::vector<node_snapshot> healthy() {
  std::vector<node_snapshot> nodes;
  for (pnn n : {n0, n1, n2})
    nodes.push_back({.node = n,
                     .capabilities = full,
                     .mode = recovery_mode::normal,
                     .node_list = std::vector<std::string>{"10.0.0.1", "10.0.0.2", "10.0.0.3"},
                     .gen = generation{7},
                     .map = {n0, n1, n2}});
  return nodes;
}

}  // namespace

TEST_CASE("when to recover: every reason, and what is none") {
  using enum recovery_reason;
  using nodes = std::vector<node_snapshot>;
  struct row {
    const char* what;
    std::function<void(nodes&, recovery_snapshot&)> change;
    recovery_reason reason;
    pnn culprit;
  };
  for (const auto& r : std::vector<row>{
           {"all well", [](nodes&, auto&) {}, none, pnn::unknown},
           {"unhealthy and disabled nodes take part",
            [](nodes&n, auto&) { n[1].flags = node_flag::disabled; }, none, pnn::unknown},
           {"the last one failed", [](nodes&, auto&s) { s.unfinished = true; }, unfinished,
            pnn::unknown},
           {"... also soon after another",
            [](nodes&, auto&s) { s.unfinished = s.suppressed = true; }, unfinished, pnn::unknown},
           {"a node is in recovery mode", [](nodes&n, auto&) { n[2].mode = recovery_mode::active; },
            mode_active, pnn::unknown},
           {"... soon after another",
            [](nodes&n, auto&s) {
              n[2].mode = recovery_mode::active;
              s.suppressed = true;
            },
            mode_active, pnn::unknown},
           {"... but it is stopped, and the map knows",
            [](nodes&n, auto&) {
              n[2].mode = recovery_mode::active;
              n[2].flags = node_flag::stopped;
              n[0].map = n[1].map = {n0, n1};
            },
            none, pnn::unknown},
           {"a mode is not known", [](nodes&n, auto&) { n[1].mode.reset(); }, none, pnn::unknown},
           {"lock lost: nobody's fault", [](nodes&, auto&s) { s.lock_lost = true; }, lock_lost,
            pnn::unknown},
           {"another number of nodes", [](nodes&n, auto&) { n[1].node_list->pop_back(); },
            node_list_differs, n1},
           {"another order of nodes",
            [](nodes&n, auto&) { std::swap((*n[2].node_list)[0], (*n[2].node_list)[1]); },
            node_list_differs, n2},
           {"a list is not known", [](nodes&n, auto&) { n[1].node_list.reset(); }, none,
            pnn::unknown},
           {"a node died", [](nodes&n, auto&) { n.pop_back(); }, map_size, pnn::unknown},
           {"a node was stopped", [](nodes&n, auto&) { n[1].flags = node_flag::stopped; }, map_size,
            pnn::unknown},
           {"a node was banned", [](nodes&n, auto&) { n[1].flags = node_flag::banned; }, map_size,
            pnn::unknown},
           {"a node came back",
            [](nodes&n, auto&) {
              n[0].map = n[1].map = {n0, n1};
            },
            map_size, pnn::unknown},
           {"a node is no lmaster any more",
            [](nodes&n, auto&) { n[2].capabilities = capability::recmaster; }, map_size,
            pnn::unknown},
           {"no node is lmaster: the leader alone is in the map",
            [](nodes&n, auto&) {
              for (auto& x : n) x.capabilities = capability::recmaster, x.map = {n0};
            },
            none, pnn::unknown},
           {"one goes and another comes",
            [](nodes&n, auto&) {
              n[0].map = n[1].map = n[2].map = {n0, n1, pnn{3}};
            },
            not_in_map, n2},
           {"a node missed a recovery", [](nodes&n, auto&) { n[1].gen = generation{6}; },
            generation_differs, n1},
           {"a node restarted",
            [](nodes&n, auto&) {
              n[2].gen = generation::invalid;
              n[2].map = {};
            },
            generation_differs, n2},
           {"a node has another map",
            [](nodes&n, auto&) {
              n[1].map = {n2, n1, n0};
            },
            map_differs, n1},
           {"... soon after a recovery",
            [](nodes&n, auto&s) {
              n[1].map = {};
              s.suppressed = true;
            },
            none, pnn::unknown},
           {"a map is not known",
            [](nodes&n, auto&) {
              n[1].gen.reset();
              n[1].map = {};
            },
            none, pnn::unknown},
           {"a member beside the map is there",
            [](nodes&n, auto&s) {
              n[2].capabilities &= ~capability::lmaster;
              n[0].map = n[1].map = n[2].map = {n0, n1};
              s.members = beside;
            },
            none, pnn::unknown},
           {"... it is gone",
            [](nodes&n, auto&s) {
              n.pop_back();
              n[0].map = n[1].map = {n0, n1};
              s.members = beside;
            },
            node_lost, pnn::unknown},
           {"... it is stopped",
            [](nodes&n, auto&s) {
              n[2].flags = node_flag::stopped;
              n[0].map = n[1].map = {n0, n1};
              s.members = beside;
            },
            node_lost, pnn::unknown},
           {"the leader's own map is not known",
            [](nodes&n, auto&) {
              n[0].gen.reset();
              n.pop_back();
            },
            none, pnn::unknown},
       }) {
    CAPTURE(r.what);
    auto nodes_now = healthy();
    recovery_snapshot s{.leader = n0};
    r.change(nodes_now, s);
    s.nodes = nodes_now;
    const auto need = needs_recovery(s);
    CHECK(name(need.reason) == name(r.reason));
    CHECK(need.culprit == r.culprit);
    CHECK(static_cast<bool>(need) == (r.reason != none));
    CHECK(need.detail.empty() == (r.reason == none));
  }
}

TEST_CASE("the reason is told with what differs") {
  auto nodes = healthy();
  std::swap((*nodes[2].node_list)[0], (*nodes[2].node_list)[1]);
  CHECK(needs_recovery({.leader = n0, .nodes = nodes}).detail ==
        "node 2 has 10.0.0.2 as node 0, the leader 10.0.0.1");
  nodes = healthy();
  nodes.pop_back();
  CHECK(needs_recovery({.leader = n0, .nodes = nodes}).detail ==
        "records are to be tracked by nodes 0,1, the vnn map has 0,1,2");
}

TEST_CASE("a database that nobody thaws: who froze it decides how long it may stay so") {
  using std::chrono::seconds;
  const pnn leader{1}, deposed{2};
  const duration budget = seconds(30);
  CHECK(freeze_patience(freeze_state::frozen, leader, leader, budget) == seconds(10));
  CHECK(freeze_patience(freeze_state::in_transaction, leader, leader, budget) == seconds(120));
  CHECK(freeze_patience(freeze_state::frozen, pnn::unknown, leader, budget) == seconds(10));
  CHECK(freeze_patience(freeze_state::freezing, pnn::unknown, leader, budget) == seconds(120));
  for (const auto state :
       {freeze_state::freezing, freeze_state::frozen, freeze_state::in_transaction}) {
    CHECK(freeze_patience(state, deposed, leader, budget) == seconds(1));
    CHECK(freeze_patience(state, deposed, pnn::unknown, budget) == seconds(1));
  }
}
