#pragma once
/// Octets: owned, borrowed, and shared between actors.
#include <memory>
#include <string>
#include <string_view>

namespace floe {
using bytes = std::string;
using byte_view = std::string_view;
/// One packet as it travelled, length field to the last padding byte; immutable, shared by
/// reference count.
using frame = std::shared_ptr<const bytes>;
}  // namespace floe
