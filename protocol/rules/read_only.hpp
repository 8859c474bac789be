#pragma once
/// Read-only copies of records (CTDB: delegations). In a database that allows them (SET_DB_READONLY) many nodes read one
/// record at once, and it does not move:
///
///   reader H                         dmaster D                       who wants to write
///      │ REQ_CALL, WANT_READONLY ───────►│ notes H; rsn + 3 for the first copy │
///      │◄── REPLY_CALL, HAVE_READONLY ───│ the copy has rsn - 2                │
///      stores it, reads from it          │◄──────────────── REQ_CALL ──────────│
///      │◄── UPDATE_RECORD, rsn - 1 ──────│ the write waits
///      it is no copy to read from any more
///      │ answers ───────────────────────►│ rsn + 1, and the writer is served
///
/// Nothing is written while a copy is out: who reads one sees what was stored last. A copy has a lower rsn than its
/// dmaster's record, before and after it was called back, so a recovery takes the record. A recovery ends all copies: what
/// it brings carries none of these flags, and each node takes them off what it keeps.
///
/// A holder that does not answer is asked again after a while, never at once, until it answers or a recovery has gone on
/// without it: the writer waits that long, as for a record whose owner is lost.
///
/// Sources: Samba ctdb/server/ctdb_call.c, ctdb_daemon.c, ctdb_ltdb_server.c. Differences: who holds copies is kept in
/// memory, not in a file; of a holder that was called back in a try that failed on another, the next copy is newer.
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "protocol/ids.hpp"
#include "protocol/record.hpp"
#include "protocol/rules/time.hpp"

namespace floe {

// ---- the dmaster ----

/// Whether copies of the record may be out. Only its dmaster's header says so.
bool copies_are_out(pnn self, const std::optional<record_header>& local);

/// A node gets a copy of a record of ours.
struct delegation {
  record_header kept;  ///< of our record, from now on
  record_header copy;  ///< of what the other node gets
};
delegation decide_delegation(const record_header& local);

/// The header that takes a copy back, sent with the data of the record.
record_header call_back_header(const record_header& local);
/// Of our record when all copies are back.
record_header called_back_header(const record_header& local);
/// Of our record when a holder has not answered: a copy that is given now must be newer than one that was taken back.
record_header not_called_back_header(const record_header& local);

/// The copies of one record of ours.
class copies_out {
 public:
  /// `pause`: between two tries to call them back.
  explicit copies_out(duration pause) : pause_(pause) {}

  enum class state : std::uint8_t {
    out,           ///< nobody wants them back
    calling_back,  ///< holders have been asked
    failed,        ///< one has not answered; the next try comes after a pause
  };
  state now() const { return state_; }
  std::span<const pnn> holders() const { return holders_; }
  /// When the first holder was asked for what is being called back.
  time_point since() const { return since_; }

  /// Aborts while copies are called back: a new one would not be.
  void given(pnn holder);
  /// Whether a new try may begin. Nobody is asked again before the pause is over.
  bool may_call_back(time_point) const;
  /// Whom to ask. Aborts unless one may begin. Without holders nobody: it is complete. `attempt` is a number that no other
  /// try has, of this record or before a recovery, to tell its answers from late ones.
  std::span<const pnn> call_back(std::uint64_t attempt, time_point);
  /// The answer of a holder: whether its copy is no longer read from.
  void answered(std::uint64_t attempt, pnn holder, bool gone, time_point);
  bool complete() const { return state_ == state::calling_back && waiting_for_.empty(); }
  std::span<const pnn> waiting_for() const { return waiting_for_; }

 private:
  state state_ = state::out;
  duration pause_;
  std::vector<pnn> holders_;      ///< sorted
  std::vector<pnn> waiting_for_;  ///< of them, in this try
  bool refused_ = false;          ///< somebody has, in this try
  std::uint64_t attempt_ = 0;
  time_point since_{}, next_try_{};
};
std::string_view name(copies_out::state);

// ---- a holder ----

/// Whether this node may read from its copy, dmaster or not.
bool is_read_only_copy(const std::optional<record_header>& local);

enum class copy_outcome : std::uint8_t {
  store,   ///< and read from it until it is called back
  refuse,  ///< it is none, or this node knows better: ask for the record itself
};
copy_outcome decide_copy(pnn self, const std::optional<record_header>& local,
                         const record_header& offered);

enum class call_back_outcome : std::uint8_t {
  end_copy,  ///< store `header` with the data that are here: what the sender says of them is not needed
  none,      ///< there is no copy here to read from
  write,  ///< this node owns the record, and the sender says so, and knows a later number: `header` and its data, as ctdbd does
  outdated,  ///< the same with a number that is not later: nothing is stored
  refuse,  ///< this node owns the record, and the sender says that another does (ctdbd believes it, and nobody owns it then)
};
struct call_back_decision {
  call_back_outcome outcome{};
  record_header header{};
  bool operator==(const call_back_decision&) const = default;
};
call_back_decision decide_called_back(pnn self, const std::optional<record_header>& local,
                                      const record_header& offered);

/// Nothing that comes in a recovery, or with the ownership of a record, is a copy or has copies.
record_header without_copies(record_header);

}  // namespace floe
