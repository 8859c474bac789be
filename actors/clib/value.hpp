#pragma once
/// Between C's octets and ours.
#include "actors/clib/failure.hpp"
#include "protocol/bytes.hpp"
#include "protocol/record.hpp"

namespace floe::clib {

inline byte_view octets(const void* data, std::size_t size) {
  return size == 0 ? byte_view() : byte_view(static_cast<const char*>(data), size);
}

/// A copy that the caller frees; `exists` is set.
outcome<void> fill(floe_value& out, byte_view data);

floe_header as_c(const record_header&);

}  // namespace floe::clib
