#pragma once
/// How long a record that has come here stays, though other nodes want it. Requests of this node are served meanwhile,
/// those of others wait.
///
/// Two reasons to keep one, the longer counts:
///   pin      CTDB's, in a database that is sticky (SET_DB_STICKY): a record whose request has wandered for
///            HopcountMakeSticky hops is sticky for StickyDuration; whenever a sticky one comes, it stays for StickyPindown
///   stream   without any setting: a record whose last stay here was a stream of local locks (hot_record.hpp) stays for
///            a while, or nodes spend their time on sending it around. RecordTableStayMs is the most, for locks that are
///            granted one by one as for those in the record table; less when the stream pauses (stillness_part)
///
/// Of a record a hash of its key is remembered, since two that share one only share how long they stay. What is remembered
/// has a bound; beyond it stays are shorter than they could be.
///
/// Source of the pin: Samba ctdb/server/ctdb_call.c (ctdb_make_record_sticky, ctdb_set_sticky_pindown).
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "protocol/bytes.hpp"
#include "protocol/rules/hot_record.hpp"
#include "protocol/rules/time.hpp"

namespace floe {

struct stay_settings {
  bool sticky = false;                               ///< of the database
  std::uint32_t hops_make_sticky = 50;               ///< HopcountMakeSticky
  duration sticky_for{std::chrono::seconds(600)};    ///< StickyDuration
  duration pindown{std::chrono::milliseconds(200)};  ///< StickyPindown
  duration of_stream{
      std::chrono::milliseconds(3)};  ///< RecordTableStayMs; 0: streams are no reason
};

/// The records of one database on one node.
class record_stays {
 public:
  void set(const stay_settings& s) { settings_ = s; }
  const stay_settings& settings() const { return settings_; }

  /// A request that has come this far has met its record here. True: the record was not sticky, and is now.
  bool wandered(byte_view key, std::uint32_t hops, time_point now);
  /// The record has become ours.
  void came(byte_view key, time_point now);
  /// A client of this node got its lock.
  void locked(byte_view key, time_point now) {
    if (!stays_.empty()) count_lock(key, now);
  }
  /// It goes to another node.
  void left(byte_view key);
  /// Other nodes wait until then, and longer if it is locked before; a time in the past: they do not.
  time_point until(byte_view key) const { return stays_.empty() ? time_point{} : ends(key); }
  bool is_sticky(byte_view key, time_point now) const;
  /// Records that were made sticky and are not known to be so no longer.
  std::size_t sticky() const { return sticky_until_.size(); }
  /// Records of which a stay is remembered.
  std::size_t remembered() const { return stays_.size(); }

 private:
  struct stay {
    time_point pinned_until{};
    time_point since{}, locked{};  ///< locked: when it was, last
    duration allowed{};
    std::uint64_t locks = 0;
    std::optional<stay_history> before;
  };
  void count_lock(byte_view key, time_point now);
  time_point ends(byte_view key) const;
  void make_room(time_point now);

  stay_settings settings_;
  std::unordered_map<std::uint64_t, time_point> sticky_until_;  ///< by hash of the key
  std::unordered_map<std::uint64_t, stay> stays_;               ///< by hash of the key
};

}  // namespace floe
