#include "storage/format.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstddef>
#include <cstring>
#include <type_traits>

namespace floe {

hash128 hash_long_key(byte_view key) {
  XXH128_hash_t h = XXH3_128bits(key.data(), key.size());
  return {h.high64, h.low64};
}

std::uint64_t hash_in_memory(byte_view key) { return XXH3_64bits(key.data(), key.size()); }

namespace format {
namespace {

// The header in memory is the header in the file.
static_assert(std::is_trivially_copyable_v<record_header> && sizeof(record_header) == 24 &&
              offsetof(record_header, rsn) == 0 && offsetof(record_header, dmaster) == 8 &&
              offsetof(record_header, reserved) == 12 && offsetof(record_header, flags) == 16 &&
              offsetof(record_header, padding) == 20);

void put_big_endian(char* to, std::uint64_t number) {
  number = __builtin_bswap64(number);
  std::memcpy(to, &number, 8);
}

template <class T>
T load(byte_view from) {
  T value;
  from.copy(reinterpret_cast<char*>(&value), sizeof value);
  return value;
}

std::uint64_t meta_sum(byte_view name, byte_view content) {
  return XXH3_64bits_withSeed(content.data(), content.size(),
                              XXH3_64bits(name.data(), name.size()));
}

}  // namespace

static_assert(std::endian::native == std::endian::little);

inner_key::inner_key(const ordered_key& key) {
  byte_view k = key.key();
  if (!key.is_long()) {
    bytes_[0] = tag_short;
    k.copy(bytes_.data() + 1, k.size());
    size_ = k.size() + 1;
    return;
  }
  hashed_ = true;
  bytes_[0] = tag_long;
  put_big_endian(bytes_.data() + 1, key.hash().high);
  put_big_endian(bytes_.data() + 9, key.hash().low);
  size_ = 19;
  set_slot(0);
}

inner_key inner_key::of_meta(byte_view name) {
  inner_key made;
  made.bytes_[0] = tag_meta;
  name = name.substr(0, meta_name_max);
  name.copy(made.bytes_.data() + 1, name.size());
  made.size_ = name.size() + 1;
  return made;
}

void inner_key::set_slot(std::uint16_t slot) {
  bytes_[17] = static_cast<char>(slot >> 8);
  bytes_[18] = static_cast<char>(slot & 0xff);
}

std::uint16_t inner_key::slot_of(byte_view inner) {
  auto octet = [&](std::size_t at) {
    return static_cast<unsigned>(static_cast<unsigned char>(inner[at]));
  };
  return static_cast<std::uint16_t>(octet(17) << 8 | octet(18));
}

std::uint64_t value_size(byte_view key, byte_view data) {
  return head_size + (key.size() > short_key_max ? 4 + key.size() : 0) + data.size();
}

std::uint64_t content_sum(const record_view& record) {
  // Sums of the two parts of any length, then one over their frame: no boundary can be shifted
  // unseen.
  struct {
    std::uint64_t key = 0;
    record_header header;
    std::uint64_t data = 0;
  } frame{XXH3_64bits(record.key.data(), record.key.size()), record.header,
          XXH3_64bits(record.data.data(), record.data.size())};
  static_assert(sizeof frame == 40);
  return XXH3_64bits(&frame, sizeof frame);
}

void write_value(char* to, byte_view key, const record_header& header, byte_view data) {
  std::uint64_t sum = content_sum({key, header, data});
  std::memcpy(to, &sum, sum_size);
  std::memcpy(to + sum_size, &header, record_header::wire_size);
  to += head_size;
  if (key.size() > short_key_max) {
    auto length = static_cast<std::uint32_t>(key.size());
    std::memcpy(to, &length, 4);
    std::memcpy(to + 4, key.data(), key.size());
    to += 4 + key.size();
  }
  if (!data.empty()) std::memcpy(to, data.data(), data.size());
}

std::optional<record_view> parse(byte_view inner, byte_view value) {
  if (inner.empty() || value.size() < head_size) return std::nullopt;
  record_view record;
  std::memcpy(&record.header, value.data() + sum_size, record_header::wire_size);
  value.remove_prefix(head_size);
  if (inner[0] == tag_short) {
    record.key = inner.substr(1);
  } else {
    if (inner[0] != tag_long || inner.size() != 19 || value.size() < 4) return std::nullopt;
    auto length = load<std::uint32_t>(value);
    if (length <= short_key_max || length > value.size() - 4) return std::nullopt;
    record.key = value.substr(4, length);
    value.remove_prefix(4 + std::size_t{length});
  }
  record.data = value;
  return record;
}

bool sum_holds(byte_view value, const record_view& record) {
  return load<std::uint64_t>(value) == content_sum(record);
}

bytes meta_value(byte_view name, byte_view content) {
  std::uint64_t sum = meta_sum(name, content);
  bytes value(sum_size + content.size(), '\0');
  std::memcpy(value.data(), &sum, sum_size);
  content.copy(value.data() + sum_size, content.size());
  return value;
}

std::optional<byte_view> parse_meta(byte_view name, byte_view value) {
  if (value.size() < sum_size) return std::nullopt;
  byte_view content = value.substr(sum_size);
  if (load<std::uint64_t>(value) != meta_sum(name, content)) return std::nullopt;
  return content;
}

}  // namespace format
}  // namespace floe
