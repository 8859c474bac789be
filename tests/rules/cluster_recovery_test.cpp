/// The generation of a recovery of the cluster: what holds of numbers that depend on each other, which a script would only
/// show. Everything else: tests/rules/cluster-recovery-*.txt.
#include "protocol/rules/cluster_recovery.hpp"

#include <doctest/doctest.h>

#include <array>

#include "protocol/constants.hpp"

using namespace floe;

namespace {

constexpr pnn n0{0}, n1{1}, n2{2};
constexpr std::uint32_t random_number = 0x14;

/// The generation that a leader makes who finds these at nodes 0 to 2; node 1 with these flags.
generation made_by(pnn leader, const std::array<generation, 3>& found,
                   std::vector<generation> seen = {}, std::uint32_t flags_of_1 = 0,
                   std::uint32_t life = 5) {
  const recovery_epoch epoch{5};
  cluster_recovery m;
  m.step(cluster_event::start{{.epoch = epoch,
                               .leader = leader,
                               .gen = generation{random_number},
                               .life = life,
                               .seen = std::move(seen),
                               .connected = {n0, n1, n2}}},
         {});
  for (pnn n : {n0, n1, n2})
    m.step(cluster_event::surveyed{.epoch = epoch,
                                   .node = n,
                                   .flags = n == n1 ? flags_of_1 : 0,
                                   .capabilities = capability::recmaster | capability::lmaster,
                                   .gen = found.at(number(n)),
                                   .map = {n0, n1, n2}},
           {});
  REQUIRE(m.phase() == cluster_phase::recmode_active);
  return m.plan().gen;
}

constexpr std::array<generation, 3> old{generation{10}, generation{10}, generation{10}};

}  // namespace

TEST_CASE(
    "another leader makes another generation, whatever its luck, and so does one that was started "
    "again") {
  const auto by = [](pnn leader, std::uint32_t life) {
    return next_generation({}, life << 6 | number(leader));
  };
  for (const pnn leader : {n0, n1, n2}) CHECK(made_by(leader, old) == by(leader, 5));
  CHECK(by(n0, 5) != by(n1, 5));
  CHECK(made_by(n0, old, {}, 0, 6 + 63) == by(n0, 6));
  for (std::uint32_t life = 0; life < 130; ++life)
    CHECK_FALSE(is_replaced(made_by(n0, old, {}, 0, life)));
}

TEST_CASE("the new generation is later than all that are found, those of inactive nodes included") {
  const generation high = next_generation(std::array{next_generation({}, 1)}, 2);
  CHECK(is_later(made_by(n0, {old[0], high, old[2]}, {}, node_flag::stopped), high));
  // nobody has it any more: a ctdbd has led in between
  CHECK(is_later(made_by(n0, old, {high}), high));
}
