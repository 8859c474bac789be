/// What a reader sees who looks at this node's copies: after the holder, without migration, page by page; and connections that
/// only accompany others.
#include <doctest/doctest.h>

#include <algorithm>

#include "protocol/record_status.hpp"
#include "protocol/types/rec_data.hpp"
#include "protocol/types/record_access.hpp"
#include "tests/actors/ask.hpp"

using namespace floe;
using namespace floe::test;

namespace {

struct settled_read {
  std::optional<result<client_answer<record_read_reply>>> answer;
  bool done() const { return answer.has_value(); }
  bytes data() const { return bytes((*answer)->value.data); }
};

std::shared_ptr<settled_read> look(client& c, db_id db, const std::string& key) {
  auto r = std::make_shared<settled_read>();
  c.control<control::record_read>(pnn::current,
                                  {.db_id = db, .flags = record_read_settled, .key = key}, 60s,
                                  [r](const auto& a) { r->answer = a; });
  return r;
}

std::vector<std::string> scan(sim_cluster& c, client& who, db_id db, std::uint32_t page) {
  std::vector<std::string> keys;
  for (bytes after;;) {
    std::optional<std::vector<std::string>> got;
    who.control<control::record_scan>(pnn::current,
                                      {.db_id = db, .max_bytes = page, .after = after}, 10s,
                                      [&](const result<client_answer<rec_buffer>>& a) {
                                        REQUIRE(a.has_value());
                                        got.emplace();
                                        for (const rec_data& r : a->value) got->emplace_back(r.key);
                                      });
    REQUIRE(c.run([&] { return got.has_value(); }));
    if (got->empty()) return keys;
    after = got->back();
    keys.insert(keys.end(), got->begin(), got->end());
  }
}

}  // namespace

TEST_CASE("a settled read waits for the holder, and for nobody else") {
  sim_cluster c(3);
  REQUIRE(c.settle(20s));
  auto& holder = c.connect(0);
  auto& reader = c.connect(0);
  auto& elsewhere = c.connect(1);
  const db_id db = attach_now(c, holder, "locking.tdb");
  attach_now(c, elsewhere, "locking.tdb");
  write_now(c, holder, db, "k", "old");
  const auto lock = lock_now(c, holder, db, "k");
  const auto waits = look(reader, db, "k");
  CHECK(read_now(c, reader, db, "k", read_from::this_node).data == "old");
  CHECK(!waits->done());
  store_now(c, holder, lock.lock_id, "new");
  REQUIRE(c.run([&] { return waits->done(); }));
  CHECK(waits->data() == "new");

  // the record is away, and held there: this node's copy is shown at once, and nothing moves
  const auto away = lock_now(c, elsewhere, db, "k");
  const auto shown = look(reader, db, "k");
  REQUIRE(c.run([&] { return shown->done(); }, 2s));
  CHECK((*shown->answer)->value.header.dmaster != pnn{0});

  // somebody here waits for it to come: readers do not stand behind it
  std::optional<bool> granted;
  lock_record(holder, db, "k", 60s,
              [&](const result<locked_record>& r) { granted = r.has_value(); });
  const auto again = look(reader, db, "k");
  REQUIRE(c.run([&] { return again->done(); }, 2s));
  CHECK(!granted);
  store_now(c, elsewhere, away.lock_id, "newer");
  REQUIRE(c.run([&] { return granted.has_value(); }));
  CHECK(*granted);
}

TEST_CASE("a settled read in a recovery is answered after it") {
  sim_cluster c(3);
  REQUIRE(c.settle(20s));
  auto& who = c.connect(0);
  const db_id db = attach_now(c, who, "locking.tdb");
  write_now(c, who, db, "k", "v");
  const auto lock = lock_now(c, who, db, "other");
  c.kill(2);
  REQUIRE(c.run([&] { return !c.normal(); }));
  // the holder keeps the database from freezing; whoever reads now waits
  REQUIRE(c.run([&] {
    return std::ranges::any_of(
        c.log(), [](const auto& l) { return l.find("freeze-waits") != std::string::npos; });
  }));
  const auto r = look(who, db, "k");
  c.run([&] { return r->done(); }, 1s);
  CHECK(!r->done());
  store_now(c, who, lock.lock_id, "x");
  REQUIRE(c.run([&] { return r->done(); }));
  CHECK(r->data() == "v");
  REQUIRE(c.settle(20s));
}

TEST_CASE("a scan shows every local copy once, whatever the size of a page") {
  sim_cluster c(1);
  REQUIRE(c.settle(20s));
  auto& who = c.connect(0);
  const db_id db = attach_now(c, who, "scan.tdb");
  CHECK(scan(c, who, db, 1000).empty());
  for (int i = 0; i < 40; ++i)
    write_now(c, who, db, "key " + std::to_string(i), std::string(50, 'x'));
  const auto all = scan(c, who, db, 1 << 20);
  CHECK(all.size() == 40);
  CHECK(scan(c, who, db, 300) == all);
  CHECK(scan(c, who, db, 0) == all);  // at least one record comes
}

TEST_CASE("a companion alone is no sign of life") {
  sim_cluster c(1);
  REQUIRE(c.settle(20s));
  auto& companion = c.connect(0);
  const auto exists = [&] {
    return ask<control::process_exists>(c, companion, process_id{companion.process()}).has_value();
  };
  CHECK(exists());
  CHECK(ask<control::accompany>(c, companion).has_value());
  CHECK(!exists());
  auto& main = c.connect(0);
  REQUIRE(main.process() == companion.process());
  CHECK(exists());
}
