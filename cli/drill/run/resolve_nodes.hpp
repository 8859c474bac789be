#pragma once
/// Which nodes the words of a line mean now. An error is one line, such as "there is no leader now".
#include <expected>
#include <string>
#include <vector>

#include "cli/drill/language/node_ref.hpp"
#include "cli/drill/language/verb.hpp"

namespace floe::cli::drill {

using node_list = std::vector<std::size_t>;

/// A line that speaks of `it` later means this node; `leader`, `follower` and `any` look who that is.
std::expected<std::size_t, std::string> resolve(drill_run&, const node_ref&);
/// The error is that of the first that means no node.
std::expected<node_list, std::string> resolve(drill_run&, const std::vector<node_ref>&);

/// Does it for every node of the list.
action for_each_node(std::vector<node_ref>, std::function<outcome(drill_run&, std::size_t)>);

}  // namespace floe::cli::drill
