#pragma once
/// Records as callers of libtdb have them: the octets of a file, a header of 24 before the data.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

#include "actors/clib/include/floe/client.h"
#include "actors/tdb_bridge/tdb_abi.hpp"

namespace floe::bridge {

inline constexpr std::size_t header_size = 24;

/// As it stands in a file: rsn u64, dmaster u32, reserved u32, flags u32, padding u32.
inline void append_header(std::string& out, const floe_header& h) {
  char raw[header_size] = {};
  std::memcpy(raw, &h.rsn, 8);
  std::memcpy(raw + 8, &h.dmaster, 4);
  std::memcpy(raw + 16, &h.flags, 4);
  out.append(raw, sizeof raw);
}

inline std::string octets(const floe_header& h, const void* data, std::size_t size) {
  std::string all;
  all.reserve(header_size + size);
  append_header(all, h);
  if (size > 0) all.append(static_cast<const char*>(data), size);
  return all;
}

inline std::string as_string(TDB_DATA d) {
  return d.dsize == 0 ? std::string() : std::string(reinterpret_cast<const char*>(d.dptr), d.dsize);
}

inline TDB_DATA as_data(std::string& s) {
  return {reinterpret_cast<unsigned char*>(s.data()), s.size()};
}

/// For the caller to free.
inline TDB_DATA copy(const std::string& s) {
  auto* made = static_cast<unsigned char*>(std::malloc(std::max<std::size_t>(s.size(), 1)));
  if (!made) return {nullptr, 0};
  std::memcpy(made, s.data(), s.size());
  return {made, s.size()};
}

}  // namespace floe::bridge
