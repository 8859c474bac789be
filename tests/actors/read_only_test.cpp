/// Read-only copies with whole nodes: they are given, called back before a write, and end with a recovery; holders that do not
/// answer keep a writer waiting, and nobody spins meanwhile.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "protocol/types/database.hpp"
#include "protocol/types/rec_data.hpp"
#include "protocol/wire/codec.hpp"
#include "tests/actors/sim_cluster.hpp"

using namespace floe;
using namespace floe::test;

namespace {

struct copying_cluster : sim_cluster {
  std::vector<client*> clients;
  db_id db{};

  explicit copying_cluster(std::size_t nodes, std::uint64_t seed = 1) : sim_cluster(nodes, seed) {
    REQUIRE(settle(20s));
    for (std::size_t n = 0; n < nodes; ++n) {
      clients.push_back(&connect(n));
      db = attach_now(*this, *clients.back(), "locking.tdb");
    }
    for (std::size_t n = 0; n < nodes; ++n) allow(n);
  }
  void allow(std::size_t n) {
    std::optional<bool> done;
    allow_copies(*clients[n], db, 5s, [&](const result<void>& r) { done = r.has_value(); });
    REQUIRE(run([&] { return done.has_value(); }, 10s));
    REQUIRE(*done);
  }
  std::string read(std::size_t n, const std::string& key = "k") {
    return read_now(*this, *clients[n], db, key).data;
  }
  void write(std::size_t n, const std::string& data, const std::string& key = "k") {
    write_now(*this, *clients[n], db, key, data);
  }
  record_header here(std::size_t n, const std::string& key = "k") {
    return read_now(*this, *clients[n], db, key, read_from::this_node).header;
  }
  bool has_copy(std::size_t n) { return here(n).flags & record_flag::ro_have_readonly; }
  nlohmann::json copies(std::size_t n) {
    const auto all = nlohmann::json::parse(status(n));
    for (const auto& d : all["databases"])
      if (d["name"] == "locking.tdb") return d.value("read_only", nlohmann::json::object());
    return {};
  }
  std::size_t logged(const std::string& text) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        log(), [&](const auto& l) { return l.find(text) != std::string::npos; }));
  }
};

}  // namespace

TEST_CASE("read-only copies: many read at once, the record stays where it is") {
  copying_cluster c(3);
  c.write(1, "one");
  for (int round = 0; round < 3; ++round)
    for (std::size_t n = 0; n < 3; ++n) CHECK(c.read(n) == "one");
  for (std::size_t n = 0; n < 3; ++n) CHECK(c.here(n).dmaster == pnn{1});
  CHECK(c.has_copy(0));
  CHECK(c.has_copy(2));
  CHECK(c.copies(1)["out"] == 1);
  CHECK(c.copies(1)["given"] == 2);
  CHECK(c.copies(0)["here"] == 1);
  // copies are older than the record
  CHECK(c.here(0).rsn < c.here(1).rsn);
}

TEST_CASE("read-only copies: whoever writes, on any node, calls them back first") {
  copying_cluster c(4);
  std::string last;
  for (std::size_t writer = 0; writer < 4; ++writer)
    for (const auto* word : {"a", "b"}) {
      last = word + std::to_string(writer);
      c.write(writer, last);
      for (std::size_t n = 0; n < 4; ++n) CHECK(!c.has_copy(n));
      for (std::size_t n = 0; n < 4; ++n) CHECK(c.read(n) == last);
      for (std::size_t n = 0; n < 4; ++n) CHECK(c.has_copy(n) == (n != writer));
    }
  CHECK(c.logged("rsn-went-back") == 0);
}

TEST_CASE("read-only copies: a deleted record is read as none, and goes in the end") {
  copying_cluster c(3);
  c.write(1, "one");
  CHECK(c.read(0) == "one");
  c.write(1, "");
  for (std::size_t n = 0; n < 3; ++n) CHECK(c.read(n).empty());
  const auto gone = [&] {
    for (std::size_t n = 0; n < 3; ++n)
      if (read_now(c, *c.clients[n], c.db, "k", read_from::this_node).header.rsn != rsn{0})
        return false;
    return true;
  };
  for (int seconds = 0; seconds < 60 && !gone(); ++seconds) pass(c, 1s);
  CHECK(gone());
  c.write(2, "two");
  for (std::size_t n = 0; n < 3; ++n) CHECK(c.read(n) == "two");
}

TEST_CASE("read-only copies: a recovery ends them on all nodes") {
  copying_cluster c(3);
  c.write(1, "one");
  for (std::size_t n = 0; n < 3; ++n) CHECK(c.read(n) == "one");
  c.kill(2);
  REQUIRE(c.settle(30s));
  CHECK(!c.has_copy(0));
  CHECK(!(c.here(1).flags & record_flag::ro_all));
  c.write(1, "two");
  CHECK(c.read(0) == "two");
}

TEST_CASE("read-only copies: a reader does not outlive the owner that would have called it back") {
  copying_cluster c(3);
  c.write(1, "one");
  for (std::size_t n : {0U, 2U}) CHECK(c.read(n) == "one");
  c.kill(1);
  REQUIRE(c.settle(30s));
  CHECK(c.read(0) == "one");
  c.write(0, "two");
  CHECK(c.read(2) == "two");
}

TEST_CASE(
    "read-only copies: a holder that hangs keeps a writer waiting until a recovery, and is not "
    "asked at once again") {
  copying_cluster c(3);
  c.write(1, "one");
  for (std::size_t n : {0U, 2U}) CHECK(c.read(n) == "one");
  c.hang(2);
  std::optional<bool> written;
  lock_record(*c.clients[1], c.db, "k", 60s, [&](const result<locked_record>& l) {
    REQUIRE(l.has_value());
    store_record(*c.clients[1], l->lock_id, "two", after_write::unlock, 60s,
                 [&](const result<void>& s) { written = s.has_value(); });
  });
  pass(c, 500ms);
  CHECK(!written);
  CHECK(c.copies(1)["calling_back"] == 1);
  CHECK(c.copies(1)["oldest_ms"] >= 400);
  CHECK(c.status(1).find("copies-called-back-from-nodes-2") != std::string::npos);
  REQUIRE(c.run([&] { return written.has_value(); }, 60s));
  CHECK(*written);
  CHECK(c.read(0) == "two");
  CHECK(c.logged("wanted back for") <= 30);
}

TEST_CASE("read-only copies: where they are not allowed a read brings the record") {
  copying_cluster c(2);
  auto& other = c.connect(0);
  const auto plain = attach_now(c, other, "brlock.tdb");
  auto& far = c.connect(1);
  attach_now(c, far, "brlock.tdb");
  write_now(c, other, plain, "k", "one");
  CHECK(read_now(c, far, plain, "k").data == "one");
  CHECK(read_now(c, far, plain, "k", read_from::this_node).header.dmaster == pnn{1});
}

TEST_CASE(
    "read-only copies: whoever says that it takes copies back writes what the owner has only by "
    "its name") {
  copying_cluster c(2);
  c.write(1, "one");
  CHECK(c.read(0) == "one");
  const auto send = [&](std::size_t to, record_header h) {
    rec_buffer_builder b(c.db);
    b.add("k", h, "stolen");
    std::optional<std::int32_t> status;
    c.clients[to]->send_control(
        pnn::current, control::update_record, b.take(), 5s,
        [&](const result<client_reply>& r) { status = r ? r->status : r.error().status; });
    REQUIRE(c.run([&] { return status.has_value(); }, 10s));
    return *status;
  };
  // of the owner: it would lose what it has
  CHECK(send(1, {.rsn = rsn{1000}, .dmaster = pnn{0}}) == -1);
  CHECK(send(1, {.rsn = c.here(1).rsn, .dmaster = pnn{1}}) == 1);
  CHECK(c.read(1) == "one");
  // of a holder: its copy ends, and it asks for another
  CHECK(send(0, {.rsn = rsn{1000}, .dmaster = pnn{1}}) == 0);
  CHECK(!c.has_copy(0));
  CHECK(c.here(0).rsn < c.here(1).rsn);
  CHECK(c.read(0) == "one");
  c.write(0, "two");
  CHECK(c.read(1) == "two");
  c.write(1, "three");
  CHECK(c.read(0) == "three");
  // by its name, with a later number: it writes, when copies have been called back
  CHECK(send(1, {.rsn = rsn{1000}, .dmaster = pnn{1}}) == 0);
  CHECK(!c.has_copy(0));
  CHECK(c.here(1).rsn == rsn{1001});
  CHECK(c.here(1).dmaster == pnn{1});
  CHECK(c.read(0) == "stolen");
  // not while a client has the record
  const auto held = lock_now(c, *c.clients[1], c.db, "k");
  std::optional<std::int32_t> status;
  rec_buffer_builder b(c.db);
  b.add("k", {.rsn = rsn{2000}, .dmaster = pnn{1}}, "late");
  c.connect(1).send_control(pnn::current, control::update_record, b.take(), 50s,
                            [&](const result<client_reply>& r) { status = r ? r->status : -1; });
  pass(c, 1s);
  CHECK(!status);
  store_now(c, *c.clients[1], held.lock_id, "four");
  REQUIRE(c.run([&] { return status.has_value(); }, 10s));
  CHECK(*status == 0);
  CHECK(c.read(0) == "late");
}

TEST_CASE("a pushed record is a copy on every other node, and its flags are kept") {
  copying_cluster c(3);
  c.write(1, "one");
  const auto ours = c.here(1);
  const auto generation = nlohmann::json::parse(c.status(1))["generation"].get<std::uint32_t>();
  const auto push = [&](std::uint32_t gen, record_header h, const std::string& data) {
    const auto request = encode_request<control::push_record>({.generation = floe::generation{gen},
                                                               .db_id = c.db,
                                                               .header = h,
                                                               .key = "k",
                                                               .data = data});
    for (std::uint32_t n = 0; n < 3; ++n)
      c.clients[1]->send_control_unanswered(pnn{n}, control::push_record, request);
    pass(c, 100ms);
  };
  auto h = ours;
  h.flags |= 0x1 | 0x2;  // of Samba 4.25
  push(generation - 1, h, "one");
  CHECK(!read_now(c, *c.clients[0], c.db, "k", read_from::this_node).found);
  push(generation, h, "one");
  const auto copy = read_now(c, *c.clients[0], c.db, "k", read_from::this_node);
  CHECK(copy.data == "one");
  CHECK(copy.header.dmaster == pnn{1});
  CHECK((copy.header.flags & 0x3) == 0x3);
  push(generation, h, "one more");
  CHECK(read_now(c, *c.clients[0], c.db, "k", read_from::this_node).data == "one more");
  push(generation, h, "one");
  h.dmaster = pnn{2};  // who does not own it cannot take it from who does
  h.rsn = rsn{1000};
  push(generation, h, "stolen");
  CHECK(c.here(1) == ours);
  // what it is for: the record outlives its owner, with flags that this version does not know
  c.kill(1);
  pass(c, 10s);
  REQUIRE(c.settle(60s));
  CHECK(c.read(2) == "one");
  CHECK((c.here(2).flags & 0x3) == 0x3);
  // and they stay when it is stored, moves, and is stored in the record table
  c.write(2, "two");
  CHECK((c.here(2).flags & 0x3) == 0x3);
  c.write(0, "three");
  CHECK((c.here(0).flags & 0x3) == 0x3);
  auto& fast = c.connect(2, true);
  attach_now(c, fast, "locking.tdb");
  for (const char* value : {"four", "five"}) write_now(c, fast, c.db, "k", value);
  CHECK(c.read(0) == "five");
  c.write(0, "six");
  CHECK((c.here(0).flags & 0x3) == 0x3);
}
