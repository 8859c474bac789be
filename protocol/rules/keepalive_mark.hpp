#pragma once
/// What floe's nodes write into the request id of the keepalives that they send each other; in CTDB's it is 0, and nobody reads it.
///
///     node                                      peer
///      │── keepalive 17, I wait 2500 ms ─────────►│
///      │◄───────────────────── I have heard 17 ───│
///
/// To hear somebody does not say that he hears. Where packets get lost in one direction only, or are late in one, a node
/// hears its leader all the time and is left out all the same. So a node counts itself in for as long as its own limit allows since
/// it *sent* the last keepalive of which its leader has said that he heard it (cut_off.hpp); and for no longer than its peers say
/// that they wait for a silent node, since limits are settings, and may differ.
///
/// Rule R10 of the model (tests/model/README.md). Not in CTDB.
#include <algorithm>
#include <cstdint>

#include "protocol/rules/time.hpp"

namespace floe {

struct keepalive_mark {
  static constexpr std::uint32_t last_number = 0xfff;
  /// In tenths of a second, so that no bit is missing for anything in use; what is longer is told as the longest.
  static constexpr duration limit_unit = std::chrono::milliseconds(100);
  static constexpr std::uint32_t longest_limit = 0xff;

  std::uint32_t number =
      0;  ///< of this keepalive, 1 to last_number, and again from 1; 0: it is an answer
  std::uint32_t heard = 0;  ///< an answer: the number of the one that was heard
  duration limit{0};        ///< the sender leaves out who is silent for so long; 0: it does not say
  bool operator==(const keepalive_mark&) const = default;
};

constexpr std::uint32_t bits_of(const keepalive_mark& m) {
  const auto units = static_cast<std::uint64_t>(m.limit / keepalive_mark::limit_unit);
  const auto limit = std::min<std::uint64_t>(units, keepalive_mark::longest_limit);
  return (m.number & keepalive_mark::last_number) << 20 |
         (m.heard & keepalive_mark::last_number) << 8 | static_cast<std::uint32_t>(limit);
}

constexpr keepalive_mark keepalive_mark_in(std::uint32_t bits) {
  return {.number = bits >> 20,
          .heard = bits >> 8 & keepalive_mark::last_number,
          .limit = (bits & keepalive_mark::longest_limit) * keepalive_mark::limit_unit};
}

constexpr std::uint32_t number_after(std::uint32_t n) {
  return n >= keepalive_mark::last_number ? 1 : n + 1;
}

}  // namespace floe
