#include "actors/recovery/leader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "actors/recovery/coordinator.hpp"
#include "protocol/constants.hpp"
#include "protocol/messages.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/need_recovery.hpp"
#include "protocol/types/membership.hpp"
#include "protocol/types/node_map.hpp"
#include "protocol/types/vnn_map.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Nodes that were cut off together come back within so much time of each other.
constexpr duration nodes_come_within = milliseconds(500);
constexpr std::uint64_t own_listener = 1;  ///< owner number of our message registrations

frame shared(bytes data) { return std::make_shared<const bytes>(std::move(data)); }

election_delays delays_of(const leader_config& c) {
  return {.leader_timeout = c.leader_timeout,
          .vote_end = seconds(std::max(1U, c.tunables[tunable::election_timeout]))};
}

}  // namespace

leader_config leader_config_of(const node_config& c) {
  return {.leader_timeout = c.leader_timeout, .freeze_all_first = c.freeze_all_first, .tunables = c.tunables,
          .cluster_lock = c.cluster_lock};
}

leader::leader(node_environment env, leader_config config, view_ptr view, address<node_message> node)
    : env_(env), config_(std::move(config)), view_(std::move(view)), node_(std::move(node)),
      election_(env.self, delays_of(config_), !config_.cluster_lock.empty()), born_us_(static_cast<std::uint64_t>(env.loop.wall_us())),
      epoch_(env.loop.chance()() & 0xffff'ffff), ledger_(seconds(config_.tunables[tunable::recovery_grace_period])), last_turn_(env.loop.now()) {}

leader::~leader() = default;

void leader::start() {
  floe_nodes_.insert(env_.self);
  std::vector<srvid> all{message::election,   message::leader,    message::floe_look,   message::floe_leads,
                         message::floe_term,  message::floe_deposed, message::banning};
  std::ranges::copy(request_srvids(), std::back_inserter(all));
  for (auto s : all)
    node_.tell(listen_messages{s, own_listener, [to = self()](parcel_ptr p) { to.tell(leader_heard{std::move(p)}); }});
  vote(election_event::standing_changed{own_standing()});
  vote(election_event::start{});
  tick();
}

void leader::receive(leader_message& m) {
  check_lease();
  check_own_pulse();
  std::visit([this](auto& x) { on(x); }, m);
}

bool leader::inactive() const { return view_->own_flags() & node_flag::inactive; }

std::vector<pnn> leader::connected() const {
  std::vector<pnn> all;
  for (std::size_t i = 0; i < view_->nodes.size(); ++i)
    if (!(view_->nodes[i].flags & (node_flag::disconnected | node_flag::deleted)))
      all.push_back(pnn{static_cast<std::uint32_t>(i)});
  return all;
}

void leader::ask(pnn to, control c, bytes data, std::function<void(control_answer)> then, duration patience) {
  if (patience == duration{0}) patience = seconds(std::max(1U, config_.tunables[tunable::recover_timeout]));
  node_.tell(call_control{.to = to, .opcode = c, .data = std::move(data), .patience = patience,
                          .answer = replier([self = self(), then = std::move(then)](control_answer a) {
                            self.tell(leader_answer{[then, a = std::move(a)] { then(a); }});
                          })});
}

void leader::on(leader_answer& m) { m.apply(); }

void leader::on(leader_tunables& m) {
  config_.tunables = m.values;
  ledger_.set_grace(seconds(config_.tunables[tunable::recovery_grace_period]));
}

void leader::on(leader_hold& m) {
  hold_ = std::move(m.phase);
  coordinator_.tell(rec_hold{hold_});
}

void leader::on(leader_stop&) {
  coordinator_.tell(rec_stop{});
  drop_lock();
  env_.loop.cancel(tick_timer_);
  env_.loop.cancel(retry_timer_);
  env_.loop.cancel(pause_timer_);
  end();
}

// --- looking after the cluster ---------------------------------------------------------------------------------------

void leader::learn_about(pnn p) {
  ask(p, control::get_capabilities, {}, [this, p](const control_answer& a) {
    auto c = wire::decode<std::uint32_t>(a.data);
    if (a.status == 0 && c && (*c & capability::sorted_pull)) floe_nodes_.insert(p);
  });
}

/// A new generation must be later than these, also when the nodes that had them are gone.
void leader::remember(generation gen) {
  constexpr std::size_t kept = 64;
  if (gen == generation::invalid || (!seen_.empty() && seen_.back() == gen)) return;
  seen_.push_back(gen);
  if (seen_.size() > kept) seen_.erase(seen_.begin());
}

void leader::on(leader_view& m) {
  const auto before = std::exchange(view_, std::move(m.view));
  coordinator_.tell(rec_view{view_});
  remember(view_->gen);
  std::vector<pnn> gone, come;
  for (std::size_t i = 0; i < view_->nodes.size(); ++i) {
    const auto out = node_flag::disconnected;
    const bool was = i >= before->nodes.size() || (before->nodes[i].flags & out), is = view_->nodes[i].flags & out;
    if (was != is) (is ? gone : come).push_back(pnn{static_cast<std::uint32_t>(i)});
  }
  vote(election_event::standing_changed{own_standing()});
  for (pnn p : come) learn_about(p);
  if (!come.empty()) last_arrival_ = env_.loop.now();
  // before anything is done with it: if it knows of a later leader it will say so
  if (!come.empty() && election_.leads()) act(election_effect::send_leader{env_.self, election_.term()});
  for (pnn p : gone) {
    floe_nodes_.erase(p);
    say_terms_.erase(p);
    being_banned_.erase(p);
    vote(election_event::node_gone{p});
  }
  const bool wants = before->mode == recovery_mode::normal && view_->mode == recovery_mode::active;
  if (!election_.leads()) {
    // the leader's next round would find it, but that may be a second away
    if ((wants || before->own_flags() != view_->own_flags()) && view_->leader != pnn::unknown)
      node_.tell(post_message{view_->leader, message::floe_look, shared({}), nullptr});
    return;
  }
  // the loss of a node that tracks records needs no second look
  for (pnn p : gone)
    if (std::ranges::find(view_->map, p) != view_->map.end()) return consider(fmt::format("node {} is lost", number(p)));
  if ((wants && !coordinator_) || !come.empty() || before->own_flags() != view_->own_flags()) look_around();
}

void leader::on(leader_wanted& m) { consider(m.why); }

void leader::tick() {
  tick_timer_ = env_.loop.after(seconds(std::max(1U, config_.tunables[tunable::recover_interval])),
                                [to = self()] { to.tell(leader_timer{0}); });
  vote(election_event::standing_changed{own_standing()});
  serve_takeovers();
  if (election_.leads()) look_around();
}

/// Asks every connected node how it sees itself and the others. One round at a time.
void leader::look_around() {
  if (!election_.leads() || coordinator_) return;
  if (looking_) {
    look_again_ = true;
    return;
  }
  looking_ = true;
  look_again_ = false;
  looks_.clear();
  const auto round = ++look_;
  const auto nodes = connected();
  for (pnn n : nodes) looks_[n].missing = 4;
  for (pnn n : nodes) {
    const auto part = [this, n, round](auto apply) {
      return [this, n, round, apply](const control_answer& a) {
        if (round != look_) return;
        auto& l = looks_[n];
        apply(l, a);
        --l.missing;
        if (std::ranges::all_of(looks_, [](const auto& x) { return x.second.missing == 0; })) look_done();
      };
    };
    ask(n, control::get_nodemap, {}, part([n](look& l, const control_answer& a) {
          auto map = wire::decode<node_map>(a.data);
          if (a.status != 0 || !map || number(n) >= map->nodes.size()) return;
          l.flags = map->nodes[number(n)].flags;
          for (const auto& x : map->nodes) l.others.push_back(x.flags);
        }));
    ask(n, control::get_recmode, {}, part([](look& l, const control_answer& a) {
          if (a.status == 0 || a.status == 1) l.mode = recovery_mode{static_cast<std::uint32_t>(a.status)};
        }));
    ask(n, control::getvnnmap, {}, part([](look& l, const control_answer& a) {
          auto v = wire::decode<vnn_map>(a.data);
          if (a.status != 0 || !v) return;
          l.gen = v->generation;
          l.map = v->slots;
        }));
    ask(n, control::get_capabilities, {}, part([](look& l, const control_answer& a) {
          auto c = wire::decode<std::uint32_t>(a.data);
          if (a.status == 0 && c) l.capabilities = *c;
        }));
  }
}

void leader::look_done() {
  looking_ = false;
  if (!election_.leads()) return;
  // somebody has come since the question went out: what is decided without it would be decided for it as well
  const bool overlooked = std::ranges::any_of(connected(), [this](pnn p) { return !looks_.contains(p); });
  if (overlooked) return look_around();
  synchronise_flags();
  const auto n = need();
  if (wanted_.empty() && !n) {
    if (look_again_) look_around();
    return;
  }
  if (mesh_grows()) {
    env_.loop.after(milliseconds(20), [to = self(), this] { to.tell(leader_answer{[this] { look_around(); }}); });
    return;
  }
  if (wanted_.empty()) {
    wanted_ = fmt::format("{}: {}", name(n.reason), n.detail);
    if (n.culprit != pnn::unknown && !coordinator_ && !resting_)
      charge({.node = n.culprit, .cause = failure_cause::refused, .step = name(n.reason), .detail = n.detail, .credit = true}, 1);
  }
  recover_if_allowed();
}

/// Each node's own opinion about itself is the truth; whoever sees it otherwise is told.
void leader::synchronise_flags() {
  for (const auto& [n, l] : looks_) {
    if (!l.flags) continue;
    const auto truth = *l.flags & ~node_flag::disconnected;
    bool differs = (view_->find(n)->flags & ~node_flag::disconnected) != truth;
    for (const auto& [m, other] : looks_)
      if (number(n) < other.others.size() && m != n)
        differs |= (other.others[number(n)] & ~node_flag::disconnected) != truth;
    if (!differs) continue;
    const auto change = wire::encode(node_flag_change{.pnn = n, .new_flags = truth, .old_flags = view_->find(n)->flags});
    for (const auto& [m, other] : looks_) ask(m, control::modify_flags, change, [](const control_answer&) {});
  }
}

/// When a partition heals its connections come back one after the other. A recovery of those that happen to be
/// connected first would let a minority of the other half speak for it. So: while a node that has just come is connected
/// to somebody we do not see yet, wait, for a moment.
bool leader::mesh_grows() const {
  if (env_.loop.now() - last_arrival_ > nodes_come_within) return false;
  return std::ranges::any_of(looks_, [this](const auto& one) {
    const auto& others = one.second.others;
    for (std::size_t i = 0; i < std::min(others.size(), view_->nodes.size()); ++i)
      if ((view_->nodes[i].flags & node_flag::disconnected) && !(others[i] & node_flag::disconnected)) return true;
    return false;
  });
}

/// Whether data needs recovery, as far as the last look shows.
recovery_need leader::need() const {
  std::vector<node_snapshot> nodes;
  for (const auto& [n, l] : looks_) {
    if (!l.flags || !l.capabilities) return {};  // no full picture: the next look may have it
    nodes.push_back({.node = n, .flags = *l.flags & ~node_flag::disconnected, .capabilities = *l.capabilities,
                     .mode = l.mode, .gen = l.gen, .map = l.map});
  }
  return needs_recovery({.leader = env_.self, .nodes = nodes});
}

void leader::consider(std::string why) {
  wanted_ = std::move(why);
  // a node has just come: who else is there must be seen first
  const bool just_come = env_.loop.now() - last_arrival_ <= nodes_come_within;
  if (just_come) return look_around();
  recover_if_allowed();
}

void leader::recover_if_allowed() {
  if (coordinator_ || resting_ || paused_ || !being_banned_.empty() || !election_.leads()) return;
  recover(std::exchange(wanted_, {}));
}

void leader::recover(const std::string& why) {
  const auto limit = seconds(std::max(1U, config_.tunables[tunable::recover_timeout]));
  std::uint32_t gen = 0;
  while (gen <= 1) gen = static_cast<std::uint32_t>(env_.loop.chance()() & 0x7fffffff);
  cluster_plan plan{.epoch = recovery_epoch{++epoch_},
                    .leader = env_.self,
                    .gen = generation{gen},
                    .seen = seen_,
                    .connected = connected(),
                    .step_timeout = limit,
                    .db_budget = 4 * duration(limit),
                    .retry_pause = milliseconds(100),
                    .freeze_all_first = config_.freeze_all_first || mutated(mutant::all_databases_freeze_together),
                    .freeze_all_deadline = limit};
  wanted_.clear();
  recovery_began_ = env_.loop.now();
  looking_ = false;
  ++look_;
  coordinator_ = env_.actors.spawn<coordinator>(
      "coordinator", env_,
      coordinator_config{.plan = plan, .reason = why, .hold = hold_,
                         .buffer_size = config_.tunables[tunable::rec_buffer_size_limit]},
      view_, node_, [to = self(), this](const recovery_result& r) {
        to.tell(leader_answer{[this, r] { recovery_ended(r); }});
      });
}

void leader::recovery_ended(const recovery_result& r) {
  if (number(r.epoch) != epoch_) return;
  coordinator_ = {};
  if (r.good) {
    failures_in_a_row_ = 0;
    ledger_.clear();
    node_.tell(post_message{pnn::broadcast_connected, message::reconfigure, shared({}), nullptr});
    if (!wanted_.empty()) return consider(wanted_);
    return look_around();
  }
  if (!election_.leads()) return;
  blame(r);
  if (wanted_.empty()) wanted_ = "the last recovery failed";
  ++failures_in_a_row_;
  resting_ = true;
  const auto pause = std::min<duration>(milliseconds(5) * (1U << 2 * std::min(failures_in_a_row_, 6U)), seconds(5));
  env_.log.warning(fmt::format("recovery-again in_ms={} failures={}", std::chrono::duration_cast<milliseconds>(pause).count(),
                               failures_in_a_row_));
  retry_timer_ = env_.loop.after(pause, [to = self(), this] {
    to.tell(leader_answer{[this] {
      resting_ = false;
      if (election_.leads() && !wanted_.empty()) consider(wanted_);
    }});
  });
}

}  // namespace floe
