/// Sticky records with whole nodes: a record that was asked for stays where it comes for StickyPindown, on a node whose
/// database is sticky; whoever is there goes on, all others wait; and nobody waits for longer.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "protocol/wire/codec.hpp"
#include "tests/actors/sim_cluster.hpp"

using namespace floe;
using namespace floe::test;

namespace {

constexpr auto pindown = 700ms;

struct pinning_cluster : sim_cluster {
  std::vector<client*> clients;
  db_id db{};

  static options not_started() { return {.start = false}; }
  explicit pinning_cluster(std::uint32_t hops, bool tables = false)
      : sim_cluster(3, 1, not_started()) {
    for (std::size_t n = 0; n < 3; ++n) {
      config(n).tunables[tunable::hopcount_make_sticky] = hops;
      config(n).tunables[tunable::sticky_pindown] =
          std::chrono::duration_cast<std::chrono::milliseconds>(pindown).count();
      config(n).tunables[tunable::sticky_duration] = 60;
      start(n);
    }
    REQUIRE(settle(20s));
    for (std::size_t n = 0; n < 3; ++n) {
      clients.push_back(&connect(n, tables));
      db = attach_now(*this, *clients.back(), "locking.tdb");
    }
  }
  void make_sticky(std::size_t n) {
    std::optional<bool> done;
    clients[n]->send_control(pnn::current, control::set_db_sticky, wire::encode(db), 5s,
                             [&](const result<client_reply>& r) { done = r.has_value(); });
    REQUIRE(run([&] { return done.has_value(); }, 10s));
    REQUIRE(*done);
  }
  /// How long it takes.
  duration write(std::size_t n) {
    const auto began = loop_now();
    write_now(*this, *clients[n], db, "k", "by " + std::to_string(n));
    return loop_now() - began;
  }
  nlohmann::json here(std::size_t n) {
    const auto all = nlohmann::json::parse(status(n));
    for (const auto& d : all["databases"])
      if (d["name"] == "locking.tdb") return d;
    return {};
  }
  std::size_t logged(const std::string& text) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        log(), [&](const auto& l) { return l.find(text) != std::string::npos; }));
  }
};

}  // namespace

TEST_CASE("sticky: a record stays where it comes, for its node's clients only, and then goes") {
  for (const bool tables : {false, true}) {
    CAPTURE(tables);
    pinning_cluster c(0, tables);
    c.make_sticky(0);
    c.write(0);
    CHECK(c.write(1) < 100ms);  // it is asked for and becomes sticky on node 0
    CHECK(c.logged("record-sticky db=locking.tdb key=6b hops=") == 1);
    CHECK(c.here(0).value("sticky", 0) == 1);
    c.write(0);
    CHECK(c.write(0) < 10ms);
    const auto waited = c.write(2);
    CHECK(waited > pindown - 100ms);
    CHECK(waited < pindown + 100ms);
    // node 2 is not sticky
    CHECK(c.write(1) < 100ms);
    // on node 0 it is pinned each time it comes
    c.write(0);
    CHECK(c.write(1) > pindown - 100ms);
    CHECK(c.logged("record-sticky") == 1);
    pass(c, 61s);
    c.write(0);
    CHECK(c.write(1) < 100ms);
    CHECK(c.logged("record-sticky") == 2);
  }
}

TEST_CASE("sticky: a record is not sticky before its requests have wandered far enough") {
  pinning_cluster c(50);
  for (std::size_t n = 0; n < 3; ++n) c.make_sticky(n);
  for (std::size_t i = 0; i < 12; ++i) CHECK(c.write(i % 3) < 100ms);
  CHECK(c.logged("record-sticky") == 0);
}

TEST_CASE("sticky: who waits for a pin sees it, and a recovery does not wait for one") {
  pinning_cluster c(0);
  c.make_sticky(0);
  c.write(0);
  c.write(1);
  c.write(0);
  std::optional<bool> got;
  lock_record(*c.clients[1], c.db, "k", 20s,
              [&](const result<locked_record>& r) { got = r.has_value(); });
  pass(c, 100ms);
  CHECK(!got);
  const auto before = nlohmann::json::parse(c.status(0))["generation"];
  c.kill(2);
  REQUIRE(c.run([&] { return got.has_value(); }, 30s));
  CHECK(*got);
  REQUIRE(c.settle(30s));
  CHECK(nlohmann::json::parse(c.status(0))["generation"] != before);
}
