// The header of the bridge says of libtdb what Debian's <tdb.h> says.
#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "actors/tdb_bridge/tdb_abi.hpp"

namespace ours {
#include "tests/bridge/abi_list.hpp"
}

std::vector<std::pair<std::string, long>> abi_of_libtdb();

TEST_CASE("sizes, offsets and numbers are libtdb's") {
  const auto mine = ours::abi_list();
  const auto theirs = abi_of_libtdb();
  REQUIRE(mine.size() == theirs.size());
  REQUIRE(mine.size() > 20);
  for (std::size_t i = 0; i < mine.size(); ++i) {
    CHECK(mine[i].first == theirs[i].first);
    CHECK_MESSAGE(mine[i].second == theirs[i].second, mine[i].first);
  }
}
