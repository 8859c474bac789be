/// Vacuuming with whole nodes: the list of what is to be forgotten has a bound, and what had no room in it goes, too.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "actors/client/records.hpp"
#include "protocol/rules/vacuum.hpp"
#include "tests/actors/sim_cluster.hpp"

using namespace floe;
using namespace floe::test;

namespace {

nlohmann::json vacuum_of(sim_cluster& c, const char* what) {
  const auto status = nlohmann::json::parse(c.status(0));
  for (const auto& d : status["databases"])
    if (d["name"] == "locking.tdb") return d.contains(what) ? d[what] : d["vacuum"][what];
  return {};
}

void delete_now(sim_cluster& c, client& who, db_id db, const std::string& key) {
  const auto held = lock_now(c, who, db, key);
  std::optional<bool> done;
  delete_record(who, held.lock_id, after_write::unlock, 30s,
                [&](const auto& r) { done = r.has_value(); });
  REQUIRE(c.run([&] { return done.has_value(); }));
  REQUIRE(*done);
}

}  // namespace

TEST_CASE("vacuum: more deletions than the list has room for are forgotten all the same") {
  sim_cluster c(1);
  REQUIRE(c.settle(20s));
  auto& who = c.connect(0);
  const auto db = attach_now(c, who, "locking.tdb");
  constexpr std::size_t size = 1 << 20, count = deletion_queue_bytes_max / size + 6;
  const auto key = [](std::size_t n) { return std::to_string(100 + n) + std::string(size, 'k'); };
  for (std::size_t n = 0; n < count; ++n) write_now(c, who, db, key(n), "x");
  for (std::size_t n = 0; n < count; ++n) delete_now(c, who, db, key(n));
  CHECK(vacuum_of(c, "left_out") > 0);
  CHECK(vacuum_of(c, "queue_bytes") <= deletion_queue_bytes_max);
  pass(c, 60s);
  CHECK(vacuum_of(c, "records") == 0);
  CHECK(vacuum_of(c, "queued") == 0);
  CHECK(vacuum_of(c, "queue_bytes") == 0);
  CHECK(vacuum_of(c, "forgotten") == count);
}
