#pragma once
/// Finds what a name or number of the protocol stands for.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/controls.hpp"
#include "protocol/messages.hpp"
#include "protocol/packet.hpp"
#include "protocol/tunables.hpp"

namespace floe::cli {

/// What is known of an operation beside its layout.
struct operation_row {
  operation op;
  const wire::type_info* body;
  const char* does;
  const char* answered_by;  ///< empty: nothing
};
const std::vector<operation_row>& all_operations();

/// A set of flags (or of capabilities, states): where it is used, and its bits.
struct flag_group {
  const char* name;  ///< "node flag"
  const char* where;
};
struct flag_row {
  flag_group group;
  std::uint64_t bits;
  byte_view name;
};
std::vector<flag_row> all_flags();

/// By name in any case, or opcode.
const control_info* control_called(std::string_view name_or_opcode);
bool same_name(std::string_view a, std::string_view b);

/// Types of the payloads of all controls and messages, each once.
std::vector<const wire::type_info*> all_types();
/// Every name that `floe explain` knows.
std::vector<std::string_view> all_names();

}  // namespace floe::cli
