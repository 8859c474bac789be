#pragma once
/// Numbers for keys, from 0 in the order in which they come: views, which must stay valid. Streams of keys in the same order, as
/// copies of one content are, are followed without a search.
#include <cstdint>
#include <optional>
#include <vector>

#include "protocol/bytes.hpp"

namespace floe {

class key_index {
 public:
  std::uint32_t find_or_add(byte_view key);
  std::optional<std::uint32_t> find(byte_view key) const;
  const std::vector<byte_view>& keys() const { return keys_; }
  byte_view key(std::uint32_t number) const { return keys_[number]; }
  std::size_t size() const { return keys_.size(); }

 private:
  /// A key's number plus one, and a part of its hash; 0: free.
  struct place {
    std::uint32_t number = 0, hash = 0;
  };
  std::size_t slot_of(byte_view key, std::uint64_t hash) const;
  void grow();

  std::vector<byte_view> keys_;
  std::vector<place> table_;  ///< a power of two, at most half full
  std::uint32_t next_ = 0;    ///< behind the key that was found last
};

}  // namespace floe
