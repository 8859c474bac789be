#include "actors/node/node.hpp"

#include <fmt/format.h>

#include "actors/events.hpp"
#include "actors/node/late_turns.hpp"
#include "actors/node/services.hpp"
#include "actors/recovery/leader.hpp"
#include "protocol/constants.hpp"

namespace floe {
namespace {

template <class... F>
struct by_type : F... {
  using F::operator()...;
};

}  // namespace

node::node(node_environment env, node_config config,
           std::function<void(const std::string& why)> stopped)
    : env_(env),
      stopped_(std::move(stopped)),
      services_(std::make_unique<node_services>(env, std::move(config))),
      memory_(env.loop) {}

node::~node() {
  if (!env_.loop.is_simulated()) ignore_turns();
}

// --- life ------------------------------------------------------------------------------------------------------

void node::start() {
  auto& s = *services_;
  s.port.self = self();
  if (!env_.loop.is_simulated()) watch_turns(s.port);
  if (const auto wrong = s.doors.open(); !wrong.empty()) return stop(wrong);
  s.membership.set_runstate(runstate::init);
  s.attach.from_disk([this] { go_on_starting(); });
}

/// The persistent databases are there, as far as they can be: now the other nodes may come.
void node::go_on_starting() {
  auto& s = *services_;
  s.port.first_view(s.nodes.with_links());
  s.membership.set_runstate(runstate::setup);
  const auto& config = s.port.config;
  s.port.leader = env_.actors.spawn<leader>("leader", env_, leader_config_of(config, s.port.pulse),
                                            s.port.shared_view(), self());
  s.membership.set_runstate(runstate::first_recovery);
  s.tunables.apply();
  s.tunables.tell_what_is_idle();
  s.databases.first_tick();
  tick();
  if (s.locks.lacking()) env_.log.tell(event::no_cluster_lock{.why = no_cluster_lock_warning});
  env_.log.tell(event::node_started{.pnn = config.self,
                                    .address = to_string(config.nodes[number(config.self)].where),
                                    .socket = config.socket});
}

void node::stop(const std::string& why) {
  if (stopping_) return;
  stopping_ = true;
  auto& s = *services_;
  env_.log.tell(event::node_stopping{.why = why});
  s.membership.set_runstate(runstate::shutdown);
  env_.loop.cancel(tick_);
  s.membership.no_more_timers();
  s.port.leader.tell(leader_stop{});
  s.doors.close();
  s.databases.tell_all(db_stop{});
  for (const auto& n : s.port.view().nodes) n.link.tell(link_stop{});
  s.clients.close_all("node shuts down");  // last: who sees it may start a new node here
  s.calls.give_all_up();
  end();
  env_.loop.post([told = stopped_, why] { told(why); });
}

void node::tick() {
  if (stopping_) return;
  auto& s = *services_;
  s.databases.tick();
  memory_.tick(s.clients.large_one_left().has_value());
  tick_ = env_.loop.after(std::chrono::seconds(1), [to = self()] { to.tell(node_tick{}); });
  s.membership.tick();
  s.statistics.tick();
  s.bans.tick();
  s.joiner.tick();
  s.detach.tick();
  if (s.port.view().gen != generation::invalid) s.membership.run_if_recovered();
}

/// The databases freeze by themselves at their next word (protocol/rules/own_freeze.hpp); only a recovery ends it.
void node::cut_off() {
  auto& s = *services_;
  cut_offs_ = s.port.pulse->cut_offs();
  const auto why = text(s.port.pulse->last_cause());
  s.port.note(event::cut_off{.why = why});
  s.membership.set_mode(recovery_mode::active, fmt::format("cut off: {}", why));
  s.port.leader.tell(leader_view{s.port.shared_view()});  // its recovery ends now (rule R17)
}

// --- dispatch --------------------------------------------------------------------------------------------------

void node::receive(node_message& message) {
  auto& s = *services_;
  s.port.pulse->beat(env_.loop.now());
  if (cut_offs_ != s.port.pulse->cut_offs()) cut_off();
  std::visit(
      by_type{
          [&](peer_packet& m) { from_peer(m.from, m.packet); },
          [&](client_packet& m) { from_client(m.client, m.packet); },
          [&](client_opened& m) { s.clients.opened(m.client); },
          [&](client_closed& m) { client_gone(m.client); },
          [&](peer_changed& m) { peer_changes(m); },
          [&](peer_relinked& m) {
            if (is_listed(m.who)) s.membership.came_again(m);
          },
          [&](peer_absent& m) {
            if (is_listed(m.who)) s.membership.is_absent(m);
          },
          [&](link_dropped& m) { s.port.limits.count(m); },
          [&](peer_refused& m) { s.nodes.refused(m); },
          [&](call_control& m) { s.calls.send(m); },
          [&](control_deadline& m) { s.calls.expired(m.id); },
          [&](post_message& m) { s.messaging.send(m.to, m.srvid, *m.data, std::move(m.written)); },
          [&](listen_messages& m) { s.messaging.listen(m); },
          [&](unlisten_messages& m) { s.messaging.unlisten(m); },
          [&](database_checked& m) { s.attach.checked(m); },
          [&](database_opened& m) {
            s.attach.opened(m);
            s.detach.opened(m.id);
          },
          [&](database_changed& m) {
            s.databases.changed(m);
            s.recoveries.changed(m);
          },
          [&](database_fill& m) { s.joiner.came(m); },
          [&](database_health& m) { s.databases.health_changed(m); },
          [&](database_closed& m) {
            s.recoveries.closed(m.id);
            s.detach.closed(m.id);
          },
          [&](note_event& m) { s.reports.note(std::move(m.event)); },
          [&](recovery_progress& m) { s.reports.recovery_is_at(std::move(m)); },
          [&](pause_of_recoveries& m) { s.reports.recoveries_are_paused(m); },
          [&](want_recovery& m) { s.membership.set_mode(recovery_mode::active, m.why); },
          [&](leader_known& m) {
            s.messaging.leader_is(m.leader);
            s.membership.leader_is(m.leader);
            s.joiner.leader_is(m.leader);
          },
          [&](ban_self& m) { s.bans.ban_self(m); },
          [&](room_is_back& m) { s.bans.room_is_back(m.id); },
          [&](cluster_lock_state& m) { s.locks.changed(m); },
          [&](work_ended& m) { m.then(); },
          [&](ask_figures& m) { s.reports.give_figures(std::move(m.tell)); },
          [&](traverse_slice& m) { s.traversal.send(m); },
          [&](node_tick&) { tick(); },
          [&](stop_node& m) { stop(m.why); },
          [&](leave_node& m) { leave(m.by); },
      },
      message);
}

void node::leave(const std::string& by) {
  services_->departing.end(
      [this, by] { services_->goodbyes.say(by, [this, by] { stop("ended by " + by); }); });
}

bool node::is_listed(pnn n) const {
  const auto* peer = services_->port.view().find(n);
  return peer && !(peer->flags & node_flag::deleted);
}

void node::peer_changes(const peer_changed& m) {
  if (!is_listed(m.who)) return;  // a last word of its link
  if (!m.connected) {
    auto went = m;
    if (const auto* by = services_->goodbyes.of(m.who))
      went.why = fmt::format("was shut down by {}: {}", *by, m.why);
    return services_->membership.peer_went(went);
  }
  services_->nodes.came_in(m.who);
  services_->goodbyes.came(m.who);
  services_->membership.peer_came(m);
}

void node::client_gone(std::uint64_t id) {
  auto& s = *services_;
  const auto* known = s.clients.find(id);
  if (!known) return;
  s.membership.client_gone(*known);
  s.messaging.announce_end_of(id);
  s.clients.closed(id);
  s.messaging.forget(id);
  s.tunnels.forget(id);
  s.addresses.forget(id);
  s.traversal.end_those_of(id);
  s.attach.forget_deferred_of(id);
  s.databases.tell_all(db_client_gone{id});
}

void node::from_client(const client_ref& c, const parcel_ptr& p) {
  auto& s = *services_;
  if (!s.clients.find(c.id)) return;
  const auto& content = p->content;
  say_turn("packet of a client", content);
  if (s.clients.refuses(c, content)) return;
  ++env_.count.client_ops[content.body.index() % env_.count.client_ops.size()];
  std::visit(
      by_type{
          [&](const req_call& r) { s.databases.client_calls(c, p, r); },
          [&](const req_message& r) { s.messaging.send(content.header.dest, r.srvid, r.data); },
          [&](const req_tunnel& r) { s.tunnels.send(content.header.dest, r); },
          [&](const req_control& r) { s.incoming.from_client(c, p, r); },
          [&](const auto&) {
            env_.log.tell(event::client_packet_dropped{.client = c.id,
                                                       .why = "not an operation for clients"});
          },
      },
      content.body);
}

void node::from_peer(pnn from, const parcel_ptr& p) {
  auto& s = *services_;
  const auto& header = p->content.header;
  say_turn("packet of a node", p->content);
  ++env_.count.node_ops[p->content.body.index() % env_.count.node_ops.size()];
  std::visit(by_type{
                 [&](const req_control& r) { s.incoming.from_peer(from, p, r); },
                 [&](const reply_control& r) { s.calls.answered(from, header.id, r); },
                 [&](const req_message& r) { s.messaging.deliver(p, r); },
                 [&](const req_tunnel& r) { s.tunnels.deliver(r); },
                 [&](const reply_call&) { s.databases.answered(from, p); },
                 [&](const reply_error&) { s.databases.answered(from, p); },
                 [&]<class Body>(const Body& body) {
                   constexpr bool asks = requires { body.callid; }
                   || requires { body.dmaster; };
                   if constexpr (requires { body.db; })
                     s.databases.record_packet(from, p, body.db, asks);
                 },
             },
             p->content.body);
}

}  // namespace floe
