#include "actors/node/calls/incoming.hpp"

#include <fmt/format.h>

#include <memory>

#include "protocol/constants.hpp"

namespace floe {
namespace {

/// What makes a packet of an answer: by value, since answers may outlive the node.
struct envelope {
  packet_header header;
  std::size_t most;  ///< bytes of an answer that a stream carries
  std::shared_ptr<limit_counts> limits;

  /// An error instead of an answer that no stream would carry.
  frame of(const control_answer& a) const {
    if (a.data.size() + a.text.size() <= most)
      return make_frame(
          header,
          reply_control{.status = a.status, .data = a.data, .error = error_field(a.cause, a.text)});
    ++limits->dropped.too_large;
    const bytes text = fmt::format("the answer has {} bytes, {} are the most that is sent",
                                   a.data.size() + a.text.size(), most);
    return make_frame(
        header, reply_control{
                    .status = -1, .data = {}, .error = error_field(failure_cause::refused, text)});
  }
};

envelope envelope_for(const node_port& port, pnn to, reqid id) {
  return {.header = {.gen = port.view().gen, .dest = to, .src = port.env.self, .id = id},
          .most = port.config.max_packet,
          .limits = port.shared_limits};
}

replier reply_to_client(const node_port& port, const client_ref& c, reqid id) {
  return replier(
      [session = c.session, e = envelope_for(port, pnn{0}, id)](const control_answer& a) {
        session.tell(session_send{e.of(a), nullptr, a.along});
      });
}

replier reply_to_peer(const node_port& port, pnn to, reqid id) {
  const auto* p = port.view().find(to);
  if (!p) return {};
  return replier([link = p->link, e = envelope_for(port, to, id)](const control_answer& a) {
    link.tell(link_send{e.of(a), nullptr});
  });
}

}  // namespace

void incoming_controls::from_client(const client_ref& c, const parcel_ptr& p,
                                    const req_control& r) {
  const auto& header = p->content.header;
  const bool noreply = r.flags & control_flag::noreply;
  auto answer = noreply ? replier{} : reply_to_client(port_, c, header.id);
  if (is_broadcast(header.dest)) {
    // ctdbd refuses without ever answering
    if (!noreply) return answer.fail("a broadcast control must not ask for a reply");
    return calls_.broadcast(header.dest, r);
  }
  const pnn to = header.dest == pnn::current ? port_.env.self : header.dest;
  freezes_.remember(c.id, to, r);
  // `ctdb status` asks every node for its interfaces. floe nodes have none, and a node that hangs shall not make it wait.
  const auto* peer = port_.view().find(to);
  const bool known = r.opcode == control::get_ifaces && peer && peer->floe &&
                     !(peer->flags & node_flag::disconnected);
  if (to == port_.env.self || known)
    return own_.carry_out({.opcode = r.opcode,
                           .from = port_.env.self,
                           .client = c,
                           .srvid = r.srvid,
                           .flags = r.flags,
                           .client_id = r.client_id,
                           .packet = p},
                          r.data, answer);
  req_control passed = r;
  passed.client_id = static_cast<std::uint32_t>(c.id);
  calls_.send(to, passed, port_.control_limit(), std::move(answer));
}

void incoming_controls::from_peer(pnn from, const parcel_ptr& p, const req_control& r) {
  const auto& header = p->content.header;
  const bool noreply = r.flags & control_flag::noreply;
  own_.carry_out({.opcode = r.opcode,
                  .from = from,
                  .client = std::nullopt,
                  .srvid = r.srvid,
                  .flags = r.flags,
                  .client_id = r.client_id,
                  .packet = p},
                 r.data, noreply ? replier{} : reply_to_peer(port_, header.src, header.id));
}

}  // namespace floe
