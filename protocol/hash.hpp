#pragma once
/// The key hash of the cluster: lookup3's hashlittle (Bob Jenkins, public domain) with initial
/// value 0. It places records (lmaster) and numbers databases (db_id).
#include <cstdint>

#include "protocol/bytes.hpp"
#include "protocol/ids.hpp"

namespace floe {
std::uint32_t key_hash(byte_view key);
/// The id of a database: the hash of its name and one NUL.
db_id db_id_of(byte_view name);
}  // namespace floe
