#pragma once
/// The events that nodes keep (actors/timeline.hpp lists their names and details), read from their
/// reports.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/ids.hpp"

namespace floe::cli {

struct timed_event {
  std::int64_t t_us = 0;  ///< wall clock of the node
  pnn node{0};
  std::string name;
  std::string db;  ///< empty: the node as a whole
  std::string detail;

  /// Of "key=value" or key="some words"; empty if there is no such key.
  std::string_view value(std::string_view key) const;
  std::int64_t number_of(std::string_view key) const;
  /// Of "from->to ...".
  std::pair<std::string_view, std::string_view> change() const;
};

/// Adds the events of one answer to GET_TIMELINE; false if it is not understood.
bool add_events(std::vector<timed_event>& to, std::string_view report);
/// By time; events of one node stay in their order.
void sort_events(std::vector<timed_event>&);

}  // namespace floe::cli
