#include "protocol/types/node_map.hpp"

#include "protocol/wire/layout.hpp"

namespace floe {

constexpr auto layout(wire::of<node_and_flags>) {
  return wire::record("node_and_flags", wire::field("pnn", &node_and_flags::pnn),
                      wire::field("flags", &node_and_flags::flags, &node_flags_text),
                      wire::field("addr", &node_and_flags::addr));
}

constexpr auto layout(wire::of<node_map>) {
  return wire::record("node_map", wire::counted("num", "nodes", &node_map::nodes));
}

constexpr auto layout(wire::of<node_flag_change>) {
  return wire::record("node_flag_change", wire::field("pnn", &node_flag_change::pnn),
                      wire::field("new_flags", &node_flag_change::new_flags, &node_flags_text),
                      wire::field("old_flags", &node_flag_change::old_flags, &node_flags_text));
}

template struct wire::codec<node_and_flags>;
template struct wire::codec<node_map>;
template struct wire::codec<node_flag_change>;

}  // namespace floe
