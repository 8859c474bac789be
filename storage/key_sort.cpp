#include "storage/key_sort.hpp"

#include <algorithm>
#include <numeric>

namespace floe {
namespace {

std::size_t common_prefix(std::span<const byte_view> keys) {
  std::size_t length = keys.front().size();
  for (const byte_view key : keys) {
    length = std::min(length, key.size());
    const auto end = key.begin() + static_cast<std::ptrdiff_t>(length);
    length = static_cast<std::size_t>(std::mismatch(key.begin(), end, keys.front().begin()).first -
                                      key.begin());
  }
  return length;
}

template <class Entry, class Ascend>
std::vector<std::uint32_t> numbers_of(std::vector<Entry> entries, Ascend ascend) {
  std::ranges::sort(entries, ascend);
  std::vector<std::uint32_t> numbers;
  numbers.reserve(entries.size());
  for (const auto& e : entries) numbers.push_back(e.number);
  return numbers;
}

std::vector<std::uint32_t> sort_short(std::span<const byte_view> keys) {
  const std::size_t prefix = common_prefix(keys);
  struct entry {
    std::uint64_t word;  ///< the bytes behind the prefix, as a number
    std::uint32_t number;
  };
  std::vector<entry> entries;
  entries.reserve(keys.size());
  for (const byte_view key : keys)
    entries.push_back({first_word(key.substr(prefix)), static_cast<std::uint32_t>(entries.size())});
  return numbers_of(std::move(entries), [keys](const entry& a, const entry& b) {
    if (a.word != b.word) return a.word < b.word;
    const int order = keys[a.number].compare(keys[b.number]);
    return order != 0 ? order < 0 : a.number < b.number;
  });
}

std::vector<std::uint32_t> sort_any(std::span<const byte_view> keys, long_key_hash hash) {
  struct entry {
    ordered_key key;
    std::uint32_t number;
  };
  std::vector<entry> entries;
  entries.reserve(keys.size());
  for (const byte_view key : keys)
    entries.push_back({ordered_key(key, hash), static_cast<std::uint32_t>(entries.size())});
  return numbers_of(std::move(entries), [](const entry& a, const entry& b) {
    const auto order = a.key <=> b.key;
    return order != 0 ? order < 0 : a.number < b.number;
  });
}

}  // namespace

bool ascend_strictly(std::span<const byte_view> keys, long_key_hash hash) {
  ordered_key before;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const ordered_key key(keys[i], hash);
    if (i > 0 && !(before < key)) return false;
    before = key;
  }
  return true;
}

std::vector<std::uint32_t> sorted_numbers(std::span<const byte_view> keys, long_key_hash hash) {
  if (ascend_strictly(keys, hash)) {
    std::vector<std::uint32_t> as_they_are(keys.size());
    std::iota(as_they_are.begin(), as_they_are.end(), 0u);
    return as_they_are;
  }
  const bool any_long =
      std::ranges::any_of(keys, [](byte_view key) { return key.size() > short_key_max; });
  return any_long ? sort_any(keys, hash) : sort_short(keys);
}

}  // namespace floe
