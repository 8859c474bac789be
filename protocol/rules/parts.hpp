#pragma once
/// Which history of a record goes on when two parts of a cluster meet that both have recovered without the other (without a
/// cluster lock and without `quorum` they may). Both have had one content once; each has put together what its nodes had
/// of it, in its first recovery without the other: there they *parted*. Rule R8 of the model, tests/model/README.md.
///
///     common content ──┬── first recovery of the members ───── what they changed ──┐
///                      │        (parting)                                          ├── they meet
///                      └── first recovery of the returner ──── what it changed ────┘
///
/// What a record was at the parting, and what it is now, tells who has written it since: the data differ. They may be the same
/// again (written and deleted, written back), so whether they ever differed is remembered beside what it was. To have locked,
/// read or moved it is no reason to throw away what the others have written.
///
///   members wrote it   theirs; if both did, one of two histories must end, and it is not that of those who count
///   returner wrote it  the returner's
///   nobody did         that with the higher rsn at the parting: until then there was one owner at a time, so it is the
///                      later one. A deletion is a record without data, and has its rsn too: an empty record is kept while
///                      a member of the last generation is away (kept_header in winner.hpp)
///
/// What wins has a higher rsn than what it is put in the place of: moves have raised both since.
#include <cstdint>

#include "protocol/ids.hpp"
#include "protocol/record.hpp"

namespace floe {

/// Flag of DB_CHANGES among floe's nodes, one of those that every control has for itself: marks are wanted. Who does not know
/// it sends none.
constexpr std::uint32_t changes_with_marks = 0x00010000;
/// In the place beside a key in what DB_CHANGES sends: not the record, but its mark (the rsn in the header, the sum as four
/// bytes of data) before a change; in the other bits the age of that change (change_history.hpp).
constexpr std::uint32_t is_mark = 0x80000000;
/// Of the flags in a mark's header: the record has had other data since. Who does not know it sends none.
constexpr std::uint32_t mark_written = 1;
/// Flag of DB_CHANGES: of a key that has changed since the base it may be told whether it has been written. Who does not know it does not tell.
constexpr std::uint32_t changes_tell_written = 0x0004'0000;
/// Beside a key in what DB_CHANGES sends, with the age of the change: it has had other data since the base.
constexpr std::uint32_t is_written = 0x2000'0000;
/// Beside a key in what a recovery by difference pushes: somebody has written it since the base. Who gets it remembers that: the
/// node that did may leave, and the data may be those of the base again, or none.
constexpr std::uint32_t pushed_written = 1;

/// What a record was at some time, as far as it matters here. Equal sums of equal data; of different ones they differ, but
/// once in 2^32.
struct record_mark {
  floe::rsn rsn{0};
  std::uint32_t data_sum = 0;  ///< 0: it was empty, or not there
  bool written = false;        ///< it has had other data since, whatever it has now
  bool operator==(const record_mark&) const = default;
};

/// A record in one of the parts.
struct part_history {
  record_mark at_parting;
  record_mark now;
  bool wrote() const { return at_parting.written || at_parting.data_sum != now.data_sum; }
};

enum class part : std::uint8_t { members, returner };

/// Whose record all have from now on.
part part_that_goes_on(const part_history& members, const part_history& returner);

/// The header that the winner is kept with, where the other part has had `loser`.
record_header winning_header(record_header winner, const record_mark& loser);

}  // namespace floe
