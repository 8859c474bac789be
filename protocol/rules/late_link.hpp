#pragma once
/// A link that comes up although the vnn map has the peer already. Who set the map reaches both nodes, and did not wait until
/// they reached each other; or a ctdbd took the link for up before this node did. What either has sent the other in between
/// was dropped. A floe node asks again by itself. A ctdbd asks again only after a recovery, so that its client would wait for
/// ever, and it makes no difference whether the link is its own: its requests are also passed on between two floe nodes.
///
/// Source: Samba ctdb/tcp (packets for a node without an outgoing connection are dropped), ctdb/server/ctdb_call.c (pending
/// calls are sent again when a database is thawed).
#include <cstdint>

#include "protocol/ids.hpp"

namespace floe {

enum class late_link : std::uint8_t {
  harmless,  ///< nobody waits for ever for what was dropped
  recover,   ///< the cluster believes that all is well: a recovery is asked for
  recover_again  ///< the recovery that runs has set the map too early: another one is asked for when it is over
};

/// `in_map`: the map has the peer; `ctdbd`: a member of the map is one, this peer or another.
constexpr late_link judge_late_link(bool in_map, bool ctdbd, recovery_mode mode) {
  if (!in_map || !ctdbd) return late_link::harmless;
  return mode == recovery_mode::normal ? late_link::recover : late_link::recover_again;
}

}  // namespace floe
