#pragma once
/// Which part of a cluster goes on, and when its leader knows enough to recover it without those that it does not reach.
///
///   lock       a part with the cluster lock, if one is configured; else every part (CTDB's rule, the default)
///   none       every part, also while a cluster lock is configured: it says only who leads
///   majority   a part with more than half of the nodes of the list, whatever the lock says. Two such parts have a node in
///              common, so what one of them has committed is known to the next one.
///
/// Nobody is left out who may still acknowledge something. A member of the last map may if it is not connected, its process
/// is not known to have ended, and it has been silent for less than the limit after which it freezes by itself
/// (cut_off.hpp): the leader waits for the rest of that time (rule R11 of the model, tests/model/README.md). Who was led by
/// another one may have heard him until his end, when he had not left it out: of that silence nobody else knows, and it begins when
/// that leader was last heard here. Nor does a node that was stopped know what was said meanwhile: for it every silence begins when it
/// wakes up, and who is there is heard before that has lasted long enough.
///
/// A node that has been restarted has nothing of the generation before. While a member of that generation is silent, which
/// may have what they had, only nodes with content make up a majority (rule R12): else a restarted half would go on without
/// an acknowledged write that a silent node still has. Processes that have ended keep nobody waiting.
///
/// A node that leaves in good order takes part in one more recovery, and counts there. Where too few stay, that recovery gives
/// them what it has and opens nothing: a later majority would not have what they acknowledge until they notice.
///
/// Not in CTDB, whose parts go on unless the lock keeps them from it.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "protocol/ids.hpp"
#include "protocol/rules/time.hpp"

namespace floe {

enum class quorum_rule : std::uint8_t { lock, none, majority };
std::string_view name(quorum_rule);
/// As the setting names it.
std::optional<quorum_rule> quorum_named(std::string_view);

/// One node of the list, as the leader sees it.
struct part_member {
  pnn node{0};
  bool in_map = false;  ///< of the last map that the leader knows
  bool connected = true;
  bool inactive = false;  ///< stopped or banned: it takes part in nothing
  bool dead = false;      ///< its process has ended
  bool has_content = true;
  duration silent{0};  ///< for so long nothing has come from it
  duration limit{0};   ///< after so much silence it has frozen by itself
};

struct part_verdict {
  enum class kind : std::uint8_t { goes_on, waits, too_small };
  kind what = kind::goes_on;
  pnn node = pnn::unknown;  ///< whom it waits for longest
  duration wait{0};         ///< so long yet
  std::size_t here = 0, needed = 0;
  bool outnumbered = false;  ///< by members of the last map that are silent: they may have gone on
  bool operator==(const part_verdict&) const = default;
};

/// Whether `here` of `all` nodes are more than half of them.
constexpr bool is_majority(std::size_t here, std::size_t all) { return 2 * here > all; }

part_verdict may_recover(quorum_rule, std::span<const part_member> all);

std::string_view name(part_verdict::kind);

}  // namespace floe
