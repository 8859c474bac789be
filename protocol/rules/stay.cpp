#include "protocol/rules/stay.hpp"

#include <algorithm>

#include "protocol/mutant.hpp"

namespace floe {
namespace {

/// In all about 6 MiB of a database whose records are sticky, and a third of a MiB of any other.
constexpr std::size_t remembered_max = 4096;
constexpr std::size_t sticky_max = 65'536;

/// FNV-1a. Of a long key its length, its beginning and its end will do: it is hashed for each lock.
std::uint64_t hash_of(byte_view key) {
  constexpr std::size_t looked_at = 64;
  std::uint64_t h = 0xCBF29CE484222325;
  const auto add = [&](byte_view part) {
    for (const char c : part) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  };
  add(key.substr(0, looked_at));
  if (key.size() > looked_at) add(key.substr(std::max(looked_at, key.size() - looked_at)));
  return (h ^ key.size()) * 0x100000001B3;
}

}  // namespace

bool record_stays::wandered(byte_view key, std::uint32_t hops, time_point now) {
  if (!settings_.sticky || hops < settings_.hops_make_sticky) return false;
  const bool before = is_sticky(key, now);
  if (sticky_until_.size() >= sticky_max) make_room(now);
  // from the first time on, as in CTDB: a record that is wanted everywhere all the time is looked at anew
  if (!before) sticky_until_[hash_of(key)] = now + settings_.sticky_for;
  return !before;
}

void record_stays::came(byte_view key, time_point now) {
  if (!settings_.sticky && settings_.of_stream == duration{0}) return;
  if (stays_.size() >= remembered_max) stays_.clear();
  auto& s = stays_[hash_of(key)];
  s.locks = 0;
  const bool may_be_stream = settings_.of_stream != duration{0} && s.before;
  s.allowed = may_be_stream ? stay_allowed(s.before, settings_.of_stream) : duration{0};
  const duration pin = is_sticky(key, now) ? settings_.pindown : duration{0};
  s.since = s.locked = now;
  s.pinned_until = now + pin;
}

void record_stays::count_lock(byte_view key, time_point now) {
  const auto s = stays_.find(hash_of(key));
  if (s == stays_.end()) return;
  ++s->second.locks;
  s->second.locked = now;
  if (mutated(mutant::pinned_anew_by_locks)) s->second.pinned_until += settings_.pindown;
}

void record_stays::left(byte_view key) {
  if (stays_.empty()) return;
  const auto found = stays_.find(hash_of(key));
  if (found == stays_.end()) return;
  auto& s = found->second;
  s.before = after_stay(s.before, s.locks, s.allowed);
  s.allowed = {};
  s.since = s.locked = s.pinned_until = {};
}

time_point record_stays::ends(byte_view key) const {
  const auto s = stays_.find(hash_of(key));
  if (s == stays_.end()) return {};
  const auto& [pinned_until, since, locked, allowed, locks, before] = s->second;
  return std::max(pinned_until, std::min(since + allowed, locked + allowed / stillness_part));
}

bool record_stays::is_sticky(byte_view key, time_point now) const {
  if (!settings_.sticky || sticky_until_.empty()) return false;
  const auto s = sticky_until_.find(hash_of(key));
  return s != sticky_until_.end() && now < s->second;
}

void record_stays::make_room(time_point now) {
  std::erase_if(sticky_until_, [&](const auto& s) { return s.second <= now; });
  if (sticky_until_.size() >= sticky_max) sticky_until_.clear();
}

}  // namespace floe
