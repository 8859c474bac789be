#pragma once
/// The network as actors see it: streams of whole packets between addresses. Real ones are TCP and Unix sockets
/// on the event loop (socket_network.cpp, socket_connection.hpp); simulated ones delay, drop and cut at will (sim_network.hpp).
///
/// Callbacks run on the loop's thread, outside of any actor: they do nothing but `tell` an actor.
#include <sys/types.h>

#include <compare>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/runtime/event_loop.hpp"
#include "protocol/bytes.hpp"

namespace floe {

/// An address of a node: IPv4 or IPv6 as text, and a port (0: any).
struct endpoint {
  std::string ip;
  std::uint16_t port = 0;
  auto operator<=>(const endpoint&) const = default;
};
std::string to_string(const endpoint&);

struct shared_in_process;

/// Descriptors that travel with a packet on a Unix socket. They belong to this object and are closed with it. In a
/// simulation, where all are one process, what they stand for travels itself.
struct descriptors {
  std::vector<int> fds;
  std::shared_ptr<shared_in_process> in_process;
  explicit descriptors(std::vector<int> f) : fds(std::move(f)) {}
  explicit descriptors(std::shared_ptr<shared_in_process> s) : in_process(std::move(s)) {}
  ~descriptors();
  descriptors(const descriptors&) = delete;
};
using descriptors_ptr = std::shared_ptr<const descriptors>;

/// One stream of packets. Dropping the last reference closes it.
class connection {
 public:
  virtual ~connection() = default;
  /// Queues a packet; `written` is called when the last byte has been handed to the network (not when the
  /// connection breaks before). Nothing happens on a closed connection.
  virtual void send(frame packet, task written = nullptr) = 0;
  /// With descriptors, of which the peer gets copies. Only on Unix sockets and simulated ones.
  virtual void send_along(frame packet, descriptors_ptr) = 0;
  /// Ends it at once, unsent packets are lost; no callback follows.
  virtual void close() = 0;
  virtual std::size_t unsent_bytes() const = 0;
  /// It could not be established because nobody listens there: the host is, a process of ours is not.
  virtual bool nobody_listens() const = 0;
  /// Where the peer is (TCP), with the port it used.
  virtual endpoint peer() const = 0;
  /// The peer's process (Unix sockets), 0 if there is none.
  virtual pid_t peer_pid() const = 0;
};

/// Why a stream has ended. The cause is for programs, the text for people.
enum class close_cause : std::uint8_t {
  ended,       ///< by the peer, the network or a limit
  bad_packet,  ///< what the peer has sent is none: its fault
};
struct close_reason {
  close_cause cause = close_cause::ended;
  std::string text;
};

struct connection_events {
  task up;                            ///< an outgoing connection is established
  std::function<void(frame)> packet;  ///< a whole packet has arrived
  /// Just before their packet. Without it they are refused: from clients a node takes none.
  std::function<void(descriptors_ptr)> along;
  std::function<void(close_reason)> down;  ///< the end, called once; not after our own close()
};

/// What a stream may carry; see framing.hpp for the rules of both kinds.
struct stream_limits {
  std::size_t max_packet = 64u << 20;
  std::size_t max_unsent =
      1u << 30;               ///< a peer that does not read is cut off above this many bytes
  bool between_nodes = true;  ///< lengths are multiples of 8
};

/// Decides about an incoming connection: its events, or nothing to have it closed at once.
using accept_fn = std::function<std::optional<connection_events>(std::shared_ptr<connection>)>;

class listener {
 public:
  virtual ~listener() = default;  ///< stops listening
  virtual endpoint where() const = 0;
};

class network {
 public:
  virtual ~network() = default;
  virtual std::expected<std::unique_ptr<listener>, std::string> listen(const endpoint&,
                                                                       stream_limits,
                                                                       accept_fn) = 0;
  /// A Unix socket of mode 0700; a stale file of that name is replaced.
  virtual std::expected<std::unique_ptr<listener>, std::string> listen_local(
      const std::string& path, stream_limits, accept_fn) = 0;
  /// Never blocks; failure is reported by `down`, also an immediate one.
  virtual std::shared_ptr<connection> connect(const endpoint& from, const endpoint& to,
                                              stream_limits, connection_events) = 0;
  virtual std::shared_ptr<connection> connect_local(const std::string& path, stream_limits,
                                                    connection_events) = 0;
};

/// Sockets on a real loop.
std::unique_ptr<network> socket_network(event_loop&);

}  // namespace floe
