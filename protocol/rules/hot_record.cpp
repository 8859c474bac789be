#include "protocol/rules/hot_record.hpp"

#include <algorithm>

namespace floe {

namespace {

bool is_stream(const stay_history& h) {
  return h.locks >= locks_of_a_stream || h.reads >= reads_of_a_stream;
}

}  // namespace

duration stay_allowed(const std::optional<stay_history>& last, duration most) {
  const bool unknown = !last;
  if (unknown || is_stream(*last) || last->cut_short >= last->skipped) return most;
  return duration{0};
}

duration most_after(duration away, duration most) {
  // whoever has set more than this knows what he wants
  constexpr duration grown_at_most = std::chrono::milliseconds(100);
  return std::clamp(away / 2, most,
                    std::max(most, std::min(most * longest_of_many, grown_at_most)));
}

stay_history after_stay(const std::optional<stay_history>& before, std::uint64_t locks,
                        duration allowed, std::uint64_t reads) {
  constexpr std::uint32_t most = most_stays_until_next_try;
  const auto last =
      before.value_or(allowed == duration{0} ? stay_history{.skipped = most} : stay_history{});
  stay_history after{.locks = locks, .reads = reads};
  if (allowed == duration{0}) {
    after.cut_short = before ? last.cut_short + 1 : 0;
    after.skipped = last.skipped;
  } else if (!is_stream(after)) {
    after.skipped = std::clamp(2 * last.skipped, 1U, most);
  }
  return after;
}

std::optional<time_point> recall_at(const table_queue& q, time_point now, const stay_so_far& s) {
  if (q.locals) return now;
  if (!q.peers) return std::nullopt;
  const auto stream_ends =
      std::min(s.since + s.allowed, s.still_since + s.allowed / stillness_part);
  return std::max({now, stream_ends, s.pinned_until});
}

duration time_given(const stay_so_far& s) { return std::max(s.allowed, s.pinned_until - s.since); }

stay_so_far seen_again(stay_so_far s, std::uint64_t locks, time_point now, std::uint64_t reads,
                       bool held) {
  // what was granted when the record came is counted before
  if (held && locks == 0) s.since = now;
  if (locks != s.locks || reads != s.reads || held) s.still_since = now;
  s.locks = locks;
  s.reads = reads;
  return s;
}

stay_so_far called_back(stay_so_far s, time_point now) {
  s.cut_while_busy = s.allowed > duration{0} && now - s.still_since < s.allowed / stillness_part;
  return s;
}

bool tells_of_use(const stay_so_far& s, const stay_history& after) {
  return !s.cut_while_busy || is_stream(after);
}

}  // namespace floe
