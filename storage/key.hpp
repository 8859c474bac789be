#pragma once
/// The order of keys in a store and in every stream that comes out of one.
///
/// A short key (up to 254 bytes) is kept as it is; a long one is kept under a 128-bit hash, with
/// the whole key beside the record. Scans therefore meet
///   1. the long keys, ascending by hash, and those of equal hash ascending by their bytes;
///   2. the short keys, ascending by their bytes, a prefix before its extensions.
/// The order depends on nothing but the key, so streams from several nodes can be merged by it.
#include <bit>
#include <compare>
#include <cstdint>
#include <cstring>

#include "protocol/bytes.hpp"

namespace floe {

struct hash128 {
  std::uint64_t high = 0, low = 0;
  auto operator<=>(const hash128&) const = default;
};

/// Tests replace it to make keys collide; it must be the same wherever files or streams meet.
using long_key_hash = hash128 (*)(byte_view key);
hash128 hash_long_key(byte_view key);
/// For tables in memory; decides nothing that is stored.
std::uint64_t hash_in_memory(byte_view key);

constexpr std::size_t short_key_max = 254;

/// Its first eight bytes as a number, which ascends as they do; what is missing counts as zeros.
inline std::uint64_t first_word(byte_view key) {
  std::uint64_t word = 0;
  std::memcpy(&word, key.data(), key.size() < 8 ? key.size() : 8);
  if constexpr (std::endian::native == std::endian::little) word = __builtin_bswap64(word);
  return word;
}

/// A key with what decides its place, computed once; comparing two seldom looks further than one
/// word.
class ordered_key {
 public:
  ordered_key() = default;
  explicit ordered_key(byte_view key, long_key_hash hash_of = hash_long_key)
      : key_(key), long_(key.size() > short_key_max) {
    if (!long_) {
      first_.high = first_word(key);
    } else {
      first_ = hash_of(key);
    }
  }

  byte_view key() const { return key_; }
  bool is_long() const { return long_; }
  /// Of long keys only: those that share it lie together.
  const hash128& hash() const { return first_; }

  friend std::strong_ordering operator<=>(const ordered_key& a, const ordered_key& b) {
    if (a.long_ != b.long_)
      return a.long_ ? std::strong_ordering::less : std::strong_ordering::greater;
    if (auto order = a.first_ <=> b.first_; order != 0) return order;
    return a.key_.compare(b.key_) <=> 0;
  }
  friend bool operator==(const ordered_key& a, const ordered_key& b) { return a.key_ == b.key_; }

 private:
  byte_view key_;
  hash128 first_;  ///< the hash of a long key; of a short one its first eight bytes as a number
  bool long_ = false;
};

/// Exactly the order in which a scan meets two keys.
inline std::strong_ordering key_order(byte_view a, byte_view b,
                                      long_key_hash hash = hash_long_key) {
  return ordered_key(a, hash) <=> ordered_key(b, hash);
}

}  // namespace floe
