#pragma once
/// What is said about databases: which there are, their recovery transaction, pulling, pushing,
/// vacuuming. Facts: Samba ctdb/protocol/protocol_types.c and protocol_control.c.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "protocol/bytes.hpp"
#include "protocol/ids.hpp"
#include "protocol/record.hpp"

namespace floe {

struct dbid_and_flags {
  static constexpr std::size_t wire_size = 8;
  floe::db_id db_id{0};
  std::uint8_t flags = 0;  ///< db_flag bits
  bool operator==(const dbid_and_flags&) const = default;
};

struct dbid_map {
  static constexpr std::size_t wire_size_min = 4;
  std::vector<dbid_and_flags> dbs;
  bool operator==(const dbid_map&) const = default;
};

/// floe's own: a database whose nodes disagree about its name or kind, and what they say.
struct db_disputed {
  static constexpr std::size_t wire_size_min = 8;
  floe::db_id db_id{0};
  byte_view detail;
  bool operator==(const db_disputed&) const = default;
};

/// One member of the generation that the content of a database was committed with.
struct db_lineage_entry {
  static constexpr std::size_t wire_size = 12;
  floe::db_id db_id{0};
  floe::generation generation = floe::generation::invalid;
  pnn member{0};
  bool operator==(const db_lineage_entry&) const = default;
};

/// floe's own: where each database of a node stands, an entry for every member of its generation.
struct db_lineage_list {
  static constexpr std::size_t wire_size_min = 4;
  std::vector<db_lineage_entry> entries;
  bool operator==(const db_lineage_list&) const = default;
};

/// Names the recovery transaction of a database: tid is the generation that the commit will give
/// it.
struct transdb {
  static constexpr std::size_t wire_size = 8;
  floe::db_id db_id{0};
  generation tid = generation::invalid;
  bool operator==(const transdb&) const = default;
};

/// DB_PULL and DB_PUSH_START: records travel as messages to this srvid.
struct pulldb_ext {
  static constexpr std::size_t wire_size = 16;
  floe::db_id db_id{0};
  pnn lmaster = pnn::unknown;  ///< ignored; the recovery helper's push leaves old memory here
  floe::srvid srvid{0};
  bool operator==(const pulldb_ext&) const = default;
};

/// floe's own: how a node's copy stands when its recovery begins.
struct db_copy_state {
  static constexpr std::size_t wire_size_min = 36;
  /// It was committed with, or was created under (birth_under of lineage.hpp); invalid: neither.
  floe::generation content = floe::generation::invalid;
  std::uint32_t changes = 0;  ///< change_state: since that commit
  std::uint64_t keys = 0;     ///< of these changes
  std::uint64_t records = 0;  ///< there are
  std::uint64_t digest = 0;   ///< of all records; volatile: 0, it is not asked for
  /// Earlier generations since which all changes are known, the latest first.
  std::vector<floe::generation> earlier;
  bool operator==(const db_copy_state&) const = default;
};

/// floe's own. Records travel as messages to this srvid.
struct db_changes_request {
  static constexpr std::size_t wire_size = 24;
  floe::db_id db_id{0};
  generation tid = generation::invalid;
  floe::srvid srvid{0};
  generation since = generation::invalid;
  bool operator==(const db_changes_request&) const = default;
};

/// floe's own: `keys` is an encoded rec_buffer of keys without data.
struct db_copies_request {
  static constexpr std::size_t wire_size_min = 20;
  floe::db_id db_id{0};
  generation tid = generation::invalid;
  floe::srvid srvid{0};
  byte_view keys;
  bool operator==(const db_copies_request&) const = default;
};

/// What a node can be told by, or can tell others by, of one volatile database.
enum class content_claim : std::uint32_t {
  base,     ///< its content is of this generation, and it knows what it has changed since
  earlier,  ///< ... and also since this one
  birth,    ///< ... and this is where all contents begin (birth_under of lineage.hpp)
  unknown,  ///< it has a content, and does not know what it has changed
  serves,   ///< ... and has no reason to think that others go on without it
  filled,   ///< it has none, and was filled with that of this generation (rules/joining.hpp)
  member,   ///< of its content's generation: the node whose number stands for `records`
};

/// One claim of a database; `records` there are, whatever is claimed of them.
struct db_content_entry {
  static constexpr std::size_t wire_size = 20;
  floe::db_id db_id{0};
  content_claim claim{};
  floe::generation generation = floe::generation::invalid;
  std::uint64_t records = 0;
  bool operator==(const db_content_entry&) const = default;
};

/// floe's own: all claims of a node, of each of its volatile databases.
struct db_content_list {
  static constexpr std::size_t wire_size_min = 4;
  std::vector<db_content_entry> entries;
  bool operator==(const db_content_list&) const = default;
};

/// floe's own: be filled with these before you take part. `rate`: at most so many megabytes a second; 0: as fast as it can be.
/// Without databases, from whoever is about to leave: take part at once, as you are.
struct join_request {
  static constexpr std::size_t wire_size_min = 8;
  std::uint32_t rate = 0;
  std::vector<db_content_entry> databases;
  bool operator==(const join_request&) const = default;
};

/// floe's own: the next records of a content, in key order.
struct db_fill_request {
  static constexpr std::size_t wire_size_min = 16;
  floe::db_id db_id{0};
  /// Whose content is being filled in; invalid: the first request, the answer says whose.
  floe::generation base = floe::generation::invalid;
  std::uint32_t begun = 0;  ///< 0: from the beginning, 1: behind the key
  byte_view after;
  bool operator==(const db_fill_request&) const = default;
};

/// floe's own. `records` is an encoded rec_buffer; a key without header was changed since `base`.
struct db_fill_part {
  static constexpr std::size_t wire_size_min = 20;
  floe::generation base = floe::generation::invalid;
  std::uint32_t at_end = 0;
  std::uint64_t in_all = 0;  ///< records of the sender, for people
  byte_view records;
  bool operator==(const db_fill_part&) const = default;
};

/// floe's own: how this content came from the one before it.
struct db_step_request {
  static constexpr std::size_t wire_size = 8;
  floe::db_id db_id{0};
  generation content = generation::invalid;
  bool operator==(const db_step_request&) const = default;
};

/// floe's own. `keys` is an encoded rec_buffer of marks (rules/parts.hpp): what changed on the way, as it was before; `past` a
/// db_past, of the content that the sender has now.
struct db_change_step {
  static constexpr std::size_t wire_size_min = 12;
  generation from = generation::invalid;
  byte_view keys;
  byte_view past;
  bool operator==(const db_change_step&) const = default;
};

/// floe's own: equal for equal contents.
struct db_digest {
  static constexpr std::size_t wire_size = 16;
  std::uint64_t records = 0;
  std::uint64_t sum = 0;
  bool operator==(const db_digest&) const = default;
};

/// A u32 that must be sent as eight bytes.
struct db_seqnum_request {
  static constexpr std::size_t wire_size = 8;
  floe::db_id db_id{0};
  bool operator==(const db_seqnum_request&) const = default;
};

struct db_vacuum {
  static constexpr std::size_t wire_size = 5;
  floe::db_id db_id{0};
  bool full_vacuum_run = false;
  bool operator==(const db_vacuum&) const = default;
};

/// SCHEDULE_FOR_DELETION: this record was deleted here with this header.
struct key_data {
  static constexpr std::size_t wire_size_min = 36;
  floe::db_id db_id{0};
  record_header header;
  byte_view key;
  bool operator==(const key_data&) const = default;
};

/// PUSH_RECORD, later than 4.17.
struct push_record {
  static constexpr std::size_t wire_size_min = 40;
  floe::generation generation = floe::generation::invalid;
  floe::db_id db_id{0};
  record_header header;
  byte_view key;
  byte_view data;
  bool operator==(const push_record&) const = default;
};

}  // namespace floe
