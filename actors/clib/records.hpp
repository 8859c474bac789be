#pragma once
/// Records of a node over one channel: lock, store, delete, unlock, read, and a page of a scan. Statuses of the node become
/// codes of the C interface here.
#include <vector>

#include "actors/clib/channel.hpp"
#include "protocol/record.hpp"
#include "protocol/types/rec_data.hpp"

namespace floe::clib {

/// A record as a client of the node `self` names it; what lies in a record table has that node as dmaster.
struct record_name {
  pnn self = pnn::unknown;
  db_id db{0};
  byte_view key;
};

/// A lock: by number at the node, or in the record table of the database (`table` is there).
struct held_record {
  std::shared_ptr<channel> line;  ///< none yet, if the lock was got without the node
  std::uint64_t id = 0;
  record_header header;
  bytes data;
  db_id db{0};
  bytes key{};
  std::shared_ptr<shared_table> table = nullptr;
  std::uint32_t number = 0;  ///< of the lock, as its holder in the table
  table_place place{};
};
/// timeout_ms < 0: for ever.
outcome<held_record> lock_record(const std::shared_ptr<channel>&, const record_name&,
                                 int timeout_ms);
/// In a record table that is known, without a word to the node, into `held`, which may be an old one. False: not there.
/// `now_us`: of the coarse clock, read a moment ago; so below.
outcome<bool> lock_hot_record(std::shared_ptr<shared_table>, const record_name&, int timeout_ms,
                              std::uint64_t now_us, held_record& held);
/// The same with a store. False: the node has to be asked, `held` needs a channel.
bool store_hot_record(held_record& held, byte_view data, std::uint64_t now_us);
/// Of a lock in a table.
outcome<void> unlock_hot_record(held_record&);
/// No data: the record is deleted.
outcome<void> store_record(held_record&, byte_view data, limit);
/// The node is not waited for.
outcome<void> unlock_record(held_record&, limit);

struct seen_record {
  bool filled = false;  ///< false: there is none, or an empty one
  record_header header;
  bytes data;
};
/// In the table alone, which must be one that can be trusted. False: the node has to be asked.
outcome<bool> read_hot_record(shared_table&, const record_name&, std::uint32_t flags,
                              table_patience, std::uint64_t now_us, seen_record&);
table_patience patience_in_table(int timeout_ms);
outcome<seen_record> read_record(channel&, const record_name&, std::uint32_t flags, limit);

/// This node's copies behind a key, in a buffer of one answer; none: that was all.
struct record_page {
  frame packet;  ///< keeps `records` alive
  rec_buffer records;
};
outcome<record_page> scan_records(channel&, db_id, byte_view after, limit);

}  // namespace floe::clib
