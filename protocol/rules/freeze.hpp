#pragma once
/// The freeze states of one database on one node, and the recovery transaction inside them.
///
///          freeze, nobody holds a lock
///        ┌───────────────────────────────┐
///        │                               ▼     begin{tid}
///     thawed ──freeze──► freezing ──► frozen ─────────────► in_transaction ─┐ begin{tid}: rolled
///        ▲                  │   last    │ ▲   commit{tid} or      │   ▲     │ back, begun anew
///        │                  │  holder   │ └───── cancel ──────────┤   └─────┘
///        └────── thaw ──────┴───────────┴──────── thaw ───────────┘
///                                             (rolls back)
///
/// While freezing, holders of record locks finish and nothing new is granted. A frozen database
/// serves recovery steps only. `thaw` grants again and sends every pending migration request anew.
///
/// Records of a node that was stopped or banned are *invalid*: they may not serve anybody and take
/// no part in a recovery, until a recovery has wiped and replaced them. (CTDB forgets the mark at
/// the next thaw, whether or not the records were replaced.)
///
/// A transaction that a client begins while no recovery goes on is *outside*: a tool that wipes or restores the database,
/// under the generation that all nodes are at. What it commits is *replaced* content, which serves nobody yet: packets and
/// copies of before still carry that generation. It has a name of its own (lineage.hpp, replaced_under), stays frozen
/// whoever thaws it, and takes no other transaction from outside, until the commit of a recovery has given it a generation
/// (not played by the model). A recovery that has begun lets nothing from outside be committed. Where a ctdbd
/// has led the last recovery generations have no order and no such names; a ctdbd serves what was replaced at once, and may
/// refuse to recover for ten seconds: there the content is thawed in its place, as by all others.
///
/// A thaw from outside does not open what a recovery that goes on has frozen: what is committed here others may have yet to
/// commit, and the recovery ends with a thaw of its own. Nor does any thaw open a database on a node that may own no record
/// after this recovery (may_own()): what it is given is another's by rule.
///
/// Sources: Samba ctdb/server/ctdb_freeze.c (freeze, thaw, transactions), ctdb_recover.c (pull,
/// push). Differences: commit is refused between push_start and push_confirm; push needs an open
/// transaction; a thaw of invalid records is refused. An inactive node is frozen, always: the steps
/// of a recovery that began before it was stopped or banned neither renew nor thaw it. Replaced content is
/// thawed there under the generation that it had.
#include <cstdint>
#include <string_view>
#include <variant>

#include "protocol/ids.hpp"

namespace floe {

enum class freeze_state : std::uint8_t { thawed, freezing, frozen, in_transaction };
std::string_view name(freeze_state);

/// Everything about a database that these rules look at.
struct freeze_status {
  freeze_state state = freeze_state::thawed;
  generation tid = generation::invalid;  ///< of the open transaction
  bool wiped = false;                    ///< the open transaction has removed all records
  bool pushing = false;                  ///< between push_start and push_confirm
  bool outside = false;                  ///< the open transaction is no recovery's
  bool recovered =
      false;  ///< a recovery has frozen it, or begun a transaction, since the last thaw
  bool records_invalid = false;
  bool replaced = false;  ///< from outside; no recovery has committed anything since
  bool operator==(const freeze_status&) const = default;
};

namespace freeze_event {
/// DB_FREEZE. With `invalidate`: the node becomes inactive and this database is volatile.
struct freeze {
  bool locks_held = false;  ///< some client holds a record lock in this database now
  bool invalidate = false;
  bool recovers = false;  ///< a recovery wants it
};
struct last_holder_gone {};  ///< the last record lock of this database was given back
struct begin {               ///< DB_TRANSACTION_START
  generation tid{};
  generation committed = generation::invalid;  ///< what the database has now
  bool outside = false;                        ///< a client's, while no recovery goes on
  generation map = generation::invalid;        ///< of the node; of no matter to a recovery
};
struct wipe {  ///< WIPE_DATABASE
  generation tid{};
};
struct pull {};      ///< DB_PULL
struct push_start {  ///< DB_PUSH_START; a second one gives the first up
  /// The recovery that pushes; invalid: nobody knows, what a ctdbd or a tool sends names none.
  generation of = generation::invalid;
};
struct push_confirm {};  ///< DB_PUSH_CONFIRM
struct commit {          ///< DB_TRANSACTION_COMMIT
  generation tid{};
  bool inactive = false;    ///< the node is stopped or banned
  bool filled = false;      ///< what is invalid has been replaced before (joining.hpp)
  bool recovering = false;  ///< the node is in recovery mode ACTIVE
  bool records = false;     ///< some were pushed
};
struct cancel {};           ///< DB_TRANSACTION_CANCEL
struct thaw {               ///< DB_THAW
  bool inactive = false;    ///< the node is stopped or banned
  bool outside = false;     ///< a tool's
  bool recovering = false;  ///< the node is in recovery mode ACTIVE
  bool left_out = false;    ///< see may_own()
};
/// Reading a record for a control, such as GET_DB_SEQNUM.
struct read {
  /// For somebody who takes it for what the cluster has, as a client does that asks what has become of its transaction. During a
  /// recovery it is what this node had.
  bool outside = false;
};
}  // namespace freeze_event

using freeze_input =
    std::variant<freeze_event::freeze, freeze_event::last_holder_gone, freeze_event::begin,
                 freeze_event::wipe, freeze_event::pull, freeze_event::push_start,
                 freeze_event::push_confirm, freeze_event::commit, freeze_event::cancel,
                 freeze_event::thaw, freeze_event::read>;

enum class freeze_refusal : std::uint8_t {
  none,
  outdated,  ///< a later recovery has been here, or is at work
  not_frozen,
  no_transaction,
  wrong_tid,         ///< another recovery has begun since
  push_unconfirmed,  ///< commit before the records of the push were counted
  no_push,           ///< push_confirm without push_start
  records_invalid,   ///< thaw before the records of an inactive node were replaced
  access_denied,     ///< reading what is frozen
  inactive,          ///< commit or thaw on a node that was stopped or banned meanwhile
  not_of_map,        ///< from outside, and not under the generation that the node is at
  recovery_began,    ///< since a transaction from outside did
};
std::string_view name(freeze_refusal);

/// What follows from one event: the new status, the answer to the requester, and what to do first.
struct freeze_step {
  freeze_status next{};
  freeze_refusal refused = freeze_refusal::none;  ///< answer: error, nothing changes
  bool wait = false;             ///< answer later, together with all who wait for the freeze
  bool recover_first = false;    ///< thaw: ask for a recovery, and answer when it has thawed
  bool roll_back = false;        ///< undo the open transaction (before anything else)
  bool abandon_push = false;     ///< forget an unfinished push
  bool frozen_now = false;       ///< answer all who wait for the freeze: done
  bool freeze_undone = false;    ///< answer all who wait for the freeze: failed
  bool resume = false;           ///< grant locks again, send pending migration requests anew
  bool nothing_to_pull = false;  ///< pull: announce zero records
  generation committed = generation::invalid;  ///< commit: of the database's content from now on
  bool operator==(const freeze_step&) const = default;
};

freeze_step step(const freeze_status& now, const freeze_input& event);

/// Whether a node may own records after a recovery that has left every record its owner (`equal`). Such a recovery goes by what
/// the nodes told when it began: who was leaving then has no place in the map, and a record that names it belongs to the lmaster
/// (owner_of in placement.hpp). One that has given up leaving meanwhile waits for the recovery that takes it in.
bool may_own(bool equal, bool in_map, bool leaving);

}  // namespace floe
