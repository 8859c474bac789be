#pragma once
/// Why bytes could not be decoded: which type, which field of it, at which offset (from the start
/// of what was given to the decoder), and what is wrong. The names point to static text.
#include <cstddef>
#include <cstdint>

#include "protocol/bytes.hpp"

namespace floe::wire {

enum class fault : std::uint8_t {
  truncated,          ///< the field needs `wanted` bytes, `have` are left
  count_too_large,    ///< `wanted` entries cannot fit into the `have` bytes that are left
  length_wrong,       ///< a length says `wanted` where `have` is the only possible value
  trailing_bytes,     ///< the type ended, `have` bytes follow
  bad_value,          ///< the field holds `have`, which is not allowed
  not_terminated,     ///< a text whose NUL is required has none
  bad_magic,          ///< a packet that does not start like one
  bad_version,        ///< another version of the protocol
  unknown_operation,  ///< no operation has the number `have`
};

struct error {
  const char* type = "";
  const char* field = "";
  std::size_t offset = 0;
  fault why = fault::truncated;
  std::uint64_t wanted = 0;
  std::uint64_t have = 0;

  /// One line for people: "vnn_map.map at offset 8: 100 entries do not fit into 12 bytes".
  bytes text() const;
  bool operator==(const error& other) const;
};

}  // namespace floe::wire
