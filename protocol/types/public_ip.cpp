#include "protocol/types/public_ip.hpp"

#include "protocol/wire/layout.hpp"

namespace floe {

constexpr auto layout(wire::of<addr_info>) {
  return wire::record("addr_info", wire::field("addr", &addr_info::addr),
                      wire::field("mask", &addr_info::mask),
                      wire::stringn("iface", &addr_info::iface));
}

constexpr auto layout(wire::of<public_ip>) {
  return wire::record("public_ip", wire::field("pnn", &public_ip::pnn),
                      wire::field("addr", &public_ip::addr));
}

constexpr auto layout(wire::of<public_ip_list>) {
  return wire::record("public_ip_list", wire::counted("num", "ips", &public_ip_list::ips));
}

constexpr auto layout(wire::of<iface>) {
  return wire::record("iface", wire::fixed_text<18>("name", &iface::name),
                      wire::field("link_state", &iface::link_state),
                      wire::field("references", &iface::references));
}

constexpr auto layout(wire::of<iface_list>) {
  return wire::record("iface_list", wire::counted("num", "ifaces", &iface_list::ifaces));
}

constexpr auto layout(wire::of<public_ip_info>) {
  return wire::record("public_ip_info", wire::field("ip", &public_ip_info::ip),
                      wire::field("active_idx", &public_ip_info::active_idx),
                      wire::field("ifaces", &public_ip_info::ifaces));
}

template struct wire::codec<addr_info>;
template struct wire::codec<public_ip>;
template struct wire::codec<public_ip_list>;
template struct wire::codec<iface>;
template struct wire::codec<iface_list>;
template struct wire::codec<public_ip_info>;

}  // namespace floe
