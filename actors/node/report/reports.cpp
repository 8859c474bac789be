#include "actors/node/report/reports.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "actors/events.hpp"
#include "actors/link/silence_text.hpp"
#include "actors/node/report/brief_status.hpp"
#include "actors/node/report/figures.hpp"
#include "actors/node/report/statistics.hpp"
#include "protocol/constants.hpp"
#include "protocol/node_flags_text.hpp"
#include "protocol/rules/elapsed.hpp"
#include "protocol/types/basic.hpp"
#include "protocol/types/client.hpp"

namespace floe {

void reports::note(timeline_event e) {
  constexpr std::size_t kept = 20'000;
  e.line.db = from_.databases.name_of(e.db);
  port_.env.log.tell(e.line);
  tally_.saw(e);
  if (const auto flags = as<event::own_flags>(e.line)) {
    const auto now = node_flags_in(flags->to);
    for (const auto bit : {node_flag::stopped, node_flag::permanently_disabled}) {
      if (now & bit)
        flags_since_us_.try_emplace(bit, e.wall_us);
      else
        flags_since_us_.erase(bit);
    }
  }
  timeline_.push_back(std::make_shared<const timeline_event>(std::move(e)));
  if (timeline_.size() > kept) timeline_.pop_front();
}

void reports::get_locks(const answer_to<control::get_locks>& answer) const {
  from_.databases.inspect(true,
                          [answer, self = port_.env.self](const std::vector<database_report>& all) {
                            answer.good({locks_json(self, all)});
                          });
}

void reports::get_timeline(const request_of<control::get_timeline>& options,
                           const answer_to<control::get_timeline>& answer) {
  timelines_wanted_.push_back({timeline_since(options.value), answer});
  if (timelines_wanted_.size() == 1) write_next_timeline();
}

void reports::write_next_timeline() {
  std::vector<kept_event> events;
  for (const auto& e : timeline_)
    if (e->wall_us >= timelines_wanted_.front().since) events.push_back(e);
  auto text = std::make_shared<std::string>();
  port_.env.loop.offload([text, self = port_.env.self,
                          events = std::move(events)] { *text = timeline_json(self, events); },
                         [this, text, to = port_.self] {
                           to.tell(work_ended{[this, text] {
                             timelines_wanted_.front().answer.good({*text});
                             timelines_wanted_.pop_front();
                             if (!timelines_wanted_.empty()) write_next_timeline();
                           }});
                         });
}

void reports::recovery_is_at(recovery_progress&& m) {
  recovery_ = std::move(m.json);
  if (!m.ended) return;
  recovery_failures_ = std::move(m.failures);
  recovered_.unchanged += m.added.unchanged;
  recovered_.by_difference += m.added.by_difference;
  recovered_.whole += m.added.whole;
  recovered_.differed += m.added.differed;
  recovered_.kept += m.added.kept;
  recovered_.lost += m.added.lost;
  if (!m.outcome.empty()) last_recovery_ = std::move(m.outcome);
  tally_.led(m.cause);
}

void reports::recoveries_are_paused(const pause_of_recoveries& m) {
  paused_by_ = m.by;
  paused_at_ = port_.env.loop.now();
  paused_until_ = paused_at_ + m.length;
}

std::optional<status_snapshot::pause> reports::pause() const {
  const auto now = port_.env.loop.now();
  if (now >= paused_until_) return std::nullopt;
  return status_snapshot::pause{
      .by = paused_by_, .age_ms = in_ms(now - paused_at_), .left_ms = in_ms(paused_until_ - now)};
}

/// Since when each flag of this node is set.
std::map<std::uint32_t, std::int64_t> reports::flag_ages() const {
  std::map<std::uint32_t, std::int64_t> ages;
  for (const auto& [bit, since_us] : flags_since_us_)
    if (port_.view().own_flags() & bit) ages[bit] = (port_.env.loop.wall_us() - since_us) / 1000;
  return ages;
}

/// Since when others have those of which it is worth knowing.
std::map<pnn, std::map<std::uint32_t, std::int64_t>> reports::flag_ages_of_others() const {
  std::map<pnn, std::map<std::uint32_t, std::int64_t>> ages;
  const auto& nodes = port_.view().nodes;
  for (std::size_t i = 0; i < nodes.size(); ++i)
    for (const auto bit : {node_flag::banned, node_flag::stopped, node_flag::permanently_disabled,
                           node_flag::catching_up}) {
      const pnn p{static_cast<std::uint32_t>(i)};
      const auto age = from_.cluster.flag_age_ms(p, bit);
      if (p != port_.view().self && (nodes[i].flags & bit) && age >= 0) ages[p][bit] = age;
    }
  return ages;
}

/// Why each node that is not connected is not.
std::map<pnn, absence> reports::absent_nodes() const {
  std::map<pnn, absence> all;
  const auto& view = port_.view();
  const auto since_start_ms = (port_.env.loop.wall_us() - from_.cluster.started_us()) / 1000;
  for (std::size_t i = 0; i < view.nodes.size(); ++i) {
    const pnn p{static_cast<std::uint32_t>(i)};
    if (p == view.self || (view.nodes[i].flags & node_flag::deleted) ||
        !(view.nodes[i].flags & node_flag::disconnected))
      continue;
    const auto lost = from_.cluster.lost(p);
    const auto listed = from_.nodes.listed_for(p);
    if (const auto out = from_.nodes.kept_out().find(p); out != from_.nodes.kept_out().end())
      all[p] = {
          "kept-out", "is kept out: " + out->second,
          "make the nodes files equal, then floe reloadnodes: floe check-config compares them",
          lost ? lost->age_ms : since_start_ms};
    else if (!lost)
      all[p] = {"never-seen",
                listed ? "has not been seen since it is in the list of nodes"
                       : "has not been seen since this node started",
                "start it: floe node, systemctl start floe",
                listed ? in_ms(*listed) : since_start_ms};
    else if (const auto* by = from_.goodbyes.of(p))
      all[p] = {"shut-down", "was shut down by " + *by,
                "start it when it is wanted again: floe node, systemctl start floe", lost->age_ms};
    else if (lost->how == loss_kind::ended)
      all[p] = {"ended",
                fmt::format("has no process any more{}: {}",
                            from_.goodbyes.would_say(p) ? ", killed or crashed" : "", lost->why),
                "start it; its log says why it ended", lost->age_ms};
    else
      all[p] = {"silent",
                "does not answer: " +
                    (lost->silent > duration{0} ? silence_text(lost->silent) : lost->why),
                "is its process stopped, its machine starved, or the network cut?", lost->age_ms};
  }
  return all;
}

std::vector<std::pair<std::string, std::string>> reports::disputes() const {
  std::vector<std::pair<std::string, std::string>> all;
  for (const auto& [id, d] : from_.databases.all())
    if (!d.dispute.empty()) all.emplace_back(d.name, d.dispute);
  return all;
}

std::optional<status_snapshot::cut> reports::cut_off() const {
  auto& pulse = *port_.pulse;
  if (pulse.cause() == cut_off_cause::none) return std::nullopt;
  const bool few = pulse.cause() == cut_off_cause::no_majority;
  std::string why(text(pulse.cause()));
  if (few) {
    const auto all = pulse.members(port_.env.loop.now());
    const auto here =
        std::ranges::count_if(all, [](const part_member& n) { return n.connected && !n.inactive; });
    why += fmt::format(": {} of {}, {} are needed", here, all.size(), all.size() / 2 + 1);
  }
  return status_snapshot::cut{
      .why = std::move(why),
      .next =
          few ? "bring the nodes back that are missing; if they are gone for ever, take them out "
                "of the nodes file: floe reloadnodes"
              : "a recovery ends it; if none comes: is the network cut, or the leader stopped?",
      .age_ms = in_ms(port_.env.loop.now() - pulse.since())};
}

status_snapshot reports::snapshot() const {
  status_snapshot s{.view = port_.shared_view(),
                    .address = to_string(port_.config.nodes[number(port_.env.self)].where),
                    .mode_age_ms = from_.cluster.mode_age_ms(),
                    .leader_age_ms = from_.cluster.leader_age_ms(),
                    .started_us = from_.cluster.started_us(),
                    .now_us = port_.env.loop.wall_us(),
                    .mode_why = from_.cluster.mode_why(),
                    .clients = from_.connected.size(),
                    .num_recoveries = port_.env.count.num_recoveries,
                    .recovery = recovery_,
                    .last_recovery = last_recovery_,
                    .recovered = recovered_,
                    .recovery_failures = recovery_failures_,
                    .lock = from_.locks.report(),
                    .quorum = port_.config.quorum,
                    .lacks_lock = from_.locks.lacking(),
                    .absent = absent_nodes(),
                    .flag_ages_ms = flag_ages(),
                    .flag_ages_of_others_ms = flag_ages_of_others(),
                    .disputes = disputes(),
                    .held = held(),
                    .limits = port_.limits,
                    .ban = from_.banned.current(),
                    .cut_off = cut_off(),
                    .paused = pause(),
                    .joining = from_.joining.progress()};
  s.limits.refused.requests = from_.connected.held().refused;
  return s;
}

void reports::get_node_status(const request_of<control::get_node_status>& options,
                              const answer_to<control::get_node_status>& answer) const {
  if (wants_brief_status(options.value))
    return from_.databases.inspect(false, [view = port_.shared_view(), recovery = recovery_,
                                           answer](const std::vector<database_report>& all) {
      answer.good({brief_status_json(*view, recovery, all)});
    });
  if (wants_only_health(options.value))
    return from_.databases.inspect(
        false, [s = snapshot(), answer](const std::vector<database_report>& all) {
          answer.good({only_health_json(s, all)});
        });
  from_.databases.inspect(true, [s = snapshot(), answer](const std::vector<database_report>& all) {
    answer.good({status_json(s, all)});
  });
}

void reports::give_figures(std::function<void(std::shared_ptr<const node_figures>)> tell) const {
  auto figures = std::make_shared<node_figures>(node_figures{.state = snapshot(),
                                                             .count = port_.env.count,
                                                             .databases = {},
                                                             .troubles = {},
                                                             .health = {},
                                                             .since_start = tally_.all()});
  from_.databases.inspect(
      false, [figures, tell = std::move(tell)](std::vector<database_report> all) {
        figures->databases = std::move(all);
        figures->troubles = troubles_of(figures->state, figures->databases);
        figures->health = health_of(figures->state, figures->databases, figures->troubles);
        tell(figures);
      });
}

memory_report reports::held() const {
  const auto m = from_.messages.held();
  const auto of_clients = from_.connected.held();
  memory_report r{.resident = resident_bytes(),
                  .clients = from_.connected.size(),
                  .databases = from_.databases.all().size(),
                  .controls = from_.outgoing.outstanding(),
                  .requests = port_.env.ids.open_of.size(),
                  .registrations = m.registrations + from_.tunnels.held(),
                  .notifications = m.notifications,
                  .notification_bytes = m.notification_bytes,
                  .tcp_connections = from_.services.connections(),
                  .timeline_events = timeline_.size(),
                  .of_clients = {of_clients.requests, of_clients.bytes, of_clients.locks},
                  .most = {},
                  .traverses = from_.traversal.open()};
  if (const auto* c = of_clients.most)
    r.most = {.client = c->id,
              .pid = c->pid,
              .name = c->name,
              .requests = c->usage->requests,
              .bytes = c->usage->bytes,
              .locks = c->usage->locks};
  return r;
}

void reports::dump_memory(const answer_to<control::dump_memory>& answer) const {
  from_.databases.inspect(false, [held = held(), answer](const std::vector<database_report>& all) {
    answer.good({memory_text(held, all)});
  });
}

outcome_of<control::get_pnn> reports::get_pnn() const { return status_of(number(port_.env.self)); }
outcome_of<control::get_pid> reports::get_pid() const { return status_of(::getpid()); }

outcome_of<control::get_debug> reports::get_debug() const {
  return reply_of<control::get_debug>{port_.env.log.level()};
}

outcome_of<control::set_debug> reports::set_debug(const request_of<control::set_debug>& level) {
  port_.env.log.set_level(static_cast<std::int32_t>(level));
  return {};
}

outcome_of<control::startup> reports::accept_quietly() const { return {}; }

outcome_of<control::set_hold_phase> reports::set_hold_phase(
    const request_of<control::set_hold_phase>& phase) {
  port_.leader.tell(leader_hold{std::string(phase.value)});
  return {};
}

void reports::shutdown(const caller& by, const answer_to<control::shutdown>& answer) {
  answer.good();
  port_.self.tell(leave_node{
      by.client ? fmt::format("an operator: {} (pid {})", by.client->name, by.client->pid)
                : fmt::format("an operator at node {}", number(by.from))});
}

}  // namespace floe
