#pragma once
/// A packet for people, and for programs.
#include "cli/decode/input.hpp"

namespace floe::cli {

/// A heading, and a line per field: offset, bytes, name, value and meaning; what is wrong with it,
/// if something is.
std::string packet_for_people(const packet_input&, std::size_t number, bool colours);

/// One JSON object: op, control, control_name, fields and reencoded; for a broken packet fields is
/// null and error an object. A payload that is not what its control promises is shown as bytes, and
/// payload_error says why.
std::string packet_for_programs(const packet_input&);

}  // namespace floe::cli
