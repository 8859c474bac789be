#pragma once
/// Which peers are dead by silence, and whether two versions may live in one cluster.
///
/// Any packet is a sign of life. Two limits:
/// * CTDB's, for everybody: dead after `limit` intervals of `interval` without a packet, which are
///   looked at once per interval, so after limit to limit + 1 intervals of silence (Samba
///   ctdb/server/ctdb_keepalive.c).
/// * Among floe nodes, which send each other keepalives every `quick_interval`, a shorter one: dead
///   after `quick_limit` of silence, but never before four times the longest pause seen lately
///   between two keepalives of that peer. A peer that sends rarely, because its interval is another
///   or its machine is busy, is given time in proportion.
///
/// A floe node is asked over a new connection whether it is there a little before it is dead (`ask_before`): its
/// connection may have stalled while it lives.
///
/// Only time in which this node itself was awake counts: a tick that comes much too late says that
/// it was starved or stopped, and then the silence of others means nothing.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "protocol/rules/time.hpp"

namespace floe {

struct keepalive_settings {
  duration interval{std::chrono::seconds(5)};               ///< KeepaliveInterval
  std::uint32_t limit = 5;                                  ///< KeepaliveLimit
  duration quick_interval{std::chrono::milliseconds(250)};  ///< FloeKeepaliveMs; 0: as CTDB
  duration quick_limit{std::chrono::milliseconds(2500)};    ///< FloeKeepaliveLimitMs
  bool operator==(const keepalive_settings&) const = default;
};

/// The watch over one peer, while it is connected.
class peer_watch {
 public:
  /// It has just connected; `quick`: it is a floe node. What it has sent before on the same stream counts: the other
  /// side may have been ready first. For another stream make a new watch.
  void begin(time_point now, bool quick);
  /// A packet came from it.
  void heard(bool keepalive, time_point now);

  struct verdict {
    bool dead = false;  ///< silent for too long: break the connection; else send it a keepalive
    bool ask =
        false;  ///< silent for so long that it is asked over a new connection; dead in allowed - silent
    duration silent{0};   ///< as far as this node was awake
    duration allowed{0};  ///< the limit that applied
  };
  /// To be called every `period`.
  verdict tick(time_point now, const keepalive_settings&);
  duration period(const keepalive_settings&) const;

 private:
  /// Pauses between keepalives that are remembered: two seconds of them.
  static constexpr std::size_t remembered = 8;
  static constexpr duration ask_before = std::chrono::milliseconds(400);
  /// Before so many have been seen nobody knows how often the peer sends.
  static constexpr std::size_t enough = 2;
  duration allowed(const keepalive_settings&) const;

  bool quick_ = false;
  bool heard_ = true;  ///< since the last tick; connecting counts
  time_point last_tick_;
  duration silent_{0};
  std::optional<time_point> last_keepalive_;
  std::array<duration, remembered> pauses_{};
  std::size_t seen_ = 0;
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
