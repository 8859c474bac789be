#pragma once
/// What a persistent or replicated content came from, beside its sequence number. The number alone does not tell which of two
/// contents knows the other: a node that was killed with a transaction that only it had stored has the number that others have
/// given to one of their own since, and acknowledged.
///
/// A content is in a *generation* from the commit of its recovery on. It came from all generations that its nodes have gone
/// through; of each leader's life the latest is kept, since each of them came from those before (lineage.hpp: names tell whose
/// they are). `written` is the generation in which its last transaction was stored, or in which it was put in the place of
/// another one.
///
/// What a transaction writes is acknowledged when all members of its generation have it. So what another content has
/// besides in a generation that this one came from is acknowledged nowhere: whoever went on from there had everything that was.
///
///     G1 ── a, b ──┬── G2 (the others went on) ── c, d    came from G1 and G2, written in G2
///                  └── x, on the node that was killed     written in G1: all others came from there, x does not count
///
/// Who leaves with a recovery in good order (departure.hpp) takes part in it, and is no member of its generation: it has what all
/// had before, and nothing of what is written then. Its content came from the generations before, not from that one:
///
///     G1 ── a ──┬── G2 (without who has left) ── b    came from G1 and G2, written in G2
///               └── on the node that has left         came from G1: b is not to end because this one has gone on alone
///
/// A recovery tells all participants what all of them came from: else who was given a content by one that knew more would not
/// know later that the others' part is behind it.
///
/// Of two contents of which each was written where the other has not been (parts that went on without each other) one must end;
/// then the sequence number decides, as in CTDB. So it does about what a ctdbd has, which tells nothing else, or a file of a
/// release before this.
///
/// Pure; the actor keeps it in the file, in the same commit as what it belongs to.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "protocol/ids.hpp"

namespace floe {

/// Flag of GET_DB_SEQNUM among floe nodes, one of those that every control has for itself: the answer is a db_past, if the
/// node knows the flag.
constexpr std::uint32_t seqnum_with_past = 0x00010000;

/// Flag of DB_DAMAGED among nodes that have answered so: what it brings is no damage, but the past, in a recovery's transaction,
/// of what will be committed: that of all participants. Who is not told it adds the generation to its own.
constexpr std::uint32_t brings_past = 0x00010000;

struct content_past {
  generation written = generation::invalid;
  std::vector<generation> from{};  ///< the latest first: the content's own. Empty: nothing is known
  bool empty() const { return from.empty(); }
  bool operator==(const content_past&) const = default;
};

/// So many lives of leaders are remembered.
constexpr std::size_t past_limit = 64;

bool came_from(const content_past&, generation);

/// A recovery has committed the content in this generation, as it was; `changed`: with another content in its place.
content_past gone_on(content_past, generation to, bool changed);
/// The same on a node that leaves with that recovery; `told` by its leader, of what was committed.
content_past left_with(content_past told, generation recovery);
/// A transaction was stored.
content_past written_in(content_past, generation);

/// Whether `one` lacks what `other` has and has nothing of its own that counts.
bool gives_way(const content_past& one, const content_past& other);

/// A copy that may supply a content.
struct past_claim {
  pnn node{0};
  std::uint64_t number = 0;
  content_past past{};
};
/// What all that tell of one content, of one generation, remember together.
content_past shared_past(const past_claim& of, std::span<const past_claim> all);
/// Of the content that a recovery puts in the place of all of them: it has that of the supplier, and came from all, since
/// what was acknowledged anywhere was looked at.
content_past joined(std::span<const past_claim> all, pnn supplier);
/// Those that need not give way to another one: never nobody, unless there are none.
std::vector<pnn> latest_contents(std::span<const past_claim>);

}  // namespace floe
