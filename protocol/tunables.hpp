#pragma once
/// The numbers that an operator can turn. One table, tunables.def, gives their names, defaults,
/// units and meanings; from it come the values of a node, the list on the wire, `listvars` and its
/// help. Names ignore case. Obsolete ones can be set and read and have no effect.
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>

#include "protocol/bytes.hpp"

namespace floe {

/// tunable::control_timeout ...; the number is the place in GET_ALL_TUNABLES, floe's own come
/// behind.
enum class tunable : std::uint16_t {
#define FLOE_TUNABLE(index, field, name, value, unit, meaning) field = (index),
#define FLOE_OBSOLETE_TUNABLE(index, field, name, value) field = (index),
#define FLOE_OWN_TUNABLE(index, field, name, value, unit, meaning) field = (index),
#include "protocol/tunables.def"
#undef FLOE_TUNABLE
#undef FLOE_OBSOLETE_TUNABLE
#undef FLOE_OWN_TUNABLE
};

struct tunable_info {
  tunable which;
  byte_view field;      ///< "control_timeout"
  byte_view name;       ///< "ControlTimeout"
  std::uint32_t value;  ///< default
  byte_view unit;       ///< empty for obsolete ones
  byte_view meaning;    ///< empty for obsolete ones
  bool obsolete;
  bool own;  ///< floe's, not on the wire
};

constexpr std::size_t wire_tunable_count = 62;
constexpr std::size_t tunable_count =
    std::initializer_list<tunable>{
#define FLOE_TUNABLE(index, field, name, value, unit, meaning) tunable::field,
#define FLOE_OBSOLETE_TUNABLE(index, field, name, value) tunable::field,
#define FLOE_OWN_TUNABLE(index, field, name, value, unit, meaning) tunable::field,
#include "protocol/tunables.def"
#undef FLOE_TUNABLE
#undef FLOE_OBSOLETE_TUNABLE
#undef FLOE_OWN_TUNABLE
    }
        .size();

/// All, in the order of LIST_TUNABLES, obsolete ones and floe's own last.
std::span<const tunable_info> all_tunables();
/// Nothing if there is no such name; case does not matter.
const tunable_info* find_tunable(byte_view name);
const tunable_info& info_of(tunable which);
/// What LIST_TUNABLES answers: ":SeqnumInterval:ControlTimeout:...", without obsolete ones.
bytes tunable_names();

/// The values of a node; starts with the defaults. On the wire (GET_ALL_TUNABLES) the first 62 of
/// them.
struct tunable_list {
  static constexpr std::size_t wire_size = 4 * wire_tunable_count;
  tunable_list();
  std::uint32_t& operator[](tunable t) { return values[static_cast<std::size_t>(t)]; }
  std::uint32_t operator[](tunable t) const { return values[static_cast<std::size_t>(t)]; }
  std::optional<std::uint32_t> get(byte_view name) const;
  bool set(byte_view name, std::uint32_t value);  ///< false: no such name
  bool operator==(const tunable_list&) const = default;

  std::array<std::uint32_t, tunable_count> values;
};

}  // namespace floe
