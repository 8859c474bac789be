#pragma once
/// The bytes in a data file. One LMDB environment holds one database of a node, all of it in LMDB's
/// unnamed database, in LMDB's own byte order of keys:
///
///   key of a record, up to 254 bytes:   'k' | key
///   key of a record, 255 bytes or more: 'h' | hash128(key), big-endian | slot u16, big-endian
///   key of a metadatum:                 'm' | name
///
///   value of a record:    sum u64 | rsn u64 | dmaster u32 | reserved u32 | flags u32 | padding u32
///                         | long keys only: key length u32, key | data
///   value of a metadatum: sum u64 | content
///
/// Numbers in values are in host order, like LMDB's own: a file belongs to one machine. Values have
/// no alignment. *slot* tells keys of equal hash apart: an insert takes the lowest free one, a
/// lookup compares the whole key. *sum* covers key, header and data and is the same on every node;
/// LMDB has no checksums, so it finds damage. The metadatum "floe.format" holds the version of this
/// layout.
///
/// Only the store of the database writes the file. A crash of the process leaves the last commit. A
/// power failure leaves the last commit of a persistent database and rubbish of the others, which
/// are deleted before use.
#include <array>
#include <cstdint>
#include <optional>

#include "protocol/record.hpp"
#include "storage/key.hpp"

namespace floe::format {

constexpr char tag_long = 'h', tag_short = 'k', tag_meta = 'm';
constexpr std::uint32_t version = 1;
constexpr byte_view version_name = "floe.format";

constexpr std::size_t sum_size = 8;
constexpr std::size_t head_size = sum_size + record_header::wire_size;
constexpr std::size_t meta_name_max = 254;
constexpr std::size_t value_max = 0xffff'ffff;  ///< LMDB's limit

/// The key under which LMDB has a record.
class inner_key {
 public:
  explicit inner_key(const ordered_key& key);
  static inner_key of_meta(byte_view name);

  byte_view bytes() const { return {bytes_.data(), size_}; }
  /// What all keys of one hash have in common; of a short key everything.
  byte_view without_slot() const { return {bytes_.data(), hashed_ ? size_ - 2 : size_}; }
  void set_slot(std::uint16_t slot);
  static std::uint16_t slot_of(byte_view inner);

 private:
  inner_key() = default;
  std::array<char, 256> bytes_;  ///< as far as `size_`
  std::size_t size_ = 0;
  bool hashed_ = false;
};

/// The length of the value that holds this record.
std::uint64_t value_size(byte_view key, byte_view data);
/// Fills exactly value_size() bytes.
void write_value(char* to, byte_view key, const record_header& header, byte_view data);

/// Views into an entry; nothing if its lengths are impossible.
std::optional<record_view> parse(byte_view inner, byte_view value);
/// Does the sum in `value`, which parsed as `record`, still hold?
bool sum_holds(byte_view value, const record_view& record);
std::uint64_t content_sum(const record_view& record);

bytes meta_value(byte_view name, byte_view content);
/// The content of a metadatum, or nothing if it is damaged.
std::optional<byte_view> parse_meta(byte_view name, byte_view value);

}  // namespace floe::format
