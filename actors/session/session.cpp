#include "actors/session/session.hpp"

#include "actors/events.hpp"

#include <fmt/format.h>

#include <fstream>

namespace floe {

std::string process_name(pid_t pid) {
  std::ifstream in(fmt::format("/proc/{}/comm", pid));
  std::string name;
  std::getline(in, name);
  return name.empty() ? "?" : name;
}

namespace {

bool is_message(byte_view packet) {
  const auto p = decode_packet(packet);
  return p && std::holds_alternative<req_message>(p->body);
}

}  // namespace

session::session(node_environment env, std::uint64_t id, std::shared_ptr<connection> stream,
                 address<node_message> node, std::shared_ptr<const std::uint32_t> most_queued)
    : env_(env),
      stream_(std::move(stream)),
      node_(std::move(node)),
      most_queued_(std::move(most_queued)) {
  me_.id = id;
  me_.usage = std::make_shared<client_usage>();
  me_.pid = stream_->peer_pid();
}

void session::start() {
  me_.name = me_.pid > 0 ? process_name(me_.pid) : "?";
  me_.session = self();
  node_.tell(client_opened{me_});
}

void session::receive(session_message& m) {
  std::visit([this](auto& x) { on(x); }, m);
}

void session::on(session_packet& m) {
  ++env_.count.client_packets_recv;
  auto content = decode_packet(*m.raw);
  if (!content) {
    ++env_.count.bad_packets;
    env_.log.tell(event::client_refused{.client = me_.id,
                                        .pid = me_.pid,
                                        .name = me_.name,
                                        .why = "bad packet: " + content.error().text()});
    stream_->close();
    return finish();
  }
  auto charge = usage_share::request(me_.usage, m.raw->size());
  node_.tell(client_packet{me_, std::make_shared<const parcel>(parcel{
                                    std::move(m.raw), std::move(*content), std::move(charge)})});
}

void session::on(session_send& m) {
  ++env_.count.client_packets_sent;
  if (m.along) return stream_->send_along(std::move(m.packet), std::move(m.along));
  if (m.written) return stream_->send(std::move(m.packet), std::move(m.written));
  if (*queued_ > *most_queued_ && is_message(*m.packet)) {
    session_kick k{fmt::format("{} packets wait for it, more than MaxQueueDropMsg", *queued_)};
    return on(k);
  }
  ++*queued_;
  stream_->send(std::move(m.packet), [queued = queued_] { --*queued; });
}

void session::on(session_closed& m) {
  if (m.why.cause == close_cause::bad_packet) {
    ++env_.count.bad_packets;
    env_.log.tell(event::client_refused{
        .client = me_.id, .pid = me_.pid, .name = me_.name, .why = m.why.text});
  }
  finish();
}

void session::on(session_kick& m) {
  env_.log.tell(
      event::client_disconnected{.client = me_.id, .pid = me_.pid, .name = me_.name, .why = m.why});
  stream_->close();
  finish();
}

void session::finish() {
  node_.tell(client_closed{me_.id});
  end();
}

}  // namespace floe
