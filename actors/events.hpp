#pragma once
/// The events of events.def as types: event::freeze_state{.db = ..., .from = ..., .to = ..., .holders = ...}. `line_of`
/// prints one, `as<event::freeze_state>(line)` reads it back; nobody else takes a line apart.
///
/// Text in an event that was read points into its line; text in an event that is told must live until line_of returns.
/// Quotes and line ends in text are replaced: clients choose their names, peers their reasons.
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "actors/event_line.hpp"
#include "actors/log.hpp"
#include "protocol/ids.hpp"

namespace floe {

enum class event_id : std::uint8_t {
#define FLOE_EVENT(type, name, level, where, fields, meaning, cause, evidence, next) type,
#include "actors/events.def"
#undef FLOE_EVENT
  unknown = 255,
};
static_assert(event_id::unknown == unknown_event);

namespace event {

namespace kind {
using word = std::string_view;
using text = std::string_view;
using json = std::string_view;
using count = std::uint64_t;
using number = std::int64_t;
using yes = bool;
using node = pnn;
using gen = generation;
using nodes = std::vector<pnn>;
}  // namespace kind

namespace where {
constexpr bool log = false, timeline = true;
}

#define FLOE_DB() std::string_view db{};
#define FLOE_CHANGE(kind_, what) kind::kind_ from{}, to{};
#define FLOE_FIELD(kind_, name_) kind::kind_ name_{};
#define FLOE_EVENT(type, name, level_, where_, fields, meaning, cause, evidence, next) \
  struct type {                                                                        \
    static constexpr event_id id = event_id::type;                                     \
    static constexpr log_level level = log_level::level_;                              \
    static constexpr bool on_timeline = where::where_;                                 \
    fields                                                                             \
  };
#include "actors/events.def"
#undef FLOE_EVENT
#undef FLOE_FIELD
#undef FLOE_CHANGE
#undef FLOE_DB

#define FLOE_EVENT(type, name, level, where, fields, meaning, cause, evidence, next) \
  event_line line_of(const type&);                                                   \
  bool read_event(const event_line&, type&);
#include "actors/events.def"
#undef FLOE_EVENT

}  // namespace event

/// The event in this line; nothing if it is another one, or its fields do not fit.
template <class Event>
std::optional<Event> as(const event_line& line) {
  Event e;
  if (line.id != Event::id || !read_event(line, e)) return std::nullopt;
  return e;
}
template <class Event>
std::optional<Event> as(event_line&&) = delete;  // what was read points into it

/// A row of events.def.
struct event_info {
  std::string_view name;
  log_level level{};
  bool on_timeline = false;
  std::string_view fields;  ///< "db=NAME FROM->TO holders=N", for people
  std::string_view meaning, cause;
  std::string_view evidence;  ///< which fields, commands or lines show more
  std::string_view next;      ///< what to do; "nothing" if nothing needs to be done
};
const event_info& info(event_id);          ///< not of unknown
std::span<const event_info> all_events();  ///< in the order of event_id
std::optional<event_id> find_event(std::string_view name);

/// Every field of a line as it stands there, quotes taken off: JSON and pages show them. A change is two: from, to.
struct event_field {
  std::string_view name, value;
  bool is_number = false;
};
void each_field(const event_line&, const std::function<void(const event_field&)>&);

}  // namespace floe
