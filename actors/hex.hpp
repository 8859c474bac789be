#pragma once
/// Keys as people read them: hexadecimal.
#include <string>

#include "protocol/bytes.hpp"

namespace floe {
std::string to_hex(byte_view);
}
