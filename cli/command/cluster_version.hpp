#pragma once
/// Which program the nodes of a cluster run; a part of `floe cluster`.
#include "cli/command.hpp"

namespace floe::cli {

command cluster_version_command();

}  // namespace floe::cli
