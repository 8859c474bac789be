#pragma once
/// Flags and special statuses of floe's record controls.
#include <cstdint>

namespace floe {

constexpr std::int32_t record_status_not_held =
    -2;  ///< store, delete, unlock: this client does not hold that lock
constexpr std::int32_t record_status_timed_out =
    -3;  ///< lock: not granted within the request's own limit
constexpr std::int32_t record_status_storage =
    -4;  ///< the node could not write; nothing that was there is lost
constexpr std::int32_t record_status_unknown_db = -5;  ///< no such database is attached

/// record_read: show this node's own copy, whoever is dmaster.
constexpr std::uint32_t record_read_local = 1;
/// record_read: the same, but not while a client of this node holds the record, and not in a recovery:
/// what a reader sees who takes the lock of a record in a TDB. Nothing migrates.
constexpr std::uint32_t record_read_settled = 2;
/// record_lock: this client has the record table; the bits from 16 on are the number of the thread that will hold the
/// lock there (1 to 4095). Granted in the table, the answer's lock id is 0 and the thread holds the record's slot.
constexpr std::uint32_t record_lock_in_table = 1;
constexpr std::uint32_t record_lock_thread_shift = 16;
/// record_lock: this thread holds the record in the table; it leaves the table, and the lock becomes one by id.
constexpr std::uint32_t record_lock_take_over = 2;
/// record_table: this client has unmapped the table, and holds nothing in it.
constexpr std::uint32_t record_table_leave = 1;
/// record_lock: the record is in the table now: lock it there.
constexpr std::int32_t record_status_in_table = -6;
/// record_store, record_delete: give the lock back with it.
constexpr std::uint32_t record_store_unlock = 1;

}  // namespace floe
