#pragma once
/// How long a record may stay in the record table (actors/table) of a node while others wait for it outside.
///
/// A record that has come here for a stream of local locks or reads should not leave after the first of them, or nodes spend
/// their time on sending it around; one that every node wants once should leave at once. Which of the two it is shows in
/// what happened during its last stay, and a stay ends early when the stream does: a stream of locks in shared memory is
/// never still for long. Local requests that cannot use the table are not held back at all. Nothing can be seen of a stream
/// while whoever has the first lock does not get a processor: on a busy machine that is longer than a stay, which begins
/// when the first lock is given back.
#include <cstdint>
#include <optional>

#include "protocol/rules/time.hpp"

namespace floe {

/// What is remembered of a record's last stay in the table.
struct stay_history {
  std::uint64_t locks = 0;  ///< granted during it
  std::uint64_t reads =
      0;  ///< looks during it that found it read without a lock since the one before
  std::uint32_t cut_short = 0;  ///< stays in a row that were given no time
  std::uint32_t skipped = 0;    ///< so many are given none before the next try
  bool operator==(const stay_history&) const = default;
};

/// So many locks in one stay are a stream; nobody counts reads, so two looks have to find some.
inline constexpr std::uint64_t locks_of_a_stream = 8;
inline constexpr std::uint64_t reads_of_a_stream = 2;
/// A record that was found to be wanted once at a time is tried again after one stay, then after two, four, and in the end
/// every so many: a stream whose clients got no processor in one stay looks like none, and would be sent around
/// between nodes that wait for each other for as long as nobody tries.
inline constexpr std::uint32_t most_stays_until_next_try = 64;

/// The time that a record is given while other nodes wait for it; `most` is the tunable.
duration stay_allowed(const std::optional<stay_history>& last, duration most);
/// The most for a record that had been away for so long: as long as others have streams of their own, each waits for all of them,
/// and what moves cost is shared by more locks if all stay longer. Half of that time, so that two nodes do not
/// drive each other up, and no more than some times `most`.
duration most_after(duration away, duration most);
inline constexpr int longest_of_many = 6;
/// What to remember after a stay.
stay_history after_stay(const std::optional<stay_history>& before, std::uint64_t locks,
                        duration allowed, std::uint64_t reads = 0);

/// Who waits outside the table for a record that is in it.
struct table_queue {
  bool peers = false;   ///< requests of other nodes
  bool locals = false;  ///< requests of this node that cannot use the table
};
/// A stay that other nodes wait for the end of.
struct stay_so_far {
  time_point since{};
  duration allowed{};
  time_point pinned_until{};  ///< it stays until then, locked or not
  std::uint64_t locks = 0;    ///< granted by now
  std::uint64_t reads = 0;    ///< looks that found reads by now
  /// When `locks` and `reads` were first seen to be what they are now, and nobody held it.
  time_point still_since{};
  bool cut_while_busy =
      false;  ///< called back though it was not still: no more than its time was over
};
/// A record that is neither locked nor read for this part of the time that it is allowed is in no stream any more.
inline constexpr int stillness_part = 8;

/// When the record is to be called back, if nobody locks it until then; nothing: not at all.
std::optional<time_point> recall_at(const table_queue&, time_point now, const stay_so_far&);
/// So long it was to stay at most.
duration time_given(const stay_so_far&);
/// What is seen of a stay at this moment, in which somebody holds the record, or nobody.
stay_so_far seen_again(stay_so_far, std::uint64_t locks, time_point now, std::uint64_t reads = 0,
                       bool held = false);
/// The record is called back at this moment for other nodes.
stay_so_far called_back(stay_so_far, time_point now);
/// Whether its end shows what the record is wanted for. It does not if it was busy all the time, with few locks: their holders
/// were slow, or got no processor.
bool tells_of_use(const stay_so_far&, const stay_history& after);

}  // namespace floe
