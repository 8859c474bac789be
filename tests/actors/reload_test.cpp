/// The nodes file is read again while the cluster runs: nodes come and go, nothing is lost.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "protocol/constants.hpp"
#include "protocol/types/node_map.hpp"
#include "tests/actors/ask.hpp"

using namespace floe;
using namespace floe::test;
using nlohmann::json;

namespace {

std::string ip(std::size_t n) { return "10.0.0." + std::to_string(n + 1); }

/// The status of RELOAD_NODES_FILE on a node, and its error text.
std::string reload(sim_cluster& s, std::size_t n) {
  auto& c = s.connect(n);
  const auto r = ask<control::reload_nodes_file>(s, c);
  s.disconnect(c);
  return r ? "" : r.error().describe();
}

}  // namespace

TEST_CASE("reload: a node is added, filled, and deleted again; records survive") {
  sim_cluster c(3);
  REQUIRE(c.settle(20s));
  auto& on0 = c.connect(0);
  auto& on2 = c.connect(2);
  const db_id db = attach_now(c, on0, "a.tdb");
  attach_now(c, on2, "a.tdb");
  for (int i = 0; i < 40; ++i)
    write_now(c, i % 2 ? on0 : on2, db, fmt::format("k{}", i), fmt::format("v{}", i));

  const auto n = c.add_host();
  c.write_nodes_file({ip(0), ip(1), ip(2), ip(3)});
  for (std::size_t i = 0; i < 3; ++i) CHECK(reload(c, i).empty());
  c.start(n);
  REQUIRE(c.settle(30s));
  CHECK(json::parse(c.status(0))["vnn_map"].size() == 4);
  auto& on3 = c.connect(3);
  attach_now(c, on3, "a.tdb");
  for (int i = 0; i < 40; ++i)
    CHECK(read_now(c, on3, db, fmt::format("k{}", i)).data == fmt::format("v{}", i));
  for (int i = 0; i < 20; ++i) write_now(c, on3, db, fmt::format("k{}", i), "of node 3");
  // a recovery gives everybody a copy; what node 3 wrote must not go with it
  ask<control::set_recmode>(c, on0, recovery_mode::active);
  REQUIRE(c.settle(20s));

  c.kill(3);
  REQUIRE(c.run(
      [&] { return (json::parse(c.status(0))["nodes"][3]["flags"].get<unsigned>() & 1) == 1; },
      10s));
  c.write_nodes_file({ip(0), ip(1), ip(2), "#" + ip(3)});
  for (std::size_t i = 0; i < 3; ++i) CHECK(reload(c, i).empty());
  REQUIRE(c.settle(30s));
  CHECK(json::parse(c.status(1))["vnn_map"].size() == 3);
  CHECK(json::parse(c.status(1))["nodes"][3]["flags"] == 0x11);  // deleted, disconnected
  for (int i = 0; i < 40; ++i)
    CHECK(read_now(c, on2, db, fmt::format("k{}", i)).data ==
          (i < 20 ? "of node 3" : fmt::format("v{}", i)));
}

TEST_CASE("reload: a node that is deleted while it is connected is lost like any other") {
  sim_cluster c(3);
  REQUIRE(c.settle(20s));
  auto& on0 = c.connect(0);
  auto& on1 = c.connect(1);
  const db_id db = attach_now(c, on0, "a.tdb");
  attach_now(c, on1, "a.tdb");
  for (int i = 0; i < 20; ++i) write_now(c, on0, db, fmt::format("k{}", i), "v");
  c.write_nodes_file({ip(0), ip(1), "#" + ip(2)});
  CHECK(reload(c, 0).empty());
  CHECK(reload(c, 1).empty());
  CHECK(reload(c, 2).find("is this node itself") != std::string::npos);
  c.kill(2);
  REQUIRE(c.settle(30s));
  CHECK(json::parse(c.status(0))["vnn_map"].size() == 2);
  for (int i = 0; i < 20; ++i) CHECK(read_now(c, on1, db, fmt::format("k{}", i)).data == "v");
}

TEST_CASE("reload: what may not change is refused, and nothing has happened then") {
  sim_cluster c(3);
  REQUIRE(c.settle(20s));
  const auto before = json::parse(c.status(0))["generation"];
  c.write_nodes_file({ip(0), "10.0.0.99", ip(2)});
  CHECK(reload(c, 0).find("delete the node first") != std::string::npos);
  c.write_nodes_file({ip(0), ip(1)});
  CHECK(reload(c, 0).find("the line of node 2 is missing") != std::string::npos);
  c.write_nodes_file({ip(0), ip(1), ip(2)});
  CHECK(reload(c, 0).empty());
  pass(c, 3s);
  CHECK(json::parse(c.status(0))["generation"] == before);
  CHECK(c.normal());
}

TEST_CASE("reload: nobody but a node's own file says who is no node") {
  sim_cluster c(3);
  REQUIRE(c.settle(20s));
  const auto before = json::parse(c.status(0))["generation"];
  for (const std::size_t at : {0, 1, 2}) {
    auto& client = c.connect(at);
    const pnn other{static_cast<std::uint32_t>((at + 1) % 3)};
    CHECK(ask<control::modify_flags>(
        c, client, {.pnn = other, .new_flags = node_flag::deleted, .old_flags = 0}));
    c.disconnect(client);
    CHECK(reload(c, at).empty());
  }
  REQUIRE(c.settle(30s));
  for (std::size_t at = 0; at < 3; ++at)
    for (const auto& n : json::parse(c.status(at))["nodes"]) CHECK(n["flags"] == 0);
  CHECK(json::parse(c.status(0))["generation"] == before);
}
