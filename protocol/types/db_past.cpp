#include "protocol/types/db_past.hpp"

#include "protocol/wire/layout.hpp"

namespace floe {

constexpr auto layout(wire::of<db_past>) {
  return wire::record("db_past", wire::field("number", &db_past::number),
                      wire::field("written", &db_past::written),
                      wire::counted("num", "from", &db_past::from));
}

template struct wire::codec<db_past>;

}  // namespace floe
