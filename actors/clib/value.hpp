#pragma once
/// Octets and headers of the C interface, and ours: what a program hands in, and what it is given and frees (floe_free).
#include <stdexcept>
#include <string>

#include "actors/clib/failure.hpp"
#include "protocol/bytes.hpp"
#include "protocol/framing.hpp"
#include "protocol/record.hpp"

namespace floe::clib {

/// More than a node takes in one packet.
inline constexpr std::size_t most_octets = framing_policy{}.max_packet;

/// Throws what `guarded` makes FLOE_EINVAL of.
inline byte_view octets(const void* data, std::size_t size) {
  if (size == 0) return {};
  if (!data) throw std::invalid_argument("no data, though a size");
  if (size > most_octets)
    throw std::invalid_argument("larger than what a node takes: " + std::to_string(size) +
                                " octets of at most " + std::to_string(most_octets));
  return {static_cast<const char*>(data), size};
}

/// A copy that the caller frees; `exists` is set.
outcome<void> fill(floe_value& out, byte_view data);

floe_header as_c(const record_header&);

}  // namespace floe::clib
