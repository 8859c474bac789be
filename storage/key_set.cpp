#include "storage/key_set.hpp"

#include <algorithm>

#include "storage/key.hpp"

namespace floe {

/// Where the key is, or the free place where it belongs.
std::size_t key_set::slot_of(byte_view key) const {
  const std::size_t mask = table_.size() - 1;
  std::size_t at = hash_in_memory(key) & mask;
  while (table_[at] != 0 && key_at(table_[at] - 1) != key) at = (at + 1) & mask;
  return at;
}

bool key_set::contains(byte_view key) const { return size_ != 0 && table_[slot_of(key)] != 0; }

std::optional<byte_view> key_set::tag_of(byte_view key) const {
  if (size_ == 0) return std::nullopt;
  const place at = table_[slot_of(key)];
  if (at == 0) return std::nullopt;
  return byte_view(keys_).substr(at - 1 + sizeof(length) + key.size(), tag_size_);
}

char* key_set::tag(byte_view key) {
  if (size_ == 0) return nullptr;
  const place at = table_[slot_of(key)];
  return at == 0 ? nullptr : keys_.data() + (at - 1) + sizeof(length) + key.size();
}

bool key_set::insert(byte_view key, byte_view tag) {
  if ((size_ + 1) * 4 > table_.size() * 3) grow();
  const std::size_t slot = slot_of(key);
  if (table_[slot] != 0) return false;
  table_[slot] = static_cast<place>(keys_.size() + 1);
  const auto n = static_cast<length>(key.size());
  keys_.append(reinterpret_cast<const char*>(&n), sizeof n);
  keys_.append(key);
  keys_.append(tag.substr(0, tag_size_));
  keys_.append(tag_size_ - std::min(tag.size(), tag_size_), '\0');
  ++size_;
  return true;
}

void key_set::grow() {
  table_.assign(std::max<std::size_t>(16, table_.size() * 2), 0);
  const std::size_t mask = table_.size() - 1;
  for (std::size_t offset = 0; offset < keys_.size();) {
    const byte_view key = key_at(offset);
    std::size_t at = hash_in_memory(key) & mask;
    while (table_[at] != 0) at = (at + 1) & mask;
    table_[at] = static_cast<place>(offset + 1);
    offset += sizeof(length) + key.size() + tag_size_;
  }
}

void key_set::clear() {
  bytes().swap(keys_);
  std::vector<place>().swap(table_);
  size_ = 0;
}

std::vector<byte_view> key_set::sorted() const {
  std::vector<ordered_key> keys;
  keys.reserve(size_);
  each([&](byte_view key) { keys.emplace_back(key); });
  std::ranges::sort(keys, [](const ordered_key& a, const ordered_key& b) { return a < b; });
  std::vector<byte_view> views;
  views.reserve(size_);
  for (const auto& k : keys) views.push_back(k.key());
  return views;
}

}  // namespace floe
