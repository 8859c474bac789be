/// Nodes that were started again tell, with their databases, how far generations had been counted: a recovery counts on from
/// there, although no map tells.
#include <doctest/doctest.h>

#include <array>

#include "protocol/constants.hpp"
#include "protocol/rules/cluster_recovery.hpp"
#include "protocol/rules/lineage.hpp"

using namespace floe;

namespace {

constexpr recovery_epoch epoch{5};
constexpr std::array nodes{pnn{0}, pnn{1}, pnn{2}};

/// The generation that restarted nodes make, of which node 2 tells this.
generation made_with(generation latest) {
  cluster_recovery m;
  const time_point now{};
  m.step(cluster_event::start{{.epoch = epoch,
                               .leader = pnn{0},
                               .gen = generation{20},
                               .connected = {nodes.begin(), nodes.end()},
                               .step_timeout = std::chrono::seconds(30),
                               .db_budget = std::chrono::seconds(90),
                               .retry_pause = std::chrono::seconds(1)}},
         now);
  for (const pnn n : nodes)
    m.step(cluster_event::surveyed{.epoch = epoch,
                                   .node = n,
                                   .capabilities = capability::features | capability::recmaster |
                                                   capability::lmaster},
           now);
  REQUIRE(m.phase() == cluster_phase::recmode_active);
  for (const pnn n : nodes)
    m.step(cluster_event::answered{epoch, cluster_phase::recmode_active, n}, now);
  REQUIRE(m.phase() == cluster_phase::dbmaps);
  for (const pnn n : nodes)
    m.step(cluster_event::listed{.epoch = epoch,
                                 .node = n,
                                 .databases = {},
                                 .latest = n == pnn{2} ? latest : generation::invalid},
           now);
  REQUIRE(m.phase() == cluster_phase::start_recovery);
  return m.plan().gen;
}

}  // namespace

TEST_CASE("a recovery of restarted nodes is later than all that one of them remembers") {
  const auto anew = made_with(generation::invalid);
  CHECK_FALSE(is_later(anew, next_generation({}, 1)));
  const auto reserved = later_by(next_generation({}, 1), 500);
  CHECK(is_later(made_with(reserved), reserved));
  // a number without an order says nothing
  CHECK(made_with(generation{4711}) == anew);
}
