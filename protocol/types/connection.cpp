#include "protocol/types/connection.hpp"

#include "protocol/wire/layout.hpp"

namespace floe {

constexpr auto layout(wire::of<connection>) {
  return wire::record("connection", wire::field("src", &connection::src),
                      wire::field("dst", &connection::dst));
}

constexpr auto layout(wire::of<tickle_list>) {
  return wire::record("tickle_list", wire::field("addr", &tickle_list::addr),
                      wire::counted("num", "connections", &tickle_list::connections));
}

template struct wire::codec<connection>;
template struct wire::codec<tickle_list>;

}  // namespace floe
