#include "actors/link/link.hpp"

#include <fmt/format.h>

#include "protocol/constants.hpp"

namespace floe {
namespace {

constexpr duration shortest_pause = std::chrono::milliseconds(100);
constexpr duration longest_pause = std::chrono::seconds(1);
/// A connect attempt without result is started again.
constexpr duration connect_patience = std::chrono::seconds(1);

connection_events stream_events(const address<link_message>& to, std::uint64_t serial, stream_side side) {
  return {.up = [to, serial] { to.tell(link_up{serial}); },
          .packet = [to, serial, side](frame f) { to.tell(link_packet{serial, side, std::move(f)}); },
          .down = [to, serial](std::string why) { to.tell(link_down{serial, std::move(why)}); }};
}

}  // namespace

connection_events incoming_events(const address<link_message>& link, std::uint64_t serial) {
  return stream_events(link, serial, stream_side::incoming);
}

link::link(node_environment env, link_config config, address<node_message> node)
    : env_(env), config_(std::move(config)), node_(std::move(node)), pause_(shortest_pause),
      born_(env.loop.now()) {}

void link::start() {
  connect();
  link_tick first;
  on(first);
}

void link::receive(link_message& m) {
  std::visit([this](auto& x) { on(x); }, m);
}

void link::connect() {
  out_up_ = false;
  out_serial_ += out_serial_ == 0 ? 1 : 2;  // odd: ours; even: the acceptor's
  out_ = env_.net.connect({config_.own.ip, 0}, config_.remote, config_.limits,
                          stream_events(self(), out_serial_, stream_side::outgoing));
  env_.loop.cancel(retry_timer_);
  retry_timer_ = env_.loop.after(connect_patience, [to = self()] { to.tell(link_retry{}); });
}

void link::on(link_retry&) {
  if (out_up_) return;
  if (out_) out_->close();
  connect();
}

void link::on(link_up& m) {
  if (m.serial != out_serial_ || !out_) return;
  out_up_ = true;
  env_.loop.cancel(retry_timer_);
  maybe_connected();
}

void link::on(link_accepted& m) {
  // A node opens a stream only when it has none: an older one is dead, whether or not we have noticed.
  if (in_) drop("opened a new connection");
  in_ = std::move(m.stream);
  in_serial_ = m.serial;
  maybe_connected();
}

void link::maybe_connected() {
  if (connected_ || !out_up_ || !in_) return;
  connected_ = true;
  silence_.reset();
  pause_ = shortest_pause;
  env_.log.notice(fmt::format("node-up pnn={} address={}", number(config_.peer), to_string(config_.remote)));
  node_.tell(peer_changed{config_.peer, true, {}});
}

void link::drop(const std::string& why) {
  if (out_) out_->close();
  if (in_) in_->close();
  out_.reset();
  in_.reset();
  out_up_ = false;
  in_serial_ = 0;
  if (connected_) {
    connected_ = false;
    env_.log.warning(fmt::format("node-down pnn={} why=\"{}\"", number(config_.peer), why));
    node_.tell(peer_changed{config_.peer, false, why});
  }
  env_.loop.cancel(retry_timer_);
  retry_timer_ = env_.loop.after(pause_, [to = self()] { to.tell(link_retry{}); });
  pause_ = std::min(pause_ * 2, longest_pause);
}

void link::on(link_down& m) {
  if (m.serial == out_serial_ && out_ && !out_up_ && !in_) {  // nobody there yet: no news
    out_.reset();
    env_.loop.cancel(retry_timer_);
    retry_timer_ = env_.loop.after(pause_, [to = self()] { to.tell(link_retry{}); });
    pause_ = std::min(pause_ * 2, longest_pause);
    return;
  }
  if (current(m.serial)) drop(m.why);
}

void link::on(link_break& m) { drop(m.why); }

void link::on(link_packet& m) {
  if (!current(m.serial)) return;
  if (m.side == stream_side::outgoing) return drop("sent data on a stream of ours");
  auto content = decode_packet(*m.raw);
  ++env_.count.node_packets_recv;
  if (!content) {
    ++env_.count.bad_packets;
    return drop("bad packet: " + content.error().text());
  }
  silence_.heard();
  if (std::holds_alternative<req_keepalive>(content->body)) {
    ++env_.count.keepalive_packets_recv;
    return;
  }
  if (!connected_) return;  // half a connection carries nothing
  node_.tell(peer_packet{config_.peer,
                         std::make_shared<const parcel>(parcel{std::move(m.raw), std::move(*content)})});
}

void link::on(link_send& m) {
  if (!connected_) return;
  ++env_.count.node_packets_sent;
  out_->send(std::move(m.packet), std::move(m.written));
}

void link::on(link_tune& m) {
  config_.keepalive_interval = m.keepalive_interval;
  config_.keepalive_limit = m.keepalive_limit;
}

void link::on(link_tick&) {
  tick_timer_ = env_.loop.after(config_.keepalive_interval, [to = self()] { to.tell(link_tick{}); });
  switch (silence_.tick(connected_, config_.keepalive_limit)) {
    case peer_silence::verdict::nothing: return;
    case peer_silence::verdict::send_keepalive: return send_keepalive();
    case peer_silence::verdict::dead:
      return drop(fmt::format("no sign of life in {} keepalive intervals", silence_.missed()));
  }
}

void link::send_keepalive() {
  const auto uptime =
      std::chrono::duration_cast<std::chrono::seconds>(env_.loop.now() - born_).count();
  ++env_.count.keepalive_packets_sent;
  out_->send(make_frame({.gen = generation::invalid, .dest = config_.peer, .src = env_.self, .id = reqid{0}},
                        req_keepalive{protocol_version_4_17, static_cast<std::uint32_t>(uptime)}));
}

void link::on(link_stop&) {
  env_.loop.cancel(retry_timer_);
  env_.loop.cancel(tick_timer_);
  if (out_) out_->close();
  if (in_) in_->close();
  out_.reset();
  in_.reset();
  end();
}

}  // namespace floe
