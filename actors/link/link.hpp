#pragma once
/// The link to one other node: two streams, reconnection, keepalives. A node is connected when we have opened a
/// stream to it and it has opened one to us; whatever breaks one breaks both (as CTDB does), the node actor is
/// told once, and opening starts again with a short growing pause.
///
///   idle --connect--> connecting --established--> out only --its stream accepted--> connected
///     ^                    |                          |                                  |
///     +------ pause -------+-------- any stream ends, any data on ours, silence ---------+
#include "actors/environment.hpp"
#include "actors/link/link_message.hpp"
#include "actors/node/node_message.hpp"
#include "protocol/rules/keepalive.hpp"

namespace floe {

struct link_config {
  pnn peer{0};
  endpoint own, remote;
  stream_limits limits;
  duration keepalive_interval{std::chrono::seconds(1)};
  std::uint32_t keepalive_limit = 5;
};

class link final : public actor<link_message> {
 public:
  link(node_environment env, link_config config, address<node_message> node);
  void start() override;
  void receive(link_message&) override;

 private:
  void on(link_send&);
  void on(link_packet&);
  void on(link_accepted&);
  void on(link_up&);
  void on(link_down&);
  void on(link_retry&);
  void on(link_tick&);
  void on(link_break&);
  void on(link_tune&);
  void on(link_stop&);

  void connect();
  void drop(const std::string& why);
  void maybe_connected();
  void send_keepalive();
  bool current(std::uint64_t serial) const { return serial == out_serial_ || serial == in_serial_; }

  node_environment env_;
  link_config config_;
  address<node_message> node_;
  std::shared_ptr<connection> out_, in_;
  std::uint64_t out_serial_ = 0, in_serial_ = 0;
  bool out_up_ = false, connected_ = false;
  peer_silence silence_;
  duration pause_;
  timer_id retry_timer_{0}, tick_timer_{0};
  time_point born_;
};

/// The events of an incoming stream that `link` shall own; `serial` is even and chosen by the acceptor, never reused.
connection_events incoming_events(const address<link_message>& link, std::uint64_t serial);

}  // namespace floe
