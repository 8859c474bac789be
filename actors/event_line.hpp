#pragma once
/// An event as it is kept and written: which one, of which database, and its fields as text. events.hpp makes it from a
/// typed event and reads it back; this header is for those who only carry it.
///
///     freeze-state db=locking.tdb thawed->freezing holders=1
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/ids.hpp"

namespace floe {

/// One for each row; events.hpp has their names, so that a new row is news only for those who look at single events.
enum class event_id : std::uint8_t;
/// Of another version: its whole line is in `fields`.
inline constexpr event_id unknown_event{255};

struct event_line {
  event_id id = unknown_event;
  std::string db{};      ///< empty: the node as a whole
  std::string fields{};  ///< "thawed->freezing holders=1"
  bool operator==(const event_line&) const = default;
};

/// The name of the event; of an unknown one the first word of its line.
std::string_view name(const event_line&);
/// The whole line, as in the log.
std::string text(const event_line&);
/// The other way round; nothing if the line begins with no event's name.
std::optional<event_line> parse_event(std::string_view line);

/// An event on a node's timeline.
struct timeline_event {
  std::int64_t wall_us = 0;  ///< microseconds since 1970
  db_id db{0};               ///< 0: the node as a whole; the node knows its name
  event_line line{};
};
/// Of an event whose row in events.def puts it there; one that is for the log only does not compile.
template <class Event>
timeline_event on_timeline(std::int64_t wall_us, const Event& e, db_id db = db_id{0}) {
  static_assert(Event::on_timeline, "its row in events.def says `log`: tell() it to the log");
  return {.wall_us = wall_us, .db = db, .line = line_of(e)};
}

}  // namespace floe
