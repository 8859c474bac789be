#include "protocol/rules/hot_record.hpp"

#include <algorithm>

namespace floe {

duration stay_allowed(const std::optional<stay_history>& last, duration most) {
  const bool unknown = !last;
  if (unknown || last->locks >= locks_of_a_stream || last->reads >= reads_of_a_stream ||
      last->cut_short >= stays_until_next_try)
    return most;
  return duration{0};
}

stay_history after_stay(const std::optional<stay_history>& before, std::uint64_t locks,
                        duration allowed, std::uint64_t reads) {
  const bool cut = allowed == duration{0};
  return {.locks = locks, .reads = reads, .cut_short = cut && before ? before->cut_short + 1 : 0};
}

std::optional<time_point> recall_at(const table_queue& q, time_point now, const stay_so_far& s) {
  if (q.locals) return now;
  if (!q.peers) return std::nullopt;
  const auto stream_ends =
      std::min(s.since + s.allowed, s.still_since + s.allowed / stillness_part);
  return std::max({now, stream_ends, s.pinned_until});
}

duration time_given(const stay_so_far& s) { return std::max(s.allowed, s.pinned_until - s.since); }

stay_so_far seen_again(stay_so_far s, std::uint64_t locks, time_point now, std::uint64_t reads) {
  if (locks != s.locks || reads != s.reads) s.still_since = now;
  s.locks = locks;
  s.reads = reads;
  return s;
}

}  // namespace floe
