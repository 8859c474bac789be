#pragma once
/// Which copy of a record wins a recovery, and what becomes of it.
///
/// Order between two copies of a volatile record, first difference decides:
///   1. a copy whose holder took part in the last generation beats one whose holder missed it
///      (and a record of which only such copies are left is gone: see `counts`);
///   2. the higher rsn;
///   3. the copy of the node that it names as dmaster: local writes do not raise the rsn;
///   4. a copy that does not name the leader: every copy names the leader after a recovery, so one
///      that names somebody else has moved since;
///   5. of copies that name the leader the one from the highest pnn, of others from the lowest.
///
/// 2, 4 and 5 are CTDB's (Samba ctdb/server/ctdb_recovery_helper.c, merging of copies
/// pulled in pnn order); 1 and 3 are not: there, a node that hung brings back old values and
/// deleted records. It is a total order, so the order in which copies arrive does not matter.
#include <cstdint>
#include <optional>

#include "protocol/ids.hpp"
#include "protocol/record.hpp"
#include "protocol/rules/parts.hpp"

namespace floe {

/// One node's copy of a record.
struct record_claim {
  record_header header;
  pnn holder{0};          ///< the node it was pulled from
  bool took_part = true;  ///< in the last generation; see lineage.hpp
};

/// One node's copy of a record, among nodes that had equal contents before some of them changed it.
struct changed_claim {
  record_header header;
  pnn holder{0};
  bool changed = false;  ///< by the holder, since then
};
/// Whether a copy that was changed beats the one that its holder had before, whichever of those who have not changed the record
/// holds it still: nobody has to be asked for that one. `now` is no empty record.
bool beats_what_was(const record_header& now, std::uint32_t data_sum, pnn holder,
                    const record_mark& before);
/// Flag of DB_CHANGES among floe's nodes: it may be told. Who does not know it does not tell.
constexpr std::uint32_t changes_tell_newer = 0x0002'0000;
/// Beside a key in what DB_CHANGES sends, with the age of the change: the copy beats what was before.
constexpr std::uint32_t is_newer = 0x4000'0000;

/// Since when members have touched (locked by rule, written, moved) a key that nodes behind have changed as well (rule R8).
/// Bit i: the i-th of these nodes.
struct key_touches {
  std::uint64_t before =
      0;  ///< until their first commit without it: it may have been given away to it
  std::uint64_t after = 0;  ///< later
  bool operator==(const key_touches&) const = default;
};

/// The order for recoveries by difference, after which records keep their owners: the higher rsn, the
/// copy of the node that it names as dmaster, a copy that was changed (who has given a record away
/// knows better where it went), the lower pnn.
bool beats(const changed_claim& challenger, const changed_claim& incumbent);

/// The header with which all nodes keep the winner of a recovery by difference; nothing if it is
/// dropped, because it is empty. While a member of the last generation is away an empty one is kept as well: it may be all
/// that is here of a record that the other has, or the later word about one that the other has an older copy of (rule R18);
/// vacuuming forgets it. Its dmaster stays, so that no record has to move afterwards (rule R6); that of
/// a lost node means the lmaster (owner_of in placement.hpp).
std::optional<record_header> kept_header(const record_header& winner, bool has_data, bool all_here);

/// Whether a copy counts at all.
bool counts(db_kind kind, const record_claim& copy);

/// Whether `challenger` replaces `incumbent`. Usable as a function pointer by a merge.
bool beats(const record_claim& challenger, const record_claim& incumbent, pnn leader);

/// The header the winner is pushed with; nothing if it is dropped, because it is empty. Volatile
/// and replicated records go to the leader; persistent ones stay as found (prepare step of the
/// recovery helper).
std::optional<record_header> recovered_header(db_kind kind, const record_header& winner,
                                              bool has_data, pnn leader);

}  // namespace floe
