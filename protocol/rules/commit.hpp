#pragma once
/// A commit of a transaction on a persistent or replicated database: what the node of the client
/// does, and what every node does with the records.
///
///      all have stored it: answer 0; all have refused it: answer -1
///      ┌─────────────────────────────────────────────────────────┐
///      ▼                                                         │
///     idle ──begin: UPDATE_RECORD to every active node───────► updating
///      ▲                                                         │ some have stored it, some not; one is lost
///      │                                                         │ or silent; a recovery has begun, and one
///      │ recovery mode is NORMAL again: answer 2                 ▼ refuses for it: ask for a recovery
///      └───────────────────────────────────────────────────── undecided
///
/// All or nothing: each node stores the records in one durable commit, together with the database's
/// sequence number, which the transaction raises by one. If some nodes have it and some do not, the
/// recovery makes the content of a node with the highest number everybody's; the client reads the
/// number afterwards, and so learns which it was.
///
/// Source: Samba ctdb/server/ctdb_persistent.c (ctdb_control_trans3_commit,
/// ctdb_persistent_callback, ctdb_persistent_finish_trans3_commits), ctdb_update_record.c.
/// Differences: a node that is silent leads to a recovery and status 2 (there: status 1, and nodes
/// that stay different); what every node has refused has happened nowhere, and is refused without a recovery; a commit that all nodes have stored is good also if a recovery begins at
/// that moment; active nodes outside the vnn map get the records too; one client may commit to
/// several databases at once.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/failure_cause.hpp"
#include "protocol/ids.hpp"
#include "protocol/record.hpp"

namespace floe {

/// Status of TRANS3_COMMIT when a recovery came in between: the sequence number tells what became
/// of it.
constexpr std::int32_t commit_cut_by_recovery = 2;

enum class commit_state : std::uint8_t { idle, updating, undecided };
std::string_view name(commit_state);

enum class commit_refusal : std::uint8_t {
  none,
  in_recovery,  ///< nothing was sent; again when the recovery is over
  busy,         ///< another commit to this database is under way on this node
  wrong_kind,   ///< volatile databases have no transactions
  no_nodes,     ///< this node is not active itself
};
std::string_view name(commit_refusal);

/// Status of TRANS3_COMMIT when no node has stored it: nothing has happened.
constexpr std::int32_t commit_refused = -1;

/// What a node has made of UPDATE_RECORD.
enum class update_answer : std::uint8_t {
  stored,
  refused,  ///< it has stored nothing of it, and will not
  unknown,  ///< it is lost, silent, or has refused since a recovery has begun there
};

/// What follows from one event.
struct commit_step {
  std::optional<std::int32_t> answer{};  ///< to the client of TRANS3_COMMIT
  std::string why{};                     ///< of an answer that is not 0
  std::string recover{};                 ///< not empty: ask for a recovery, for this reason
  bool operator==(const commit_step&) const = default;
};

/// Whom a transaction goes to: all members of the map, whatever this node believes of them (they took part in the last
/// recovery, and that one is active again may be known a moment later), and everybody else who is active. Nobody, if this
/// node is not active.
std::vector<pnn> who_must_store(pnn self, std::span<const pnn> map, std::span<const pnn> active);

/// Whether a commit is good without that node, which has refused to store it: one that is not in the map, and says that it takes
/// no part. The last recovery has left it out, or another is about to take it in and brings it what the members have. If its
/// refusal counted, each commit would be undecided, and ask for the next recovery, as long as a node is connected to the
/// committing one and not to the leader. One outside the map that does take part (it tracks no records) and cannot store has to
/// be brought what it has not: until then its clients would go on with what was there before, and commit upon that.
bool good_without(pnn refuses, failure_cause why, std::span<const pnn> map);

/// A node of the list, as the committing one sees it.
struct commit_peer {
  pnn node{0};
  bool connected = true;
  bool dead = false;  ///< its process has ended
};

/// Where the leader could not name them with the map (cluster_recovery.hpp): nodes that may take part without a place in the
/// map (they track no records), and that this node does not hear. What it commits would not reach them, and their clients
/// would go on with what was there before. Whether they take part the leader knows, and is asked: one that he does not hear
/// either does not. (Nobody has to be asked about members of the map: without one of those nothing is committed.)
std::vector<pnn> unheard_outsiders(pnn self, std::span<const pnn> map,
                                   std::span<const commit_peer> nodes);

class database_commit {
 public:
  /// The nodes are all active ones, this one among them.
  commit_refusal begin(recovery_mode, db_kind, pnn self, std::span<const pnn> nodes);
  /// The answer of a node to UPDATE_RECORD of that commit; `why` if it has not stored it.
  commit_step answered(std::uint64_t commit, pnn node, update_answer, std::string_view why);
  /// The node's recovery mode changed.
  commit_step mode_changed(recovery_mode);
  /// The client has gone: nobody would find out what became of the commit, and its cluster-wide
  /// lock is void, so that the next transaction could begin beside it. A recovery comes before
  /// that.
  commit_step client_gone();

  commit_state state() const { return state_; }
  /// Of the commit under way, to tell its answers from late ones of earlier commits.
  std::uint64_t number() const { return number_; }
  std::span<const pnn> waiting_for() const { return missing_; }

 private:
  commit_step end(std::optional<std::int32_t> answer, std::string why = {});

  commit_state state_ = commit_state::idle;
  recovery_mode mode_ = recovery_mode::active;
  std::uint64_t number_ = 0;
  std::vector<pnn> missing_;
  bool perhaps_stored_ = false;  ///< by a node that was asked
  std::string trouble_;          ///< of the first one that has not stored it
};

// ---- UPDATE_RECORD ----

enum class update_outcome : std::uint8_t {
  store,
  skip,      ///< volatile: there is no copy here to be updated
  conflict,  ///< the copy here is as new or newer, and different: nothing of the request is stored
};

/// What is here for a key, the request's own earlier records included.
struct update_present {
  floe::rsn rsn{0};
  bool same_data = false;  ///< as the new record: then it is the same transaction once more
};
update_outcome decide_update(db_kind, const std::optional<update_present>& here, floe::rsn offered);

/// Whether a request is one transaction: each of its records is here already (it is sent once more), or none is. Where
/// some are, another transaction with the same sequence number is here: of two rivals that record is equal, and so may
/// others be.
class update_request {
 public:
  /// A record and what is here for its key, the request's own earlier records not included.
  void saw(const std::optional<update_present>& here, floe::rsn offered, bool deletes);
  bool is_another() const { return again_ && first_; }

 private:
  bool again_ = false;  ///< some record is here as it is offered
  bool first_ = false;  ///< some is not
};

/// Whether UPDATE_RECORD may be carried out now.
enum class update_refusal : std::uint8_t {
  none,
  in_recovery,
  inactive,          ///< this node is stopped or banned
  other_generation,  ///< it was sent before a recovery that this node has seen the end of
};
std::string_view name(update_refusal);
update_refusal check_update(recovery_mode, bool inactive, generation packet, generation map);

}  // namespace floe
