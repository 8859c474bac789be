#pragma once
/// What happened when, ready to be drawn: for each database on each node the spans of its freeze
/// states and the marks of lock waits, resends and grants on them; above them when recovery mode
/// was ACTIVE.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/timeline/events.hpp"

namespace floe::cli {

struct span {
  std::string
      what;  ///< freeze state, or "active", "down", "paused", or a phase of the leader's recovery
  std::int64_t from_us = 0, to_us = 0;
  bool open = false;  ///< still going on
};

struct mark {
  /// w a client begins to wait, R a request is sent again, G the lock is granted, L a lock is given back, x a node is lost
  char sign;
  std::int64_t t_us = 0;
};

struct timeline_row {
  std::string db;  ///< empty: recovery mode of the node
  pnn node{0};
  std::vector<span> spans;
  std::vector<mark> marks;
};

/// The phases of the leader's recovery of one database, in order.
struct leader_story {
  std::string db;
  std::vector<span> phases;
};

struct timeline_picture {
  std::int64_t from_us = 0, to_us = 0;
  std::vector<timeline_row> rows;
  std::vector<leader_story> stories;
  std::vector<timed_event> events;  ///< those within, sorted
  /// What times count from: 1970, or the start of a run.
  enum class counts : std::uint8_t { from_1970, from_the_start } clock = counts::from_1970;
  bool empty() const { return to_us <= from_us; }
};

/// `events` sorted. With since_us = 0 the last episode: from the first thing that was out of the
/// ordinary to the last, with no quiet second between them; else everything from since_us on.
timeline_picture make_picture(const std::vector<timed_event>& events, std::int64_t since_us,
                              std::int64_t now_us);

/// For people: rows to scale, the durations beside them, and a list of what happened. Bars take
/// what is left of `width`.
std::string draw(const timeline_picture&, std::size_t width, bool colours);

}  // namespace floe::cli
