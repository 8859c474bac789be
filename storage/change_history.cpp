#include "storage/change_history.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace floe {

void change_history::begin(generation base) {
  forget();
  if (base == generation::invalid) return;
  base_ = base;
  state_ = change_state::complete;
}

void change_history::step(generation base) {
  if (state_ != change_state::complete) return begin(base);
  steps_.push_front({base_, std::exchange(noted_, {})});
  base_ = base;
  std::size_t total = 0;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    total += steps_[i].keys.size_bytes();
    if (i < bounds_.steps && total <= bounds_.step_bytes) continue;
    steps_.resize(i);
    break;
  }
}

void change_history::forget() {
  state_ = change_state::none;
  base_ = generation::invalid;
  noted_.clear();
  steps_.clear();
}

void change_history::note_one(byte_view key) {
  noted_.insert(key);
  if (noted_.size() <= bounds_.keys && noted_.size_bytes() <= bounds_.bytes) return;
  state_ = change_state::overflow;
  noted_.clear();
  steps_.clear();
}

std::size_t change_history::size_bytes() const {
  std::size_t total = noted_.size_bytes();
  for (const auto& s : steps_) total += s.keys.size_bytes();
  return total;
}

std::uint32_t change_history::age_of(byte_view key) const {
  if (noted_.contains(key)) return 1;
  for (std::size_t i = 0; i < steps_.size(); ++i)
    if (steps_[i].keys.contains(key)) return static_cast<std::uint32_t>(i + 2);
  return 0;
}

bool change_history::reaches(generation base) const {
  return state_ == change_state::complete &&
         (base == base_ || std::ranges::find(steps_, base, &change_step::from) != steps_.end());
}

bool change_history::changed_since(generation base, byte_view key) const {
  assert(reaches(base) && "changes since a base that is not known");
  const auto age = age_of(key);
  if (age <= 1 || base == base_) return age == 1;
  const auto first = std::ranges::find(steps_, base, &change_step::from) - steps_.begin();
  return age <= static_cast<std::uint32_t>(first) + 2;
}

std::vector<generation> change_history::earlier() const {
  std::vector<generation> bases;
  bases.reserve(steps_.size());
  for (const auto& s : steps_) bases.push_back(s.from);
  return bases;
}

std::optional<key_set> change_history::since(generation base) const {
  if (state_ != change_state::complete) return std::nullopt;
  key_set all = noted_;
  if (base == base_) return all;
  const auto last = std::ranges::find(steps_, base, &change_step::from);
  if (last == steps_.end()) return std::nullopt;
  for (auto s = steps_.begin(); s <= last; ++s) all.insert_all(s->keys);
  return all;
}

}  // namespace floe
