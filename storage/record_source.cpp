#include "storage/record_source.hpp"

#include <algorithm>

namespace floe {

std::vector<std::uint32_t> sorted_order(std::span<const record_view> records, long_key_hash hash) {
  bool ascending = true;
  ordered_key before;
  for (std::size_t i = 0; ascending && i < records.size(); ++i) {
    ordered_key key(records[i].key, hash);
    ascending = i == 0 || before < key;
    before = key;
  }
  if (ascending) return {};

  struct entry {
    ordered_key key;
    std::uint32_t index;
  };
  std::vector<entry> entries;
  entries.reserve(records.size());
  for (const auto& r : records)
    entries.push_back({ordered_key(r.key, hash), static_cast<std::uint32_t>(entries.size())});
  std::ranges::sort(entries, [](const entry& a, const entry& b) {
    auto order = a.key <=> b.key;
    return order != 0 ? order < 0 : a.index < b.index;
  });
  std::vector<std::uint32_t> order;
  order.reserve(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (i + 1 == entries.size() || !(entries[i].key == entries[i + 1].key))
      order.push_back(entries[i].index);
  return order;
}

}  // namespace floe
