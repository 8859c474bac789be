#include "protocol/types/tunable_value.hpp"

#include "protocol/wire/layout.hpp"

namespace floe {

constexpr auto layout(wire::of<tunable_set>) {
  return wire::record("tunable_set", wire::field("value", &tunable_set::value),
                      wire::stringn("name", &tunable_set::name));
}

constexpr auto layout(wire::of<tunable_name>) {
  return wire::record("tunable_name", wire::stringn("name", &tunable_name::name));
}

constexpr auto layout(wire::of<var_list>) {
  return wire::record("var_list", wire::stringn("list", &var_list::list));
}

template struct wire::codec<tunable_set>;
template struct wire::codec<tunable_name>;
template struct wire::codec<var_list>;

}  // namespace floe
