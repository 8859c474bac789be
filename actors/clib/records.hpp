#pragma once
/// Records of a node over one channel: lock, store, delete, unlock, read, and a page of a scan. Statuses of the node become
/// codes of the C interface here.
#include <vector>

#include "actors/clib/channel.hpp"
#include "protocol/record.hpp"
#include "protocol/types/rec_data.hpp"

namespace floe::clib {

struct held_record {
  std::shared_ptr<channel> line;
  std::uint64_t id = 0;
  record_header header;
  bytes data;
};
/// timeout_ms < 0: for ever.
outcome<held_record> lock_record(const std::shared_ptr<channel>&, db_id, byte_view key, int timeout_ms);
/// No data: the record is deleted.
outcome<void> store_record(held_record&, byte_view data, limit);
/// The node is not waited for.
outcome<void> unlock_record(const held_record&, limit);

struct seen_record {
  bool filled = false;  ///< false: there is none, or an empty one
  record_header header;
  bytes data;
};
outcome<seen_record> read_record(channel&, db_id, byte_view key, std::uint32_t flags, limit);

/// This node's copies behind a key, in a buffer of one answer; none: that was all.
struct record_page {
  frame packet;  ///< keeps `records` alive
  rec_buffer records;
};
outcome<record_page> scan_records(channel&, db_id, byte_view after, limit);

}  // namespace floe::clib
