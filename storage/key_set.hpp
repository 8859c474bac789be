#pragma once
/// Many keys in memory, each once: one piece of memory with all of them and a table of where each
/// begins. A key costs its length and about 12 bytes; to note one that is there already, which is
/// what a busy record does, costs a hash and a comparison. Beside each key there may be a tag, of one size in the whole set.
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "protocol/bytes.hpp"

namespace floe {

class key_set {
 public:
  explicit key_set(std::size_t tag_size = 0) : tag_size_(tag_size) {}

  /// True if it was not there. A tag that is shorter than those of this set is filled up with zeros, what is too much is left out.
  bool insert(byte_view key, byte_view tag = {});
  struct place_of_key {
    char* tag;    ///< valid until the next insert
    bool is_new;  ///< it was not there, and its tag is zeros
  };
  /// The key's place, which it gets if it has none.
  place_of_key find_or_insert(byte_view key);
  bool contains(byte_view key) const;
  /// As it was inserted first, or set since; nothing: the key is not there.
  std::optional<byte_view> tag_of(byte_view key) const;
  /// The same to be changed, valid until the next insert; null: the key is not there.
  char* tag(byte_view key);

  /// Memory for so many keys, which with their lengths and tags have so many bytes.
  void reserve(std::size_t keys, std::size_t bytes);
  std::size_t size() const { return size_; }
  std::size_t tag_size() const { return tag_size_; }
  bool empty() const { return size_ == 0; }
  /// Of the keys with their lengths and tags.
  std::size_t key_bytes() const { return keys_.size(); }
  /// Of memory, the table included.
  std::size_t size_bytes() const { return keys_.capacity() + table_.capacity() * sizeof(place); }
  /// Gives the memory back.
  void clear();

  /// In the order in which they were noted.
  template <class Visitor>
  void each(Visitor visitor) const {
    for (std::size_t at = 0; at < keys_.size();) {
      const byte_view key = key_at(at);
      at += sizeof(length) + key.size() + tag_size_;
      visitor(key);
    }
  }
  /// By key_order(); views into the set, valid until the next insert.
  std::vector<byte_view> sorted() const;
  /// Of a view that sorted() or each() gave.
  byte_view tag_behind(byte_view own_key) const {
    return {own_key.data() + own_key.size(), tag_size_};
  }

 private:
  using length = std::uint32_t;
  using place = std::uint32_t;  ///< offset of the length before the key, plus one; 0: free

  byte_view key_at(std::size_t offset) const {
    length n = 0;
    std::memcpy(&n, keys_.data() + offset, sizeof n);
    return {keys_.data() + offset + sizeof n, n};
  }
  std::size_t slot_of(byte_view key) const;
  void grow();
  void rehash(std::size_t places);

  std::size_t tag_size_;
  bytes keys_;                ///< of each the length, then the key and its tag
  std::vector<place> table_;  ///< a power of two, at most three quarters full
  std::size_t size_ = 0;
};

}  // namespace floe
