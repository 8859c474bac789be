#pragma once
/// Asks nodes for their timelines (GET_TIMELINE) and merges what they say into one list of events.
#include <string>
#include <vector>

#include "cli/context.hpp"
#include "cli/timeline/events.hpp"
#include "cli/timeline/picture.hpp"
#include "protocol/wire/json.hpp"

namespace floe::cli {

struct silent_node {
  pnn node;
  std::string why;
};
struct gathered_events {
  std::vector<timed_event> events;  ///< sorted
  std::vector<silent_node> missing;
};

gathered_events gather_events(blocking_client&, const std::vector<pnn>& nodes,
                              std::int64_t since_us, duration patience);

/// The members of the JSON answer.
void put_picture(wire::json_writer&, const timeline_picture&,
                 const std::vector<silent_node>& missing);

}  // namespace floe::cli
