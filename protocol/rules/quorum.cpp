#include "protocol/rules/quorum.hpp"

#include <algorithm>
#include <utility>

#include "protocol/mutant.hpp"

namespace floe {
namespace {

/// The others are bugs that the rule covers: they are looked for without it.
bool leaves_out_at_once() {
  return mutated(mutant::silent_member_left_out) || mutated(mutant::lost_connection_is_lost_node) ||
         mutated(mutant::hung_leader_goes_on);
}

}  // namespace

part_verdict may_recover(quorum_rule rule, std::span<const part_member> all) {
  part_verdict v;
  pnn silent_member = pnn::unknown;
  std::size_t active = 0, with_content = 0, of_map = 0, silent = 0;
  for (const auto& n : all) {
    if (n.connected) {
      active += !n.inactive;
      with_content += !n.inactive && n.has_content;
      of_map += !n.inactive && n.in_map;
      continue;
    }
    if (!n.in_map || n.dead) continue;
    ++silent;
    if (silent_member == pnn::unknown) silent_member = n.node;
    const auto left = n.limit - n.silent;
    if (left <= v.wait || leaves_out_at_once()) continue;
    v = {.what = part_verdict::kind::waits, .node = n.node, .wait = left};
  }
  v.outnumbered = silent > of_map;
  if (rule != quorum_rule::majority) return v;
  const bool one_is_silent = silent_member != pnn::unknown;
  v.here = one_is_silent ? with_content : active;
  v.needed = all.size() / 2 + 1;
  if (is_majority(v.here, all.size()) || mutated(mutant::half_is_enough)) return v;
  v.what = part_verdict::kind::too_small;
  // it would be enough without the one that may have what was lost here
  v.node = one_is_silent && is_majority(active, all.size()) ? silent_member : pnn::unknown;
  return v;
}

std::string_view name(quorum_rule r) {
  switch (r) {
    case quorum_rule::lock: return "lock";
    case quorum_rule::none: return "none";
    case quorum_rule::majority: return "majority";
  }
  std::unreachable();
}

std::optional<quorum_rule> quorum_named(std::string_view text) {
  for (const auto r : {quorum_rule::lock, quorum_rule::none, quorum_rule::majority})
    if (name(r) == text) return r;
  return std::nullopt;
}

std::string_view name(part_verdict::kind k) {
  switch (k) {
    case part_verdict::kind::goes_on: return "goes_on";
    case part_verdict::kind::waits: return "waits";
    case part_verdict::kind::too_small: return "too_small";
  }
  std::unreachable();
}

}  // namespace floe
