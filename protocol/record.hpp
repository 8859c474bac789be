#pragma once
/// A record: a 24-byte header and its data. A header with empty data is an *empty record*; to
/// clients it does not exist. Layout on the wire and in a store: rsn u64, dmaster u32, reserved
/// u32, flags u32, padding u32 (Samba ctdb/protocol/protocol.h, struct ctdb_ltdb_header).
#include <cstdint>

#include "protocol/bytes.hpp"
#include "protocol/ids.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {

namespace record_flag {
constexpr std::uint32_t persistent = 0x1;              ///< later than 4.17; kept untouched
constexpr std::uint32_t persistent_in_progress = 0x2;  ///< later than 4.17; kept untouched
constexpr std::uint32_t migrated_with_data = 0x00010000;
constexpr std::uint32_t vacuum_migrated = 0x00020000;  ///< never stored
constexpr std::uint32_t automatic = 0x00040000;        ///< never stored; invented by a lookup
constexpr std::uint32_t ro_have_delegations = 0x01000000;
constexpr std::uint32_t ro_have_readonly = 0x02000000;
constexpr std::uint32_t ro_revoking_readonly = 0x04000000;
constexpr std::uint32_t ro_revoke_complete = 0x08000000;
constexpr std::uint32_t ro_all =
    ro_have_delegations | ro_have_readonly | ro_revoking_readonly | ro_revoke_complete;
}  // namespace record_flag

struct record_header {
  static constexpr std::size_t wire_size = 24;
  floe::rsn rsn{0};
  pnn dmaster{0};
  std::uint32_t reserved = 0;
  std::uint32_t flags = 0;    ///< record_flag bits; unknown bits travel untouched
  std::uint32_t padding = 0;  ///< tail of a C structure; kept as found
  bool operator==(const record_header&) const = default;
};

/// On the wire `ltdb_header`, part of other types: its codec is in record.cpp.
extern template struct wire::codec<record_header>;

/// A record seen in somebody else's memory.
struct record_view {
  byte_view key;
  record_header header;
  byte_view data;
  bool operator==(const record_view&) const = default;
};

/// A record of our own.
struct record {
  bytes key;
  record_header header;
  bytes data;
  bool operator==(const record&) const = default;
  operator record_view() const { return {key, header, data}; }
};

enum class db_kind : std::uint8_t { volatile_db, persistent, replicated };

}  // namespace floe
