#include "cli/lock_picture.hpp"

#include <doctest/doctest.h>

using namespace floe;
using namespace floe::cli;

namespace {

/// Node 0: smbd holds A's record and waits for B's, which is on node 2.
constexpr const char* node_0 = R"({"node":0,
  "recovery":{"freeze":"all"},
  "databases":[
    {"name":"A","state":"freezing","state_age_ms":50,
     "holders":[{"key":"6131","client":7,"pid":77,"name":"smbd","age_ms":60}],"waiters":[]},
    {"name":"B","state":"frozen","state_age_ms":50,"holders":[],
     "waiters":[{"key":"6231","client":7,"pid":77,"name":"smbd","node":0,"age_ms":40,"why":"database-frozen"}]}]})";
constexpr const char* node_2 = R"({"node":2,"databases":[
    {"name":"A","state":"frozen","state_age_ms":50,"holders":[],"waiters":[]},
    {"name":"B","state":"frozen","state_age_ms":50,"holders":[],"waiters":[]}]})";

std::string joined(const std::vector<std::string>& v) {
  std::string all;
  for (const auto& s : v) all += s + "\n";
  return all;
}

}  // namespace

TEST_CASE("reports of several nodes make one picture") {
  lock_picture p;
  REQUIRE(p.add(node_0));
  REQUIRE(p.add(node_2));
  REQUIRE(p.held.size() == 1);
  CHECK(p.held[0].db == "A");
  CHECK(p.held[0].key == "a1");
  CHECK(p.held[0].who.pid == 77);
  CHECK(to_text(p.held[0].who) == "smbd (pid 77, node 0)");
  REQUIRE(p.waiting.size() == 1);
  CHECK(p.waiting[0].queue == pnn{0});
  CHECK(p.waiting[0].why == "database-frozen");
  CHECK(p.databases.size() == 4);
  CHECK_FALSE(p.add("nonsense"));
  CHECK_FALSE(p.add("{}"));
}

TEST_CASE("all databases frozen together: the circle goes through both of them") {
  lock_picture p;
  REQUIRE(p.add(node_0));
  REQUIRE(p.add(node_2));
  const auto circle = find_cycle(p);
  CAPTURE(joined(circle));
  REQUIRE(circle.size() == 3);
  CHECK(circle[0].find("smbd") != std::string::npos);
  CHECK(circle[0].find("of B") != std::string::npos);
  CHECK(circle[1].find("B may not be recovered before A") != std::string::npos);
  CHECK(circle[2].find("A cannot freeze") != std::string::npos);
}

TEST_CASE("the same with recovery by database is no circle") {
  std::string report = node_0;
  report.replace(report.find("\"all\""), 5, "\"db\"");
  lock_picture p;
  REQUIRE(p.add(report));
  REQUIRE(p.add(node_2));
  CHECK(find_cycle(p).empty());
}

TEST_CASE("two clients that each hold what the other wants") {
  lock_picture p;
  REQUIRE(p.add(R"({"node":0,"databases":[{"name":"A","state":"thawed",
    "holders":[{"key":"31","client":1,"pid":11,"name":"x"},{"key":"32","client":2,"pid":22,"name":"y"}],
    "waiters":[{"key":"32","client":1,"pid":11,"name":"x","node":0,"why":"held"},
               {"key":"31","client":2,"pid":22,"name":"y","node":0,"why":"held"}]}]})"));
  const auto circle = find_cycle(p);
  CAPTURE(joined(circle));
  CHECK(circle.size() == 2);
}

TEST_CASE("a queue is no circle") {
  lock_picture p;
  REQUIRE(p.add(R"({"node":0,"databases":[{"name":"A","state":"thawed",
    "holders":[{"key":"31","client":1,"pid":11,"name":"x"}],
    "waiters":[{"key":"31","client":2,"pid":22,"name":"y","node":0,"why":"held"},
               {"key":"31","client":0,"pid":0,"name":"","node":1,"why":"held"}]}]})"));
  CHECK(find_cycle(p).empty());
}
