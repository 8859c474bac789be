#include "actors/database/sequence_number.hpp"

#include <cstring>

#include "protocol/constants.hpp"

namespace floe {

std::uint64_t sequence_number_in(byte_view data) {
  std::uint64_t n = 0;
  if (data.size() == sizeof n) std::memcpy(&n, data.data(), sizeof n);
  return n;
}

std::uint64_t sequence_number_of(store& s) {
  const auto found = s.get(sequence_number_key);
  return found && *found ? sequence_number_in((*found)->data) : 0;
}

}  // namespace floe
