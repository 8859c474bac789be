#include "protocol/types/connection.hpp"

#include "protocol/wire/layout.hpp"

namespace floe {

constexpr auto layout(wire::of<tcp_connection>) {
  return wire::record("connection", wire::field("src", &tcp_connection::src),
                      wire::field("dst", &tcp_connection::dst));
}

constexpr auto layout(wire::of<tickle_list>) {
  return wire::record("tickle_list", wire::field("addr", &tickle_list::addr),
                      wire::counted("num", "connections", &tickle_list::connections));
}

template struct wire::codec<tcp_connection>;
template struct wire::codec<tickle_list>;

}  // namespace floe
