#include "protocol/rules/feature_level.hpp"

#include <doctest/doctest.h>

using namespace floe;

TEST_CASE("levels are counted up, each brings something") {
  for (std::size_t i = 0; i < feature_levels.size(); ++i) {
    CHECK(feature_levels[i].number == i + 1);
    CHECK(std::string_view(feature_levels[i].brings) != "");
  }
}

TEST_CASE("a node's level is in its capabilities, also of programs that did not tell it yet") {
  const auto lead = capability::features | capability::recmaster;
  CHECK(feature_level_of(lead) == 0);  // ctdbd
  CHECK(feature_level_of(lead | capability::sorted_pull) == 1);
  CHECK(feature_level_of(lead | capability::sorted_pull | capability::difference) == 2);
  CHECK(feature_level_of(capabilities_with_level(lead, 7)) == 7);
  CHECK((capabilities_with_level(lead, 7) & lead) == lead);
  CHECK(capabilities_text(capabilities_with_level(capability::lmaster, 2)) == "LMASTER|LEVEL_2");
}

TEST_CASE("a cluster uses what all its nodes have, and no more than an operator allows") {
  CHECK(used_feature_level(2, 0) == 2);
  CHECK(used_feature_level(2, 1) == 1);
  CHECK(used_feature_level(0, 9) == 0);
}
