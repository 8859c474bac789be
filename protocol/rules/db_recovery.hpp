#pragma once
/// The recovery of one database, driven by the leader: a machine of event and state. What it wants
/// done comes back as data; the actor does it and turns the results into events.
///
///     idle ─start─► names ► attach ► freeze ─(held)─► begin ─┬─ volatile ─────────► pull ► merge
///                     ▲                                      ├─ by difference: see below     │ │
///                     │ a try failed                         └─ else: seqnum ─► pull of one ─┘ │
///                     │                                               └─ all equal ─► commit  ▼
///     failed ◄────────┴── done ◄ thaw ◄ commit ◄ push_confirm ◄ push ◄ push_start ◄ wipe ◄────┘
///
/// *By difference*, where all participants are floe's and those that count have one content, the base,
/// and know all that they have changed since:
///
///     begin ► changes ► fill ► compare ► copies ► merge ─┬─ somebody lacks something ─► wipe ► ...
///                                                        └─ nobody does ─► commit
///
/// Where contents are verified, a `verify` stands before every thaw; if they differ the next try pulls everything.
/// Only changed records are looked at, and each goes only to those that lack it. `fill` and `wipe` are for
/// participants without the base, which get everything (rule R9 of the model, tests/model/README.md). One that has changed more than it could note is
/// pulled whole, and compared with what `fill` brings. Records keep their owners. Where the nodes
/// cannot, everything is pulled as ever.
///
/// Who was filled before it joins (joining.hpp) has, of some generation that the members know, what has not changed since, and
/// nothing of its own: it is told all that changed since then, and the keys that it names.
///
/// Who comes back (it has missed generations, and what it has changed since the last one that it shared is
/// known) keeps the records that nobody else has touched since: its copies of these count, see touches().
///
/// With a content that shares nothing with the members' (one of the two belongs to nodes that were started again, out of
/// reach of the other) a node gets everything, as a new one. But if the members, or it, know all that was ever stored in their content, it
/// is asked for all that it has: records that the members have never had are kept, also where they have looked for them or locked
/// them, and so have an empty one. That it shares nothing is told from two
/// things where the members do not know all: who was with it in its last generation, and where the leader has been. A node
/// that was there with one of them shares their past, even if nobody remembers each change since (an operator has replaced the
/// content, much has happened, or they were restarted and filled), and brings nothing back. Nor does a node that comes from a
/// generation which the leader was in, if that is a member: it has detached the database since, and made it anew.
///
/// Each phase asks a set of nodes at once and ends when all have answered, failed or timed out; one
/// result per node is kept. A try that fails begins again at `names`; a database that was frozen or
/// in a transaction already is no obstacle to the next try. After the last try, at the deadline, on
/// a conflict and when a node is gone, the machine ends in `failed`; nodes stay as they are (frozen
/// at most) for whoever recovers next.
///
/// Who leaves the cluster with this recovery is asked like all others, and what it has counts. But what is put together it will
/// not use: if it cannot store that (a full disk may be why it leaves) the others go on without it.
///
/// Every event carries the run it belongs to; each try is a run of its own, so that answers and
/// record counts of an earlier one have no effect.
///
/// Source: Samba ctdb/server/ctdb_recovery_helper.c (list of steps above recover_db_state).
/// Differences: volatile databases are pulled from all nodes at once, and only from nodes that took
/// part in the last generation; of persistent ones a copy that was damaged, or that this recovery has
/// just made, supplies nothing while there is a whole one; a conflict of names ends this database only (there it hangs); all
/// that failed are remembered, not the first; there is a deadline for everything together.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "protocol/change_state.hpp"
#include "protocol/ids.hpp"
#include "protocol/record.hpp"
#include "protocol/rules/content_past.hpp"
#include "protocol/rules/evidence.hpp"
#include "protocol/rules/time.hpp"
#include "protocol/rules/winner.hpp"

namespace floe {

enum class db_phase : std::uint8_t {
  idle,
  names,   ///< GET_DBNAME at the nodes that have it
  attach,  ///< DB_ATTACH*, for recovery, at those that lack it
  freeze,  ///< DB_FREEZE
  held,    ///< diagnostic mode: frozen, waits for release
  begin,   ///< DB_TRANSACTION_START, or DB_RECOVERY_BEGIN among floe's nodes
  seqnum,  ///< GET_DB_SEQNUM; persistent and replicated databases; volatile ones where a part has forgotten what the others know
  changes,  ///< DB_CHANGES: what they have changed since the base; DB_PULL at who could not note it
  fill,     ///< DB_PULL at one that has the base, for those that do not
  compare,  ///< here: whose copy of these records is not known
  copies,   ///< DB_COPIES: those
  pull,     ///< DB_PULL
  merge,    ///< here: which copies win
  wipe,     ///< WIPE_DATABASE
  push_start,    ///< DB_PUSH_START
  push,          ///< the records, as messages
  push_confirm,  ///< DB_PUSH_CONFIRM
  commit,        ///< DB_TRANSACTION_COMMIT
  verify,        ///< DB_DIGEST, where that is asked for: all have the same now
  thaw,          ///< DB_THAW
  done,
  failed,
};
std::string_view name(db_phase);

/// Numbers the tries of one machine, over all its starts.
enum class run_number : std::uint64_t {};
constexpr std::uint64_t number(run_number r) { return static_cast<std::uint64_t>(r); }

struct db_plan {
  struct participant {
    pnn node{0};
    bool took_part = true;  ///< in the last generation; see lineage.hpp
    /// Of its content, as it was told before the recovery; nothing: it does not tell, being a ctdbd.
    std::optional<generation> content{};
    bool met_members = false;  ///< one of those that count was a member of its last generation
    bool leaves =
        false;  ///< in good order, with this recovery: it gives what it has, and need not get anything
    /// The latest generations that it has been in: the leader always, others if they have made a database anew since.
    std::vector<generation> was_in{};
  };
  struct copy {
    pnn node{0};
    std::uint8_t flags = 0;  ///< as GET_DBMAP tells
  };
  db_id db{0};
  generation gen{};  ///< the database's new generation, also the transaction's id
  std::vector<participant> participants{};
  std::vector<copy> copies{};      ///< who has the database
  std::vector<generation> seen{};  ///< of maps, by the leader
  duration step_timeout{};         ///< for each control
  duration budget{};               ///< for all tries together
  unsigned tries = 3;
  bool hold_after_freeze = false;  ///< diagnostic: wait in `held` until released
  bool floe_only =
      false;  ///< all participants are floe's, and members afterwards: DB_RECOVERY_BEGIN is understood
  std::string why_not_floe{};  ///< why `floe_only` is false
  bool whole = false;          ///< asked for: by difference never
  bool all_here = true;        ///< every member of the last generation takes part
  pnn leader = pnn::unknown;
  bool verify = false;        ///< asked for: what they have afterwards is compared
  bool outnumbered = false;   ///< nobody may count this recovery (own_freeze.hpp)
  bool stays_frozen = false;  ///< too few are left to serve clients
};

/// How the copy of a node stands when its recovery begins.
struct db_copy {
  /// It was committed with; or under which it was created (birth_under), if nothing was committed since; invalid: neither.
  generation content = generation::invalid;
  change_state changes = change_state::none;
  std::uint64_t keys = 0, records = 0;
  std::uint64_t digest = 0;           ///< of all records; volatile: 0
  std::vector<generation> earlier{};  ///< since which all changes are known (rule R5)
};

struct db_lack {
  pnn node{0};
  std::uint64_t records = 0;  ///< that it does not have as they are to be
};

/// How a database was recovered.
enum class db_way : std::uint8_t {
  unchanged,   ///< everybody had the same: nothing was looked at
  difference,  ///< what had changed
  whole,       ///< everything was pulled and pushed
};
std::string_view name(db_way);

namespace db_event {
struct start {
  db_plan plan{};
};
/// One node did what the phase asked for.
struct answered {
  run_number run{};
  db_phase phase{};
  pnn node{0};
  std::uint64_t number = 0;       ///< seqnum: the number; pull, push_confirm: records announced
  std::uint64_t arrived = 0;      ///< pull: records that have arrived from this node
  std::string text{};             ///< names: the name
  bool whole = true;              ///< seqnum: the copy was never damaged, or has been healed
  content_past past{};            ///< seqnum: what the content came from, if the node tells
  std::optional<db_copy> copy{};  ///< begin: from floe's nodes, if all are
};
/// One node did not. `disconnected` counts in every phase, whether or not the node owes an answer.
struct failed {
  run_number run{};
  db_phase phase{};
  pnn node{0};
  failure_cause cause{};  ///< refused, timed_out or disconnected
  std::string detail{};
};
struct compared {  ///< what has changed is known
  run_number run{};
  std::vector<pnn> ask{};  ///< whose copies are needed
  bool too_many = false;   ///< of them for one request: everything is pulled
};
/// The merge is ready.
struct merged {
  run_number run{};
  std::uint64_t records = 0;  ///< to be pushed; by difference: that were looked at
  /// By difference: how many of them each node lacks; who lacks none is left out.
  std::vector<db_lack> lack{};
};
struct pushed {  ///< all records are on their way
  run_number run{};
};
struct broke {  ///< merge or push failed on this node
  run_number run{};
  std::string detail{};
};
struct release {  ///< leave `held`
  run_number run{};
};
struct stop {};  ///< leadership lost, or the whole recovery is given up
}  // namespace db_event

using db_input = std::variant<db_event::start, db_event::answered, db_event::failed,
                              db_event::compared, db_event::merged, db_event::pushed,
                              db_event::broke, db_event::release, db_event::stop>;

namespace db_effect {
/// One line for log and timeline.
struct entered {
  run_number run{};
  db_phase from{}, to{};
};
/// Send the control of `phase` to the nodes; each answers with one event within `timeout`. What was
/// pulled in earlier runs is of no use any more.
struct ask {
  run_number run{};
  db_phase phase{};
  std::vector<pnn> nodes{};
  duration timeout{};
};
struct compare {  ///< see whose copies of what has changed are needed: expects compared or broke
  run_number run{};
};
struct merge {  ///< merge what was pulled: expects merged or broke
  run_number run{};
};
struct push {  ///< send the merged records to the nodes: expects pushed or broke
  run_number run{};
  std::vector<pnn> nodes{};
  duration timeout{};
};
struct held {  ///< frozen everywhere, waits for release
  run_number run{};
};
struct ended {  ///< in `done` or `failed`
  run_number run{};
  bool good = false;
};
}  // namespace db_effect

using db_output =
    std::variant<db_effect::entered, db_effect::ask, db_effect::compare, db_effect::merge,
                 db_effect::push, db_effect::held, db_effect::ended>;

class db_recovery {
 public:
  std::vector<db_output> step(const db_input& event, time_point now);

  db_phase phase() const { return phase_; }
  bool running() const {
    return phase_ != db_phase::idle && phase_ != db_phase::done && phase_ != db_phase::failed;
  }
  run_number run() const { return run_; }
  unsigned attempt() const { return attempt_; }  ///< from 1
  time_point since() const { return since_; }    ///< when the phase was entered
  std::span<const pnn> waiting_for() const { return waiting_for_; }

  const db_plan& plan() const { return plan_; }
  db_kind kind() const { return kind_; }
  std::uint8_t flags() const { return flags_; }         ///< the kind, as flags of an attach
  const std::string& db_name() const { return name_; }  ///< known after `names`
  std::uint64_t pulled() const { return pulled_; }      ///< records, in this run
  std::uint64_t merged() const { return merged_; }
  unsigned confirmed() const { return confirmed_; }  ///< nodes that have all pushed records
  /// Everything that went wrong since the last start.
  std::span<const evidence> failures() const { return failures_; }
  /// Every copy was damaged: what they have was put together, and nobody knows what is missing.
  bool only_damaged() const;
  /// Of this run: only what has changed is looked at, and how.
  bool by_difference() const { return base_ != generation::invalid; }
  generation base() const { return base_; }
  std::vector<pnn> members() const;  ///< whose copies count: at the base
  std::vector<pnn> behind()
      const;  ///< were at an earlier base with them, and can be told what they miss
  std::vector<pnn> filled()
      const;  ///< do not count, and were filled with a content that the members know
  std::vector<pnn> fresh() const;  ///< have neither, and get everything
  std::vector<pnn> strangers()
      const;  ///< of these, those whose records count where the members have never had one
  /// Those whose copies may be kept, in the order of the bits of key_touches: behind(), then strangers().
  std::vector<pnn> returning() const;
  pnn fill_source() const { return noted().front(); }
  std::vector<pnn> overflowed() const;  ///< members that have changed more than they could note
  /// That of a node behind which has recovered since it parted; else invalid.
  generation own_generation(pnn behind) const;
  generation content_of(pnn) const;                      ///< of a participant that tells
  const std::vector<generation>& earlier_of(pnn) const;  ///< contents that it came from
  /// A node behind has gone on from the content that the members still have: they part from it in this recovery.
  bool left_at_base(pnn behind) const;
  /// What a member's change of this age (change_history::age_of) means for each node behind.
  key_touches touches(pnn member, std::uint32_t age) const;
  /// Which nodes of returning() had parted from the members before this change of a member.
  std::uint64_t parted_before(pnn member, std::uint32_t age) const;
  /// Whether a node behind that has an own generation had made its first one before this change.
  bool after_own_commit(pnn behind, std::uint32_t age) const;
  /// Parts that have gone on without each other meet: what records were when they parted matters (parts.hpp), or whether
  /// there ever were any.
  bool parts_meet() const;
  /// A volatile database of which nobody's copy counts: what is committed has no past.
  bool made_of_nothing() const;
  /// The latest content that a node has had, of the fresh ones, from which the members' came, although they do not know any
  /// more what they have changed since, because it was replaced: what the node's part has written since it went on without them
  /// is kept where they have nothing. Invalid: it has none, or has made no content since.
  generation parted_at(pnn fresh) const;
  /// Since when this node is asked for its changes: its content; who is behind since the content that it had in common
  /// with the members, and the first of these since the earliest such.
  generation changes_since(pnn) const;
  /// Known once contents have been chosen; and why everything is pulled, empty if it is not.
  db_way way() const;
  const std::string& why_whole() const { return why_whole_; }
  /// Records that there were before, as far as nodes told.
  std::uint64_t records_before() const;
  /// A participant's content is of another generation than it had said: who counts is to be told anew (rule R1).
  bool outdated() const { return outdated_; }
  /// Of a content with transactions, as it will be committed: what all participants have come from.
  content_past joint_past() const { return joined(seqnums_, supplier()); }
  /// It cannot succeed before somebody changes something: no use to try again.
  bool conflict() const { return conflict_; }
  /// Some try since the last start has committed on all nodes.
  bool committed() const { return committed_; }

 private:
  using output = std::vector<db_output>;
  output on(const db_event::start&, time_point);
  output on(const db_event::answered&, time_point);
  output on(const db_event::failed&, time_point);
  output on(const db_event::compared&, time_point);
  output on(const db_event::merged&, time_point);
  output on(const db_event::pushed&, time_point);
  output on(const db_event::broke&, time_point);
  output on(const db_event::release&, time_point);
  output on(const db_event::stop&, time_point);

  bool expects(run_number, db_phase, pnn) const;
  output settle(pnn, time_point);
  output phase_complete(time_point);
  output look_at_contents(time_point);
  output enter(db_phase to, std::vector<pnn> nodes, time_point);
  output enter(db_phase to, time_point);
  output try_failed(time_point);
  output finish(db_phase end, time_point);
  void blame(pnn, failure_cause, std::string detail);
  bool can_do_without(pnn) const;
  bool same_names();
  bool same_kinds();

  void only_committed_count();
  bool contents_as_told();
  void choose_way();
  std::string why_not_by_difference() const;
  std::string why_everything() const;
  bool equal_contents();
  bool all_equal() const;
  bool has_another_content(pnn) const;
  bool history_is_missing() const;
  void let_replaced_count();
  void look_where_parts_left();
  content_past past_of(pnn) const;
  std::vector<pnn> noted() const;
  bool knows_all_since_birth(pnn) const;
  bool shares_their_past(pnn) const;
  pnn historian() const;
  bool left_behind(pnn) const;
  const db_copy* copy_of(pnn) const;
  generation common_with(pnn) const;
  bool came_after(pnn member, std::ptrdiff_t step, generation parted) const;
  generation filled_with(pnn) const;
  std::vector<pnn> wiped() const;
  std::vector<pnn> targets() const;
  std::uint64_t sent_to(pnn) const;

  std::vector<pnn> everybody() const;
  std::vector<pnn> to_thaw() const { return plan_.stays_frozen ? std::vector<pnn>() : everybody(); }
  std::vector<pnn> who_has(bool has) const;
  std::vector<pnn> pull_sources() const;
  pnn supplier() const;
  std::string who_supplies(const std::vector<pnn>& sources) const;

  db_phase phase_ = db_phase::idle;
  run_number run_{0};
  generation committed_gen_{};
  std::vector<pnn> committed_by_;                   ///< in any try for that generation (rule R15)
  std::vector<db_plan::participant> done_without_;  ///< in this try: they leave, and failed
  unsigned attempt_ = 0;
  time_point since_;
  time_point deadline_;
  std::vector<pnn> waiting_for_;
  bool phase_failed_ = false;
  bool conflict_ = false;
  bool committed_ = false;

  db_plan plan_;
  db_kind kind_ = db_kind::volatile_db;
  std::uint8_t flags_ = 0;
  std::string name_;
  std::vector<std::pair<pnn, std::string>> names_;
  std::vector<past_claim> seqnums_;
  std::vector<pnn> damaged_;                        ///< whose copy is not whole
  std::vector<std::pair<pnn, db_copy>> told_;       ///< by the answers to begin
  std::vector<std::pair<pnn, generation>> parted_;  ///< see parted_at
  generation base_ = generation::invalid;
  std::string why_whole_;
  bool outdated_ = false;
  bool unchanged_ = false;  ///< everybody had the same
  bool differed_ = false;   ///< they did after a try
  std::vector<std::pair<pnn, std::uint64_t>> digests_;
  std::vector<db_lack> lack_;
  std::uint64_t pulled_ = 0, merged_ = 0;
  unsigned confirmed_ = 0;
  std::vector<evidence> failures_;
};

}  // namespace floe
