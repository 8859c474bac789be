/// Requests for a record cross its moves, so that two nodes each hold the other's back. The record lies at a third node then,
/// and nobody uses it: found where many clients read one record, each such wait took five seconds.
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>

#include "protocol/rules/placement.hpp"
#include "tests/actors/sim_cluster.hpp"

using namespace floe;
using namespace floe::test;

TEST_CASE("an lmaster whose request was sent on holds nobody back for whom it had asked first") {
  sim_cluster c(3);
  REQUIRE(c.settle(20s));
  std::vector<client*> clients;
  db_id db{};
  for (std::size_t n = 0; n < 3; ++n) {
    clients.push_back(&c.connect(n));
    db = attach_now(c, *clients.back(), "locking.tdb");
  }
  std::string key = "k";
  while (lmaster_of(key, std::vector{pnn{0}, pnn{1}, pnn{2}}) != pnn{2}) key += "k";
  write_now(c, *clients[0], db, key, "first");  // so that node 0 knows who got it from there
  write_now(c, *clients[1], db, key, "second");

  const auto slow = [&](std::size_t to, duration d) {
    c.net().set_path(c.ip(2), c.ip(to), {.shortest = d, .longest = d});
  };
  slow(1, 50ms);
  slow(0, 20ms);
  std::vector<std::shared_ptr<std::optional<time_point>>> read;
  const auto began = c.loop_now();
  const auto read_at = [&](duration when, std::size_t n) {
    if (const auto left = began + when - c.loop_now(); left > duration{0}) pass(c, left);
    read.push_back(std::make_shared<std::optional<time_point>>());
    read_record(*clients[n], db, key, read_from::owner, 30s,
                [&c, done = read.back()](const result<read_record_answer>& r) {
                  CHECK(r.has_value());
                  *done = c.loop_now();
                });
  };
  read_at(0ms, 2);  // asks node 1, slowly
  read_at(5ms, 0);  // gets it from there, by way of node 2
  // at 50 ms node 1 sends node 2's request back, and node 2 sends it on to node 0, where it comes 20 ms later
  read_at(60ms, 1);  // gets it back from node 0
  read_at(62ms, 0);  // asks node 1, which does not have it yet and sends that on to node 2
  REQUIRE(
      c.run([&] { return std::ranges::all_of(read, [](const auto& r) { return r->has_value(); }); },
            20s));
  for (const auto& r : read) CHECK(**r - began < 1s);
}
