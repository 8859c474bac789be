#pragma once
/// Which peers are dead by silence, and whether two versions may live in one cluster.
///
/// Counting, not clocks: the caller ticks once per keepalive interval and notes each packet. A peer
/// is dead after `limit` whole intervals without any packet, that is after limit to limit + 1
/// intervals of silence (Samba ctdb/server/ctdb_keepalive.c).
#include <cstdint>
#include <optional>

namespace floe {

/// The silence of one peer.
class peer_silence {
 public:
  enum class verdict : std::uint8_t {
    nothing,         ///< not connected: nothing to tell it
    send_keepalive,  ///< alive, as far as known
    dead,            ///< silent for too long: break the connections
  };

  /// A packet came from the peer.
  void heard() { heard_ = true; }
  /// A connection to it was made or broken: count anew.
  void reset() { *this = {}; }
  /// One interval has passed.
  verdict tick(bool connected, std::uint32_t limit);
  /// Whole intervals of silence so far.
  std::uint32_t missed() const { return missed_; }

 private:
  bool heard_ = true;  ///< since the last tick; making a connection counts
  std::uint32_t missed_ = 0;
};

/// What a node says about itself in its keepalives.
struct keepalive_claim {
  std::optional<std::uint32_t> version;  ///< major << 16 | minor; nothing in very old packets
  std::uint32_t uptime_s = 0;
};

enum class version_verdict : std::uint8_t {
  fits,
  shut_down,  ///< versions differ and it is this node that must leave
  tolerate,   ///< versions differ and the other one must leave, or mixing is allowed
};

/// Judged on receipt of a keepalive. Of two versions the node that has run longer stays; of equally
/// old ones the newer version.
version_verdict judge_version(const keepalive_claim& own, const keepalive_claim& sender,
                              bool allow_mixed);

}  // namespace floe
