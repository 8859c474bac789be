#pragma once
/// Read-only copies of records of a volatile database (SET_DB_READONLY): each node is told by itself.
#include <string_view>
#include <vector>

#include "cli/command.hpp"
#include "cli/context.hpp"

namespace floe::cli {

command setdbreadonly_command();

/// Tells the nodes of -n, without it all active ones, and says which these are. What failed is printed.
std::expected<std::vector<pnn>, exit_code> allow_read_only_copies(context&, blocking_client&,
                                                                  std::string_view what, db_id);

}  // namespace floe::cli
