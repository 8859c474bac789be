#pragma once
/// floe samba.
#include "cli/command.hpp"

namespace floe::cli {
command samba_command();
}
