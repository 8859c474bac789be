/// floe/client.hpp against a node that runs: NODE names it. Played by tests/interop/test_clib.py.
#include <doctest/doctest.h>

#include <cstdlib>
#include <floe/client.hpp>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include <unistd.h>

using namespace std::chrono_literals;

namespace {

floe::connection node_of_test(unsigned flags = 0) {
  const char* where = std::getenv("NODE");
  REQUIRE(where);
  return floe::connection(where, flags);
}

floe_error code_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const floe::failure& f) {
    return f.code();
  }
  return FLOE_OK;
}

}  // namespace

TEST_CASE("a record is locked as long as its lock lives") {
  auto node = node_of_test();
  auto db = node.attach("cpp.tdb");
  {
    auto lock = db.lock("key");
    CHECK(lock.data().empty());
    lock.store("value");
    CHECK(lock.data() == "value");
    CHECK(lock.header().dmaster == node.pnn());
    auto moved = std::move(lock);
    CHECK(code_of([&] { auto other = db.lock("key", 1ms); }) == FLOE_ETIMEOUT);
    CHECK_FALSE(db.try_lock("key"));
  }
  CHECK(db.read("key") == "value");
  auto again = db.try_lock("key");
  REQUIRE(again);
  again->erase();
  again->unlock();
  CHECK_FALSE(db.read("key"));
  CHECK(db.read("key", floe::read_from::copy).value_or("").empty());
}

TEST_CASE("a connection may be moved under its databases and handlers") {
  auto first = node_of_test();
  auto db = first.attach("moved.tdb");
  int heard = 0;
  first.listen(0x6370700000000001, [&heard, self = first.pnn()](const floe::message& m) {
    CHECK(m.data == "hello");
    CHECK(m.from_pnn == self);
    ++heard;
  });
  auto node = std::move(first);
  db.lock("k").store("v");
  CHECK(db.read("k") == "v");
  node.send(FLOE_HERE, 0x6370700000000001, "hello");
  CHECK(node.process(5s) == 1);
  CHECK(heard == 1);
  node.listen(0x6370700000000001, nullptr);
  node.send(FLOE_HERE, 0x6370700000000001, "hello");
  CHECK(node.process(100ms) == 0);
}

TEST_CASE("what a handler throws comes out of process") {
  auto node = node_of_test();
  node.listen(0x6370700000000002, [](const floe::message&) { throw std::runtime_error("enough"); });
  node.send(FLOE_HERE, 0x6370700000000002, "x");
  CHECK_THROWS_WITH(node.process(5s), "enough");
  CHECK(node.process(0ms) == 0);
}

TEST_CASE("every record is shown, until the visitor has seen enough or throws") {
  auto node = node_of_test();
  auto db = node.attach("walked.tdb");
  for (const char* key : {"a", "b", "c"}) db.lock(key).store(std::string("of ") + key);
  std::map<std::string, std::string> seen;
  const auto count = db.for_each([&](std::string_view k, std::string_view d, const floe_header&) {
    seen.emplace(k, d);
    return true;
  });
  CHECK(count == 3);
  CHECK(seen == std::map<std::string, std::string>{{"a", "of a"}, {"b", "of b"}, {"c", "of c"}});
  int shown = 0;
  db.for_each([&](auto, auto, const auto&) { return ++shown < 2; });
  CHECK(shown == 2);
  CHECK_THROWS_WITH(
      db.for_each([](auto, auto, const auto&) -> bool { throw std::runtime_error("no more"); }),
      "no more");
}

TEST_CASE("a transaction is all or nothing") {
  auto node = node_of_test();
  auto db = node.attach("settings.tdb", floe::kind::persistent);
  {
    auto t = db.begin();
    t.store("colour", "blue");
    CHECK(t.read("colour") == "blue");
  }  // cancelled
  CHECK_FALSE(db.read("colour", floe::read_from::settled));
  const auto before = db.sequence_number();
  auto t = db.begin();
  t.store("colour", "red");
  t.commit();
  CHECK(db.read("colour", floe::read_from::settled) == "red");
  CHECK(db.sequence_number() == before + 1);
  REQUIRE(node.find("settings.tdb"));
  CHECK(node.find("settings.tdb")->id() == db.id());
  CHECK_FALSE(node.find("nothing.tdb"));
}

TEST_CASE("failures say what was being done") {
  CHECK_THROWS_AS(floe::connection("/nowhere"), floe::failure);
  auto node = node_of_test();
  const floe::database unknown(node.get(), 0x12345678);
  CHECK(code_of([&] { unknown.lock("k"); }) == FLOE_EREFUSED);
  try {
    unknown.lock("k");
  } catch (const floe::failure& f) {
    CHECK(std::string(f.what()).rfind("lock: ", 0) == 0);
  }
}

TEST_CASE("the cluster is asked") {
  auto node = node_of_test();
  CHECK(node.nodes(FLOE_ALL).size() == 3);
  node.listen(0x6370700000000003, [](const floe::message&) {});
  CHECK(node.process_exists(node.pnn(), getpid(), 0x6370700000000003));
  CHECK_FALSE(node.process_exists(node.pnn(), getpid(), 0x6370700000000004));
  constexpr std::uint32_t get_pid = 30;
  CHECK(node.control(FLOE_HERE, get_pid).empty());
  bool told = false;
  node.watch_recoveries([&](floe_db, floe_phase, bool) { told = true; });
  node.process(10s);
  CHECK(told);
}
