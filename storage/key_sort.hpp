#pragma once
/// Many keys put into key_order(). Keys of one database mostly begin alike, so that their first bytes say nothing: they are
/// compared by those behind what all have in common.
#include <cstdint>
#include <span>
#include <vector>

#include "storage/key.hpp"

namespace floe {

bool ascend_strictly(std::span<const byte_view> keys, long_key_hash hash = hash_long_key);

/// The keys' numbers, ascending; of equal keys in the order in which they are given.
std::vector<std::uint32_t> sorted_numbers(std::span<const byte_view> keys,
                                          long_key_hash hash = hash_long_key);

}  // namespace floe
