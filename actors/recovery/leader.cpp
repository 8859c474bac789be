#include "actors/recovery/leader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "actors/events.hpp"
#include "actors/recovery/coordinator.hpp"
#include "actors/recovery/life.hpp"
#include "protocol/constants.hpp"
#include "protocol/messages.hpp"
#include "protocol/mutant.hpp"
#include "protocol/record_limits.hpp"
#include "protocol/types/membership.hpp"
#include "protocol/types/node_map.hpp"
#include "protocol/types/vnn_map.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t own_listener = 1;  ///< owner number of our message registrations

frame shared(bytes data) { return std::make_shared<const bytes>(std::move(data)); }

std::string why_part_waits(const part_verdict& p) {
  if (p.what == part_verdict::kind::waits)
    return fmt::format("node {} may not know yet that it is cut off: {} ms", number(p.node),
                       std::chrono::ceil<milliseconds>(p.wait).count());
  const auto missing = fmt::format("{} nodes are here, {} are needed", p.here, p.needed);
  if (p.node == pnn::unknown) return missing;
  return fmt::format(
      "node {} is silent and may have what was lost here; of nodes that have something {}; bring "
      "it back, or take "
      "it out of the nodes file",
      number(p.node), missing);
}

election_delays delays_of(const leader_config& c) {
  return {.leader_timeout = c.leader_timeout,
          .vote_end = seconds(std::max(1U, c.tunables[tunable::election_timeout]))};
}

std::uint32_t new_life(const node_environment& env, const std::string& state_dir) {
  const auto second = static_cast<std::uint32_t>(env.loop.wall_us() / 1'000'000);
  const auto life = begin_life(state_dir, second);
  if (!life.error.empty())
    env.log.tell(event::storage_failed{.db = "",
                                       .doing = "number this life of the node",
                                       .code = "error",
                                       .cause = 0,
                                       .why = life.error});
  return life.number;
}

/// The node has left in good order, and its process goes on.
bool has_left(const cluster_view& before, const cluster_view& now) {
  return (before.capabilities & capability::leaving) && !(now.capabilities & capability::leaving) &&
         std::ranges::find(now.map, now.self) == now.map.end();
}

}  // namespace

leader_config leader_config_of(const node_config& c, std::shared_ptr<node_pulse> pulse) {
  return {.leader_timeout = c.leader_timeout,
          .freeze_all_first = c.freeze_all_first,
          .verify_recoveries = c.verify_recoveries,
          .tunables = c.tunables,
          .cluster_lock = c.cluster_lock,
          .state_dir = c.state_dir,
          .quorum = c.quorum,
          .witness = c.witness,
          .pulse = std::move(pulse)};
}

leader::leader(node_environment env, leader_config config, view_ptr view,
               address<node_message> node)
    : env_(env),
      config_(std::move(config)),
      view_(std::move(view)),
      node_(std::move(node)),
      election_(env.self, delays_of(config_), !config_.cluster_lock.empty()),
      born_us_(static_cast<std::uint64_t>(env.loop.wall_us())),
      watch_(env.self, recovery_epoch{env.loop.chance()() & 0xffff'ffff}),
      ledger_(seconds(config_.tunables[tunable::recovery_grace_period])),
      begun_(env.loop.now()),
      last_turn_(begun_) {}

leader::~leader() = default;

void leader::start() {
  floe_nodes_.insert(env_.self);
  life_ = new_life(env_, config_.state_dir);
  std::vector<srvid> all{message::election,   message::leader,    message::floe_look,
                         message::floe_leads, message::floe_term, message::floe_deposed,
                         message::banning};
  std::ranges::copy(request_srvids(), std::back_inserter(all));
  for (auto s : all)
    node_.tell(listen_messages{
        s, own_listener, [to = self()](parcel_ptr p) { to.tell(leader_heard{std::move(p)}); }});
  vote(election_event::standing_changed{own_standing()});
  vote(election_event::start{});
  tick();
}

void leader::receive(leader_message& m) {
  check_lease();
  check_own_pulse();
  check_cut_off();
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

void leader::ask(pnn to, control c, bytes data, leader_question about, duration patience) {
  if (patience == duration{0})
    patience = seconds(std::max(1U, config_.tunables[tunable::recover_timeout]));
  node_.tell(call_control{.to = to,
                          .opcode = c,
                          .data = std::move(data),
                          .patience = patience,
                          .answer = replier([self = self(), about](control_answer a) {
                            self.tell(leader_answer{about, std::move(a)});
                          })});
}

void leader::on(leader_answer& m) {
  std::visit([&](const auto& about) { answered(about, m.answer); }, m.about);
}

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
  env_.loop.cancel(rest_timer_);
  env_.loop.cancel(pause_timer_);
  end();
}

// --- looking after the cluster ---------------------------------------------------------------------------------------

void leader::learn_about(pnn p) { ask(p, control::get_capabilities, {}, question::is_floe{p}); }

void leader::answered(const question::is_floe& q, const control_answer& a) {
  auto c = wire::decode<std::uint32_t>(a.data);
  if (a.status == 0 && c && (*c & capability::sorted_pull)) floe_nodes_.insert(q.node);
}

/// A new generation must be later than these, also when the nodes that had them are gone.
void leader::remember(generation gen) {
  constexpr std::size_t kept = 512;
  if (gen == generation::invalid || (!seen_.empty() && seen_.back() == gen)) return;
  seen_.push_back(gen);
  if (seen_.size() > kept) seen_.erase(seen_.begin());
}

void leader::on(leader_view& m) {
  const auto before = std::exchange(view_, std::move(m.view));
  coordinator_.tell(rec_view{view_});
  remember(view_->gen);
  // a life that has named a generation came from it (content_past.hpp); what is written in this one the node has not
  if (has_left(*before, *view_) && last_attempt_ != generation::invalid)
    life_ = new_life(env_, config_.state_dir);
  std::vector<pnn> gone, come;
  for (std::size_t i = 0; i < view_->nodes.size(); ++i) {
    const auto out = node_flag::disconnected;
    const bool was = i >= before->nodes.size() || (before->nodes[i].flags & out),
               is = view_->nodes[i].flags & out;
    if (was != is) (is ? gone : come).push_back(pnn{static_cast<std::uint32_t>(i)});
  }
  if (std::ranges::any_of(gone, [this](pnn p) { return !view_->find(p)->dead; }))
    last_loss_ = env_.loop.now();
  vote(election_event::standing_changed{own_standing()});
  for (pnn p : come) learn_about(p);
  if (!come.empty()) watch(watch_event::came{});
  // before anything is done with it: if it knows of a later leader it will say so
  if (!come.empty() && election_.leads())
    act(election_effect::send_leader{env_.self, election_.term()});
  for (pnn p : gone) {
    floe_nodes_.erase(p);
    say_terms_.erase(p);
    planned_bans_.erase(p);
    watch(watch_event::gone{p});
    vote(election_event::node_gone{p});
  }
  const bool wants = before->mode == recovery_mode::normal && view_->mode == recovery_mode::active;
  if (!election_.leads()) {
    // the leader's next round would find it, but that may be a second away
    if ((wants || before->own_flags() != view_->own_flags()) && view_->leader != pnn::unknown)
      node_.tell(post_message{view_->leader, message::floe_look, shared({}), nullptr});
    return;
  }
  // the loss of a node that may have records needs no second look
  for (pnn p : gone)
    if (std::ranges::find(view_->map, p) != view_->map.end() ||
        (view_->is_member(p) && !mutated(mutant::lost_beside_the_map)))
      return watch(watch_event::lost_member{p});
  if ((wants && !watch_.recovering()) || !come.empty() || before->own_flags() != view_->own_flags())
    watch(watch_event::stirred{});
}

void leader::on(leader_wanted& m) { watch(watch_event::wanted{m.why}); }

void leader::tick() {
  tick_timer_ = env_.loop.after(seconds(std::max(1U, config_.tunables[tunable::recover_interval])),
                                [to = self()] { to.tell(leader_timer{0}); });
  vote(election_event::standing_changed{own_standing()});
  ask_inactive_ones();
  serve_takeovers();
  watch(watch_event::stirred{});
}

/// What the leader knows of those that it does not reach. A map that others name counts as much as its own. Where a majority
/// is asked for, that of a node which has just been started is the one that it had (rule R16).
part_verdict leader::part() const {
  auto all = config_.pulse->members(env_.loop.now());
  const duration others = milliseconds(config_.tunables[tunable::floe_keepalive_limit_ms]);
  for (auto& n : all) {
    if (n.limit > duration{0}) n.limit = std::max(n.limit, others);
    n.has_content = !without_content_.contains(n.node);
    n.in_map |= std::ranges::any_of(looks_, [&](const auto& l) {
      return l.second.gen &&
             (*l.second.gen != generation::invalid || config_.quorum == quorum_rule::majority) &&
             std::ranges::find(l.second.map, n.node) != l.second.map.end();
    });
  }
  return may_recover(config_.quorum, all);
}

void leader::look_at_part(const part_verdict& p) {
  if (p.what != watch_.part() || p.what == part_verdict::kind::waits)
    for (const auto& effect : watch_.step(watch_event::part{p.what, p.wait}, env_.loop.now()))
      std::visit([this](const auto& x) { act(x); }, effect);
}

/// Once, when a recovery that is owed has to wait.
void leader::tell_what_waits(const part_verdict& p) {
  const bool stands = election_.leads() && !watch_.owed().empty() && !watch_.recovering() &&
                      p.what != part_verdict::kind::goes_on;
  if (std::exchange(part_told_, stands) || !stands) return;
  env_.log.tell(event::recovery_waits{.why = why_part_waits(p)});
}

void leader::watch(const watch_input& e) {
  const auto p = part();
  look_at_part(p);
  for (const auto& effect : watch_.step(e, env_.loop.now()))
    std::visit([this](const auto& x) { act(x); }, effect);
  tell_what_waits(p);
}

void leader::on(leader_woke& m) { watch(watch_event::woke{m.why}); }

void leader::act(const watch_effect::charge& e) {
  charge({.node = e.node,
          .cause = failure_cause::refused,
          .step = name(e.reason),
          .detail = e.detail,
          .credit = true},
         1);
  watch(watch_event::charged{});
}

void leader::act(const watch_effect::wake& e) {
  if (e.why == watch_alarm::rested && e.failures > 0)
    env_.log.tell(
        event::recovery_again{.in_ms = std::chrono::duration_cast<milliseconds>(e.after).count(),
                              .failures = e.failures});
  const auto timer =
      env_.loop.after(e.after, [to = self(), why = e.why] { to.tell(leader_woke{why}); });
  if (e.why == watch_alarm::rested) rest_timer_ = timer;
}

// --- recoveries ------------------------------------------------------------------------------------------------------

void leader::act(const watch_effect::recover& e) {
  const auto limit = seconds(std::max(1U, config_.tunables[tunable::recover_timeout]));
  std::uint32_t gen = 0;
  while (gen <= 1) gen = static_cast<std::uint32_t>(env_.loop.chance()() & 0x7fffffff);
  asked_ = std::exchange(asked_next_, {});
  cluster_plan plan{.epoch = e.epoch,
                    .leader = env_.self,
                    .gen = generation{gen},
                    .life = life_,
                    .seen = seen_,
                    .connected = connected(),
                    .step_timeout = limit,
                    .db_budget = 4 * duration(limit),
                    .retry_pause = milliseconds(100),
                    .whole = asked_.whole,
                    .verify = config_.verify_recoveries || asked_.verify,
                    .pinned_level = config_.tunables[tunable::feature_level],
                    .freeze_all_first =
                        config_.freeze_all_first || mutated(mutant::all_databases_freeze_together),
                    .freeze_all_deadline = limit};
  plan.one_part_serves = !config_.cluster_lock.empty() && config_.quorum != quorum_rule::none;
  const auto here = part();
  if (config_.quorum == quorum_rule::majority) plan.needed = here.needed;
  plan.outnumbered = here.outnumbered && !plan.one_part_serves && plan.needed == 0;
  recovery_began_ = env_.loop.now();
  coordinator_ = env_.actors.spawn<coordinator>(
      "coordinator", env_,
      coordinator_config{.plan = plan,
                         .cause = e.cause,
                         .reason = e.why,
                         .hold = hold_,
                         .buffer_size = std::min<std::size_t>(
                             config_.tunables[tunable::rec_buffer_size_limit], rec_buffer_size_max),
                         .witness = config_.witness},
      view_, node_, [to = self()](const recovery_result& r) { to.tell(leader_recovered{r}); });
}

void leader::act(const watch_effect::stop_recovery&) { coordinator_.tell(rec_stop{}); }

void leader::on(leader_recovered& m) {
  coordinator_ = {};
  remember(m.result.gen);  // whoever has heard of it does not take the next one for the same
  answer_who_asked(m.result);
  last_failures_ = std::move(m.result.failures);
  last_attempt_ = m.result.gen;
  watch(watch_event::recovery_ended{m.result.epoch, m.result.good});
  // the lock service has forgotten this node's claim, and did not say so: no recovery of it would ever end
  if (!mutated(mutant::doubted_lock_kept) &&
      std::ranges::any_of(last_failures_, [this](const evidence& f) {
        return f.cause == failure_cause::unfit && f.node != env_.self;
      }))
    lock_lost(claim_serial_, "a node that was to end a recovery could take it");
}

void leader::act(const watch_effect::succeeded&) {
  ledger_.clear();
  node_.tell(post_message{pnn::broadcast_connected, message::reconfigure, shared({}), nullptr});
}

}  // namespace floe
