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

bool lock_table::concerned(std::uint64_t client, const bytes& key) const {
  const auto i = entries_.find(key);
  if (i == entries_.end()) return false;
  const auto& e = i->second;
  return (e.holder && e.holder->client.id == client) ||
         std::ranges::any_of(e.waiters,
                             [&](const lock_waiter& w) { return w.client.id == client; });
}

std::optional<bytes> lock_table::take_key_of_waiter(std::uint64_t number) {
  auto found = key_of_waiter_.extract(number);
  if (!found) return std::nullopt;
  return std::move(found.mapped());
}

void lock_table::concerns(std::uint64_t client, const bytes& key) {
  auto& c = keys_of_client_[client];
  if (c.keys.size() >= c.tidy_at) {
    std::ranges::sort(c.keys);
    c.keys.erase(std::ranges::unique(c.keys).begin(), c.keys.end());
    std::erase_if(c.keys, [&](const bytes& k) { return !concerned(client, k); });
    c.tidy_at = std::max<std::size_t>(64, 2 * c.keys.size());
  }
  c.keys.push_back(key);
}

std::vector<bytes> lock_table::take_keys_of(std::uint64_t client) {
  auto found = keys_of_client_.extract(client);
  if (found.empty()) return {};
  auto keys = std::move(found.mapped().keys);
  std::ranges::sort(keys);
  keys.erase(std::ranges::unique(keys).begin(), keys.end());
  return keys;
}

}  // namespace floe
