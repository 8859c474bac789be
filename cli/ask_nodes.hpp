#pragma once
/// What commands say of the answers of several nodes (blocking_client::control_many).
#include <vector>

#include "cli/context.hpp"

namespace floe::cli {

/// The exit code for a set of answers: that of the first failure, after printing one line for each;
/// done if there is none.
exit_code report_failures(const context&, std::string_view what, const std::vector<node_reply>&);

}  // namespace floe::cli
