#pragma once
/// What a client session understands, and how others refer to the client behind it.
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <variant>

#include "actors/client_usage.hpp"
#include "actors/net/network.hpp"
#include "actors/runtime/actor.hpp"
#include "protocol/bytes.hpp"

namespace floe {

/// From the client's socket.
struct session_packet {
  frame raw;
};
struct session_closed {
  close_reason why;
};                     ///< the client's socket has ended
struct session_send {  ///< to the client
  frame packet;
  task written = nullptr;           ///< as of connection::send
  descriptors_ptr along = nullptr;  ///< that travel with it
};
/// Close the client's connection.
struct session_kick {
  std::string why;
};

using session_message = std::variant<session_packet, session_closed, session_send, session_kick>;

/// A connected client, as other actors know it.
struct client_ref {
  std::uint64_t id = 0;  ///< of this connection, never used again in this process, never 0
  pid_t pid = 0;         ///< the peer of the Unix socket
  std::string name;      ///< its command name, for people
  address<session_message> session;
  client_usage_ptr usage = nullptr;
};

}  // namespace floe
