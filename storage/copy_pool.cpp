#include "storage/copy_pool.hpp"

#include <algorithm>

namespace floe {

void copy_pool::add(const record_copy& copy, const better_copy& better) {
  if (copies_.size() * 2 >= table_.size()) enlarge_table();
  std::size_t mask = table_.size() - 1;
  std::size_t at = hash_in_memory(copy.record.key) & mask;
  for (; table_[at] != 0; at = (at + 1) & mask) {
    record_copy& incumbent = copies_[table_[at] - 1];
    if (incumbent.record.key != copy.record.key) continue;
    if (better(copy, incumbent)) incumbent = copy;
    return;
  }
  copies_.push_back(copy);
  table_[at] = static_cast<std::uint32_t>(copies_.size());
}

void copy_pool::enlarge_table() {
  table_.assign(std::max<std::size_t>(table_.size() * 2, 1024), 0);
  std::size_t mask = table_.size() - 1;
  for (std::size_t i = 0; i < copies_.size(); ++i) {
    std::size_t at = hash_in_memory(copies_[i].record.key) & mask;
    while (table_[at] != 0) at = (at + 1) & mask;
    table_[at] = static_cast<std::uint32_t>(i + 1);
  }
}

void copy_pool::sort(long_key_hash hash) {
  std::vector<std::uint32_t>().swap(table_);
  order_.reserve(copies_.size());
  for (const auto& copy : copies_)
    order_.push_back(
        {ordered_key(copy.record.key, hash), static_cast<std::uint32_t>(order_.size())});
  std::ranges::sort(order_, {}, &place::key);
}

}  // namespace floe
