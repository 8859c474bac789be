#include "actors/database/lock_table.hpp"

#include <algorithm>

namespace floe {

std::vector<bytes> lock_table::keys() const {
  std::vector<bytes> all;
  all.reserve(entries_.size());
  for (const auto& [key, e] : entries_) all.push_back(key);
  std::ranges::sort(all);
  return all;
}

}  // namespace floe
