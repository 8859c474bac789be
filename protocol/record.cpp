#include "protocol/record.hpp"

#include "protocol/wire/layout.hpp"

namespace floe {

constexpr auto layout(wire::of<record_header>) {
  return wire::record("ltdb_header", wire::field("rsn", &record_header::rsn),
                      wire::field("dmaster", &record_header::dmaster),
                      wire::field("reserved1", &record_header::reserved),
                      wire::field("flags", &record_header::flags, &record_flags_text),
                      wire::kept("padding", &record_header::padding));
}

template struct wire::codec<record_header>;

}  // namespace floe
