#pragma once
/// A mark in the place of a record (protocol/rules/parts.hpp), as nodes send it: the rsn in the header, the sum as data.
#include <optional>

#include "protocol/rules/parts.hpp"
#include "protocol/types/rec_data.hpp"

namespace floe {

void add_mark(rec_buffer_builder&, byte_view key, const record_mark&, std::uint32_t beside_key);
/// Nothing: it is none.
std::optional<record_mark> mark_in(const std::optional<record_view>&);

}  // namespace floe
