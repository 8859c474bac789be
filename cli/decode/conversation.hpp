#pragma once
/// Which request a reply answers. A reply does not name its opcode (Samba
/// ctdb/protocol/protocol_control.c), only the reqid that its requester chose, so whoever reads a
/// stream has to remember the requests.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "protocol/packet.hpp"

namespace floe::cli {

struct asked {
  std::optional<control> opcode;  ///< of a control; nothing for other requests
  std::string id;                 ///< what the caller calls the request
};

/// Requests that are still to be answered. `requester` tells apart those who choose reqids for
/// themselves: a connection, or a node.
class conversation {
 public:
  void request(std::uint64_t requester, reqid, asked);
  /// Forgets the request: each is answered once. Nothing if none is known.
  std::optional<asked> reply(std::uint64_t requester, reqid);

 private:
  std::map<std::pair<std::uint64_t, std::uint32_t>, asked> open_;
};

bool is_reply(const packet&);
/// Calls and controls that will be answered.
bool wants_reply(const packet&);

/// A stream of which nothing is known but the packets: the opcode that this packet belongs to if it
/// is a reply.
class stream_conversation {
 public:
  std::optional<control> follow(const packet&);

 private:
  conversation by_node_;  ///< nodes name themselves in both packets
  conversation by_id_;    ///< clients do not
};

}  // namespace floe::cli
