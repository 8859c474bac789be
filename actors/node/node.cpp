/// Life of a node, and dispatch.
#include "actors/node/node.hpp"

#include <fmt/format.h>

#include "actors/link/link.hpp"
#include "actors/recovery/leader.hpp"
#include "actors/session/session.hpp"
#include "protocol/constants.hpp"
#include "protocol/rules/migration.hpp"

namespace floe {
namespace {

constexpr std::size_t client_queue_limit = 256u << 20;

std::shared_ptr<cluster_view> first_view(const node_config& c) {
  auto v = std::make_shared<cluster_view>();
  v->self = c.self;
  for (std::size_t i = 0; i < c.nodes.size(); ++i) {
    peer_view p{.flags = node_flag::disconnected | node_flag::unhealthy, .where = c.nodes[i].where, .floe = false, .link = {}};
    if (c.nodes[i].deleted) p.flags = node_flag::disconnected | node_flag::deleted;
    v->nodes.push_back(std::move(p));
    if (!c.nodes[i].deleted) v->map.push_back(pnn{static_cast<std::uint32_t>(i)});
  }
  auto& own = v->nodes[number(c.self)].flags;
  own = node_flag::unhealthy;
  if (c.start_stopped) own |= node_flag::stopped;
  if (c.start_disabled) own |= node_flag::permanently_disabled;
  v->capabilities = capability::features | capability::sorted_pull;
  if (c.leader_capable) v->capabilities |= capability::recmaster;
  if (c.lmaster_capable) v->capabilities |= capability::lmaster;
  return v;
}

}  // namespace

node::node(node_environment env, node_config config, std::function<void()> stopped)
    : env_(env), config_(std::move(config)), stopped_(std::move(stopped)), view_(first_view(config_)),
      tunables_(config_.tunables), lock_since_(env.loop.now()), started_(env.loop.now()), started_us_(env.loop.wall_us()),
      statistics_since_us_(started_us_),
      mode_since_(env.loop.now()) {}

node::~node() = default;

void node::start() {
  if (!listen()) return stop("cannot listen");
  set_runstate(runstate::init);
  attach_from_disk();
  if (starting_.empty()) go_on_starting();
}

/// The persistent databases are there, as far as they can be: now the other nodes may come.
void node::go_on_starting() {
  auto links = std::make_shared<cluster_view>(*view_);
  for (std::size_t i = 0; i < config_.nodes.size(); ++i)
    if (const pnn p{static_cast<std::uint32_t>(i)}; p != config_.self && !config_.nodes[i].deleted)
      links->nodes[i].link = spawn_link(p, config_.nodes[i].where, own_lines());
  view_ = links;
  set_runstate(runstate::setup);
  leader_ = env_.actors.spawn<leader>("leader", env_, leader_config_of(config_), view_, self());
  set_runstate(runstate::first_recovery);
  apply_tunables();
  last_tick_ = env_.loop.now();
  node_tick first;
  on(first);
  if (lacks_cluster_lock()) env_.log.warning(no_cluster_lock_warning);
  env_.log.notice(fmt::format("node-started pnn={} address={} socket={}", number(config_.self),
                              to_string(config_.nodes[number(config_.self)].where), config_.socket));
}

bool node::listen() {
  auto peers = env_.net.listen(config_.nodes[number(config_.self)].where, {.max_packet = config_.max_packet},
                               [this](const std::shared_ptr<connection>& c) { return accept_peer(c); });
  if (!peers) {
    env_.log.error(peers.error());
    return false;
  }
  auto clients = env_.net.listen_local(
      config_.socket,
      {.max_packet = config_.max_packet, .max_unsent = client_queue_limit, .between_nodes = false},
      [this](const std::shared_ptr<connection>& c) { return accept_client(c); });
  if (!clients) {
    env_.log.error(clients.error());
    return false;
  }
  peer_listener_ = std::move(*peers);
  client_listener_ = std::move(*clients);
  return true;
}

void node::receive(node_message& m) {
  std::visit([this](auto& x) { on(x); }, m);
}

/// Called on the loop between turns of this actor; only reads what never changes after start.
std::optional<connection_events> node::accept_peer(const std::shared_ptr<connection>& c) {
  if (view_->run < runstate::setup) return std::nullopt;  // not yet: it will try again
  const auto from = c->peer();
  for (const auto& n : view_->nodes) {
    if (n.where.ip != from.ip || !n.link) continue;
    const auto serial = *serials_ += 2;
    n.link.tell(link_accepted{c, serial});
    return incoming_events(n.link, serial);
  }
  env_.log.warning(fmt::format("connection-refused address={} why=\"not in the nodes file\"", from.ip));
  return std::nullopt;
}

std::optional<connection_events> node::accept_client(const std::shared_ptr<connection>& c) {
  auto s = env_.actors.spawn<session>("session", env_, ++last_client_, c, self());
  return connection_events{
      .up = nullptr,
      .packet = [s](frame f) { s.tell(session_packet{std::move(f)}); },
      .down = [s](std::string why) { s.tell(session_closed{std::move(why)}); },
  };
}

void node::stop(const std::string& why) {
  if (stopping_) return;
  stopping_ = true;
  env_.log.notice(fmt::format("node-stopping why=\"{}\"", why));
  set_runstate(runstate::shutdown);
  env_.loop.cancel(tick_);
  env_.loop.cancel(trim_);
  leader_.tell(leader_stop{});
  client_listener_.reset();
  peer_listener_.reset();
  for (auto& [id, c] : clients_) c.ref.session.tell(session_kick{"node shuts down"});
  for (auto& [id, d] : databases_) d.to.tell(db_stop{});
  for (const auto& n : view_->nodes) n.link.tell(link_stop{});
  for (auto& [id, c] : calls_) env_.loop.cancel(c.deadline);
  calls_.clear();
  end();
  env_.loop.post(stopped_);
}

void node::on(stop_node& m) { stop(m.why); }

void node::on(node_tick&) {
  if (stopping_) return;
  check_own_pulse();
  last_tick_ = env_.loop.now();
  tick_ = env_.loop.after(std::chrono::seconds(1), [to = self()] { to.tell(node_tick{}); });
  retry_deferred_attaches();
  watch_frozen();
  keep_statistics();
  look_at_ban();
  if (view_->run == runstate::startup && view_->mode == recovery_mode::normal &&
      view_->gen != generation::invalid) {
    set_runstate(runstate::running);
    set_own_flags(0, node_flag::unhealthy);
  }
}

/// Ticks come every second. One that is so late says that this node was stopped, or starved, for longer than others bear
/// with it.
void node::check_own_pulse() {
  if (env_.loop.now() - last_tick_ <= std::max<duration>(std::chrono::seconds(2), std::chrono::milliseconds(tunables_[tunable::floe_keepalive_limit_ms])))
    return;
  for (auto& [id, d] : databases_) d.slept = true;
}

// --- clients -------------------------------------------------------------------------------------------------

void node::on(client_opened& m) {
  ++env_.count.num_clients;
  clients_[m.client.id] = {.ref = m.client, .notify = {}};
}

void node::on(client_closed& m) {
  auto i = clients_.find(m.client);
  if (i == clients_.end()) return;
  --env_.count.num_clients;
  thaw_for(i->second);
  for (auto& [srvid, data] : i->second.notify)
    send_message(pnn::broadcast_connected, floe::srvid{srvid}, data, nullptr);
  clients_.erase(i);
  forget_messages_of(m.client);
  end_traverses_of(m.client);
  std::erase_if(deferred_, [&](const deferred_attach& d) { return d.request.client->id == m.client; });
  for (auto& [id, d] : databases_) d.to.tell(db_client_gone{m.client});
}

void node::on(client_packet& m) {
  if (!clients_.contains(m.client.id)) return;
  ++env_.count.client_ops[m.packet->content.body.index() % env_.count.client_ops.size()];
  std::visit(
      [&](const auto& body) {
        if constexpr (requires { from_client(m.client, m.packet, body); })
          from_client(m.client, m.packet, body);
        else
          env_.log.info(fmt::format("client-packet-dropped client={} why=\"not an operation for clients\"", m.client.id));
      },
      m.packet->content.body);
}

void node::from_client(const client_ref& c, const parcel_ptr& p, const req_call& call) {
  auto d = databases_.find(call.db);
  if (d == databases_.end() || !d->second.open) {
    // ctdbd never answers here and its client waits for ever; an error status is understood by all
    env_.log.warning(fmt::format("unknown-database client={} db={:#010x}", c.id, number(call.db)));
    c.session.tell(session_send{make_frame(
        {.gen = view_->gen, .dest = pnn{0}, .src = env_.self, .id = p->content.header.id},
        reply_call{.status = -1, .data = {}})});
    return;
  }
  if (!unfit(d->second).empty())
    return c.session.tell(session_send{make_frame({.gen = view_->gen, .dest = pnn{0}, .src = env_.self, .id = p->content.header.id},
                                                  reply_call{.status = -1, .data = {}})});
  d->second.to.tell(db_client_call{c, p});
}

void node::from_client(const client_ref&, const parcel_ptr& p, const req_message& m) {
  send_message(p->content.header.dest, m.srvid, m.data, nullptr);
}

void node::from_client(const client_ref&, const parcel_ptr& p, const req_tunnel& t) {
  const pnn to = p->content.header.dest;
  if (to == env_.self) return deliver_tunnel(t);
  if (const auto* peer = view_->find(to); peer && !(peer->flags & node_flag::disconnected)) send(to, reqid{0}, t);
}

void node::from_client(const client_ref& c, const parcel_ptr& p, const req_control& r) {
  const auto& header = p->content.header;
  const bool noreply = r.flags & control_flag::noreply;
  auto answer = noreply ? replier{} : reply_to_client(c, header.id);
  if (is_broadcast(header.dest)) {
    // ctdbd refuses without ever answering
    if (!noreply) return answer.fail("a broadcast control must not ask for a reply");
    return broadcast_control(header.dest, r);
  }
  const pnn to = header.dest == pnn::current ? env_.self : header.dest;
  remember_freeze(c.id, to, r);
  // `ctdb status` asks every node for its interfaces. floe nodes have none, and a node that hangs shall not make it wait.
  const auto* peer = view_->find(to);
  const bool known = r.opcode == control::get_ifaces && peer && peer->floe && !(peer->flags & node_flag::disconnected);
  if (to == env_.self || known)
    return carry_out({.opcode = r.opcode, .data = r.data, .packet = p, .srvid = r.srvid, .flags = r.flags,
                      .from = env_.self, .client = c, .answer = std::move(answer)});
  call(to, r.opcode, bytes(r.data), r.srvid, static_cast<std::uint32_t>(c.id), r.flags,
       std::chrono::seconds(tunables_[tunable::control_timeout]), std::move(answer));
}

replier node::reply_to_client(const client_ref& c, reqid id) {
  return replier([session = c.session, id, self = env_.self, view = view_](control_answer a) {
    session.tell(session_send{make_frame({.gen = view->gen, .dest = pnn{0}, .src = self, .id = id},
                                         reply_control{.status = a.status, .data = a.data, .error = error_field(a.cause, a.text)})});
  });
}

// --- peers ---------------------------------------------------------------------------------------------------

void node::on(peer_packet& m) {
  ++env_.count.node_ops[m.packet->content.body.index() % env_.count.node_ops.size()];
  std::visit(
      [&](const auto& body) {
        if constexpr (requires { body.db; })
          record_packet(m.from, m.packet, body);
        else if constexpr (requires { from_peer(m.from, m.packet, body); })
          from_peer(m.from, m.packet, body);
      },
      m.packet->content.body);
}

template <class Body>
void node::record_packet(pnn from, const parcel_ptr& p, const Body& body) {
  if (!accept_generation(p->content.header.gen, view_->gen, view_->own_flags() & node_flag::banned)) {
    ++env_.count.dropped_generation;
    return;
  }
  auto d = databases_.find(body.db);
  if (d != databases_.end() && d->second.open) return d->second.to.tell(db_peer_packet{from, p});
  if constexpr (requires { body.callid; } || requires { body.dmaster; })
    send(p->content.header.src, p->content.header.id,
         reply_error{.status = -1,
                     .message = fmt::format("Unknown database in request. db_id==0x{:08x}", number(body.db))});
}

void node::from_peer(pnn from, const parcel_ptr& p, const reply_error&) {
  for (auto& [id, d] : databases_) d.to.tell(db_peer_packet{from, p});
}

void node::from_peer(pnn from, const parcel_ptr& p, const reply_call&) {
  for (auto& [id, d] : databases_) d.to.tell(db_peer_packet{from, p});
}

void node::from_peer(pnn, const parcel_ptr& p, const req_message& m) { deliver(p, m); }

void node::from_peer(pnn, const parcel_ptr&, const req_tunnel& t) { deliver_tunnel(t); }

void node::from_peer(pnn from, const parcel_ptr& p, const req_control& r) {
  const bool noreply = r.flags & control_flag::noreply;
  carry_out({.opcode = r.opcode, .data = r.data, .packet = p, .srvid = r.srvid, .flags = r.flags, .from = from,
             .client = std::nullopt,
             .answer = noreply ? replier{} : reply_to_peer(p->content.header.src, p->content.header.id)});
}

replier node::reply_to_peer(pnn to, reqid id) {
  const auto* p = view_->find(to);
  if (!p) return {};
  return replier([link = p->link, to, id, self = env_.self, gen = view_->gen](control_answer a) {
    link.tell(link_send{make_frame({.gen = gen, .dest = to, .src = self, .id = id},
                                   reply_control{.status = a.status, .data = a.data, .error = error_field(a.cause, a.text)}),
                        nullptr});
  });
}

void node::send(pnn to, reqid id, const packet_body& body, task written) {
  const auto* p = view_->find(to);
  if (!p) return;
  p->link.tell(link_send{make_frame({.gen = view_->gen, .dest = to, .src = env_.self, .id = id}, body),
                         std::move(written)});
}

// --- notes ---------------------------------------------------------------------------------------------------

void node::note(std::string_view event, std::string detail, db_id db) {
  note_event e{{.wall_us = env_.loop.wall_us(), .event = event, .db = db, .detail = std::move(detail)}};
  on(e);
}

void node::on(note_event& m) {
  constexpr std::size_t kept = 20'000;
  const auto db = databases_.find(m.event.db);
  env_.log.info(fmt::format("{}{} {}", m.event.event, db == databases_.end() ? "" : " db=" + db->second.name,
                            m.event.detail));
  timeline_.push_back(std::move(m.event));
  if (timeline_.size() > kept) timeline_.pop_front();
}

void node::on(recovery_progress& m) { progress_ = std::move(m.json); }

}  // namespace floe
