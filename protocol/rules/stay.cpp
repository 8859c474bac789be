#include "protocol/rules/stay.hpp"

#include <algorithm>

namespace floe {
namespace {

/// Records whose past is remembered. What is forgotten beyond is a stay that is shorter than it could be.
constexpr std::size_t remembered_max = 4096;
constexpr std::size_t sticky_max = 65'536;

}  // namespace

void record_stays::wandered(byte_view key, std::uint32_t hops, time_point now) {
  if (!settings_.sticky || hops < settings_.hops_make_sticky) return;
  if (sticky_until_.size() >= sticky_max) forget_some(now);
  sticky_until_.try_emplace(bytes(key)).first->second = now + settings_.sticky_for;
}

void record_stays::came(byte_view key, time_point now) {
  if (stays_.size() >= remembered_max) stays_.clear();
  auto& s = stays_[bytes(key)];
  s.locks = 0;
  s.allowed = settings_.of_stream == duration{0} || !s.before
                  ? duration{0}
                  : stay_allowed(s.before, settings_.of_stream);
  const duration pin = is_sticky(key, now) ? settings_.pindown : duration{0};
  s.until = now + std::max(s.allowed, pin);
}

void record_stays::locked(byte_view key) {
  if (const auto s = stays_.find(bytes(key)); s != stays_.end()) ++s->second.locks;
}

void record_stays::left(byte_view key) {
  const auto found = stays_.find(bytes(key));
  if (found == stays_.end()) return;
  auto& s = found->second;
  s.before = after_stay(s.before, s.locks, s.allowed);
  s.until = {};
}

time_point record_stays::until(byte_view key) const {
  const auto s = stays_.find(bytes(key));
  return s == stays_.end() ? time_point{} : s->second.until;
}

bool record_stays::is_sticky(byte_view key, time_point now) const {
  if (!settings_.sticky) return false;
  const auto s = sticky_until_.find(bytes(key));
  return s != sticky_until_.end() && now < s->second;
}

void record_stays::forget_some(time_point now) {
  std::erase_if(sticky_until_, [&](const auto& s) { return s.second <= now; });
  if (sticky_until_.size() >= sticky_max) sticky_until_.clear();
}

}  // namespace floe
