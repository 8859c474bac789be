#include "actors/node/calls/incoming.hpp"

#include "protocol/constants.hpp"

namespace floe {
namespace {

replier reply_to_client(const node_port& port, const client_ref& c, reqid id) {
  return replier([session = c.session, id, self = port.env.self, gen = port.view().gen](control_answer a) {
    session.tell(session_send{make_frame(
        {.gen = gen, .dest = pnn{0}, .src = self, .id = id},
        reply_control{.status = a.status, .data = a.data, .error = error_field(a.cause, a.text)})});
  });
}

replier reply_to_peer(const node_port& port, pnn to, reqid id) {
  const auto* p = port.view().find(to);
  if (!p) return {};
  return replier([link = p->link, to, id, self = port.env.self, gen = port.view().gen](control_answer a) {
    link.tell(link_send{make_frame({.gen = gen, .dest = to, .src = self, .id = id},
                                   reply_control{.status = a.status, .data = a.data, .error = error_field(a.cause, a.text)}),
                        nullptr});
  });
}

}  // namespace

void incoming_controls::from_client(const client_ref& c, const parcel_ptr& p, const req_control& r) {
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
  const bool known = r.opcode == control::get_ifaces && peer && peer->floe && !(peer->flags & node_flag::disconnected);
  if (to == port_.env.self || known)
    return own_.carry_out({.opcode = r.opcode, .from = port_.env.self, .client = c, .srvid = r.srvid, .flags = r.flags,
                                 .client_id = r.client_id, .packet = p},
                                r.data, answer);
  req_control passed = r;
  passed.client_id = static_cast<std::uint32_t>(c.id);
  calls_.send(to, passed, std::chrono::seconds(port_.tunables[tunable::control_timeout]), std::move(answer));
}

void incoming_controls::from_peer(pnn from, const parcel_ptr& p, const req_control& r) {
  const auto& header = p->content.header;
  const bool noreply = r.flags & control_flag::noreply;
  own_.carry_out({.opcode = r.opcode, .from = from, .client = std::nullopt, .srvid = r.srvid, .flags = r.flags,
                  .client_id = r.client_id, .packet = p},
                 r.data, noreply ? replier{} : reply_to_peer(port_, header.src, header.id));
}

}  // namespace floe
