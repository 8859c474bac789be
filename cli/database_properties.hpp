#pragma once
/// Properties that a volatile database has on each node by itself: read-only copies (SET_DB_READONLY), pins (SET_DB_STICKY).
#include <string_view>
#include <vector>

#include "cli/context.hpp"

namespace floe::cli {

/// Sets one on the nodes of -n, without it on all active ones, and says which these are. What failed is printed.
std::expected<std::vector<pnn>, exit_code> set_property(context&, blocking_client&,
                                                        std::string_view what, control property,
                                                        db_id);

}  // namespace floe::cli
