#include "actors/database/record_requests.hpp"

#include <algorithm>

namespace floe {

void record_requests::sent(reqid id, const bytes& key) { keys_[number(id)] = key; }

void record_requests::forget(reqid id) {
  keys_.erase(number(id));
  env_.ids.answered(id);
}

const bytes* record_requests::key_of(reqid id) const {
  const auto i = keys_.find(number(id));
  return i == keys_.end() ? nullptr : &i->second;
}

bool record_requests::was_asked(reqid id, byte_view key) const {
  if (const auto* known = key_of(id)) return *known == key;
  const auto behind = (env_.ids.last - number(id)) & request_ids::highest;
  return number(id) != 0 && behind < request_ids::highest / 2;
}

std::vector<bytes> record_requests::keys() const {
  std::vector<bytes> all;
  all.reserve(keys_.size());
  for (const auto& [id, key] : keys_) all.push_back(key);
  std::ranges::sort(all);
  return all;
}

}  // namespace floe
