#pragma once
/// One stream of packets on a socket: reads go through a framer, writes are collected while actors run and handed to the
/// kernel together before the loop waits. A peer that does not read is cut off; a client that sends without reading its
/// answers is not read from; packets that have begun and do not end share a limit.
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>

#include "actors/net/network.hpp"
#include "protocol/framing.hpp"

namespace floe {

/// Incomplete packets of all connections of a listener.
struct half_packets {
  std::size_t bytes = 0;
  bool freed_soon = false;

  /// The allocator would keep what they took.
  void free_soon(event_loop&, const std::shared_ptr<half_packets>& self);
};

/// Of a TCP connection between nodes: no packet waits for the next one, and a peer that is gone is found.
void set_options(int fd);
/// With what errno says.
std::string error_text(const char* what);

class socket_connection final : public connection,
                                public std::enable_shared_from_this<socket_connection> {
 public:
  /// `halves`: of the listener that it came from, if those are limited.
  socket_connection(event_loop& loop, int fd, stream_limits limits, bool connecting,
                    std::shared_ptr<half_packets> halves = nullptr);
  ~socket_connection() override { close(); }

  /// Separate from construction: callbacks hold weak references to this.
  void open(connection_events events);

  void send(frame packet, task written) override {
    enqueue({std::move(packet), std::move(written), nullptr});
  }
  void send_along(frame packet, descriptors_ptr along) override {
    enqueue({std::move(packet), nullptr, std::move(along)});
  }
  void close() override;
  bool nobody_listens() const override { return nobody_listens_; }
  void set_nobody_listens() { nobody_listens_ = true; }
  std::size_t unsent_bytes() const override { return unsent_; }
  endpoint peer() const override;
  pid_t peer_pid() const override;
  void fail(std::string why, close_cause = close_cause::ended);

 private:
  struct outgoing {
    frame packet;
    task written;
    descriptors_ptr along;
  };

  void enqueue(outgoing);
  std::uint32_t wanted() const;
  void transfer(std::uint32_t events);
  void ready(std::uint32_t events);
  bool finish_connect();
  void read();
  ssize_t receive_along(std::span<char> space);
  bool deliver();
  bool too_many_halves();
  void flush();
  void written(std::size_t n);

  std::shared_ptr<half_packets> halves_;
  std::size_t half_ = 0;
  event_loop& loop_;
  int fd_;
  stream_limits limits_;
  bool nobody_listens_ = false;
  bool connecting_;
  bool watched_ = false;
  bool waiting_to_write_ = false;
  bool flush_planned_ = false;
  bool paused_ = false;
  framer framer_;
  connection_events events_;
  std::deque<outgoing> queue_;
  std::size_t unsent_ = 0;
  std::size_t written_of_first_ = 0;
};

}  // namespace floe
