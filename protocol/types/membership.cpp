#include "protocol/types/membership.hpp"

#include "protocol/wire/layout.hpp"

namespace floe {

constexpr auto layout(wire::of<ban_state>) {
  return wire::record("ban_state", wire::field("pnn", &ban_state::pnn),
                      wire::field("time", &ban_state::time));
}

constexpr auto layout(wire::of<uptime>) {
  return wire::record("uptime", wire::field("current_time", &uptime::current_time),
                      wire::field("ctdbd_start_time", &uptime::ctdbd_start_time),
                      wire::field("last_recovery_started", &uptime::last_recovery_started),
                      wire::field("last_recovery_finished", &uptime::last_recovery_finished));
}

constexpr auto layout(wire::of<election_message>) {
  return wire::record(
      "election_message", wire::field("num_connected", &election_message::num_connected),
      wire::junk<4>(), wire::field("priority_time", &election_message::priority_time),
      wire::field("pnn", &election_message::pnn),
      wire::field("node_flags", &election_message::node_flags, &node_flags_text));
}

template struct wire::codec<ban_state>;
template struct wire::codec<uptime>;
template struct wire::codec<election_message>;

}  // namespace floe
