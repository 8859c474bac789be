/// Messages by srvid, tunnels, notifications, and questions about clients.
#include <fmt/format.h>

#include <csignal>

#include "actors/node/node.hpp"
#include "protocol/constants.hpp"
#include "protocol/messages.hpp"
#include "protocol/types/client.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

/// A registration for this one receives every message.
constexpr std::uint64_t every_srvid = 0xFFFFFFFFFFFFFFFF;
constexpr std::int32_t not_registered = 2;

bool process_lives(pid_t pid) { return ::kill(pid, 0) == 0 || errno == EPERM; }

}  // namespace

std::vector<pnn> node::destinations(pnn to) const {
  std::vector<pnn> all;
  if (!is_broadcast(to)) {
    all.push_back(to == pnn::current ? env_.self : to);
    return all;
  }
  std::uint32_t without = node_flag::deleted;
  if (to == pnn::broadcast_connected) without |= node_flag::disconnected;
  if (to == pnn::broadcast_active) without = node_flag::inactive;
  for (std::size_t i = 0; i < view_->nodes.size(); ++i)
    if (!(view_->nodes[i].flags & without)) all.push_back(pnn{static_cast<std::uint32_t>(i)});
  return all;
}

void node::on(post_message& m) { send_message(m.to, m.srvid, *m.data, std::move(m.written)); }

void node::send_message(pnn to, floe::srvid srvid, byte_view data, task written) {
  for (pnn p : destinations(to)) {
    const packet_header header{.gen = view_->gen, .dest = p, .src = env_.self, .id = reqid{0}};
    if (p != env_.self) {
      if (const auto* peer = view_->find(p); peer && !(peer->flags & node_flag::disconnected))
        send(p, reqid{0}, req_message{.srvid = srvid, .data = data}, written);
      continue;
    }
    auto raw = make_frame(header, req_message{.srvid = srvid, .data = data});
    auto content = decode_packet(*raw);
    auto own = std::make_shared<const parcel>(parcel{raw, std::move(*content)});
    deliver(own, std::get<req_message>(own->content.body));
    if (written) written();
  }
}

void node::deliver(const parcel_ptr& p, const req_message& m) {
  frame copy;  // made once, for all clients
  const auto hand_out = [&](std::uint64_t srvid) {
    auto i = subscribers_.find(srvid);
    if (i == subscribers_.end()) return;
    for (const auto& s : i->second) {
      if (s.deliver) {
        s.deliver(p);
        continue;
      }
      if (!copy)
        copy = make_frame({.gen = view_->gen, .dest = pnn{0}, .src = p->content.header.src, .id = reqid{0}},
                          req_message{.srvid = m.srvid, .data = m.data});
      s.session.tell(session_send{copy});
    }
  };
  hand_out(number(m.srvid));
  if (number(m.srvid) != every_srvid) hand_out(every_srvid);
}

void node::on(listen_messages& m) {
  subscribers_[number(m.srvid)].push_back({.owner = m.owner, .session = {}, .deliver = std::move(m.deliver)});
}

void node::on(unlisten_messages& m) {
  auto i = subscribers_.find(number(m.srvid));
  if (i == subscribers_.end()) return;
  std::erase_if(i->second, [&](const subscriber& s) { return s.deliver && s.owner == m.owner; });
  if (i->second.empty()) subscribers_.erase(i);
}

void node::register_srvid(const control_request& r) {
  // registering twice delivers twice: CTDB's clients count on nothing else
  subscribers_[number(r.srvid)].push_back({.owner = r.client->id, .session = r.client->session, .deliver = nullptr});
  r.answer.good();
  // Whoever wants to hear who leads need not wait for the leader to say so again. While nobody does, it is told who did:
  // Samba's tool asks for nothing else, has no use for "nobody", and would show no status before the election is over.
  if (r.srvid != message::leader || last_leader_ == pnn::unknown) return;
  r.client->session.tell(session_send{make_frame({.gen = view_->gen, .dest = pnn{0}, .src = env_.self, .id = reqid{0}},
                                                 req_message{.srvid = r.srvid, .data = wire::encode(number(last_leader_))})});
}

void node::deregister_srvid(const control_request& r) {
  auto i = subscribers_.find(number(r.srvid));
  const auto gone = i == subscribers_.end() ? 0 : std::erase_if(i->second, [&](const subscriber& s) {
    return !s.deliver && s.owner == r.client->id;
  });
  if (i != subscribers_.end() && i->second.empty()) subscribers_.erase(i);
  if (gone == 0) return r.answer.status(not_registered);
  r.answer.good();
}

void node::register_notify(const control_request& r) {
  auto n = wire::decode<notify_data>(r.data);
  if (!n) return r.answer.fail();
  auto& all = clients_.at(r.client->id).notify;
  if (!all.emplace(number(n->srvid), bytes(n->data)).second) return r.answer.fail("registered already");
  r.answer.good();
}

void node::deregister_notify(const control_request& r) {
  auto s = wire::decode<std::uint64_t>(r.data);
  if (!s || clients_.at(r.client->id).notify.erase(*s) == 0) return r.answer.fail("not registered");
  r.answer.good();
}

void node::forget_messages_of(std::uint64_t client) {
  for (auto i = subscribers_.begin(); i != subscribers_.end();) {
    std::erase_if(i->second, [&](const subscriber& s) { return !s.deliver && s.owner == client; });
    i = i->second.empty() ? subscribers_.erase(i) : std::next(i);
  }
  std::erase_if(tunnels_, [&](const auto& t) { return t.second == client; });
}

// --- tunnels ---------------------------------------------------------------------------------------------------

void node::tunnel_register(const control_request& r) {
  if (!tunnels_.emplace(number(r.srvid), r.client->id).second) return r.answer.fail("tunnel is taken");
  r.answer.good();
}

void node::tunnel_deregister(const control_request& r) {
  auto t = tunnels_.find(number(r.srvid));
  if (t == tunnels_.end() || t->second != r.client->id) return r.answer.fail("not registered");
  tunnels_.erase(t);
  r.answer.good();
}

void node::deliver_tunnel(const req_tunnel& t) {
  auto owner = tunnels_.find(t.tunnel_id);
  if (owner == tunnels_.end()) return;
  clients_.at(owner->second)
      .ref.session.tell(session_send{
          make_frame({.gen = view_->gen, .dest = pnn{0}, .src = env_.self, .id = reqid{0}}, t)});
}

// --- questions about clients -------------------------------------------------------------------------------------

void node::accompany(const control_request& r) {
  clients_.at(r.client->id).companion = true;
  r.answer.good();
}

void node::process_exists(const control_request& r) {
  auto pid = wire::decode<std::int32_t>(r.data);
  for (auto& [id, c] : clients_) {
    if (!pid || c.ref.pid != *pid || c.companion) continue;
    if (view_->own_flags() & (node_flag::banned | node_flag::stopped)) {
      // others may take over what this process held, by whichever of its connections
      for (auto& [other, all] : clients_)
        if (all.ref.pid == *pid)
          all.ref.session.tell(session_kick{"node is inactive and another node asked for this process"});
      return r.answer.fail();
    }
    if (process_lives(c.ref.pid)) return r.answer.good();
  }
  r.answer.fail();
}

void node::check_pid_srvid(const control_request& r) {
  auto q = wire::decode<pid_srvid>(r.data);
  auto i = q ? subscribers_.find(number(q->srvid)) : subscribers_.end();
  if (i == subscribers_.end()) return r.answer.fail();
  for (const auto& s : i->second) {
    auto c = clients_.find(s.owner);
    if (!s.deliver && c != clients_.end() && c->second.ref.pid == number(q->pid)) return r.answer.good();
  }
  r.answer.fail();
}

}  // namespace floe
