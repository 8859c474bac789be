#pragma once
/// What the coordinator of one recovery, and the recoveries of its single databases, understand.
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "actors/cluster_view.hpp"
#include "actors/parcel.hpp"
#include "actors/replier.hpp"
#include "protocol/rules/cluster_recovery.hpp"

namespace floe {

struct merged_difference;

// --- recovery of one database --------------------------------------------------------------------------------

struct dbr_start {
  db_plan plan;
};
struct dbr_answer {
  run_number run;
  db_phase phase;
  pnn node;
  control_answer answer;
};
/// Whether a persistent copy is whole, beside its sequence number.
struct dbr_health {
  run_number run;
  pnn node;
  std::uint64_t seqnum;
  control_answer answer;
};
/// Pulled records.
struct dbr_records {
  run_number run;
  pnn from;
  parcel_ptr packet;
};
/// One pushed buffer has left.
struct dbr_written {
  run_number run;
  pnn to;
};
struct dbr_push_late {
  run_number run;
};
/// What has changed is merged, perhaps by another thread.
struct dbr_merged {
  run_number run;
  std::shared_ptr<merged_difference> what;
};
struct dbr_node_gone {
  pnn node;
};
struct dbr_release {};  ///< the diagnostic barrier after freeze
struct dbr_hold {
  std::string phase;
};
struct dbr_stop {};

using db_recoverer_message =
    std::variant<dbr_start, dbr_answer, dbr_health, dbr_records, dbr_written, dbr_push_late,
                 dbr_merged, dbr_node_gone, dbr_release, dbr_hold, dbr_stop>;

/// How far the recovery of one database is, for everybody who looks.
struct db_progress {
  db_id db{0};
  std::string name;
  db_phase phase = db_phase::idle;
  unsigned attempt = 0;
  std::int64_t since_us = 0;  ///< wall time at which the phase was entered
  std::vector<pnn> waiting_for;
  std::uint64_t pulled = 0;  ///< records that have arrived, of all nodes together
  std::uint64_t merged = 0;  ///< winners
  std::uint64_t pushed = 0;  ///< records sent, of all nodes together
  /// How much of the phase is done, 0 to 1; negative where nobody can tell yet.
  double share = -1;
  std::string held;  ///< the phase it is held at, empty if it is not
};

/// How a database was recovered, for everybody who looks afterwards.
struct db_outcome {
  std::string name;
  db_way way = db_way::whole;
  std::string why;                            ///< of a whole recovery
  generation base = generation::invalid;      ///< since which changes were looked at
  std::uint64_t looked_at = 0;                ///< records; of a whole recovery, copies of all nodes
  std::uint64_t records = 0;                  ///< that there were
  std::uint64_t bytes_in = 0, bytes_out = 0;  ///< of records, to the leader and from it
  std::uint64_t kept = 0,
                lost = 0;  ///< records that nodes which came back keep; that they lose to others
  std::int64_t ms = 0;
};

// --- the coordinator -------------------------------------------------------------------------------------------

struct rec_answer {
  recovery_epoch epoch;
  cluster_phase phase;
  pnn node;
  control part;  ///< which control, where a phase asks several
  control_answer answer;
};
struct rec_view {
  view_ptr view;
};
struct rec_woke {
  recovery_epoch epoch;
  cluster_event::alarm why;
};
/// A participant cannot store what the recovery brings.
struct rec_leaves {
  pnn node;
};
struct rec_db_progress {
  db_progress progress;
};
struct rec_db_held {
  db_id db;
};
struct rec_db_ended {
  db_id db;
  bool good, conflict, committed, outdated;
  std::vector<evidence> failures;
  db_outcome outcome;
};
struct rec_hold {
  std::string phase;
};
struct rec_stop {};
struct rec_show {};  ///< the next report is due

using coordinator_message =
    std::variant<rec_answer, rec_view, rec_leaves, rec_woke, rec_db_progress, rec_db_held,
                 rec_db_ended, rec_hold, rec_stop, rec_show>;

/// What became of a recovery.
struct recovery_result {
  recovery_epoch epoch{};
  bool good = false;
  generation gen = generation::invalid;
  std::vector<evidence> failures;
  std::string differed;  ///< contents that were not equal, a line for each
};

}  // namespace floe
