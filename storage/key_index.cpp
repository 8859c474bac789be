#include "storage/key_index.hpp"

#include <algorithm>

#include "storage/key.hpp"

namespace floe {
namespace {

std::uint32_t part_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }

}  // namespace

/// Where the key is, or the free place where it belongs.
std::size_t key_index::slot_of(byte_view key, std::uint64_t hash) const {
  const std::size_t mask = table_.size() - 1;
  std::size_t at = hash & mask;
  while (table_[at].number != 0 &&
         (table_[at].hash != part_of(hash) || keys_[table_[at].number - 1] != key))
    at = (at + 1) & mask;
  return at;
}

std::optional<std::uint32_t> key_index::find(byte_view key) const {
  if (keys_.empty()) return std::nullopt;
  const auto number = table_[slot_of(key, hash_in_memory(key))].number;
  return number == 0 ? std::nullopt : std::optional(number - 1);
}

std::uint32_t key_index::find_or_add(byte_view key) {
  if (next_ < keys_.size() && keys_[next_] == key) return next_++;
  if (keys_.size() * 2 >= table_.size()) grow();
  const auto hash = hash_in_memory(key);
  auto& at = table_[slot_of(key, hash)];
  if (at.number == 0) {
    keys_.push_back(key);
    at = {.number = static_cast<std::uint32_t>(keys_.size()), .hash = part_of(hash)};
  }
  next_ = at.number;
  return at.number - 1;
}

void key_index::grow() {
  table_.assign(std::max<std::size_t>(64, table_.size() * 2), {});
  const std::size_t mask = table_.size() - 1;
  for (std::uint32_t i = 0; i < keys_.size(); ++i) {
    const auto hash = hash_in_memory(keys_[i]);
    std::size_t at = hash & mask;
    while (table_[at].number != 0) at = (at + 1) & mask;
    table_[at] = {.number = i + 1, .hash = part_of(hash)};
  }
}

}  // namespace floe
