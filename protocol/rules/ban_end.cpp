#include "protocol/rules/ban_end.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace floe {

std::string_view name(ban_cause c) {
  switch (c) {
    case ban_cause::asked: return "asked";
    case ban_cause::not_frozen: return "not-frozen";
    case ban_cause::cannot_store: return "cannot-store";
    case ban_cause::spoiled: return "spoiled";
  }
  std::unreachable();
}

std::optional<ban_cause> ban_cause_named(std::string_view s) {
  for (auto c :
       {ban_cause::asked, ban_cause::not_frozen, ban_cause::cannot_store, ban_cause::spoiled})
    if (name(c) == s) return c;
  return std::nullopt;
}

ban_state_now judge_ban(ban_cause cause, const ban_sight& s, duration age, duration length) {
  if (s.frozen && cause == ban_cause::not_frozen) return ban_state_now::ends;
  if (s.frozen && s.room && cause == ban_cause::cannot_store) return ban_state_now::ends;
  if (age < length) return ban_state_now::goes_on;
  return s.frozen ? ban_state_now::ends : ban_state_now::renewed;
}

duration room_pause(unsigned failures_in_a_row) {
  assert(failures_in_a_row > 0 && "nothing has failed");
  constexpr unsigned longest = 7;
  return std::chrono::seconds(1U << std::min(failures_in_a_row, longest));
}

}  // namespace floe
