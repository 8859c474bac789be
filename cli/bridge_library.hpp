#pragma once
/// Where the libtdb bridge is: beside this program as installed, or in the build directory that it was built in.
#include <optional>
#include <string>

namespace floe::cli {
std::optional<std::string> bridge_library();
}
