#include "protocol/types/client.hpp"

#include "protocol/wire/layout.hpp"

namespace floe {

constexpr auto layout(wire::of<notify_data>) {
  return wire::record("notify_data", wire::field("srvid", &notify_data::srvid),
                      wire::sized("len", "data", &notify_data::data));
}

constexpr auto layout(wire::of<pid_srvid>) {
  return wire::record("pid_srvid", wire::field("pid", &pid_srvid::pid),
                      wire::field("srvid", &pid_srvid::srvid));
}

constexpr auto layout(wire::of<echo_data>) {
  return wire::record("echo_data", wire::field("timeout", &echo_data::timeout),
                      wire::sized("len", "data", &echo_data::data));
}

constexpr auto layout(wire::of<srvid_message>) {
  return wire::record("srvid_message", wire::field("pnn", &srvid_message::pnn), wire::junk<4>(),
                      wire::field("srvid", &srvid_message::srvid));
}

constexpr auto layout(wire::of<disable_message>) {
  return wire::record("disable_message", wire::field("pnn", &disable_message::pnn), wire::junk<4>(),
                      wire::field("srvid", &disable_message::srvid),
                      wire::field("timeout", &disable_message::timeout), wire::junk<4>());
}

template struct wire::codec<notify_data>;
template struct wire::codec<pid_srvid>;
template struct wire::codec<echo_data>;
template struct wire::codec<srvid_message>;
template struct wire::codec<disable_message>;

}  // namespace floe
