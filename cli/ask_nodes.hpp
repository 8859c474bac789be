#pragma once
/// One control to several nodes at once.
#include <vector>

#include "cli/context.hpp"

namespace floe::cli {

struct node_reply {
  pnn node;
  result<client_reply> reply;
};

/// One entry for each node, in the order given; takes as long as the slowest.
std::vector<node_reply> ask_each(blocking_client&, const std::vector<pnn>& nodes, control,
                                 const bytes& data, duration patience);

/// The exit code for a set of answers: that of the first failure, after printing one line for each;
/// done if there is none.
exit_code report_failures(const context&, std::string_view what, const std::vector<node_reply>&);

}  // namespace floe::cli
