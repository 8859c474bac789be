#include "actors/node/membership/membership.hpp"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>

#include "actors/events.hpp"
#include "actors/node/membership/last_map.hpp"
#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"
#include "protocol/recovery_mode.hpp"
#include "protocol/rules/elapsed.hpp"
#include "protocol/rules/late_link.hpp"
#include "protocol/rules/left_out.hpp"
#include "protocol/rules/lineage.hpp"
#include "protocol/rules/need_recovery.hpp"
#include "protocol/rules/run_state.hpp"
#include "protocol/types/basic.hpp"
#include "protocol/types/membership.hpp"
#include "protocol/types/node_map.hpp"
#include "protocol/types/vnn_map.hpp"

namespace floe {
namespace {

constexpr std::uint32_t own_inactive = node_flag::banned | node_flag::stopped;

std::string text_of(runstate s) {
  return std::string(runstate_text(static_cast<std::uint64_t>(s)));
}
timeval as_timeval(std::int64_t us) { return {us / 1'000'000, us % 1'000'000}; }

}  // namespace

membership::membership(node_port& port, calls& others, registry& databases, attaching& attach,
                       client_freezes& freezes, lock_tests& locks)
    : port_(port),
      calls_(others),
      databases_(databases),
      attach_(attach),
      freezes_(freezes),
      locks_(locks),
      left_out_(port, others, databases),
      started_(port.env.loop.now()),
      mode_since_(started_),
      leader_since_(started_),
      started_us_(port.env.loop.wall_us()) {
  if (!keeps_last_map(port.config.quorum, port.config.cluster_lock)) return;
  if (const auto kept = read_last_map(port.config.state_dir); kept && *kept) {
    last_members_ = (*kept)->members;
    reserved_ = (*kept)->latest;
  }
}

// --- what happens ----------------------------------------------------------------------------------------------

void membership::peer_came(const peer_changed& m) {
  port_.note(event::node_up{.pnn = m.who,
                            .address = to_string(port_.view().nodes[number(m.who)].where),
                            .kind = m.floe ? "floe" : "ctdbd"});
  port_.change_view([&](cluster_view& v) {
    auto& n = v.nodes[number(m.who)];
    n.floe = m.floe;
    n.level = m.level;
    n.dead = n.absent = false;
    n.flags &= ~node_flag::disconnected;
  });
  lost_.erase(m.who);
  for (const auto& n : port_.view().nodes)
    if (n.flags & node_flag::disconnected) n.link.tell(link_nudge{});
  came_into_map(m.who);
}

/// Before this node said that it is there; what was sent in between is asked for again by a recovery only.
void membership::came_into_map(pnn who) {
  const auto& view = port_.view();
  const bool in_map = view.is_member(who);
  const bool ctdbd = std::ranges::any_of(view.map, [&](pnn p) {
    const auto* n = view.find(p);
    return n && p != view.self && !n->floe && !(n->flags & node_flag::disconnected);
  });
  const auto why =
      fmt::format("node {} was in the map before it was connected to this node", number(who));
  switch (judge_late_link(in_map, ctdbd, view.mode)) {
    case late_link::harmless: return;
    case late_link::recover: return set_mode(recovery_mode::active, why);
    case late_link::recover_again: again_after_map_ = why; return;
  }
}

void membership::peer_went(const peer_changed& m) {
  port_.note(event::node_down{.pnn = m.who, .how = name(m.how), .why = m.why});
  lost_[m.who] = {m.why, m.how, m.silent, port_.env.loop.now()};
  flagged_.erase(m.who);
  port_.change_view([&](cluster_view& v) {
    auto& n = v.nodes[number(m.who)];
    n.floe = m.floe;
    n.dead = m.how == loss_kind::ended;
    n.flags |= node_flag::disconnected | node_flag::unhealthy;
  });
  peer_lost(m.who);
}

void membership::is_absent(const peer_absent& m) {
  port_.change_view([&](cluster_view& v) { v.nodes[number(m.who)].absent = m.absent; });
}

void membership::came_again(const peer_relinked& m) {
  port_.note(event::node_relinked{.pnn = m.who, .why = m.why});
  peer_lost(m.who);
}

/// Whatever was under way on the connection is lost, records among it, also if both nodes live on and the leader sees
/// nothing of it: only a recovery finds them again.
void membership::peer_lost(pnn who) {
  calls_.lost(who);
  if (!port_.view().is_member(who) || mutated(mutant::lost_packets_ignored) ||
      mutated(mutant::lost_beside_the_map))
    return;
  broken_since_map_ = true;
  set_mode(recovery_mode::active, fmt::format("connection to node {} is lost", number(who)));
}

void membership::leader_is(pnn leader) {
  if (leader == port_.view().leader) return;
  port_.note(event::leader{.from = port_.view().leader, .to = leader});
  leader_since_ = port_.env.loop.now();
  port_.change_view([&](cluster_view& v) { v.leader = leader; });
}

void membership::client_gone(const client_ref& c) {
  const auto left = freezes_.left_by(c.id);
  if (!left || (port_.view().own_flags() & node_flag::inactive)) return;
  const auto* d = databases_.find(*left);
  set_mode(recovery_mode::active, fmt::format("client {} (pid {}) has left {} frozen", c.id, c.pid,
                                              d ? d->name : "a database"));
}

void membership::set_mode(recovery_mode mode, const std::string& why) {
  const auto before = port_.view().mode;
  if (mode == before) return;
  port_.note(event::recovery_mode{.from = name(before), .to = name(mode), .why = why});
  mode_since_ = port_.env.loop.now();
  mode_why_ = why;
  port_.change_view([&](cluster_view& v) { v.mode = mode; });
  if (mode == recovery_mode::active) freezes_.forget_all();
  if (mode == recovery_mode::normal) attach_.retry_deferred();
}

void membership::set_runstate(runstate s) {
  const auto before = port_.view().run;
  switch (enter(before, s)) {
    case runstate_step::stays: return;
    case runstate_step::backwards:
      port_.env.log.tell(event::run_state_backwards{.from = text_of(before), .to = text_of(s)});
      return;
    case runstate_step::enters: break;
  }
  port_.note(event::run_state{.from = text_of(before), .to = text_of(s)});
  port_.change_view([&](cluster_view& v) { v.run = s; });
}

void membership::set_own_flags(std::uint32_t set, std::uint32_t clear) {
  const auto before = port_.view().own_flags();
  const auto after = (before | set) & ~clear;
  if (before == after) return;
  const bool leaves = !(before & own_inactive) && (after & own_inactive);
  const auto shown = [](std::uint32_t flags) {
    return flags == 0 ? std::string("OK") : std::string(node_flags_text(flags));
  };
  port_.note(event::own_flags{.from = shown(before), .to = shown(after)});
  port_.change_view([&](cluster_view& v) {
    v.nodes[number(v.self)].flags = after;
    if (leaves) v.gen = generation::invalid;  // takes part in no record traffic from now on
  });
  if (leaves) set_mode(recovery_mode::active, "node became inactive");
}

void membership::tick() {
  attach_.retry_deferred();
  watch_frozen();
}

/// In a cluster that is NORMAL a database is frozen for moments only, by a tool that replaces its content. Who froze it
/// for longer has died, or is a leader that should not be one, which shows sooner: a recovery puts it right.
void membership::watch_frozen() {
  const auto& view = port_.view();
  if (view.mode != recovery_mode::normal || view.own_flags() & node_flag::inactive) return;
  const auto budget = std::chrono::seconds(port_.tunables[tunable::recover_timeout]);
  for (const auto& [id, d] : databases_.all()) {
    if (!d.open || d.state == freeze_state::thawed) continue;
    if (port_.env.loop.now() - d.state_since <
        freeze_patience(d.state, d.frozen_by, view.leader, budget))
      continue;
    return set_mode(recovery_mode::active,
                    fmt::format("{} is {} and nobody recovers it", d.name, name(d.state)));
  }
}

std::int64_t membership::age_ms(time_point t) const { return in_ms(port_.env.loop.now() - t); }

std::int64_t membership::mode_age_ms() const { return age_ms(mode_since_); }
std::int64_t membership::leader_age_ms() const { return age_ms(leader_since_); }

std::optional<membership::loss> membership::lost(pnn p) const {
  const auto i = lost_.find(p);
  if (i == lost_.end()) return std::nullopt;
  const auto& [why, how, silent, when] = i->second;
  const auto age = port_.env.loop.now() - when;
  return loss{.why = why,
              .how = how,
              .age_ms = in_ms(age),
              .silent = silent > duration{0} ? silent + age : duration{0}};
}

// --- vnn map, mode, recovery -----------------------------------------------------------------------------------

outcome_of<control::getvnnmap> membership::get_vnnmap() const {
  return reply_of<control::getvnnmap>{.generation = port_.view().gen, .slots = port_.view().map};
}

/// Empty: it can be taken.
std::string membership::why_no_map(generation gen, pnn from) const {
  const auto& view = port_.view();
  if (view.mode != recovery_mode::active) return "no recovery is going on";
  if (supersedes(view.gen, gen)) {
    port_.env.log.tell(event::vnn_map_refused{.gen = gen, .own = view.gen, .from = from});
    return fmt::format("generation {} is later", number(view.gen));
  }
  if (view.own_flags() & own_inactive) return "node is inactive";
  if (view.own_flags() & node_flag::catching_up) return "node is being filled first";
  return {};
}

/// Everything that arrives with another generation is dropped from now on, before any database is touched. Who is not in the
/// map any more is told before it is answered for.
void membership::take_map(const vnn_map& map, const std::optional<std::vector<pnn>>& beside,
                          const answer_to<control::setvnnmap>& answer) {
  const auto others = beside.value_or(std::vector<pnn>());
  const auto members = members_of(map.slots, others);
  port_.note(event::vnn_map{.gen = map.generation, .map = map.slots, .beside = others});
  broken_since_map_ = false;
  again_after_map_.clear();
  databases_.remember_map(map.generation, members);
  const auto before = port_.view().members;
  port_.change_view([&](cluster_view& v) {
    v.gen = map.generation;
    v.map = map.slots;
    v.members = members;
    v.others_named = beside.has_value();
  });
  left_out_.map_taken(before, answer);
}

/// What is to outlive the process is on disk before the map is in use (last_map.hpp). A disk that refuses it keeps nobody from
/// recovering.
void membership::set_vnnmap(const request_of<control::setvnnmap>& m, const caller& by,
                            const answer_to<control::setvnnmap>& answer) {
  if (m.slots.empty()) return answer.fail("bad vnn map");
  if (const auto why = why_no_map(m.generation, by.from); !why.empty()) return answer.fail(why);
  const auto beside = others_behind(m, std::get<req_control>(by.packet->content.body).data);
  std::optional<last_map> next;
  if (keeps_last_map(port_.config.quorum, port_.config.cluster_lock))
    next = to_be_kept({last_members_, reserved_}, m.generation,
                      members_of(m.slots, beside.value_or(std::vector<pnn>())));
  if (!next) return take_map(m, beside, answer);
  if (std::exchange(writing_map_, true)) return answer.fail("another map is being written down");
  const auto result = std::make_shared<std::expected<void, std::string>>();
  port_.env.loop.offload(
      [result, next, dir = port_.config.state_dir] { *result = write_last_map(dir, *next); },
      [this, here = std::weak_ptr(here_), result, next, map = m, beside, from = by.from, answer] {
        if (here.expired()) return;
        writing_map_ = false;
        if (*result) {
          last_members_ = next->members;
          reserved_ = next->latest;
        } else
          port_.env.log.tell(event::storage_failed{.db = "last-map",
                                                   .doing = "write",
                                                   .code = "last-map",
                                                   .cause = 0,
                                                   .why = result->error()});
        if (const auto why = why_no_map(map.generation, from); !why.empty())
          return answer.fail(why);
        take_map(map, beside, answer);
      });
}

outcome_of<control::get_recmode> membership::get_recmode() const {
  return status_of(static_cast<std::int64_t>(port_.view().mode));
}

void membership::set_recmode(const request_of<control::set_recmode>& mode, const caller& by,
                             const answer_to<control::set_recmode>& answer) {
  if (mode == recovery_mode::active) {
    const auto who = by.client ? std::string("a client") : fmt::format("node {}", number(by.from));
    const auto why = "asked by " + who;
    // a tool waits for a generation after the one that it has seen, perhaps with a leader that is through with this recovery
    const bool by_tool = by.client || by.client_id != 0;
    if (by_tool && port_.view().mode == mode) again_after_map_ = why;
    set_mode(mode, why);
    return answer.good();
  }
  if (mode != recovery_mode::normal) return answer.fail("no such recovery mode");
  if (port_.view().own_flags() & own_inactive) return answer.fail("node is inactive");
  if (port_.view().own_flags() & node_flag::catching_up)
    return answer.fail("node is being filled first");
  if (port_.view().mode == recovery_mode::normal) return answer.good();
  locks_.before_normal([this, answer](const std::string& objection) {
    if (!objection.empty()) return answer.fail(objection);
    answer(leave_recovery());
  });
}

/// The leader says that the recovery is over, and it is really the leader.
outcome_of<control::set_recmode> membership::leave_recovery() {
  const auto& view = port_.view();
  if (view.own_flags() & own_inactive) return refuse("node is inactive");
  if (broken_since_map_) return refuse("a connection was lost since the vnn map was set");
  // who leaves with it opens nothing afterwards, and need not have been able to store what it brings
  const bool leaves = view.capabilities & capability::leaving &&
                      std::ranges::find(view.map, view.self) == view.map.end();
  for (const auto& [id, d] : databases_.all()) {
    if (d.gen == view.gen || !d.open || !d.dispute.empty() || leaves) continue;
    port_.env.log.tell(
        event::recovery_incomplete{.db = d.name, .generation = d.gen, .cluster = view.gen});
    return refuse(fmt::format("{} is not recovered", d.name));
  }
  set_mode(recovery_mode::normal, "recovered");
  if (!again_after_map_.empty())
    set_mode(recovery_mode::active, std::exchange(again_after_map_, {}));
  return {};
}

void membership::start_recovery(const caller& by,
                                const answer_to<control::start_recovery>& answer) {
  recovery_started_us_ = port_.env.loop.wall_us();
  locks_.compare_settings(by, answer.plain());
}

void membership::end_recovery(const answer_to<control::end_recovery>& answer) {
  recovery_finished_us_ = port_.env.loop.wall_us();
  give_memory_back();
  ++port_.env.count.num_recoveries;
  answer.good();
  if (port_.view().run == runstate::first_recovery) set_runstate(runstate::startup);
  run_if_recovered();
}

void membership::run_if_recovered() {
  if (port_.view().run != runstate::startup || port_.view().mode != recovery_mode::normal) return;
  set_runstate(runstate::running);
  set_own_flags(0, node_flag::unhealthy);
}

/// Recovery buffers are kept while they may be needed again at once, and then returned to the system.
void membership::give_memory_back() {
  auto& loop = port_.env.loop;
  loop.cancel(trim_);
  trim_ = loop.after(std::chrono::seconds(2),
                     [&loop] { loop.offload([] { ::malloc_trim(1 << 20); }, [] {}); });
}

/// Others go on without this node. It takes the generation that counts now, so that it takes part in no recovery of before, and
/// keeps its map: it is a member of none that is later.
void membership::told_left_out(const caller& by, const answer_to<control::freeze>& answer) {
  const auto& view = port_.view();
  const auto goes_on = by.packet->content.header.gen;
  switch (answer_left_out(view.gen, view.members, by.from, goes_on)) {
    case left_out_answer::unconcerned: return answer.good();
    case left_out_answer::outdated:
      return answer.fail(fmt::format("generation {} is later", number(view.gen)));
    case left_out_answer::freezes: break;
  }
  const auto why = fmt::format("node {} goes on without this node", number(by.from));
  port_.note(event::cut_off{.why = why});
  port_.change_view([&](cluster_view& v) { v.gen = goes_on; });
  set_mode(recovery_mode::active, fmt::format("cut off: {}", why));
  left_out_.freeze_all(answer, left_out::how::at_once);
}

/// What an inactive node's own recovery daemon would ask for; the databases of ours have done it when they saw the
/// flag.
void membership::freeze_all(const caller& by, const answer_to<control::freeze>& answer) {
  // who leaves in good order takes part, though the map is without it: what its holders still store counts
  const bool leaves = port_.view().capabilities & capability::leaving;
  if (!by.client && by.client_id == 0 && (by.flags & freeze_left_out) && !leaves)
    return told_left_out(by, answer);
  left_out_.freeze_all(answer, left_out::how::after_the_holders);
}

outcome_of<control::get_incarnation> membership::get_incarnation() const {
  return static_cast<std::uint64_t>(started_us_);
}

outcome_of<control::uptime> membership::get_uptime() const {
  return reply_of<control::uptime>{.current_time = as_timeval(port_.env.loop.wall_us()),
                                   .ctdbd_start_time = as_timeval(started_us_),
                                   .last_recovery_started = as_timeval(recovery_started_us_),
                                   .last_recovery_finished = as_timeval(recovery_finished_us_)};
}

outcome_of<control::get_runstate> membership::get_runstate() const { return port_.view().run; }

}  // namespace floe
