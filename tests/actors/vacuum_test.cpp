/// Vacuuming with whole nodes: what another one offers goes unless it is in use; the list of what is to be forgotten has a bound, and
/// what had no room in it goes, too.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "protocol/rules/vacuum.hpp"
#include "protocol/types/database.hpp"
#include "protocol/types/rec_data.hpp"
#include "tests/actors/transaction_support.hpp"

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
  if (!thorough) return;  // copies 64 MiB of keys again and again
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

TEST_CASE("another node's vacuuming: an old copy goes, what is in use or newer stays") {
  sim_cluster s(2);
  REQUIRE(s.settle(20s));
  auto& c = s.connect(0);
  const db_id db = attach_now(s, c, "loose.tdb");
  std::vector<std::string> keys;
  for (int i = 0; i < 12; ++i) keys.push_back("key" + std::to_string(i));
  for (const auto& k : keys) write_now(s, c, db, k, "value");
  // node 1 has a copy of each from now on; node 0 owns them or gets them back
  c.control<control::set_recmode>(pnn::current, recovery_mode::active, 5s, [](const auto&) {});
  REQUIRE(s.run([&] { return !s.normal(); }, 1s));
  REQUIRE(s.settle(20s));
  for (const auto& k : keys) write_now(s, c, db, k, "");
  auto& other = s.connect(1);
  attach_now(s, other, "loose.tdb");
  rec_buffer_builder offer(db);
  for (const auto& k : keys) {
    bytes header;
    append_header(header, read_now(s, c, db, k, read_from::this_node).header);
    offer.add_plain(k, header, number(db));
  }
  const auto has_copy = [&](const std::string& k) {
    return number(read_now(s, other, db, k, read_from::this_node).header.rsn) > 0;
  };
  for (const auto& k : keys) CHECK(has_copy(k));
  bytes answer;
  const auto asked = finish<void>(s, [&](auto done) {
    other.send_control(pnn::current, control::try_delete_records, offer.take(), 5s,
                       [&, done](const result<client_reply>& r) {
                         REQUIRE(r.has_value());
                         answer = bytes(r->data);
                         done({});
                       });
  });
  REQUIRE(asked.has_value());
  const auto kept = wire::decode<rec_buffer>(answer);
  REQUIRE(kept.has_value());
  CHECK(kept->db_id() == db);
  // those that node 1 is lmaster of it keeps, the others are gone
  CHECK(kept->count() > 0);
  CHECK(kept->count() < keys.size());
  std::set<std::string> here_still;
  for (const rec_data& r : *kept) here_still.insert(std::string(r.key));
  for (const auto& k : keys) CHECK(has_copy(k) == here_still.contains(k));
  for (const auto& k : keys) CHECK_FALSE(read_now(s, other, db, k).found);
  CHECK(s.normal());
}

TEST_CASE(
    "a record that was only asked for to be forgotten, and that a full disk refuses, ends nobody") {
  sim_cluster s(2);
  REQUIRE(s.settle(20s));
  auto& c = s.connect(0);
  const db_id db = attach_now(s, c, "loose.tdb");
  rec_buffer_builder keys(db);
  for (int i = 0; i < 8; ++i) {  // of some of them node 1 is lmaster
    const auto key = "key" + std::to_string(i);
    write_now(s, c, db, key, std::string(200'000, 'x'));
    keys.add_plain(key, {});
  }
  auto& other = s.connect(1);
  s.disk(1).set_full(true);
  const bytes request = keys.take();
  CHECK(ask_any(s, other, control::vacuum_fetch, request).has_value());
  pass(s, 2s);
  REQUIRE(s.alive(1));
  s.disk(1).set_full(false);
  CHECK(s.settle(60s));
  for (int i = 0; i < 8; ++i)
    CHECK(read_now(s, c, db, "key" + std::to_string(i)).data.size() == 200'000);
}
