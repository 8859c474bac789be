#pragma once
/// The questions to a node that are answered with text for people and tools: status, locks, timeline, memory; and
/// small facts about it.
#include <deque>
#include <memory>
#include <string>

#include "actors/control_call.hpp"
#include "actors/node/addresses/addresses.hpp"
#include "actors/node/calls/calls.hpp"
#include "actors/node/clients/clients.hpp"
#include "actors/node/joining/joiner.hpp"
#include "actors/node/membership/bans.hpp"
#include "actors/node/membership/goodbyes.hpp"
#include "actors/node/membership/membership.hpp"
#include "actors/node/membership/nodes_list.hpp"
#include "actors/node/messaging/messaging.hpp"
#include "actors/node/messaging/tunnels.hpp"
#include "actors/node/node_message.hpp"
#include "actors/node/node_port.hpp"
#include "actors/node/registry/registry.hpp"
#include "actors/node/report/event_tally.hpp"
#include "actors/node/report/node_report.hpp"
#include "actors/node/traverse/traverses.hpp"

namespace floe {

class reports {
 public:
  /// Whose state is shown.
  struct sources {
    const calls& outgoing;
    const clients& connected;
    const messaging& messages;
    const floe::tunnels& tunnels;
    const addresses& services;
    const registry& databases;
    const membership& cluster;
    const lock_tests& locks;
    const nodes_list& nodes;
    const bans& banned;
    const joiner& joining;
    const traverses& traversal;
    const floe::goodbyes& goodbyes;
  };
  reports(node_port& port, sources from) : port_(port), from_(from) {}

  /// Keeps it for the timeline, and logs it.
  void note(timeline_event);
  /// How far the leader's recovery is, as JSON; empty when none runs.
  void recovery_is_at(recovery_progress&&);
  void recoveries_are_paused(const pause_of_recoveries&);

  void give_figures(std::function<void(std::shared_ptr<const node_figures>)> tell) const;
  void get_locks(const answer_to<control::get_locks>&) const;
  void get_timeline(const request_of<control::get_timeline>&,
                    const answer_to<control::get_timeline>&);
  /// Options: {"brief": true}, {"health": true}, or nothing.
  void get_node_status(const request_of<control::get_node_status>& options,
                       const answer_to<control::get_node_status>&) const;
  void dump_memory(const answer_to<control::dump_memory>&) const;

  outcome_of<control::get_pnn> get_pnn() const;
  outcome_of<control::get_pid> get_pid() const;
  outcome_of<control::get_debug> get_debug() const;
  outcome_of<control::set_debug> set_debug(const request_of<control::set_debug>&);
  outcome_of<control::echo_data> echo(const request_of<control::echo_data>& same) const {
    return same;
  }
  /// For controls whose effect belongs to parts that this node does not have (public addresses, the recovery daemon).
  outcome_of<control::startup> accept_quietly() const;
  outcome_of<control::set_hold_phase> set_hold_phase(const request_of<control::set_hold_phase>&);
  void shutdown(const caller&, const answer_to<control::shutdown>&);

 private:
  status_snapshot snapshot() const;
  std::map<pnn, absence> absent_nodes() const;
  std::map<std::uint32_t, std::int64_t> flag_ages() const;
  std::map<pnn, std::map<std::uint32_t, std::int64_t>> flag_ages_of_others() const;
  std::optional<status_snapshot::cut> cut_off() const;
  std::optional<status_snapshot::pause> pause() const;
  std::vector<std::pair<std::string, std::string>> disputes() const;
  memory_report held() const;

  node_port& port_;
  sources from_;
  using kept_event = std::shared_ptr<const timeline_event>;
  struct wanted_timeline {
    std::int64_t since;  ///< microseconds of wall time
    answer_to<control::get_timeline> answer;
  };
  void write_next_timeline();

  std::deque<kept_event> timeline_;
  /// The first is being written on another thread: twenty thousand events are not made text between two packets.
  std::deque<wanted_timeline> timelines_wanted_;
  event_tally tally_;
  std::map<std::uint32_t, std::int64_t> flags_since_us_;  ///< of flags that operators set
  std::string recovery_, last_recovery_;
  pnn paused_by_{0};  ///< recoveries, from then
  time_point paused_at_{}, paused_until_{};
  recovered_counts recovered_;
  std::vector<std::string> recovery_failures_;  ///< of the last one that has ended here
};

}  // namespace floe
