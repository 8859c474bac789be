#pragma once
/// Programs of floe/async.hpp against nodes that run: NODES names their directories, joined by ':'.
#include <doctest/doctest.h>

#include <cstdlib>
#include <floe/async.hpp>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace async_test {

using namespace std::chrono_literals;
namespace fa = floe::async;

inline std::vector<std::string> nodes_of_test() {
  const char* all = std::getenv("NODES");
  REQUIRE(all);
  std::vector<std::string> nodes;
  std::istringstream in(all);
  for (std::string one; std::getline(in, one, ':');) nodes.push_back(one);
  return nodes;
}

/// A client, connected, whose loop runs while something is waited for.
struct program {
  fa::client c;
  int ups = 0;
  std::vector<fa::error> downs;

  explicit program(std::size_t node = 0, bool tables = false, bool reconnect = false) {
    connect(node, tables, reconnect);
    REQUIRE(c.run_until([&] { return ups == 1; }, 20s));
  }
  struct unconnected {};
  explicit program(unconnected) {}

  void connect(std::size_t node, bool tables = false, bool reconnect = false) {
    fa::options o;
    o.where = nodes_of_test().at(node);
    o.record_tables = tables;
    o.reconnect = reconnect;
    fa::events e;
    e.connected = [this](std::uint32_t) { ++ups; };
    e.disconnected = [this](const fa::error& why) { downs.push_back(why); };
    c.connect(o, e);
  }

  /// Starts something and waits for its result: get<T>([&](auto done) { c.read(..., done); }).
  template <class T, class Start>
  fa::result<T> get(Start start) {
    auto answer = std::make_shared<std::optional<fa::result<T>>>();
    start([answer](fa::result<T> r) { answer->emplace(std::move(r)); });
    REQUIRE_FALSE(answer->has_value());  // never inside the call
    REQUIRE(c.run_until([&] { return answer->has_value(); }, 60s));
    return std::move(**answer);
  }
  /// What destructors have asked for is answered.
  void settle() {
    REQUIRE(c.run_until([&] { return c.outstanding() == 0; }, 20s));
    c.process();
  }
  std::uint32_t attach(const std::string& name, fa::kind k = fa::kind::any) {
    auto db = get<std::uint32_t>([&](auto done) { c.attach(name, k, 30s, done); });
    REQUIRE_MESSAGE(db, db.why().describe());
    return *db;
  }
  fa::result<fa::record_lock> lock(std::uint32_t db, const std::string& key, fa::limit t = 30s) {
    return get<fa::record_lock>([&](auto done) { c.lock(db, key, t, done); });
  }
  fa::result<fa::record> read(std::uint32_t db, const std::string& key,
                              fa::read_from from = fa::read_from::owner) {
    return get<fa::record>([&](auto done) { c.read(db, key, from, 30s, done); });
  }
  void write(std::uint32_t db, const std::string& key, const std::string& data) {
    auto held = lock(db, key);
    REQUIRE_MESSAGE(held, held.why().describe());
    const auto stored = get<void>([&](auto done) { held->store_and_unlock(data, 30s, done); });
    REQUIRE_MESSAGE(stored, stored.why().describe());
  }
};

}  // namespace async_test
