#pragma once
/// The number that every transaction raises by one. It is a record of the database, kept under a key that clients do not see.
#include <cstdint>

#include "storage/store.hpp"

namespace floe {

/// 0 if it is none.
std::uint64_t sequence_number_in(byte_view data);
/// Of what the store has; 0 before the first transaction.
std::uint64_t sequence_number_of(store&);

}  // namespace floe
