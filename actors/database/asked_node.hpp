#pragma once
/// The words in which a node says that a request waits for another node: in `why` of its locks (GET_LOCKS) and of the event
/// lock-wait. Written and read here only.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/ids.hpp"

namespace floe {

struct asked_node {
  enum class thing : std::uint8_t { record, copy };
  thing what = thing::record;  ///< the record itself, which comes, or a read-only copy of it
  pnn node{0};
  bool operator==(const asked_node&) const = default;
};

/// "migrating-from-node-2", "a-copy-asked-of-node-2"
std::string to_word(const asked_node&);
/// Nothing: it waits for something else.
std::optional<asked_node> asked_node_in(std::string_view why);

}  // namespace floe
