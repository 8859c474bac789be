#pragma once
/// Flags and special statuses of floe's record controls.
#include <cstdint>

namespace floe {

constexpr std::int32_t record_status_not_held = -2;   ///< store, delete, unlock: this client does not hold that lock
constexpr std::int32_t record_status_timed_out = -3;  ///< lock: not granted within the request's own limit
constexpr std::int32_t record_status_storage = -4;    ///< the node could not write; nothing that was there is lost
constexpr std::int32_t record_status_unknown_db = -5; ///< no such database is attached

/// record_read: show this node's own copy, whoever is dmaster.
constexpr std::uint32_t record_read_local = 1;
/// record_read: the same, but not while a client of this node holds the record, and not in a recovery:
/// what a reader sees who takes the lock of a record in a TDB. Nothing migrates.
constexpr std::uint32_t record_read_settled = 2;
/// record_store, record_delete: give the lock back with it.
constexpr std::uint32_t record_store_unlock = 1;

}  // namespace floe
