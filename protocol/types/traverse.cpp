#include "protocol/types/traverse.hpp"

#include "protocol/wire/layout.hpp"

namespace floe {

constexpr auto layout(wire::of<traverse_start>) {
  return wire::record("traverse_start", wire::field("db_id", &traverse_start::db_id),
                      wire::field("reqid", &traverse_start::reqid),
                      wire::field("srvid", &traverse_start::srvid));
}

constexpr auto layout(wire::of<traverse_start_ext>) {
  return wire::record("traverse_start_ext", wire::field("db_id", &traverse_start_ext::db_id),
                      wire::field("reqid", &traverse_start_ext::reqid),
                      wire::field("srvid", &traverse_start_ext::srvid),
                      wire::field("withemptyrecords", &traverse_start_ext::withemptyrecords),
                      wire::zero<7>());
}

constexpr auto layout(wire::of<traverse_all>) {
  return wire::record("traverse_all", wire::field("db_id", &traverse_all::db_id),
                      wire::field("reqid", &traverse_all::reqid),
                      wire::field("pnn", &traverse_all::pnn),
                      wire::field("client_reqid", &traverse_all::client_reqid),
                      wire::field("srvid", &traverse_all::srvid));
}

constexpr auto layout(wire::of<traverse_all_ext>) {
  return wire::record(
      "traverse_all_ext", wire::field("db_id", &traverse_all_ext::db_id),
      wire::field("reqid", &traverse_all_ext::reqid), wire::field("pnn", &traverse_all_ext::pnn),
      wire::field("client_reqid", &traverse_all_ext::client_reqid),
      wire::field("srvid", &traverse_all_ext::srvid),
      wire::field("withemptyrecords", &traverse_all_ext::withemptyrecords), wire::junk<7>());
}

template struct wire::codec<traverse_start>;
template struct wire::codec<traverse_start_ext>;
template struct wire::codec<traverse_all>;
template struct wire::codec<traverse_all_ext>;

}  // namespace floe
