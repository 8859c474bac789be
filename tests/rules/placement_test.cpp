#include "protocol/rules/placement.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace floe;

TEST_CASE("lmaster is the map's slot at the hash of the key") {
  // hashes of a real cluster: k1 = 0xeb04426d, k2 = 0x5a4ac072
  const std::array map{pnn{0}, pnn{2}, pnn{5}};
  CHECK(lmaster_of("k1", map) == map[0xeb04426dU % 3]);
  CHECK(lmaster_of("k2", map) == map[0x5a4ac072U % 3]);
  CHECK(lmaster_of("", map) == map[0xdeadbeefU % 3]);
  CHECK(lmaster_of("k1", std::array{pnn{7}}) == pnn{7});
  CHECK(lmaster_of("k1", {}) == pnn::unknown);
}

TEST_CASE("a record belongs to the member that it names, else to its lmaster") {
  const std::array map{pnn{0}, pnn{2}};
  const std::array members{pnn{0}, pnn{1}, pnn{2}};
  CHECK(owner_of("k1", pnn{2}, map, members) == pnn{2});
  CHECK(owner_of("k1", pnn{1}, map, members) == pnn{1});  // it tracks no records, and has this one
  CHECK(owner_of("k1", pnn{1}, map, map) == lmaster_of("k1", map));
  CHECK(owner_of("k1", pnn{3}, map, members) == lmaster_of("k1", map));
}

TEST_CASE("vnn map: capable participants in pnn order, otherwise the leader alone") {
  using candidates = std::vector<map_candidate>;
  CHECK(make_vnn_slots(candidates{{pnn{2}}, {pnn{0}}, {pnn{1}}}, pnn{1}) ==
        std::vector{pnn{0}, pnn{1}, pnn{2}});
  CHECK(make_vnn_slots(candidates{{pnn{0}, false}, {pnn{3}, true}}, pnn{0}) == std::vector{pnn{3}});
  CHECK(make_vnn_slots(candidates{{pnn{0}, false}, {pnn{3}, false}}, pnn{3}) ==
        std::vector{pnn{3}});
  // a leader that leaves is no place for records
  CHECK(make_vnn_slots(candidates{{pnn{0}, false, true}, {pnn{2}, false}, {pnn{1}, false}},
                       pnn{0}) == std::vector{pnn{1}});
  CHECK(make_vnn_slots(candidates{{pnn{0}, false, true}, {pnn{2}, false, true}}, pnn{0}) ==
        std::vector{pnn{0}});
}
