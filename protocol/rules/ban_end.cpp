#include "protocol/rules/ban_end.hpp"

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

ban_state_now judge_ban(ban_cause cause, bool frozen, duration age, duration length) {
  if (cause == ban_cause::not_frozen && frozen) return ban_state_now::ends;
  if (age < length) return ban_state_now::goes_on;
  return frozen ? ban_state_now::ends : ban_state_now::renewed;
}

}  // namespace floe
