/// A node dies at each phase of a recovery, as a follower and as the leader: the survivors always come back, and no
/// record that a survivor had is lost or old.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "protocol/messages.hpp"
#include "protocol/types/client.hpp"
#include "protocol/wire/codec.hpp"
#include "tests/actors/sim_cluster.hpp"

using namespace floe;
using namespace floe::test;

namespace {

constexpr std::array phases{
    "survey", "recmode_active", "dbmaps",  "start_recovery", "set_vnn_map",    "names",
    "freeze", "begin",          "changes", "copies",         "merge",          "push_start",
    "push",   "push_confirm",   "commit",  "thaw",           "recmode_normal", "end_recovery"};
/// Of a recovery of everything, which must be asked for.
constexpr std::array phases_of_a_whole_one{"pull", "merge", "wipe", "push_start", "push", "commit"};

std::size_t leader_of(sim_cluster& c) {
  for (std::size_t i = 0; i < c.size(); ++i)
    if (c.alive(i)) return nlohmann::json::parse(c.status(i))["leader"].get<std::size_t>();
  return 0;
}

bool seen(const sim_cluster& c, std::size_t from, const std::string& what) {
  return std::any_of(c.log().begin() + static_cast<std::ptrdiff_t>(from), c.log().end(),
                     [&](const std::string& line) { return line.find(what) != std::string::npos; });
}

/// Three nodes, a record per key, a recovery so that everybody has a copy, then new values.
void play(const std::string& phase, bool whole, bool kill_leader, std::uint64_t seed) {
  CAPTURE(phase);
  CAPTURE(whole);
  CAPTURE(kill_leader);
  CAPTURE(seed);
  sim_cluster c(3, seed);
  REQUIRE(c.settle(30s));
  const auto leader = leader_of(c);
  const auto follower = (leader + 1) % 3;
  const auto third = (leader + 2) % 3;
  auto& writer = c.connect(third);
  const db_id db = attach_now(c, writer, "phases.tdb");
  for (int i = 0; i < 20; ++i)
    write_now(c, writer, db, "key" + std::to_string(i), "value" + std::to_string(i));

  // a recovery is asked for; when it reaches the phase the victim dies
  const auto mark = c.log().size();
  bool asked = whole;
  if (whole)
    writer.send_message(pnn::broadcast_connected, nth(message::floe_recover, 1),
                        wire::encode(srvid_message{.pnn = pnn{static_cast<std::uint32_t>(third)},
                                                   .srvid = message::tool_answer}));
  else
    writer.control<control::set_recmode>(pnn::current, recovery_mode::active, 5s,
                                         [&](const auto&) { asked = true; });
  const auto victim = kill_leader ? leader : follower;
  REQUIRE(c.run([&] { return seen(c, mark, fmt::format(" to={}", phase)); }, 20s));
  c.kill(victim);
  REQUIRE(c.settle(30s));
  CHECK(asked);
  for (int i = 0; i < 20; ++i)
    CHECK(read_now(c, writer, db, "key" + std::to_string(i)).data == "value" + std::to_string(i));
  // life goes on, and the dead one comes back to the same content
  write_now(c, writer, db, "key3", "later");
  c.start(victim);
  REQUIRE(c.settle(30s));
  auto& reader = c.connect(victim);
  attach_now(c, reader, "phases.tdb");
  for (int i = 0; i < 20; ++i)
    CHECK(read_now(c, reader, db, "key" + std::to_string(i)).data ==
          (i == 3 ? "later" : "value" + std::to_string(i)));
}

std::uint64_t generation_of(sim_cluster& c, std::size_t n) {
  return nlohmann::json::parse(c.status(n))["generation"].get<std::uint64_t>();
}

}  // namespace

TEST_CASE("who asks for a recovery in any phase of another gets a generation that comes after") {
  for (const std::string phase : phases)
    for (std::size_t of = 0; of < 3; ++of) {
      CAPTURE(phase);
      CAPTURE(of);
      sim_cluster c(3, 1 + of);
      REQUIRE(c.settle(30s));
      auto& tool = c.connect(of);
      write_now(c, tool, attach_now(c, tool, "phases.tdb"), "key", "value");
      const auto leader = leader_of(c);
      const auto mark = c.log().size();
      const auto want = [&] {
        tool.control<control::set_recmode>(pnn::current, recovery_mode::active, 5s,
                                           [](const auto&) {});
      };
      want();
      REQUIRE(c.run([&] { return seen(c, mark, fmt::format(" to={}", phase)); }, 20s));
      const auto before = generation_of(c, leader);
      want();
      CHECK(c.run([&] { return generation_of(c, leader) != before; }, 10s));
      REQUIRE(c.settle(30s));
    }
}

TEST_CASE("a follower dies at each phase of a recovery") {
  for (std::uint64_t seed = 1; seed <= (thorough ? 3 : 1); ++seed) {
    for (const auto* phase : phases) play(phase, false, false, seed);
    for (const auto* phase : phases_of_a_whole_one) play(phase, true, false, seed);
  }
}

TEST_CASE("the leader dies at each phase of a recovery") {
  for (std::uint64_t seed = 1; seed <= (thorough ? 3 : 1); ++seed) {
    for (const auto* phase : phases) play(phase, false, true, seed);
    for (const auto* phase : phases_of_a_whole_one) play(phase, true, true, seed);
  }
}
