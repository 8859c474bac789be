#pragma once
/// A member of the vnn map that the next map does not have, although somebody still hears it.
///
/// The leader that leaves it out does not hear it, and has waited until it should have frozen by itself (quorum.hpp). But
/// whoever hears some of the others may have no reason to: it has led them itself until a moment ago, or its leader has been
/// overtaken and has not said so yet. What it acknowledges from now on would be lost. So each node that gets a map without a
/// member of its last one tells that member, if it hears it, and answers for the map only when the member
///
///   has frozen      and said so (own_freeze.hpp: from there on only the commit of a recovery opens it), or
///   is silent here  for so long that it has frozen by itself, or
///   serves nobody   its process has ended, or it is stopped or banned, or
///   is a ctdbd      which knows no such freeze, and is not told.
///
/// The leader goes on to the databases when all have answered: nothing is put together before. A member that has not done so
/// is owed by the maps that follow, until one of them has it again.
///
/// Whoever was told knows which generation counts, and takes part in no recovery that is older: its leader may have nodes in
/// common with the other, and the commit would open what the others have left.
///
/// Told is the control FREEZE with a flag of its own, sent with the generation of the new map. Older programs of floe freeze
/// all the same. Not in CTDB, where who is left out goes on until it notices; a ctdbd that leads leaves out a node of floe by
/// these rules, as far as others are floe's.
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "protocol/ids.hpp"
#include "protocol/rules/quorum.hpp"
#include "protocol/rules/time.hpp"

namespace floe {

/// Flag of FREEZE and DB_FREEZE among floe nodes, one of those that every control has for itself.
constexpr std::uint32_t freeze_left_out = 0x00020000;

/// Who is owed from now on: those who were, and the members of the map before, but for those that the new one has.
std::vector<pnn> left_out_by(std::span<const pnn> owed, std::span<const pnn> before,
                             std::span<const pnn> map, pnn self);

/// How one that is owed stands, as the node that leaves it out sees it.
struct left_out_verdict {
  enum class kind : std::uint8_t {
    settled,  ///< acknowledges nothing any more
    tell,     ///< it hears: it is to freeze
    waits     ///< for its answer, or until it has been silent long enough
  };
  kind what = kind::settled;
  duration wait{0};  ///< so long at most; then it is looked at again
  bool operator==(const left_out_verdict&) const = default;
};
std::string_view name(left_out_verdict::kind);

/// `told`: it was, and has not answered. `keepalives`: the interval of floe's; one of them may be on its way to it.
left_out_verdict judge_left_out(const part_member&, bool told, duration keepalives);

/// What a member does that is told.
enum class left_out_answer : std::uint8_t {
  freezes,
  unconcerned,  ///< the other is no member of its map, it takes part itself, or it has nothing that counts
  outdated  ///< it is further: who goes on without it has been overtaken, and does not
};
std::string_view name(left_out_answer);
left_out_answer answer_left_out(generation own, std::span<const pnn> map, pnn told_by,
                                generation goes_on);

}  // namespace floe
