#include "storage/change_history.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <utility>

#include "protocol/mutant.hpp"
#include "storage/key.hpp"

namespace floe {
namespace {

/// Of keys that are large on average so much is noted; all that is gained by it is that a few records need not be sent.
constexpr std::size_t large_key = 4096;
constexpr std::size_t bytes_of_large_keys = 16 << 20;

bool few_but_large(const key_set& noted) {
  const auto bytes = noted.size_bytes();
  return bytes > bytes_of_large_keys && bytes / large_key > noted.size();
}

}  // namespace

std::uint32_t data_sum(byte_view data) {
  if (data.empty()) return 0;
  const auto sum = static_cast<std::uint32_t>(hash_in_memory(data));
  return sum == 0 ? 1 : sum;
}

void change_history::begin(generation base) {
  forget();
  if (base == generation::invalid) return;
  base_ = base;
  state_ = change_state::complete;
}

void change_history::step(generation base, bool parted) {
  if (state_ != change_state::complete) return begin(base);
  steps_.push_front({base_, std::exchange(noted_, key_set(mark_size)), parted});
  base_ = base;
  if (mutated(mutant::first_bases_forgotten) && steps_.size() > bounds_.steps)
    steps_.resize(bounds_.steps);
  while (steps_.size() > bounds_.steps && steps_.size() > 1) {
    const auto later = steps_.begin() + static_cast<std::ptrdiff_t>(of_least_worth());
    (later + 1)->take_in(*later);
    steps_.erase(later);
  }
  std::size_t total = 0;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    total += steps_[i].keys.size_bytes();
    if (total <= bounds_.step_bytes) continue;
    steps_.resize(i);
    break;
  }
}

/// As good as chance, and the same on all nodes: each number is twice as rare as the one before.
unsigned change_history::change_step::worth() const {
  constexpr unsigned more_than_chance = 64;
  const auto name = number(from);
  const byte_view bits(reinterpret_cast<const char*>(&name), sizeof name);
  return parted ? more_than_chance
                : static_cast<unsigned>(std::countr_zero(hash_long_key(bits).low));
}

/// Not the first base, nor one of the latest; of equal ones the earliest.
std::size_t change_history::of_least_worth() const {
  constexpr std::size_t latest = 8;
  const std::size_t last = steps_.size() - 2;
  std::size_t least = last;
  for (std::size_t i = last; i-- > std::min(latest, last);)
    if (steps_[i].worth() < steps_[least].worth()) least = i;
  return least;
}

/// What records were at the base that is forgotten is told by what they were before that.
void change_history::change_step::take_in(const change_step& later) {
  later.keys.each([this, &later](byte_view key) {
    const auto tag = *later.keys.tag_of(key);
    if (!keys.insert(key, tag) && tag[written_at] != 0) keys.tag(key)[written_at] = 1;
  });
}

void change_history::forget() {
  state_ = change_state::none;
  base_ = generation::invalid;
  noted_.clear();
  steps_.clear();
}

void change_history::note_one(byte_view key, function_ref<record_mark()> now,
                              function_ref<std::uint32_t()> sum) {
  const auto [tag, is_new] = noted_.find_or_insert(key);
  if (is_new) {
    put_mark(tag, now());
    if (!keep_bounds()) return;
  }
  if (tag[written_at] != 0) return;
  std::uint32_t at_base = 0;
  std::memcpy(&at_base, tag + sizeof(rsn), sizeof at_base);
  if (sum() != at_base) set_written(tag);
}

void change_history::set_written(char* tag) {
  if (!mutated(mutant::deleted_again_never_written)) tag[written_at] = 1;
}

void change_history::written(byte_view key) {
  if (char* tag = state_ == change_state::complete ? noted_.tag(key) : nullptr) set_written(tag);
}

void change_history::put_mark(char* tag, const record_mark& m) {
  std::memcpy(tag, &m.rsn, sizeof m.rsn);
  std::memcpy(tag + sizeof m.rsn, &m.data_sum, sizeof m.data_sum);
  tag[written_at] = m.written ? 1 : 0;
}

record_mark change_history::mark_in(byte_view tag) {
  record_mark m;
  std::memcpy(&m.rsn, tag.data(), sizeof m.rsn);
  std::memcpy(&m.data_sum, tag.data() + sizeof m.rsn, sizeof m.data_sum);
  m.written = tag[written_at] != 0;
  return m;
}

/// False: that was too much, and nothing is noted any more.
bool change_history::keep_bounds() {
  if (noted_.size() <= bounds_.keys && noted_.size_bytes() <= bounds_.bytes &&
      !few_but_large(noted_))
    return true;
  state_ = change_state::overflow;
  noted_.clear();
  steps_.clear();
  return false;
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

std::vector<change_history::earlier_mark> change_history::marks_of(byte_view key) const {
  std::vector<earlier_mark> all;
  const auto look = [&](const key_set& keys, std::uint32_t age) {
    if (const auto tag = keys.tag_of(key)) all.push_back({.age = age, .mark = mark_in(*tag)});
  };
  look(noted_, 1);
  for (std::size_t i = 0; i < steps_.size(); ++i)
    look(steps_[i].keys, static_cast<std::uint32_t>(i + 2));
  return all;
}

std::vector<generation> change_history::earlier() const {
  std::vector<generation> bases;
  bases.reserve(steps_.size());
  for (const auto& s : steps_) bases.push_back(s.from);
  return bases;
}

generation change_history::visit_step_to(
    generation base, function_ref<void(byte_view key, const record_mark&)> visit) const {
  auto step = steps_.begin();
  if (base != base_) {
    step = std::ranges::find(steps_, base, &change_step::from);
    if (step != steps_.end()) ++step;
  }
  if (state_ != change_state::complete || step == steps_.end()) return generation::invalid;
  step->keys.each([&](byte_view key) { visit(key, mark_in(*step->keys.tag_of(key))); });
  return step->from;
}

bool change_history::reach_back(generation from,
                                const std::vector<std::pair<byte_view, record_mark>>& keys) {
  if (state_ != change_state::complete || from == generation::invalid || reaches(from) ||
      steps_.size() >= bounds_.steps)
    return false;
  key_set told(mark_size);
  for (const auto& [key, mark] : keys)
    if (const auto at = told.find_or_insert(key); at.is_new) put_mark(at.tag, mark);
  std::size_t total = told.size_bytes();
  for (const auto& s : steps_) total += s.keys.size_bytes();
  if (total > bounds_.step_bytes) return false;
  steps_.push_back({from, std::move(told)});
  return true;
}

std::uint32_t change_history::oldest_age_since(generation base) const {
  if (base == base_) return 1;
  const auto step = std::ranges::find(steps_, base, &change_step::from) - steps_.begin();
  return static_cast<std::uint32_t>(step + 2);
}

std::optional<key_set> change_history::since(generation base) const {
  if (state_ != change_state::complete) return std::nullopt;
  const auto last = std::ranges::find(steps_, base, &change_step::from);
  if (base != base_ && last == steps_.end()) return std::nullopt;
  key_set all(mark_size + sizeof(std::uint32_t));
  all.reserve(noted_.size(), noted_.key_bytes() + noted_.size() * sizeof(std::uint32_t));
  take_latest(all, noted_, 1);
  if (base == base_) return all;
  std::uint32_t age = 1;
  for (auto s = steps_.begin(); s <= last; ++s) take_latest(all, s->keys, ++age);
  return all;
}

void change_history::take_latest(key_set& all, const key_set& step, std::uint32_t age) {
  step.each([&](byte_view key) {
    const auto at = all.find_or_insert(key);
    if (!at.is_new) return;
    std::ranges::copy(step.tag_behind(key), at.tag);
    std::memcpy(at.tag + mark_size, &age, sizeof age);
  });
}

change_history::latest_change change_history::latest_in(byte_view tag) {
  latest_change l;
  if (tag.size() < mark_size + sizeof l.age) return l;
  std::memcpy(&l.age, tag.data() + mark_size, sizeof l.age);
  l.before = mark_in(tag);
  return l;
}

}  // namespace floe
