#include "storage/key_set.hpp"

#include <algorithm>
#include <bit>

#include "storage/key.hpp"
#include "storage/key_sort.hpp"

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

key_set::place_of_key key_set::find_or_insert(byte_view key) {
  if ((size_ + 1) * 4 > table_.size() * 3) grow();
  place& at = table_[slot_of(key)];
  const bool is_new = at == 0;
  if (is_new) {
    at = static_cast<place>(keys_.size() + 1);
    const auto n = static_cast<length>(key.size());
    keys_.append(reinterpret_cast<const char*>(&n), sizeof n);
    keys_.append(key);
    keys_.append(tag_size_, '\0');
    ++size_;
  }
  return {.tag = keys_.data() + (at - 1) + sizeof(length) + key.size(), .is_new = is_new};
}

bool key_set::insert(byte_view key, byte_view tag) {
  const auto at = find_or_insert(key);
  if (at.is_new) std::ranges::copy(tag.substr(0, tag_size_), at.tag);
  return at.is_new;
}

void key_set::reserve(std::size_t keys, std::size_t bytes) {
  keys_.reserve(bytes);
  if (const auto wanted = std::bit_ceil(keys * 4 / 3 + 1); wanted > table_.size()) rehash(wanted);
}

void key_set::grow() { rehash(std::max<std::size_t>(16, table_.size() * 2)); }

void key_set::rehash(std::size_t places) {
  table_.assign(places, 0);
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
  std::vector<byte_view> keys, ascending;
  keys.reserve(size_);
  each([&](byte_view key) { keys.push_back(key); });
  ascending.reserve(size_);
  for (const auto i : sorted_numbers(keys)) ascending.push_back(keys[i]);
  return ascending;
}

}  // namespace floe
