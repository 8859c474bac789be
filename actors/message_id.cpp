#include "actors/message_id.hpp"

#include <cstdint>

namespace floe {
namespace {

/// floe's own half of an id, drawn once by chance: events of other programs begin otherwise.
constexpr std::string_view of_floe = "f10ec1d2a94b7e60";

/// FNV-1a of 64 bits.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t h = 0xcbf29ce484222325;
  for (const unsigned char c : text) h = (h ^ c) * 0x100000001b3;
  return h;
}

}  // namespace

std::string message_id(std::string_view event_name) {
  std::string id(of_floe);
  const auto h = hash_of(event_name);
  for (int shift = 60; shift >= 0; shift -= 4) id += "0123456789abcdef"[(h >> shift) & 15];
  return id;
}

}  // namespace floe
