#pragma once
/// The events that nodes keep (actors/events.def), read from their reports: when, where, and the line. What is in a line
/// is read with as<event::...>(e.line).
#include <cstdint>
#include <string_view>
#include <vector>

#include "actors/events.hpp"
#include "protocol/ids.hpp"
#include "protocol/wire/json.hpp"

namespace floe::cli {

struct timed_event {
  std::int64_t t_us = 0;  ///< wall clock of the node
  pnn node{0};
  event_line line{};
};

/// Adds the events of one answer to GET_TIMELINE; false if it is not understood. An event that this program does not
/// know is kept as it is.
bool add_events(std::vector<timed_event>& to, std::string_view report);
/// By time; events of one node stay in their order.
void sort_events(std::vector<timed_event>&);

/// Its name, database, fields by their names, and the fields as one text, into an object that is open.
void put_event(wire::json_writer&, const timed_event&);

}  // namespace floe::cli
