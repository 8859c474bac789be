#pragma once
/// The recovery of the cluster, driven by the leader: everything around the recoveries of the
/// single databases. A machine of event and state like db_recovery.hpp.
///
///     idle ─start─► survey ► recmode_active ► dbmaps ► start_recovery ► set_vnn_map ► databases
///                                  ▲                                                     │
///                      a database  │ attached meanwhile                        all ended │
///                                  └──────────── refused ── recmode_normal ◄─────────────┘
///                                                               │
///     failed ◄── from anywhere                 done ◄ end_recovery
///
/// * All databases recover at once, each by a machine of its own that reports its end here. One
/// that
///   has failed is tried again alone, after a pause; those that have succeeded stay recovered. One
///   whose nodes disagree about its name or kind is given up, and no obstacle to the others.
/// * Every event carries the epoch of its recovery; events of another one have no effect.
/// * `stop` (leadership lost) and the loss of a participant end it midway: nodes stay in recovery
///   mode ACTIVE for the next recovery, with a new generation.
/// * Diagnostic mode `freeze_all_first`: no database goes on from frozen before all are. If that
///   takes too long the verdict is a deadlock.
///
/// Source: Samba ctdb/server/ctdb_recovery_helper.c (recovery_send and the steps after it).
/// Differences: own opinion, capabilities and maps are asked for in one round; databases are listed
/// after recovery mode is ACTIVE, when clients attach no more; an inactive leader stops at once.
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "protocol/ids.hpp"
#include "protocol/rules/db_recovery.hpp"
#include "protocol/rules/evidence.hpp"
#include "protocol/rules/lineage.hpp"
#include "protocol/rules/time.hpp"

namespace floe {

enum class cluster_phase : std::uint8_t {
  idle,
  survey,          ///< GET_NODEMAP, GET_CAPABILITIES and GETVNNMAP at every connected node
  recmode_active,  ///< SET_RECMODE ACTIVE
  dbmaps,          ///< GET_DBMAP
  start_recovery,  ///< START_RECOVERY
  set_vnn_map,     ///< SETVNNMAP
  databases,
  recmode_normal,  ///< SET_RECMODE NORMAL
  end_recovery,    ///< END_RECOVERY
  done,
  failed,
};
std::string_view name(cluster_phase);

/// Numbers the recoveries of one leader.
enum class recovery_epoch : std::uint64_t {};
constexpr std::uint64_t number(recovery_epoch e) { return static_cast<std::uint64_t>(e); }

struct cluster_plan {
  recovery_epoch epoch{};
  pnn leader{0};  ///< this node
  /// Handed in: any. After the survey: the new generation, later than all that were found.
  generation gen{};
  std::uint32_t life = 0;  ///< of the leader's process: the next one after a start
  /// Generations the leader has seen, however long ago: the new one is later than these as well.
  std::vector<generation> seen{};
  std::vector<pnn> connected{};    ///< the leader and every node it is connected to
  duration step_timeout{};         ///< for each control
  duration db_budget{};            ///< for one start of one database's recovery
  unsigned db_tries = 3;           ///< within one start
  unsigned db_rounds = 3;          ///< starts of a database that keeps failing
  duration retry_pause{};          ///< before a database is started again
  bool whole = false;              ///< asked for: everything is pulled and pushed
  bool verify = false;             ///< asked for: contents are compared afterwards
  std::uint32_t pinned_level = 0;  ///< feature level of the cluster at most; 0: what its nodes have
  bool one_part_serves = false;    ///< a cluster lock decides which part of the cluster goes on
  /// More members are silent than take part, and may go on as well (own_freeze.hpp).
  bool outnumbered = false;
  std::size_t needed = 0;  ///< so many must stay that clients are served afterwards (quorum.hpp)
  bool freeze_all_first = false;
  duration freeze_all_deadline{};
};

namespace cluster_event {
struct start {
  cluster_plan plan{};
};
struct surveyed {
  recovery_epoch epoch{};
  pnn node{0};
  std::uint32_t flags = 0;  ///< the node's own, in its own node map
  std::uint32_t capabilities = 0;
  generation gen = generation::invalid;  ///< of its vnn map
  std::vector<pnn> map{};
};
struct listed {  ///< the answer in `dbmaps`
  struct entry {
    db_id db{0};
    std::uint8_t flags = 0;
    /// The database's own, where the node can tell (not from ctdbd); else that of its vnn map.
    std::optional<lineage> line{};
  };
  recovery_epoch epoch{};
  pnn node{0};
  std::vector<entry> databases{};
  generation latest =
      generation::invalid;  ///< the node has been in none that is later, if it tells
  /// The latest ones that it has been in, if it has made a database anew since.
  std::vector<generation> was_in{};
};
struct answered {  ///< in every other phase that asks
  recovery_epoch epoch{};
  cluster_phase phase{};
  pnn node{0};
};
struct failed {
  recovery_epoch epoch{};
  cluster_phase phase{};
  pnn node{0};
  failure_cause cause{};  ///< refused or timed_out
  std::string detail{};
};
struct node_gone {  ///< no longer connected, whatever the phase
  recovery_epoch epoch{};
  pnn node{0};
};
struct cannot_store {  ///< what is brought to it, and has begun to leave in good order
  recovery_epoch epoch{};
  pnn node{0};
};
struct db_held {
  recovery_epoch epoch{};
  db_id db{0};
};
struct db_ended {
  recovery_epoch epoch{};
  db_id db{0};
  bool good = false;
  bool conflict = false;
  bool committed = false;
  bool outdated = false;  ///< what the survey found does not hold any more
  std::vector<evidence> failures{};
};
enum class alarm : std::uint8_t { freeze_all, retry };
struct woke {
  recovery_epoch epoch{};
  alarm why{};
};
struct stop {  ///< leadership lost
  recovery_epoch epoch{};
};
}  // namespace cluster_event

using cluster_input =
    std::variant<cluster_event::start, cluster_event::surveyed, cluster_event::listed,
                 cluster_event::answered, cluster_event::failed, cluster_event::node_gone,
                 cluster_event::cannot_store, cluster_event::db_held, cluster_event::db_ended,
                 cluster_event::woke, cluster_event::stop>;

namespace cluster_effect {
struct entered {  ///< one line for log and timeline
  recovery_epoch epoch{};
  cluster_phase from{}, to{};
};
struct ask {  ///< send the control(s) of the phase; each node answers with one event
  recovery_epoch epoch{};
  cluster_phase phase{};
  std::vector<pnn> nodes{};
  duration timeout{};
};
struct recover {  ///< start a machine for this database, or the one that exists again
  recovery_epoch epoch{};
  db_plan plan{};
};
struct release {  ///< all are frozen: let this one leave `held`
  recovery_epoch epoch{};
  db_id db{0};
};
struct stop_databases {
  recovery_epoch epoch{};
};
struct wake {  ///< send `woke` after this time
  recovery_epoch epoch{};
  cluster_event::alarm why{};
  duration after{};
};
struct deadlock {  ///< the verdict of freeze_all_first
  recovery_epoch epoch{};
  std::vector<db_id> frozen{};
  std::vector<db_id> not_frozen{};
};
struct ended {
  recovery_epoch epoch{};
  bool good = false;
};
}  // namespace cluster_effect

using cluster_output =
    std::variant<cluster_effect::entered, cluster_effect::ask, cluster_effect::recover,
                 cluster_effect::release, cluster_effect::stop_databases, cluster_effect::wake,
                 cluster_effect::deadlock, cluster_effect::ended>;

class cluster_recovery {
 public:
  enum class db_state : std::uint8_t {
    running,
    held,
    resting,  ///< has failed, will be started again
    done,
    given_up,  ///< its nodes disagree about it
    failed,    ///< has failed too often
  };
  struct database {
    db_plan plan{};
    db_state state = db_state::running;
    unsigned round = 1;
  };

  std::vector<cluster_output> step(const cluster_input& event, time_point now);

  cluster_phase phase() const { return phase_; }
  bool running() const {
    return phase_ != cluster_phase::idle && phase_ != cluster_phase::done &&
           phase_ != cluster_phase::failed;
  }
  recovery_epoch epoch() const { return plan_.epoch; }
  time_point since() const { return since_; }  ///< when the phase was entered
  std::span<const pnn> waiting_for() const { return waiting_for_; }
  const cluster_plan& plan() const { return plan_; }
  std::vector<pnn> participants() const;
  const std::vector<pnn>& slots() const { return slots_; }  ///< the new vnn map
  /// Who takes part beside the map and stays: nodes that track no records. They are named with the map, if every participant knows
  /// what that means: then they are members of the generation like all others, own records, and are missed when they are gone.
  /// Nothing: they cannot be named.
  std::optional<std::vector<pnn>> beside_the_map() const;
  const std::map<db_id, database>& databases() const { return databases_; }
  /// Everything that went wrong since the start, the databases' failures included.
  std::span<const evidence> failures() const { return failures_; }

 private:
  using output = std::vector<cluster_output>;
  struct member {
    pnn node{0};
    std::uint32_t capabilities = 0;
    lineage line{};  ///< of its vnn map
  };

  output on(const cluster_event::start&, time_point);
  output on(const cluster_event::surveyed&, time_point);
  output on(const cluster_event::listed&, time_point);
  output on(const cluster_event::answered&, time_point);
  output on(const cluster_event::failed&, time_point);
  output on(const cluster_event::node_gone&, time_point);
  output on(const cluster_event::cannot_store&, time_point);
  output on(const cluster_event::db_held&, time_point);
  output on(const cluster_event::db_ended&, time_point);
  output on(const cluster_event::woke&, time_point);
  output on(const cluster_event::stop&, time_point);

  bool expects(recovery_epoch, cluster_phase, pnn) const;
  bool may_be_gone(pnn) const;
  bool leaves(pnn) const;
  output settle(pnn, time_point);
  output phase_complete(time_point);
  output phase_has_failed(time_point);
  output enter(cluster_phase to, std::vector<pnn> nodes, time_point);
  output survey_complete(time_point);
  output start_databases(time_point);
  output databases_progress(time_point);
  output give_verdict(time_point);
  output finish(cluster_phase end, time_point);
  output give_up(pnn, failure_cause, std::string detail, time_point);
  void blame(pnn, failure_cause, std::string detail);
  db_plan plan_for(db_id) const;
  bool enough_stay() const;
  bool has_new_databases() const;
  std::string why_not_floe() const;

  cluster_phase phase_ = cluster_phase::idle;
  time_point since_;
  std::vector<pnn> waiting_for_;
  bool phase_failed_ = false;
  bool only_refusals_ = true;  ///< of those that failed in this phase
  bool map_is_set_ = false;
  bool released_ = false;  ///< freeze_all_first: all were frozen
  cluster_plan plan_;
  std::vector<member> members_;
  std::vector<generation> known_;  ///< of all nodes surveyed
  std::vector<pnn> slots_;
  std::map<db_id, std::vector<db_plan::copy>> copies_;  ///< what the nodes list
  std::map<std::pair<db_id, pnn>, lineage> lines_;      ///< what they tell of each database
  std::map<pnn, std::vector<generation>> was_in_;       ///< where they have made one anew
  std::map<db_id, database> databases_;
  std::vector<evidence> failures_;
};

}  // namespace floe
