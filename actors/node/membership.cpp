/// Who is in the cluster and in which state: flags, vnn map, recovery mode, run state.
#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <fmt/ranges.h>

#include "actors/node/node.hpp"
#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/lineage.hpp"
#include "protocol/rules/run_state.hpp"
#include "protocol/types/database.hpp"
#include "protocol/types/membership.hpp"
#include "protocol/types/node_map.hpp"
#include "protocol/types/vnn_map.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

constexpr std::uint32_t own_inactive = node_flag::banned | node_flag::stopped;

const char* mode_name(recovery_mode m) { return m == recovery_mode::normal ? "normal" : "active"; }

}  // namespace

/// The only place where the view changes: everybody who decides by it gets the new one.
void node::set_view(const std::function<void(cluster_view&)>& change) {
  auto next = std::make_shared<cluster_view>(*view_);
  change(*next);
  view_ = std::move(next);
  for (auto& [id, d] : databases_) d.to.tell(db_view{view_});
  leader_.tell(leader_view{view_});
}

void node::on(peer_changed& m) {
  const auto* peer = view_->find(m.who);
  if (!peer || (peer->flags & node_flag::deleted)) return;  // a last word of its link
  note(m.connected ? "node-up" : "node-down",
       m.connected ? fmt::format("pnn={}", number(m.who)) : fmt::format("pnn={} why={}", number(m.who), m.why));
  if (m.connected) refused_.erase(m.who);
  set_view([&](cluster_view& v) {
    auto& n = v.nodes[number(m.who)];
    n.floe = m.floe;
    if (m.connected)
      n.flags &= ~node_flag::disconnected;
    else
      n.flags |= node_flag::disconnected | node_flag::unhealthy;
  });
  if (!m.connected) return peer_lost(m.who, m.why);
  for (const auto& n : view_->nodes)
    if (n.flags & node_flag::disconnected) n.link.tell(link_nudge{});
}

/// Nobody waits for it any more. Whatever was under way on the connection is lost, records among it, also if both nodes
/// live on and the leader sees nothing of it: only a recovery finds them again.
void node::peer_lost(pnn who, const std::string& why) {
  fail_calls_to(who, why);
  if (std::ranges::find(view_->map, who) == view_->map.end() || mutated(mutant::lost_packets_ignored)) return;
  broken_since_map_ = true;
  set_mode(recovery_mode::active, fmt::format("connection to node {} is lost", number(who)));
}

void node::on(leader_known& m) {
  if (m.leader == view_->leader) return;
  const auto text = [](pnn p) { return p == pnn::unknown ? std::string("none") : std::to_string(number(p)); };
  note("leader", fmt::format("{}->{}", text(view_->leader), text(m.leader)));
  if (m.leader != pnn::unknown) last_leader_ = m.leader;
  set_view([&](cluster_view& v) { v.leader = m.leader; });
}

void node::on(want_recovery& m) { set_mode(recovery_mode::active, m.why); }

void node::set_mode(recovery_mode mode, const std::string& why) {
  if (mode == view_->mode) return;
  note("recovery-mode", fmt::format("{}->{} why=\"{}\"", mode_name(view_->mode), mode_name(mode), why));
  mode_since_ = env_.loop.now();
  set_view([&](cluster_view& v) { v.mode = mode; });
  if (mode == recovery_mode::active)
    for (auto& [id, c] : clients_) c.frozen.clear();  // the recovery thaws
  if (mode == recovery_mode::normal) retry_deferred_attaches();
}

void node::set_runstate(runstate s) {
  switch (enter(view_->run, s)) {
    case runstate_step::stays: return;
    case runstate_step::backwards:
      env_.log.error(fmt::format("run-state-backwards from={} to={}", runstate_text(static_cast<std::uint64_t>(view_->run)),
                                 runstate_text(static_cast<std::uint64_t>(s))));
      return;
    case runstate_step::enters: break;
  }
  note("run-state", fmt::format("{}->{}", runstate_text(static_cast<std::uint64_t>(view_->run)),
                                runstate_text(static_cast<std::uint64_t>(s))));
  set_view([&](cluster_view& v) { v.run = s; });
}

void node::set_own_flags(std::uint32_t set, std::uint32_t clear) {
  const auto before = view_->own_flags();
  const auto after = (before | set) & ~clear;
  if (before == after) return;
  env_.log.notice(fmt::format("own-flags from=\"{}\" to=\"{}\"", node_flags_text(before), node_flags_text(after)));
  const bool leaves = !(before & own_inactive) && (after & own_inactive);
  note("own-flags", fmt::format("{}->{}", before == 0 ? "OK" : node_flags_text(before), after == 0 ? "OK" : node_flags_text(after)));
  set_view([&](cluster_view& v) {
    v.nodes[number(v.self)].flags = after;
    if (leaves) v.gen = generation::invalid;  // takes part in no record traffic from now on
  });
  if (leaves) set_mode(recovery_mode::active, "node became inactive");
}

// --- node map and flags --------------------------------------------------------------------------------------

void node::modify_flags(const control_request& r) {
  auto c = wire::decode<node_flag_change>(r.data);
  if (!c || !view_->find(c->pnn)) return r.answer.fail("no such node");
  const auto old = view_->find(c->pnn)->flags;
  r.answer.good();
  if (c->pnn == env_.self || (old & node_flag::disconnected)) return;
  const auto flags = (c->new_flags & ~node_flag::disconnected) | (old & node_flag::disconnected);
  if (flags == old) return;
  set_view([&](cluster_view& v) { v.nodes[number(c->pnn)].flags = flags; });
}

void node::get_capabilities(const control_request& r) { r.answer.good(wire::encode(view_->capabilities)); }

void node::set_role(const control_request& r) {
  auto on = wire::decode<std::uint32_t>(r.data);
  if (!on) return r.answer.fail();
  const auto bit = r.opcode == control::set_lmasterrole ? capability::lmaster : capability::recmaster;
  set_view([&](cluster_view& v) { v.capabilities = *on ? v.capabilities | bit : v.capabilities & ~bit; });
  r.answer.good();
}

void node::stop_continue(const control_request& r) {
  r.answer.good();
  if (r.opcode == control::stop_node)
    set_own_flags(node_flag::stopped, 0);
  else
    set_own_flags(0, node_flag::stopped);
}

void node::enable_disable(const control_request& r) {
  r.answer.good();
  if (r.opcode == control::disable_node)
    set_own_flags(node_flag::permanently_disabled, 0);
  else
    set_own_flags(0, node_flag::permanently_disabled);
}

// --- vnn map, mode, recovery -----------------------------------------------------------------------------------

void node::remember_map(generation gen, std::vector<pnn> members) {
  constexpr std::size_t kept = 16;
  maps_.emplace_front(gen, std::move(members));
  if (maps_.size() > kept) maps_.pop_back();
}

/// Of a generation that nobody remembers at least this node is one.
std::vector<pnn> node::members_of(generation gen) const {
  const auto i = std::ranges::find(maps_, gen, &decltype(maps_)::value_type::first);
  return i == maps_.end() ? std::vector<pnn>{env_.self} : i->second;
}

void node::get_vnnmap(const control_request& r) {
  r.answer.good(wire::encode(vnn_map{.generation = view_->gen, .slots = view_->map}));
}

void node::set_vnnmap(const control_request& r) {
  auto m = wire::decode<vnn_map>(r.data);
  if (!m || m->slots.empty()) return r.answer.fail("bad vnn map");
  if (view_->mode != recovery_mode::active) return r.answer.fail("no recovery is going on");
  if (supersedes(view_->gen, m->generation)) {
    env_.log.warning(fmt::format("vnn-map-refused gen={} own={} from={}", number(m->generation), number(view_->gen), number(r.from)));
    return r.answer.fail(fmt::format("generation {} is later", number(view_->gen)));
  }
  if (view_->own_flags() & own_inactive) return r.answer.fail("node is inactive");
  std::vector<std::uint32_t> slots;
  for (pnn p : m->slots) slots.push_back(number(p));
  note("vnn-map", fmt::format("gen={} map={}", number(m->generation), fmt::join(slots, ",")));
  // Everything that arrives with another generation is dropped from now on, before any database is touched.
  broken_since_map_ = false;
  remember_map(m->generation, m->slots);
  set_view([&](cluster_view& v) {
    v.gen = m->generation;
    v.map = m->slots;
  });
  r.answer.good();
}

void node::get_recmode(const control_request& r) {
  r.answer.status(static_cast<std::int32_t>(view_->mode));
}

void node::set_recmode(const control_request& r) {
  auto mode = wire::decode<std::uint32_t>(r.data);
  if (!mode || *mode > 1) return r.answer.fail("no such recovery mode");
  if (*mode == 1) {
    set_mode(recovery_mode::active, fmt::format("asked by {}", r.client ? "a client" : fmt::format("node {}", number(r.from))));
    return r.answer.good();
  }
  if (view_->own_flags() & own_inactive) return r.answer.fail("node is inactive");
  if (view_->mode == recovery_mode::normal) return r.answer.good();
  test_cluster_lock(r);
}

/// The leader says that the recovery is over, and it is really the leader.
void node::leave_recovery(const control_request& r) {
  if (view_->own_flags() & own_inactive) return r.answer.fail("node is inactive");
  if (broken_since_map_) return r.answer.fail("a connection was lost since the vnn map was set");
  for (const auto& [id, d] : databases_) {
    if (d.gen == view_->gen || !d.open || !d.dispute.empty()) continue;
    env_.log.warning(fmt::format("recovery-incomplete db={} generation={} cluster={}", d.name, number(d.gen),
                                 number(view_->gen)));
    return r.answer.fail(fmt::format("{} is not recovered", d.name));
  }
  set_mode(recovery_mode::normal, "recovered");
  r.answer.good();
}

void node::start_recovery(const control_request& r) {
  recovery_started_us_ = env_.loop.wall_us();
  compare_cluster_lock(r);
}

void node::end_recovery(const control_request& r) {
  recovery_finished_us_ = env_.loop.wall_us();
  give_memory_back();
  ++env_.count.num_recoveries;
  r.answer.good();
  if (view_->run == runstate::first_recovery) set_runstate(runstate::startup);
  if (view_->run == runstate::startup && view_->mode == recovery_mode::normal) {
    set_runstate(runstate::running);
    set_own_flags(0, node_flag::unhealthy);
  }
}

/// Recovery buffers are kept while they may be needed again at once, and then returned to the system.
void node::give_memory_back() {
  env_.loop.cancel(trim_);
  trim_ = env_.loop.after(std::chrono::seconds(2), [&loop = env_.loop] {
    loop.offload([] { ::malloc_trim(1 << 20); }, [] {});
  });
}

/// FREEZE of everything: what an inactive node's own recovery daemon would ask for; the databases of ours have
/// done it when they saw the flag.
void node::freeze_all(const control_request& r) {
  auto left = std::make_shared<std::size_t>(databases_.size());
  if (*left == 0) return r.answer.good();
  for (auto& [id, d] : databases_) {
    call_control one{.to = env_.self, .opcode = control::db_freeze, .data = wire::encode(number(id)),
                     .patience = std::chrono::seconds(tunables_[tunable::recover_timeout]),
                     .answer = replier([left, answer = r.answer](control_answer a) {
                       if (a.status != 0) return answer(std::move(a));
                       if (--*left == 0) answer.good();
                     })};
    on(one);
  }
}

/// For controls whose effect belongs to parts this node does not have (public addresses, recovery daemon pings).
void node::accept_quietly(const control_request& r) { r.answer.good(); }

}  // namespace floe
