/// Persistent databases whose file is damaged: set aside, started empty, marked, healed by the next
/// recovery from a node whose copy is whole; never a source for others, never shown as if whole,
/// never a reason not to start.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "actors/client/replace.hpp"
#include "protocol/types/rec_data.hpp"
#include "protocol/types/traverse.hpp"
#include "protocol/wire/codec.hpp"
#include "tests/actors/transaction_support.hpp"

using namespace floe;
using namespace floe::test;
using nlohmann::json;

namespace {

const std::vector<std::string> keys{"a", "b", "c"};
const contents whole{{"a", "1"}, {"b", "2"}, {"c", "3"}};
constexpr const char* secrets = "secrets.tdb";

json database(sim_cluster& c, std::size_t n) {
  const auto s = json::parse(c.status(n));
  for (const auto& d : s["databases"])
    if (d["name"] == secrets) return d;
  return {};
}

bool is_damaged(sim_cluster& c, std::size_t n) { return database(c, n)["damage"].is_string(); }

bool log_says(const sim_cluster& c, const std::string& what) {
  return std::ranges::any_of(c.log(),
                             [&](const auto& l) { return l.find(what) != std::string::npos; });
}

std::size_t files_aside(sim_cluster& c, std::size_t n) {
  std::size_t count = 0;
  for (const auto& f : std::filesystem::directory_iterator(c.config(n).persistent_dir))
    count += f.path().filename().string().find(".corrupt.") != std::string::npos;
  return count;
}

/// As a backup without a sequence number is restored.
void restore(sim_cluster& c, client& w, db_id db) {
  auto buffer = std::make_shared<std::optional<bytes>>();
  rec_buffer_builder b(db);
  for (const auto& [k, v] : whole) b.add(k, {.rsn = rsn{3}, .dmaster = pnn{0}}, v);
  *buffer = b.take();
  const auto done = finish<replaced_content>(c, [&](auto end) {
    replace_content(w,
                    {.db = db,
                     .name = secrets,
                     .kind = db_kind::persistent,
                     .feed = [buffer]() -> std::expected<std::optional<bytes>, std::string> {
                       return std::exchange(*buffer, std::nullopt);
                     }},
                    end);
  });
  REQUIRE(done.has_value());
}

/// Records with a sequence number, or with none, which is 0 as for an empty database.
db_id fill(sim_cluster& c, bool by_transaction) {
  auto& w = c.connect(0);
  const auto db = attach_kind(c, w, secrets, db_kind::persistent);
  if (by_transaction)
    commit_now(c, w, db, whole);
  else
    restore(c, w, db);
  // everybody gets a copy
  w.control<control::set_recmode>(pnn::current, recovery_mode::active, 5s, [](const auto&) {});
  pass(c, 100ms);
  REQUIRE(c.settle(20s));
  c.disconnect(w);
  return db;
}

void stop_all(sim_cluster& c) {
  for (std::size_t i = 0; i < c.size(); ++i) c.kill(i);
}

}  // namespace

TEST_CASE(
    "a damaged copy is set aside and healed by the others, whichever node it is and whatever the "
    "numbers say") {
  for (const bool by_transaction : {true, false})
    for (std::size_t victim = 0; victim < 3; ++victim) {
      CAPTURE(by_transaction);
      CAPTURE(victim);
      sim_cluster c(3, 1 + victim);
      REQUIRE(c.settle(20s));
      const auto db = fill(c, by_transaction);
      c.kill(victim);
      REQUIRE(c.settle(20s));
      c.damage(victim, secrets);
      c.start(victim);
      REQUIRE(c.settle(30s));
      CHECK(log_says(c, "file-set-aside db=secrets.tdb"));
      CHECK(log_says(c, "database-healed db=secrets.tdb"));
      CHECK(files_aside(c, victim) == 1);
      for (std::size_t n = 0; n < 3; ++n) {
        CHECK_FALSE(is_damaged(c, n));
        CHECK(here(c, n, db, keys) == whole);
      }
    }
}

TEST_CASE("the whole cluster restarts, and the leader's own copy is damaged: it does not win") {
  for (const bool by_transaction : {true, false})
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      CAPTURE(by_transaction);
      CAPTURE(seed);
      sim_cluster c(3, seed);
      REQUIRE(c.settle(20s));
      const auto db = fill(c, by_transaction);
      stop_all(c);
      c.damage(0, secrets);
      c.damage(2, secrets);
      for (std::size_t n = 0; n < 3; ++n) c.start(n);
      REQUIRE(c.settle(30s));
      for (std::size_t n = 0; n < 3; ++n) {
        CHECK_FALSE(is_damaged(c, n));
        CHECK(here(c, n, db, keys) == whole);
      }
    }
}

TEST_CASE(
    "no whole copy anywhere: all nodes start, the database stays marked and is not served, others "
    "are") {
  sim_cluster c(3, 3);
  REQUIRE(c.settle(20s));
  const auto db = fill(c, true);
  auto& other = c.connect(1);
  const auto fine = attach_kind(c, other, "fine.tdb", db_kind::persistent);
  commit_now(c, other, fine, {{"x", "y"}});
  stop_all(c);
  for (std::size_t n = 0; n < 3; ++n) c.damage(n, secrets);
  for (std::size_t n = 0; n < 3; ++n) c.start(n);
  REQUIRE(c.settle(30s));
  auto& client = c.connect(1);
  for (std::size_t n = 0; n < 3; ++n) {
    CHECK(is_damaged(c, n));
    const auto warnings = json::parse(c.status(n))["warnings"].dump();
    CHECK(warnings.find("secrets.tdb is not whole") != std::string::npos);
    CHECK(files_aside(c, n) == 1);
    CHECK(here(c, n, fine, {"x"}) == contents{{"x", "y"}});
  }
  attach_kind(c, client, secrets, db_kind::persistent);
  const auto read = finish<read_record_answer>(
      c, [&](auto done) { read_record(client, db, "a", read_from::this_node, 5s, done); });
  REQUIRE_FALSE(read.has_value());
  CHECK(read.error().describe().find("is not whole") != std::string::npos);

  // it stays so through recoveries and restarts
  client.control<control::set_recmode>(pnn::current, recovery_mode::active, 5s, [](const auto&) {});
  pass(c, 100ms);
  REQUIRE(c.settle(30s));
  stop_all(c);
  for (std::size_t n = 0; n < 3; ++n) c.start(n);
  REQUIRE(c.settle(30s));
  for (std::size_t n = 0; n < 3; ++n) CHECK(is_damaged(c, n));
}

TEST_CASE("the only whole copy comes back later and heals everybody") {
  sim_cluster c(3, 4);
  REQUIRE(c.settle(20s));
  const auto db = fill(c, true);
  stop_all(c);
  c.damage(0, secrets);
  c.damage(1, secrets);
  c.start(0);
  c.start(1);
  REQUIRE(c.settle(30s));
  CHECK(is_damaged(c, 0));
  CHECK(is_damaged(c, 1));
  c.start(2);
  REQUIRE(c.settle(30s));
  for (std::size_t n = 0; n < 3; ++n) {
    CHECK_FALSE(is_damaged(c, n));
    CHECK(here(c, n, db, keys) == whole);
  }
}

TEST_CASE("a node that lacks the database learns that the only copies are damaged") {
  sim_cluster c(3, 5, {.start = false});
  c.start(0);
  c.start(1);
  pass(c, 10s);
  const auto db = fill(c, true);
  c.kill(0);
  c.kill(1);
  c.damage(0, secrets);
  c.damage(1, secrets);
  for (std::size_t n = 0; n < 3; ++n) c.start(n);
  REQUIRE(c.settle(30s));
  for (std::size_t n = 0; n < 3; ++n) {
    CHECK(is_damaged(c, n));
    // nor is it shown as a whole, by a traverse
    std::string refusal;
    c.connect(n).send_control(
        pnn::current, control::traverse_start_ext,
        wire::encode(traverse_start_ext{.db_id = db, .reqid = reqid{1}, .srvid = srvid{1}}), 5s,
        [&](const result<client_reply>& r) { refusal = r ? "shown" : r.error().describe(); });
    REQUIRE(c.run([&] { return !refusal.empty(); }, 10s));
    CHECK(refusal.find("is not whole") != std::string::npos);
  }
}

TEST_CASE("a mark is lifted by whoever restores the content") {
  sim_cluster c(1, 6);
  REQUIRE(c.settle(20s));
  const auto db = fill(c, true);
  c.kill(0);
  c.damage(0, secrets);
  c.start(0);
  REQUIRE(c.settle(20s));
  REQUIRE(is_damaged(c, 0));
  auto& guest = c.connect(0);
  const auto r = finish<void>(c, [&](auto done) {
    guest.control<control::db_set_healthy>(pnn::current, db, 5s, [done](const auto& a) {
      if (a)
        done({});
      else
        done(std::unexpected(a.error()));
    });
  });
  REQUIRE(r.has_value());
  CHECK_FALSE(is_damaged(c, 0));
}
