#pragma once
/// Messages: data for a srvid. messages.def describes those with a meaning of their own.
///
///   wire::encode(election_message{...}) for message::election
#include <cstdint>
#include <span>

#include "protocol/bytes.hpp"
#include "protocol/ids.hpp"
#include "protocol/types/fwd.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {

/// message::leader ...: the srvid, or the first of its range.
namespace message {
#define FLOE_MESSAGE(value, mask, field, name, type, traits, meaning) \
  inline constexpr srvid field{value};
#include "protocol/messages.def"
#undef FLOE_MESSAGE
/// A registration for this one receives every message that reaches the node.
inline constexpr srvid everything{0xFFFFFFFFFFFFFFFF};
}  // namespace message

/// Number n of a range of srvids.
constexpr srvid nth(srvid first, std::uint64_t n) { return srvid{number(first) + n}; }

struct message_info {
  enum class trait : std::uint8_t { none, later, obsolete };
  srvid first;
  std::uint64_t mask;  ///< bits that count
  byte_view field;     ///< "push_node_flags"
  byte_view name;      ///< "PUSH_NODE_FLAGS"
  const wire::type_info* type;
  trait is;
  byte_view meaning;
};

std::span<const message_info> all_messages();
/// Nothing if the srvid has no meaning of its own.
const message_info* find_message(srvid id);
/// The type of a message's data; octets if it is free or does not decode. An answer to the ctdb
/// tool is a number if it has four bytes, else text.
const wire::type_info& payload_type(srvid id, byte_view data);

/// Owner of a range of srvids by its top bits, for people.
struct srvid_range {
  std::uint8_t top;  ///< upper 8 bits
  byte_view owner;
};
std::span<const srvid_range> srvid_ranges();

}  // namespace floe
