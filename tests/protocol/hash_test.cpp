// The key hash places records and numbers databases: one wrong bit and a node finds nothing. The
// values with a NUL were read off a real cluster.
#include "protocol/hash.hpp"

#include <doctest/doctest.h>

#include "protocol/types/vnn_map.hpp"

using namespace floe;

TEST_CASE("the key hash is lookup3's") {
  CHECK(key_hash("") == 0xdeadbeef);
  CHECK(key_hash("a") == 0x58d68708);
  CHECK(key_hash("key1") == 0x1de0df49);
  CHECK(key_hash("0123456789ab") == 0x1065e50a);
  CHECK(key_hash("0123456789abc") == 0x7351ce56);
  CHECK(key_hash("0123456789ab0123456789ab") == 0x4905589f);
}

TEST_CASE("a database is numbered by its name and a NUL") {
  CHECK(db_id_of("vol.tdb") == db_id{0x900f773e});
  CHECK(db_id_of("pers.tdb") == db_id{0x3880c3f1});
  CHECK(db_id_of("repl.tdb") == db_id{0xa870bacf});
  CHECK(db_id_of("ro.tdb") == db_id{0x1042392c});
  CHECK(db_id_of("newvol.tdb") == db_id{0x6db27a1e});
  CHECK(db_id_of("g_lock.tdb") == db_id{0x4d2a432b});
  CHECK(db_id_of("secrets_x.tdb") == db_id{0x48860f86});
  CHECK(db_id_of("smbXsrv_x.tdb") == db_id{0x142840f5});
}

TEST_CASE("the map gives a key its lmaster") {
  const vnn_map map{generation{5}, {pnn{0}, pnn{1}, pnn{2}}};
  CHECK(lmaster_of(map, "key1") == pnn{0});  // as a real cluster of three says
  CHECK(lmaster_of(vnn_map{}, "key1") == std::nullopt);
}

TEST_CASE("the hash reads keys wherever they lie") {
  const bytes key = "0123456789abcdefghijk";
  for (std::size_t shift = 0; shift < 8; ++shift) {
    const bytes moved = bytes(shift, 'x') + key;
    CHECK(key_hash(byte_view(moved).substr(shift)) == key_hash(key));
  }
}
