#include "protocol/rules/node_list.hpp"

#include <doctest/doctest.h>

using namespace floe;

namespace {
const node_lines three{"10.0.0.1", "10.0.0.2", "10.0.0.3"};
node_list_change plan(const node_lines& wanted, pnn self = pnn{0}) {
  auto r = plan_reload(three, wanted, self);
  REQUIRE(r.has_value());
  return *r;
}
}  // namespace

TEST_CASE("node lists: the differing lines are named") {
  CHECK(differences(three, three).empty());
  CHECK(differences(three, {"10.0.0.1", "10.0.0.9", "10.0.0.3"}) ==
        std::vector<std::string>{"node 1: here 10.0.0.2, there 10.0.0.9"});
  CHECK(differences(three, {"10.0.0.1", "", "10.0.0.3", "10.0.0.4"}) ==
        std::vector<std::string>{"node 1: here 10.0.0.2, there a deleted node",
                                 "node 3: here nothing, there 10.0.0.4"});
  CHECK(differences(three, {}, 2).back() == "and 1 more");
}

TEST_CASE("reload: lines are appended, deleted and used again") {
  CHECK(plan(three).empty());
  CHECK(plan({"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"}).added == std::vector{pnn{3}});
  CHECK(plan({"10.0.0.1", "", "10.0.0.3"}).removed == std::vector{pnn{1}});
  const auto again =
      plan_reload({"10.0.0.1", "", "10.0.0.3"}, {"10.0.0.1", "10.0.0.7", "10.0.0.3"}, pnn{0});
  REQUIRE(again);
  CHECK(again->added == std::vector{pnn{1}});
  CHECK(again->removed.empty());
  // a line that was appended and deleted before anybody loaded it
  CHECK(plan({"10.0.0.1", "10.0.0.2", "10.0.0.3", ""}).empty());
}

TEST_CASE("reload: what is refused") {
  CHECK(plan_reload(three, {"10.0.0.1", "10.0.0.2"}, pnn{0})
            .error()
            .starts_with("the line of node 2 is missing"));
  CHECK(plan_reload(three, {"10.0.0.1", "10.0.0.9", "10.0.0.3"}, pnn{0}).error() ==
        "node 1 changes from 10.0.0.2 to 10.0.0.9: delete the node first");
  CHECK(plan_reload(three, {"", "10.0.0.2", "10.0.0.3"}, pnn{0}).error() ==
        "node 0 is this node itself");
}
