#pragma once
/// What the link to one other node understands.
#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "actors/net/network.hpp"
#include "actors/runtime/actor.hpp"
#include "protocol/bytes.hpp"
#include "protocol/rules/keepalive.hpp"
#include "protocol/rules/node_list.hpp"

namespace floe {

/// Two streams join a pair of nodes: we send on the one we opened, we receive on the one the peer opened.
enum class stream_side : std::uint8_t { outgoing, incoming };

struct link_send {
  frame packet;
  task
      written;  ///< called when the packet has left for the kernel; dropped unused if the link breaks
};
struct link_accepted {
  std::shared_ptr<connection> stream;
  std::uint64_t serial;
};
/// The outgoing stream is established.
struct link_up {
  std::uint64_t serial;
};
struct link_packet {
  std::uint64_t serial;
  stream_side side;
  frame raw;
};
struct link_down {
  std::uint64_t serial;
  std::string why;
};
struct link_retry {
  std::uint64_t attempt;
};
/// Another node can be reached: the network may be whole again, so a pause or an attempt that hangs ends now.
struct link_nudge {};
struct link_tick {
  std::uint64_t serial;
};
struct link_greeting_late {
  std::uint64_t greeting;
};
struct link_doubt_over {
  std::uint64_t serial;
};
/// Treat the node as dead now (protocol violation).
struct link_break {
  std::string why;
};
struct link_tune {
  keepalive_settings keepalive;
  bool allow_mixed_versions;
};
/// The list this node runs with now.
struct link_nodes {
  node_lines lines;
};
struct link_stop {};

using link_message = std::variant<link_send, link_packet, link_accepted, link_up, link_down,
                                  link_retry, link_nudge, link_tick, link_greeting_late,
                                  link_doubt_over, link_break, link_tune, link_nodes, link_stop>;

}  // namespace floe
