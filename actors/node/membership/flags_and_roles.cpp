/// The controls of membership about a node's flags, and about what it may be in the cluster.
#include "actors/node/membership/membership.hpp"
#include "protocol/constants.hpp"
#include "protocol/types/node_map.hpp"

namespace floe {

void membership::modify_flags(const request_of<control::modify_flags>& c,
                              const answer_to<control::modify_flags>& answer) {
  const auto* about = port_.view().find(c.pnn);
  if (!about) return answer.fail("no such node");
  const auto old = about->flags;
  answer.good();
  if (c.pnn == port_.env.self || (old & node_flag::disconnected)) return;
  const auto flags =
      (c.new_flags & ~node_flag::found_out_alone) | (old & node_flag::found_out_alone);
  if (flags == old) return;
  for (std::uint32_t bit = 1; bit != 0; bit <<= 1) {
    if (!(flags & bit))
      flagged_[c.pnn].erase(bit);
    else if (!(old & bit))
      flagged_[c.pnn][bit] = port_.env.loop.now();
  }
  port_.change_view([&](cluster_view& v) { v.nodes[number(c.pnn)].flags = flags; });
}

std::int64_t membership::flag_age_ms(pnn p, std::uint32_t flag) const {
  const auto node = flagged_.find(p);
  if (node == flagged_.end()) return -1;
  const auto since = node->second.find(flag);
  return since == node->second.end() ? -1 : age_ms(since->second);
}

outcome_of<control::get_capabilities> membership::get_capabilities() const {
  return port_.view().capabilities;
}

void membership::set_role(std::uint32_t bit, bool on) {
  port_.change_view(
      [&](cluster_view& v) { v.capabilities = on ? v.capabilities | bit : v.capabilities & ~bit; });
}

outcome_of<control::set_lmasterrole> membership::set_lmasterrole(
    const request_of<control::set_lmasterrole>& on) {
  set_role(capability::lmaster, on != 0);
  return {};
}

outcome_of<control::set_recmasterrole> membership::set_recmasterrole(
    const request_of<control::set_recmasterrole>& on) {
  set_role(capability::recmaster, on != 0);
  return {};
}

void membership::disable_node(const answer_to<control::disable_node>& answer) {
  answer.good();
  set_own_flags(node_flag::permanently_disabled, 0);
}

void membership::enable_node(const answer_to<control::enable_node>& answer) {
  answer.good();
  set_own_flags(0, node_flag::permanently_disabled);
}

}  // namespace floe
